import { Cache, LostSession, type Prefix } from "./cache";
import type { Engine } from "./engine";

/** How long a new session waits for a slot that sessions of other fronts hold, and how often it looks. */
const BUSY_MS = 20_000;
const LOOK_MS = 10;

/** A session in one stage: some layers with the keys and values of one conversation. */
export interface StageSession {
  /** How many positions were there already. */
  readonly reused: number;
  /** Runs the stage over states f32 [tokens][width], the first of which is at `position`. */
  step(states: Uint8Array, tokens: number, position: number): Promise<Uint8Array>;
  /** Ends it; never rejects. */
  close(): Promise<void>;
}

/**
 * Frees states that nobody needs any more. They lie outside of V8's heap, by whose growth it judges when to collect: of a few long
 * prompts megabytes of them would lie about.
 */
export function letGo(states: Uint8Array): void {
  (states.buffer as ArrayBuffer).transfer(0);
}

/** What a Worker has sent last. It is copied on its way and stays: whoever asks for the next, or for nothing any more, has it. */
export class Sent {
  #last: Uint8Array | undefined;

  keep(made: Uint8Array): Uint8Array {
    this.#last = made;
    return made;
  }

  letGo(): void {
    if (this.#last !== undefined) letGo(this.#last);
    this.#last = undefined;
  }
}

/** Some layers of a model, here or in another Worker. */
export interface Stage {
  open(session: string, prefix: Prefix | null): Promise<StageSession>;
}

/** The layers of this Worker's own engine. */
export class LocalStage implements Stage {
  #engine: Engine;
  #cache: Cache;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#cache = new Cache(engine.plan.slots, (from, to, count) => engine.copySlot(from, to, count));
  }

  async open(session: string, prefix: Prefix | null): Promise<StageSession> {
    for (let waited = 0; waited < BUSY_MS; waited += LOOK_MS) {
      const reused = this.#cache.open(session, prefix);
      if (reused !== undefined) {
        return {
          reused,
          step: (states, tokens, position) => this.#step(session, states, tokens, position),
          close: async () => this.#cache.close(session),
        };
      }
      await scheduler.wait(LOOK_MS);
    }
    throw new LostSession("all slots are in use");
  }

  async #step(session: string, states: Uint8Array, tokens: number, position: number): Promise<Uint8Array> {
    const layers = this.#engine.plan.layers.length;
    let out = states;
    // Between Workers each step is an input; where all is here, others get their turn by this.
    if (this.#engine.plan.vocabulary !== null) await scheduler.wait(0);
    for (let done = 0; done < layers; ) {
      // While weights arrive, the layers that are there already work. Others may use the kernels meanwhile, so the states are
      // put in after each wait, and the slot is looked up anew.
      const ready = await this.#engine.layersReady(done);
      const slot = this.#cache.at(session, position);
      this.#engine.setStates(out);
      this.#engine.forward(done, ready, slot, tokens, position);
      if (out !== states) letGo(out);
      out = this.#engine.states(tokens);
      done = ready;
    }
    this.#cache.extend(session, position + tokens);
    return out;
  }
}
