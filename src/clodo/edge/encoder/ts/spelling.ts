import type { Naming } from "./naming";
import type { SpellingTables } from "./tables";
import { Vocabulary } from "./vocabulary";

const BLOCK = 32;
const LAST = 0x80;

/** Sorted words, each but every 32nd without what it shares with the one before. */
export class WordList {
  readonly #bytes: Uint8Array;
  readonly #blocks: Uint32Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const blocks: number[] = [];
    let words = 0;
    for (let at = 0; at < bytes.length; words += 1) {
      if (words % BLOCK === 0) blocks.push(at);
      at += 1;
      while ((bytes[at] ?? LAST) < LAST) at += 1;
      at += 1;
    }
    this.#blocks = Uint32Array.from(blocks);
  }

  has(word: string): boolean {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#first(middle) <= word) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.#inBlock(low - 1, word);
  }

  #first(block: number): string {
    return this.#read((this.#blocks[block] ?? 0) + 1, "")[0];
  }

  #inBlock(block: number, word: string): boolean {
    let at = this.#blocks[block] ?? 0;
    let found = "";
    for (let i = 0; i < BLOCK && at < this.#bytes.length; i += 1) {
      [found, at] = this.#read(at + 1, found.slice(0, this.#bytes[at]));
      if (found >= word) return found === word;
    }
    return false;
  }

  #read(at: number, shared: string): [word: string, next: number] {
    let word = shared;
    for (;;) {
      const byte = this.#bytes[at++] ?? LAST;
      word += String.fromCharCode(byte & 0x7f);
      if (byte >= LAST) return [word, at];
    }
  }
}

/** What mends slips of the pen: words that names are made of, and how letters are mistaken for each other. */
export class Lexicon {
  readonly tables: SpellingTables;
  readonly naming: Naming;
  readonly #known: WordList;
  readonly #names: Vocabulary;
  /** The letters of each name word, by its number. */
  readonly #letters: Uint32Array;
  readonly #alike: ReadonlySet<string>;
  #rows: [Float64Array, Float64Array, Float64Array] = [new Float64Array(32), new Float64Array(32), new Float64Array(32)];

  constructor(tables: SpellingTables, known: WordList, naming: Naming) {
    this.tables = tables;
    this.naming = naming;
    this.#known = known;
    this.#names = new Vocabulary(tables.names);
    this.#letters = Uint32Array.from({ length: this.#names.size }, (_, id) => letterSet(this.#names.word(id)));
    this.#alike = new Set(tables.alike.flatMap((pair) => [pair, [...pair].reverse().join("")]));
  }

  known(word: string): boolean {
    return this.#known.has(word);
  }

  count(word: string): number {
    return this.tables.counts[this.#names.get(word) ?? -1] ?? 0;
  }

  /** The name word that a word most likely stands for; undefined where nothing is near, or two are as likely. */
  nearest(word: string): string | undefined {
    const limit = word.length < 6 ? 1.0 : 1.6;
    const letters = letterSet(word);
    const found: { readonly cost: number; readonly name: string }[] = [];
    for (let id = 0; id < this.#names.size; id += 1) {
      const length = this.#names.length(id);
      if (Math.abs(length - word.length) > 2 || bits(letters ^ (this.#letters[id] ?? 0)) > (limit === 1.0 ? 3 : 5)) continue;
      if (length <= 3 && word.length <= 3) continue;
      const name = this.#names.word(id);
      const count = this.tables.counts[id] ?? 0;
      const cost = this.#slips(word, name, limit);
      if (cost <= (count >= this.tables.muchUsed ? limit : 1.0)) found.push({ cost: cost - 0.16 * Math.log(count), name });
    }
    found.sort((a, b) => a.cost - b.cost || (a.name < b.name ? -1 : 1));
    const [best, next] = found;
    if (best === undefined || (next !== undefined && next.cost - best.cost < 0.03)) return undefined;
    return best.name;
  }

  /** How far a word is from what was typed, in slips; more than `limit` is given up. */
  #slips(typed: string, meant: string, limit: number): number {
    const a = typed.replaceAll("ph", "f");
    const b = meant.replaceAll("ph", "f");
    let start = a.charAt(0) === b.charAt(0) || this.#alike.has(a.charAt(0) + b.charAt(0)) ? 0.0 : 0.4;
    start += 0.3 * (typed.includes("ph") !== meant.includes("ph") ? 1 : 0);
    // Three rows that are used over and over: this is done for hundreds of words.
    let [before, row, now] = this.#rowsOf(b.length + 1);
    let sum = 0;
    row[0] = start;
    for (let i = 0; i < b.length; i += 1) {
      sum += this.#single(b, i);
      row[i + 1] = start + sum;
    }
    for (let i = 1; i <= a.length; i += 1) {
      const x = a.charAt(i - 1);
      now[0] = (row[0] ?? 0) + this.#single(a, i - 1);
      let least = now[0];
      for (let j = 1; j <= b.length; j += 1) {
        const y = b.charAt(j - 1);
        let best = Math.min(
          (row[j - 1] ?? 0) + this.#mistaken(x, y),
          (row[j] ?? 0) + this.#single(a, i - 1),
          (now[j - 1] ?? 0) + this.#single(b, j - 1),
        );
        if (i > 1 && j > 1 && x === b.charAt(j - 2) && a.charAt(i - 2) === y) best = Math.min(best, (before[j - 2] ?? 0) + 0.6);
        now[j] = best;
        least = Math.min(least, best);
      }
      if (least > limit) return Infinity;
      const spare = before;
      before = row;
      row = now;
      now = spare;
    }
    return row[b.length] ?? Infinity;
  }

  #rowsOf(length: number): [Float64Array, Float64Array, Float64Array] {
    if (this.#rows[0].length < length) {
      this.#rows = [new Float64Array(2 * length), new Float64Array(2 * length), new Float64Array(2 * length)];
    }
    return this.#rows;
  }

  /** The cost of a letter that the other word has not: less for the second of a pair and for vowels. */
  #single(word: string, i: number): number {
    if (i > 0 && word.charAt(i - 1) === word.charAt(i)) return 0.5;
    return this.#isVowel(word.charAt(i)) ? 0.7 : 0.9;
  }

  #mistaken(x: string, y: string): number {
    if (x === y) return 0.0;
    if (this.#alike.has(x + y)) return 0.6;
    return this.#isVowel(x) && this.#isVowel(y) ? 0.8 : 1.0;
  }

  #isVowel(letter: string): boolean {
    return this.tables.vowels.includes(letter);
  }
}

/** Mends the names of one text; `mended` keeps what was changed. */
export class Speller {
  readonly mended = new Map<string, string>();
  readonly #lexicon: Lexicon;

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon;
  }

  mend(phrase: string): string {
    return phrase.replace(/[A-Za-z]+/g, (word) => this.#word(word));
  }

  #word(word: string): string {
    const { tables, naming } = this.#lexicon;
    const lower = word.toLowerCase();
    const capital = lower.charAt(0).toUpperCase() + lower.slice(1);
    if (word.length < tables.least || (word !== lower && word !== capital) || this.#knows(lower)) return word;
    if (lower.endsWith("s") && this.#knows(naming.singular(lower))) return word;
    const single = lower.endsWith("s") && !lower.endsWith("ss") ? this.#lexicon.nearest(lower.slice(0, -1)) : undefined;
    const found = single === undefined ? this.#lexicon.nearest(lower) : `${single}s`;
    const doubtful = word.length === tables.least || this.#isDerived(lower);
    if (found === undefined || (doubtful && this.#lexicon.count(found) < tables.muchUsed)) return word;
    this.mended.set(lower, found);
    return found;
  }

  #knows(word: string): boolean {
    return this.#lexicon.known(word);
  }

  /** Whether the word is made from one that is known: `inviter`, `mouldy`. */
  #isDerived(word: string): boolean {
    const stems = ["er", "ee", "or", "y", "r"].filter((end) => word.endsWith(end)).map((end) => word.slice(0, -end.length));
    return stems.some((stem) => stem.length > this.#lexicon.tables.least && this.#knows(stem));
  }
}

/** The set of a word's letters, as bits. */
function letterSet(word: string): number {
  let set = 0;
  for (const letter of word) {
    const at = letter.charCodeAt(0) - 97;
    if (at >= 0 && at < 26) set |= 1 << at;
  }
  return set;
}

function bits(set: number): number {
  let count = 0;
  for (let rest = set >>> 0; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
