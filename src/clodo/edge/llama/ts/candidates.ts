/** More tokens than any vocabulary has. A rank below 2^32 before it, and the key is a whole number that a double holds. */
const TOKENS = 2 ** 21;
/** How many more than are wanted come together before the least are dropped: sorting now and then is cheaper than to keep order. */
const SPARE = 64;

/**
 * Tokens that may be drawn, as numbers in one array that is made once: with an object for each, a vocabulary that is drawn from as a
 * whole would leave tens of megabytes behind. In order, the highest score is first, and of equal ones the first token.
 */
export class Candidates {
  #keys = new Float64Array();
  #weights = new Float64Array();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  token(i: number): number {
    const key = this.#keys[i] as number;
    return key - Math.floor(key / TOKENS) * TOKENS;
  }

  weight(i: number): number {
    return this.#weights[i] as number;
  }

  /** The `most` highest of the tokens that are allowed, in order. */
  takeHighest(scores: Float32Array, most: number, allows: ((token: number) => boolean) | undefined): void {
    const room = Math.min(4 * most + SPARE, scores.length);
    const bits = this.#begin(scores, room);
    let least = -Infinity;
    for (let token = 0; token < scores.length; token++) {
      if ((scores[token] as number) <= least || (allows !== undefined && !allows(token))) continue;
      if (this.#count === room) {
        this.#order(most);
        least = scores[this.token(most - 1)] as number;
        if ((scores[token] as number) <= least) continue;
      }
      this.#add(token, bits[token] as number);
    }
    this.#order(most);
  }

  /** All allowed tokens with at least a score, as they come or in order. */
  takeFrom(scores: Float32Array, least: number, allows: ((token: number) => boolean) | undefined, inOrder: boolean): void {
    const bits = this.#begin(scores, scores.length);
    for (let token = 0; token < scores.length; token++) {
      if ((scores[token] as number) >= least && (allows === undefined || allows(token))) this.#add(token, bits[token] as number);
    }
    if (inOrder) this.#order(this.#count);
  }

  /** Gives each its weight, by its score. */
  weigh(scores: Float32Array, weigh: (score: number) => number): void {
    for (let i = 0; i < this.#count; i++) this.#weights[i] = weigh(scores[this.token(i)] as number);
  }

  #begin(scores: Float32Array, room: number): Int32Array {
    this.#count = 0;
    if (this.#keys.length < room) {
      this.#keys = new Float64Array(room);
      this.#weights = new Float64Array(room);
    }
    return new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  }

  #add(token: number, bits: number): void {
    // The bits of floats are in the order of the floats, but for the sign; -0 is 0.
    const ordered = bits === -0x80000000 ? 0 : bits ^ ((bits >> 31) & 0x7fffffff);
    this.#keys[this.#count++] = (0x7fffffff - ordered) * TOKENS + token;
  }

  #order(most: number): void {
    this.#keys.subarray(0, this.#count).sort();
    this.#count = Math.min(this.#count, most);
  }
}
