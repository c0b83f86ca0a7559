import type { CharacterTables } from "./tables";

/** A characters' class as flat runs of code points, first and last in turn. */
export class Runs {
  readonly #runs: readonly number[];

  constructor(runs: readonly number[]) {
    this.#runs = runs;
  }

  has(code: number): boolean {
    let low = 0;
    let high = this.#runs.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[2 * middle + 1] ?? 0) < code) low = middle + 1;
      else high = middle;
    }
    return low < this.#runs.length / 2 && (this.#runs[2 * low] ?? 0) <= code;
  }
}

/** Characters as Python sees them, which is not quite how JavaScript does. */
export class Characters {
  readonly #space: ReadonlySet<number>;
  readonly #digit: Runs;
  readonly #zeros: readonly number[];
  readonly #spaceClass: string;
  /** By flags, then by source. */
  readonly #patterns = new Map<string, Map<string, RegExp>>();

  constructor(tables: CharacterTables) {
    this.#space = new Set(tables.space);
    this.#digit = new Runs(tables.digit);
    this.#zeros = tables.zeros;
    this.#spaceClass = tables.space.map((code) => `\\u{${code.toString(16)}}`).join("");
  }

  isSpace(char: string): boolean {
    return this.#space.has(char.codePointAt(0) ?? -1);
  }

  isDigit(char: string): boolean {
    return this.#digit.has(char.codePointAt(0) ?? -1);
  }

  /** Without white space, or without the given signs, at its ends. */
  strip(text: string, signs?: string): string {
    let start = 0;
    let end = text.length;
    while (start < end && this.#goes(text.charAt(start), signs)) start += 1;
    while (end > start && this.#goes(text.charAt(end - 1), signs)) end -= 1;
    return text.slice(start, end);
  }

  #goes(char: string, signs: string | undefined): boolean {
    return signs === undefined ? this.isSpace(char) : signs.includes(char);
  }

  /** Decimal digits of any script as 0 to 9. */
  ascii(text: string): string {
    return text.replace(/\p{Nd}/gu, (digit) => {
      const code = digit.codePointAt(0) ?? 0;
      const zero = this.#zeros.findLast((z) => z <= code);
      return zero === undefined || code - zero > 9 ? digit : String(code - zero);
    });
  }

  /** A pattern of Python's `re` on texts: there `\w \d \s \b` are of all scripts. Each is compiled once. */
  pattern(source: string, flags = ""): RegExp {
    const alike = this.#patterns.get(flags) ?? new Map<string, RegExp>();
    this.#patterns.set(flags, alike);
    const known = alike.get(source) ?? new RegExp(this.#translated(source), `u${flags}`);
    alike.set(source, known);
    return known;
  }

  #translated(source: string): string {
    const word = "\\p{L}\\p{N}_";
    const edge = `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`;
    let inClass = false;
    let made = "";
    for (let at = 0; at < source.length; at += 1) {
      const sign = source.charAt(at);
      if (sign !== "\\") {
        if (sign === "[" && !inClass) inClass = true;
        else if (sign === "]") inClass = false;
        // JavaScript has no escape of a bare quotation mark or the like, and none is needed.
        made += source.startsWith("(?P<", at) ? "(?<" : sign;
        if (source.startsWith("(?P<", at)) at += 3;
        continue;
      }
      at += 1;
      const escaped = source.charAt(at);
      if (escaped === "w") made += inClass ? word : `[${word}]`;
      else if (escaped === "W") made += `[^${word}]`;
      else if (escaped === "d") made += "\\p{Nd}";
      else if (escaped === "s") made += inClass ? this.#spaceClass : `[${this.#spaceClass}]`;
      else if (escaped === "S") made += `[^${this.#spaceClass}]`;
      else if (escaped === "b") made += edge;
      else if (/["'’]/.test(escaped)) made += escaped;
      else made += `\\${escaped}`;
    }
    return made;
  }
}

/** The code points of a text before each of its UTF-16 units: what Python counts. */
export function codePoints(text: string): (at: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return (at) => at;
  const before = new Uint32Array(text.length + 1);
  for (let at = 0; at < text.length; at += 1) {
    const low = text.charCodeAt(at);
    before[at + 1] = (before[at] ?? 0) + (low >= 0xdc00 && low <= 0xdfff ? 0 : 1);
  }
  return (at) => before[at] ?? 0;
}
