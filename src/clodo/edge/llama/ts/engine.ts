import module from "./llama.wasm";
import type { Blob, Plan } from "./plan_types";
import { Loading, type Progress } from "./shared/loading";
import { loadWeights, type WeightsEnv } from "./shared/weights";

/** What `llama.c` exports. Pointers are bytes into its memory. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  parameters(): number;
  prepare(): number;
  allocate_weights(bytes: number): number;
  angles_at(): number;
  states_at(): number;
  scores_at(): number;
  longest_pass(): number;
  attach_layer(layer: number, pointer: number): void;
  attach_vocabulary(pointer: number): void;
  forward(first: number, last: number, slot: number, tokens: number, position: number): void;
  copy_slot(from: number, to: number, count: number): void;
  embed(token: number, row: number): void;
  logits(row: number): number;
  best(): number;
  log_of_sum_from(top: number): number;
}

/** Weights and their place in memory; `attach` tells the kernels that they are there. */
interface Placed {
  readonly blob: Blob;
  readonly pointer: number;
  attach(): void;
}

/** How many files are read at once: the next are asked for while one arrives, and a request may have six connections. */
const READERS = 3;

/** The kernels with the weights of one Worker, which arrive in the order in which they are needed. */
export class Engine {
  /** The most tokens of one pass. */
  readonly longest: number;
  readonly plan: Plan;
  #exports: Exports;
  #blobs: readonly Placed[];
  #head: number;
  #loading: Loading<true>;
  #env: WeightsEnv | undefined;
  #rope: boolean;

  constructor(plan: Plan) {
    this.plan = plan;
    this.#exports = new WebAssembly.Instance(module, {}).exports as unknown as Exports;
    const { longest_pass, prepare, attach_layer, attach_vocabulary } = this.#exports;
    this.longest = longest_pass();
    this.#describe();
    if (prepare() === 0) throw new Error("The model has no room in this Worker's memory.");
    this.#rope = plan.layers.length > 0;
    const { vocabulary } = plan;
    const place = (blob: Blob, attach: (pointer: number) => void): Placed => {
      const pointer = this.#room(blob);
      return { blob, pointer, attach: () => attach(pointer) };
    };
    this.#blobs = [
      ...(vocabulary === null ? [] : [place(vocabulary, (pointer) => attach_vocabulary(pointer))]),
      ...plan.layers.map((blob, layer) => place(blob, (pointer) => attach_layer(layer, pointer))),
    ];
    this.#head = vocabulary === null ? 0 : 1;
    this.#loading = new Loading((progress) => this.#load(progress));
  }

  /** Whether all weights are in their place. */
  get ready(): boolean {
    return this.#loading.ready;
  }

  /** Begins to load, where nobody has; never rejects. */
  load(env: WeightsEnv): Promise<void> {
    this.#env = env;
    return this.#loading.start();
  }

  /** Waits for everything. */
  async whole(): Promise<void> {
    await this.#loading.whole();
  }

  /** Waits for the embedding and the head. */
  vocabularyReady(): Promise<void> {
    return this.#loading.reached(this.#head);
  }

  /** Waits until layer `layer` of this Worker is there, and says how many are by then. */
  async layersReady(layer: number): Promise<number> {
    await this.#loading.reached(this.#head + layer + 1);
    return this.ready ? this.plan.layers.length : this.#loading.steps - this.#head;
  }

  /** The states of `tokens` tokens (f32 [tokens][width]), copied out of the kernels' memory. */
  states(tokens: number): Uint8Array {
    return this.#view(tokens).slice();
  }

  /** Puts states back. */
  setStates(states: Uint8Array): void {
    new Uint8Array(this.#exports.memory.buffer, this.#exports.states_at(), states.byteLength).set(states);
  }

  /** The states of these tokens before the first layer. */
  embed(tokens: readonly number[]): Uint8Array {
    tokens.forEach((token, row) => this.#exports.embed(token, row));
    return this.states(tokens.length);
  }

  /** Runs layers `first` … `last - 1` of this Worker over the states; the first token is at `position` of the slot. */
  forward(first: number, last: number, slot: number, tokens: number, position: number): void {
    this.#exports.forward(first, last, slot, tokens, position);
  }

  /** Copies the first `count` positions of a slot's cache to another. */
  copySlot(from: number, to: number, count: number): void {
    this.#exports.copy_slot(from, to, count);
  }

  /** The score of each token after the first row of the states: a view that the next call overwrites. */
  logits(): Float32Array {
    this.#exports.logits(0);
    return this.scores();
  }

  /** The scores as they lie in the kernels' memory. */
  scores(): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, this.#exports.scores_at(), this.plan.scored);
  }

  /** Puts scores that were made elsewhere, f32, to those of tokens from `first` on. */
  putScores(scores: Uint8Array, first: number): void {
    new Uint8Array(this.#exports.memory.buffer, this.#exports.scores_at() + 4 * first, scores.byteLength).set(scores);
  }

  /** The token with the highest score. */
  best(): number {
    return this.#exports.best();
  }

  /** The logarithm of the sum of e^score; `top` is the highest score. */
  logSum(top: number): number {
    return top + Math.log(this.#exports.log_of_sum_from(top));
  }

  #view(tokens: number): Uint8Array {
    const bytes = 4 * tokens * this.plan.shape.width;
    return new Uint8Array(this.#exports.memory.buffer, this.#exports.states_at(), bytes);
  }

  #describe(): void {
    const { shape, layers, context, slots, scored } = this.plan;
    const { width, hidden, heads, kvHeads, headSize, ropeSize, split } = shape;
    const numbers = [layers.length, width, hidden, heads, kvHeads, headSize, ropeSize, split ? 1 : 0, context, slots, scored];
    const at = this.#exports.parameters();
    new Int32Array(this.#exports.memory.buffer, at, numbers.length).set(numbers);
    new Float32Array(this.#exports.memory.buffer, at + 4 * numbers.length, 1)[0] = shape.epsilon;
  }

  #room(blob: Blob): number {
    const pointer = this.#exports.allocate_weights(blob.reduce((sum, { bytes }) => sum + bytes, 0));
    if (pointer === 0) throw new Error("The weights have no room in this Worker's memory.");
    return pointer;
  }

  async #load({ step, beat }: Progress): Promise<true> {
    if (this.#rope) this.#fillAngles();
    this.#rope = false;
    const env = this.#env as WeightsEnv;
    const arrived = this.#blobs.map(() => false);
    let told = 0;
    let next = 0;
    const reader = async (): Promise<void> => {
      for (let mine = next++; mine < this.#blobs.length; mine = next++) {
        const { blob, pointer, attach } = this.#blobs[mine] as Placed;
        await readBlob(env, blob, this.#exports.memory, pointer, beat);
        attach();
        arrived[mine] = true;
        // Steps are told in order, for whoever waits for the third takes the first two for granted.
        for (; arrived[told] === true; told++) step();
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    return true;
  }

  #fillAngles(): void {
    const { frequencies, ropeSize } = this.plan.shape;
    const { context } = this.plan;
    const half = ropeSize / 2;
    const angles = new Float32Array(this.#exports.memory.buffer, this.#exports.angles_at(), context * ropeSize);
    for (let position = 0; position < context; position++) {
      for (let i = 0; i < half; i++) {
        const angle = position * (frequencies[i] as number);
        angles[position * ropeSize + i] = Math.cos(angle);
        angles[position * ropeSize + half + i] = Math.sin(angle);
      }
    }
  }
}

/** Streams the files of a blob to one place. */
export async function readBlob(
  env: WeightsEnv,
  blob: Blob,
  memory: { readonly buffer: ArrayBuffer },
  pointer: number,
  beat: () => void,
): Promise<void> {
  let at = pointer;
  for (const { path, bytes } of blob) {
    await loadWeights(env, path, memory as WebAssembly.Memory, at, bytes, beat);
    at += bytes;
  }
}
