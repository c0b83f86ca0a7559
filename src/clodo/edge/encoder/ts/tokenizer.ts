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

/** A normalised character and where it comes from. */
interface Letter {
  readonly char: string;
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

  constructor(tables: TokenizerTables) {
    this.#tables = tables;
    this.#ids = new Vocabulary(tables.vocabulary);
    this.#special = new RegExp(tables.special.map((token) => token.replace(/[[\]]/g, "\\$&")).join("|"), "g");
    this.#spaced = new Runs(tables.spaced);
    this.#removed = new Runs(tables.removed);
    this.#punctuation = new Runs(tables.punctuation);
  }

  /** The id of a piece of the vocabulary. */
  id(piece: string): number {
    const found = this.#ids.get(piece);
    if (found === undefined) throw new Error(`The vocabulary has no ${piece}.`);
    return found;
  }

  encode(text: string): Piece[] {
    const out: Piece[] = [];
    let word = 0;
    const plain = (from: number, to: number): void => {
      for (const letters of this.#words(text, from, to)) this.#split(letters, word++, out);
    };
    let at = 0;
    for (const found of text.matchAll(this.#special)) {
      plain(at, found.index);
      at = found.index + found[0].length;
      out.push({ id: this.id(found[0]), word: word++, start: found.index, end: at });
    }
    plain(at, text.length);
    return out;
  }

  /** The words of a part of the text, punctuation as words of its own. */
  #words(text: string, from: number, to: number): Letter[][] {
    const words: Letter[][] = [];
    let word: Letter[] = [];
    const close = (): void => {
      if (word.length > 0) words.push(word);
      word = [];
    };
    for (let start = from; start < to; ) {
      const char = String.fromCodePoint(text.codePointAt(start) ?? 0);
      const end = start + char.length;
      for (const made of this.#normalised(char)) {
        if (made === " ") close();
        else if (this.#punctuation.has(made.codePointAt(0) ?? 0)) {
          close();
          words.push([{ char: made, start, end }]);
        } else word.push({ char: made, start, end });
      }
      start = end;
    }
    close();
    return words;
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
  #split(letters: readonly Letter[], word: number, out: Piece[]): void {
    const { prefix, longest, unknown } = this.#tables;
    const made: Piece[] = [];
    // Where each letter begins in the word, so that pieces are cut out of it.
    const whole = letters.map(({ char }) => char).join("");
    const places = [0];
    for (const { char } of letters) places.push((places.at(-1) ?? 0) + char.length);
    let at = letters.length > longest ? -1 : 0;
    while (at >= 0 && at < letters.length) {
      let end = letters.length;
      let id: number | undefined;
      for (; end > at && id === undefined; end -= id === undefined ? 1 : 0) {
        id = this.#ids.get((at > 0 ? prefix : "") + whole.slice(places[at], places[end]));
      }
      if (id === undefined) at = -1;
      else {
        made.push({ id, word, start: letters[at]?.start ?? 0, end: letters[end - 1]?.end ?? 0 });
        at = end;
      }
    }
    if (at >= 0) out.push(...made);
    else out.push({ id: this.id(unknown), word, start: letters[0]?.start ?? 0, end: letters.at(-1)?.end ?? 0 });
  }
}
