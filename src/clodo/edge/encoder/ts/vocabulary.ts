/** Words by number and numbers by word, without an object for each: tens of thousands of those would cost megabytes. */
export class Vocabulary {
  readonly #text: string;
  /** Where each word begins in the text; one more than there are. */
  readonly #starts: Uint32Array;
  /** One more than the number of a word, at its hash or behind it; 0 where there is none. */
  readonly #slots: Int32Array;

  /** Of words that each end with a line break: adding one would be a second copy of all. */
  constructor(lines: string) {
    this.#text = lines;
    let count = 0;
    for (let at = this.#text.indexOf("\n"); at >= 0; at = this.#text.indexOf("\n", at + 1)) count += 1;
    this.#starts = new Uint32Array(count + 1);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count)));
    for (let id = 0, start = 0; id < count; id += 1) {
      const end = this.#text.indexOf("\n", start);
      let slot = this.#hash(this.#text, start, end);
      while (this.#slots[slot] !== 0) slot = (slot + 1) % this.#slots.length;
      this.#slots[slot] = id + 1;
      start = end + 1;
      this.#starts[id + 1] = start;
    }
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  /** The word of a number. */
  word(id: number): string {
    return this.#text.slice(this.#starts[id] ?? 0, (this.#starts[id + 1] ?? 1) - 1);
  }

  /** How many letters the word of a number has. */
  length(id: number): number {
    return (this.#starts[id + 1] ?? 0) - (this.#starts[id] ?? 0) - 1;
  }

  get(piece: string): number | undefined {
    for (let slot = this.#hash(piece, 0, piece.length); ; slot = (slot + 1) % this.#slots.length) {
      const id = (this.#slots[slot] ?? 0) - 1;
      if (id < 0) return undefined;
      if (this.length(id) === piece.length && this.#text.startsWith(piece, this.#starts[id] ?? 0)) return id;
    }
  }

  #hash(text: string, start: number, end: number): number {
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    return ((hash ^ (hash >>> 15)) >>> 0) % this.#slots.length;
  }
}
