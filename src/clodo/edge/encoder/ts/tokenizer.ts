import { Runs } from "./characters";
import type { TokenizerTables } from "./tables";
import { Vocabulary } from "./vocabulary";

/** One piece: its id, the number of the word that it is of, and the UTF-16 units of the text that it stands for. */
export interface Piece {
  readonly id: number;
  readonly word: number;
  readonly start: number;
  readonly end: number;
}

const HANGUL_FIRST = 0xac00;
const HANGUL_LAST = 0xd7a3;

/**
 * WordPiece as BERT has it: special tokens as they stand, characters normalised, punctuation alone, longest pieces first. Marks
 * that stay and stand in another order than Unicode's (Hangul's tone marks behind Japanese voicing, say) keep their order here.
 */
export class Tokenizer {
  readonly #ids: Vocabulary;
  readonly #tables: TokenizerTables;
  readonly #special: RegExp;
  readonly #spaced: Runs;
  readonly #removed: Runs;
  readonly #punctuation: Runs;
  readonly #word: Word;

  constructor(tables: TokenizerTables) {
    this.#tables = tables;
    this.#ids = new Vocabulary(tables.vocabulary);
    this.#special = new RegExp(tables.special.map((token) => token.replace(/[[\]]/g, "\\$&")).join("|"), "g");
    this.#spaced = new Runs(tables.spaced);
    this.#removed = new Runs(tables.removed);
    this.#punctuation = new Runs(tables.punctuation);
    this.#word = new Word(tables.longest);
  }

  /** The id of a piece of the vocabulary. */
  id(piece: string): number {
    const found = this.#ids.get(piece);
    if (found === undefined) throw new Error(`The vocabulary has no ${piece}.`);
    return found;
  }

  /** The pieces of a text, or as many of them that it is clear that there are more than `most`: what is behind is not looked at. */
  encode(text: string, most: number): Piece[] {
    const out: Piece[] = [];
    let word = 0;
    let at = 0;
    for (const found of text.matchAll(this.#special)) {
      word = this.#plain(text, at, found.index, word, most, out);
      if (out.length > most) return out;
      at = found.index + found[0].length;
      out.push({ id: this.id(found[0]), word: word++, start: found.index, end: at });
    }
    this.#plain(text, at, text.length, word, most, out);
    return out;
  }

  /** Adds the pieces of a part of the text without special tokens, punctuation as words of its own, and gives the number of the next word. */
  #plain(text: string, from: number, to: number, number: number, most: number, out: Piece[]): number {
    const word = this.#word;
    let next = number;
    const close = (): void => {
      if (word.letters > 0) this.#split(word, next++, out);
      word.clear();
    };
    word.clear();
    for (let start = from; start < to && out.length <= most; ) {
      const char = String.fromCodePoint(text.codePointAt(start) ?? 0);
      const end = start + char.length;
      for (const made of this.#normalised(char)) {
        if (made === " ") close();
        else if (this.#punctuation.has(made.codePointAt(0) ?? 0)) {
          close();
          word.add(made, start, end);
          close();
        } else word.add(made, start, end);
      }
      start = end;
    }
    close();
    return next;
  }

  #normalised(char: string): string {
    const code = char.codePointAt(0) ?? 0;
    const mapped = this.#tables.mapped[char];
    if (mapped !== undefined) return mapped;
    if (code < 128) return this.#removed.has(code) ? "" : char;
    if (this.#spaced.has(code)) return ` ${char} `;
    if (code >= HANGUL_FIRST && code <= HANGUL_LAST) return char.normalize("NFD");
    return this.#removed.has(code) ? "" : char;
  }

  /** Adds the pieces of one word; a word that cannot be made of pieces is one unknown piece. */
  #split(letters: Word, word: number, out: Piece[]): void {
    const { prefix, longest, unknown } = this.#tables;
    const before = out.length;
    let at = letters.letters > longest ? -1 : 0;
    while (at >= 0 && at < letters.letters) {
      let end = letters.letters;
      let id: number | undefined;
      for (; end > at && id === undefined; end -= id === undefined ? 1 : 0) {
        id = this.#ids.get((at > 0 ? prefix : "") + letters.part(at, end));
      }
      if (id === undefined) at = -1;
      else {
        out.push({ id, word, start: letters.start(at), end: letters.end(end - 1) });
        at = end;
      }
    }
    if (at >= 0) return;
    out.length = before;
    out.push({ id: this.id(unknown), word, start: letters.start(0), end: letters.last });
  }
}

/** The word that is being read: its normalised letters, and where each comes from. One for all words, without an object for each letter. */
class Word {
  /** How many letters it has; those beyond what a word of pieces may have are only counted. */
  letters = 0;
  /** Where its last letter ends in the text. */
  last = 0;
  #text = "";
  /** Where each letter ends in the word, and where it begins and ends in the text. */
  readonly #places: Int32Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  constructor(longest: number) {
    [this.#places, this.#starts, this.#ends] = [new Int32Array(longest), new Int32Array(longest), new Int32Array(longest)];
  }

  clear(): void {
    this.letters = 0;
    this.#text = "";
  }

  add(letter: string, start: number, end: number): void {
    if (this.letters < this.#places.length) {
      this.#text += letter;
      this.#places[this.letters] = this.#text.length;
      this.#starts[this.letters] = start;
      this.#ends[this.letters] = end;
    }
    this.letters += 1;
    this.last = end;
  }

  /** The letters from one to another, the last not included. */
  part(from: number, to: number): string {
    return this.#text.slice(from > 0 ? this.#places[from - 1] : 0, this.#places[to - 1]);
  }

  start(letter: number): number {
    return this.#starts[letter] ?? 0;
  }

  end(letter: number): number {
    return this.#ends[letter] ?? 0;
  }
}
