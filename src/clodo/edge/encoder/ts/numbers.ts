import type { Characters } from "./characters";
import { Decimal } from "./decimal";
import type { Tables } from "./tables";

const ZERO = new Decimal(0n);
const ONE = new Decimal(1n);

/** Numbers as people write them. */
export class Numbers {
  readonly #words: ReadonlyMap<string, Decimal>;
  readonly #scales: ReadonlyMap<string, Decimal>;
  readonly #characters: Characters;
  readonly #digits: RegExp;
  readonly #scale: RegExp;
  readonly #minus: RegExp;

  constructor(tables: Tables["numbers"], characters: Characters) {
    const decimals = (values: Readonly<Record<string, number>>): ReadonlyMap<string, Decimal> =>
      new Map(Object.entries(values).map(([word, value]) => [word, new Decimal(BigInt(value))]));
    this.#words = decimals(tables.words);
    this.#scales = decimals(tables.scales);
    this.#characters = characters;
    this.#digits = characters.pattern("-?\\d[\\d,' ]*(?:\\.\\d+)?|-?\\.\\d+");
    this.#scale = characters.pattern("^\\s*(k|m|thousand|million|hundred)\\b");
    this.#minus = characters.pattern("\\bminus\\s*$");
  }

  /** The number in some words: `1,000`, `5k`, `twenty-five`; undefined where there is none. */
  read(surface: string): Decimal | undefined {
    const text = this.#characters.strip(surface.toLowerCase());
    const found = this.#digits.exec(text);
    if (found !== null) {
      const numeral = this.#characters.ascii(found[0].replace(/[,' ]/g, ""));
      const rest = this.#scale.exec(text.slice(found.index + found[0].length));
      const value = Decimal.parse(numeral).times(this.#scales.get(rest?.[1] ?? "") ?? ONE);
      return this.#minus.test(text.slice(0, found.index)) ? value.negated() : value;
    }
    const words = text.match(/[a-z]+/g) ?? [];
    const below = words.length > 1 && words[0] === "minus";
    const value = this.#inWords(below ? words.slice(1) : words);
    return below ? value?.negated() : value;
  }

  #inWords(words: readonly string[]): Decimal | undefined {
    let total = ZERO;
    let current = ZERO;
    let seen = false;
    const article = (word: string | undefined): boolean => word === "a" || word === "an";
    for (const word of words) {
      const value = this.#words.get(word);
      const scale = this.#scales.get(word);
      const silent = seen && value !== undefined && value.digits <= 1n && word !== "one" && word !== "zero";
      if (value !== undefined && !(article(word) && words.length > 1) && !silent) {
        current = current.plus(value);
        seen = true;
      } else if (scale !== undefined && word.length > 1 && (seen || article(words[0]))) {
        current = (current.digits === 0n ? ONE : current).times(scale);
        seen = true;
        if (scale.digits > 100n) {
          total = total.plus(current);
          current = ZERO;
        }
      }
    }
    return seen ? total.plus(current) : undefined;
  }
}
