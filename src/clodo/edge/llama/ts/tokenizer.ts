import type { TextPlan } from "./plan_types";
import { splitter } from "./splitters";

const NONE = 0xffffffff;

/**
 * A byte-level BPE tokenizer. Its tables are typed arrays, for tens of thousands of small objects would cost more memory than
 * the weights of a layer. The file: u32 tokens, u32 extra, u32 merges, u32 bytes | u32 offsets[tokens + extra + 1] |
 * u32 left[merges], right[merges], result[merges], the most important merge first | the bytes of all tokens. The extra ones
 * come about in merges only and are no tokens of the model.
 */
export class Tokenizer {
  readonly count: number;
  /** Token i stands for `bytes[offsets[i]]` … `bytes[offsets[i + 1] - 1]`: for whoever looks at all tokens, where `bytesOf` would
   * make an object for each. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  #left: Uint32Array;
  #right: Uint32Array;
  #result: Uint32Array;
  /** Open addressing: the number of a merge + 1, 0 where there is none. */
  #merges: Uint32Array;
  #words: Uint32Array | undefined;
  #single = new Uint32Array(256).fill(NONE);
  #split: (text: string) => string[];
  #control: Set<number>;
  #userDefined: readonly { readonly id: number; readonly text: string }[];
  #encoder = new TextEncoder();

  constructor(plan: TextPlan, file: ArrayBuffer) {
    const [tokens, extra, merges, size] = new Uint32Array(file, 0, 4) as unknown as [number, number, number, number];
    let at = 16;
    const take = (length: number): Uint32Array => {
      const part = new Uint32Array(file, at, length);
      at += 4 * length;
      return part;
    };
    this.count = tokens;
    this.offsets = take(tokens + extra + 1);
    this.#left = take(merges);
    this.#right = take(merges);
    this.#result = take(merges);
    this.bytes = new Uint8Array(file, at, size);
    this.#split = splitter(plan.splitter);
    this.#control = new Set(plan.control);
    const decoder = new TextDecoder();
    this.#userDefined = plan.userDefined
      .map((id) => ({ id, text: decoder.decode(this.bytesOf(id)) }))
      .sort((a, b) => b.text.length - a.text.length);
    this.#merges = this.#hashMerges();
    const known = new Set([...plan.control, ...plan.userDefined]);
    for (let id = 0; id < tokens; id++) {
      const bytes = this.bytesOf(id);
      if (bytes.length === 1 && !known.has(id)) this.#single[bytes[0] as number] = id;
    }
    if (plan.wholeWords) this.#words = this.#hashWords(known);
  }

  /** The tokens of a text. Nothing in it is read as a control token. */
  encode(text: string): number[] {
    const out: number[] = [];
    for (const piece of this.#apart(text)) {
      if (typeof piece === "number") out.push(piece);
      else for (const word of this.#split(piece)) this.#encodeWord(this.#encoder.encode(word), out);
    }
    return out;
  }

  /** The bytes that a token stands for; a control token's are its name. */
  bytesOf(token: number): Uint8Array {
    return this.bytes.subarray(this.offsets[token], this.offsets[token + 1]);
  }

  /** Whether a token is never text. */
  isControl(token: number): boolean {
    return this.#control.has(token);
  }

  #apart(text: string): (string | number)[] {
    return this.#userDefined.reduce<(string | number)[]>(
      (pieces, { id, text: name }) =>
        pieces.flatMap((piece) => {
          if (typeof piece === "number" || !piece.includes(name)) return [piece];
          return piece.split(name).flatMap((part, i) => [...(i > 0 ? [id] : []), ...(part === "" ? [] : [part])]);
        }),
      text === "" ? [] : [text],
    );
  }

  #encodeWord(bytes: Uint8Array, out: number[]): void {
    const whole = this.#wordOf(bytes);
    if (whole !== NONE) {
      out.push(whole);
      return;
    }
    const symbols = Uint32Array.from(bytes, (byte) => this.#single[byte] as number);
    for (const symbol of this.#merge(symbols)) {
      if (symbol < this.count) out.push(symbol);
      // A byte that the vocabulary lacks has no token at all.
      else if (symbol !== NONE) out.push(...Array.from(this.bytesOf(symbol), (byte) => this.#single[byte] as number).filter((id) => id !== NONE));
    }
  }

  /** Merges neighbours, the most important merge first and the leftmost of several, until none is left. */
  #merge(symbols: Uint32Array): number[] {
    const count = symbols.length;
    const next = Int32Array.from(symbols, (_, i) => (i + 1 < count ? i + 1 : -1));
    const before = Int32Array.from(symbols, (_, i) => i - 1);
    const heap = new MergeHeap();
    const offer = (i: number): void => {
      const j = i < 0 ? -1 : (next[i] as number);
      if (j < 0) return;
      const rank = this.#rankOf(symbols[i] as number, symbols[j] as number);
      if (rank !== NONE) heap.push(rank, i);
    };
    for (let i = 0; i < count; i++) offer(i);
    for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
      const { rank, at } = top;
      const j = next[at] as number;
      // What was offered may have been merged otherwise meanwhile.
      if (j < 0 || symbols[at] !== this.#left[rank] || symbols[j] !== this.#right[rank]) continue;
      symbols[at] = this.#result[rank] as number;
      symbols[j] = NONE;
      const after = next[j] as number;
      next[at] = after;
      next[j] = -1;
      if (after >= 0) before[after] = at;
      offer(before[at] as number);
      offer(at);
    }
    const out: number[] = [];
    for (let i = count > 0 ? 0 : -1; i >= 0; i = next[i] as number) out.push(symbols[i] as number);
    return out;
  }

  #rankOf(left: number, right: number): number {
    const mask = this.#merges.length - 1;
    for (let i = mix(left, right) & mask; ; i = (i + 1) & mask) {
      const entry = this.#merges[i] as number;
      if (entry === 0) return NONE;
      if (this.#left[entry - 1] === left && this.#right[entry - 1] === right) return entry - 1;
    }
  }

  #hashMerges(): Uint32Array {
    const table = new Uint32Array(tableSize(this.#left.length));
    const mask = table.length - 1;
    for (let rank = 0; rank < this.#left.length; rank++) {
      let i = mix(this.#left[rank] as number, this.#right[rank] as number) & mask;
      while (table[i] !== 0) i = (i + 1) & mask;
      table[i] = rank + 1;
    }
    return table;
  }

  #wordOf(bytes: Uint8Array): number {
    if (this.#words === undefined) return NONE;
    const mask = this.#words.length - 1;
    for (let i = hashBytes(bytes) & mask; ; i = (i + 1) & mask) {
      const entry = this.#words[i] as number;
      if (entry === 0) return NONE;
      if (sameBytes(this.bytesOf(entry - 1), bytes)) return entry - 1;
    }
  }

  #hashWords(except: ReadonlySet<number>): Uint32Array {
    const table = new Uint32Array(tableSize(this.count));
    const mask = table.length - 1;
    for (let id = 0; id < this.count; id++) {
      if (except.has(id)) continue;
      let i = hashBytes(this.bytesOf(id)) & mask;
      while (table[i] !== 0) i = (i + 1) & mask;
      table[i] = id + 1;
    }
    return table;
  }
}

/** Merges that are possible, by rank and then by place. */
class MergeHeap {
  #ranks: number[] = [];
  #places: number[] = [];

  push(rank: number, at: number): void {
    let i = this.#ranks.length;
    this.#ranks.push(rank);
    this.#places.push(at);
    for (let up = (i - 1) >> 1; i > 0 && this.#before(i, up); up = (i - 1) >> 1) {
      this.#swap(i, up);
      i = up;
    }
  }

  pop(): { readonly rank: number; readonly at: number } | undefined {
    const last = this.#ranks.length - 1;
    if (last < 0) return undefined;
    this.#swap(0, last);
    const top = { rank: this.#ranks.pop() as number, at: this.#places.pop() as number };
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < last && this.#before(child, least)) least = child;
      if (least === i) return top;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#ranks[a] as number, this.#ranks[b] as number];
    return x < y || (x === y && (this.#places[a] as number) < (this.#places[b] as number));
  }

  #swap(a: number, b: number): void {
    for (const list of [this.#ranks, this.#places]) {
      const kept = list[a] as number;
      list[a] = list[b] as number;
      list[b] = kept;
    }
  }
}

/** A power of two that leaves at least half of the table empty. */
const tableSize = (entries: number): number => 2 ** Math.ceil(Math.log2(Math.max(2 * entries, 2)));

function mix(left: number, right: number): number {
  const h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
  return (h ^ (h >>> 15)) >>> 0;
}

function hashBytes(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  return (h ^ (h >>> 15)) >>> 0;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
