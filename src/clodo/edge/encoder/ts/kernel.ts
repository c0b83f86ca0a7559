import type { Reading, Span } from "./reading";
import type { Labels } from "./tables";

interface Exports {
  readonly memory: WebAssembly.Memory;
  weights(): number;
  start(bytes: number): number;
  prepare(pieces: number): number;
  ids(): number;
  tags(): number;
  whole(): number;
  word_weights(): number;
  firsts(): number;
  lasts(): number;
  kinds(): number;
  places(): number;
  lines(): number;
  marks(): number;
  said(): number;
  read(pieces: number): void;
  link(mentions: number): void;
  pair_slots(mentions: number): number;
  pair_row(mention: number, slot: number): number;
}

/**
 * Rows of scores that lie in WebAssembly memory and are looked at there: as lists of numbers they would take several times as much. They
 * hold until the next text is read.
 */
export class Rows {
  readonly #values: Float32Array;
  readonly #starts: readonly number[] | undefined;
  readonly #stride: number;
  readonly #offset: number;
  readonly count: number;
  readonly width: number;

  /** Row i begins at the stride times i, or times the i-th of `starts`; of it the scores from `offset` on are looked at. */
  constructor(values: Float32Array, stride: number, offset: number, width: number, starts?: readonly number[]) {
    this.#values = values;
    this.#stride = stride;
    this.#offset = offset;
    this.#starts = starts;
    this.width = width;
    this.count = starts?.length ?? values.length / stride;
  }

  at(row: number, column: number): number {
    const line = this.#starts === undefined ? row : (this.#starts[row] ?? 0);
    return this.#values[line * this.#stride + this.#offset + column] ?? 0;
  }
}

/** Scores over a text: one row of tags for each word, one row each for the whole, and how much each word speaks for the access rule. */
export interface TextScores {
  readonly tags: Rows;
  readonly access: readonly number[];
  readonly verdict: readonly number[];
  readonly service: readonly number[];
  readonly accessWords: readonly number[];
}

/** Scores over mentions. */
export interface LinkScores {
  /** e to the score of mention i towards mention j. */
  power(i: number, j: number, label: number): number;
  /** The same, added up over all pairs of two groups of mentions. */
  total(rows: readonly number[], columns: readonly number[], label: number): number;
  readonly classes: Rows;
  readonly fieldFlags: Rows;
  readonly entityFlags: Rows;
}

const PAGE = 65_536;

/** The network in WebAssembly. It works on one text at a time: what is read stays until the next text is. */
export class Kernel {
  readonly #exports: Exports;
  #known: Labels | undefined;

  constructor(module: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Exports;
  }

  get memory(): WebAssembly.Memory {
    return this.#exports.memory;
  }

  /** Makes room for a weights file and says where it belongs. */
  room(bytes: number): number {
    const at = this.#exports.weights();
    const missing = Math.ceil((at + bytes - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
    return at;
  }

  /** Takes the weights file into use that lies in its place; `labels` are what its scores are of. */
  start(bytes: number, labels: Labels): void {
    const state = this.#exports.start(bytes);
    if (state !== 1) throw new Error("The weights are no weights of an encoder.");
    this.#known = labels;
  }

  get #labels(): Labels {
    if (this.#known === undefined) throw new Error("The weights are not loaded.");
    return this.#known;
  }

  #floats(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count);
  }

  /** Reads pieces of a text: the scores over all of it, one after another. What was read before is gone. */
  #whole(pieces: readonly number[]): number[] {
    const { access, verdicts, service_types: services } = this.#labels;
    if (this.#exports.prepare(pieces.length) !== 1) throw new Error(`There is no room for ${pieces.length} pieces of text.`);
    new Int32Array(this.memory.buffer, this.#exports.ids(), pieces.length).set(pieces);
    this.#exports.read(pieces.length);
    const count = access.length + verdicts.length + services.length;
    return listed(this.#floats(this.#exports.whole(), count), 0, count);
  }

  /** The scores of the verdicts on pieces of a text. What was read before is gone. */
  verdict(pieces: readonly number[]): number[] {
    const { access, verdicts } = this.#labels;
    return this.#whole(pieces).slice(access.length, access.length + verdicts.length);
  }

  read(reading: Reading): TextScores {
    const { pieces, first } = reading;
    const { tags, access, verdicts } = this.#labels;
    const whole = this.#whole(pieces);
    const rows = this.#floats(this.#exports.tags(), pieces.length * tags.length);
    const weights = this.#floats(this.#exports.word_weights(), pieces.length);
    return {
      tags: new Rows(rows, tags.length, 0, tags.length, first),
      access: whole.slice(0, access.length),
      verdict: whole.slice(access.length, access.length + verdicts.length),
      service: whole.slice(access.length + verdicts.length),
      accessWords: first.map((piece) => weights[piece] ?? 0),
    };
  }

  /** Scores mentions of the text that was read last: spans in words, and kinds by name. */
  link(reading: Reading, spans: readonly Span[], kinds: readonly string[]): LinkScores {
    const n = spans.length;
    const { classes, field_flags: fields, entity_flags: entities, pairs, kinds: known } = this.#labels;
    const e = this.#exports;
    const set = (at: number, values: readonly number[]): void => new Int32Array(this.memory.buffer, at, n).set(values);
    set(e.firsts(), spans.map(([a]) => reading.first[a] ?? 0));
    set(e.lasts(), spans.map(([, b]) => reading.last[b] ?? 0));
    set(e.kinds(), kinds.map((kind) => known.indexOf(kind)));
    set(e.places(), spans.map(([a]) => a));
    set(e.lines(), spans.map(([a]) => reading.sentences[a] ?? 0));
    let marked = 0;
    set(e.marks(), kinds.map((kind) => (kind === "entity" ? marked++ : marked)));
    e.link(n);
    const width = classes.length + fields.length + entities.length;
    const said = this.#floats(e.said(), n * width);
    const slots = e.pair_slots(n);
    const held = new Int32Array(slots).fill(-1);
    const places = new Int32Array(slots);
    // One look at the whole memory: a look at each row would be an object for each.
    const memory = new Float32Array(this.memory.buffer);
    const rowOf = (i: number): number => {
      const slot = i % slots;
      if (held[slot] !== i) {
        places[slot] = e.pair_row(i, slot) >>> 2;
        held[slot] = i;
      }
      return places[slot] ?? 0;
    };
    const labels = pairs.length;
    return {
      power: (i, j, label) => memory[rowOf(i) + j * labels + label] ?? 0,
      total: (rows, columns, label) => {
        let sum = 0;
        for (let a = 0; a < rows.length; a += 1) {
          const row = rowOf(rows[a] ?? 0) + label;
          for (let b = 0; b < columns.length; b += 1) sum += memory[row + (columns[b] ?? 0) * labels] ?? 0;
        }
        return sum;
      },
      classes: new Rows(said, width, 0, classes.length),
      fieldFlags: new Rows(said, width, classes.length, fields.length),
      entityFlags: new Rows(said, width, classes.length + fields.length, entities.length),
    };
  }
}

/** Some of the values as a list; spreading them would make an object for each. */
function listed(values: Float32Array, from: number, count: number): number[] {
  const out = new Array<number>(count);
  for (let i = 0; i < count; i += 1) out[i] = values[from + i] ?? 0;
  return out;
}
