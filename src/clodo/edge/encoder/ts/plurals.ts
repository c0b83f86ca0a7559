import type { PluralTables } from "./tables";

type Sets = { readonly [K in keyof PluralTables]: PluralTables[K] extends readonly string[] ? ReadonlySet<string> : PluralTables[K] };

const isWords = (value: unknown): value is readonly string[] => Array.isArray(value) && typeof value[0] === "string";

/** Singulars of single lower-case English words, by the rules and tables of Python's `inflect`. */
export class Plurals {
  readonly #tables: PluralTables;
  readonly #sets: Sets;
  readonly #fixed: ReadonlyMap<string, string>;

  constructor(tables: PluralTables) {
    this.#tables = tables;
    this.#sets = Object.fromEntries(
      Object.entries(tables).map(([name, value]) => [name, isWords(value) ? new Set(value) : value]),
    ) as unknown as Sets;
    this.#fixed = new Map([...Object.entries(tables.irregular), ...Object.entries(tables.pronouns)]);
  }

  /** The singular of a plural; undefined where the word is none. */
  singular(word: string): string | undefined {
    const t = this.#sets;
    const cut = (letters: number, instead = ""): string => word.slice(0, word.length - letters) + instead;
    if (t.same.has(word) || endsIn(word, this.#tables.sameEnds)) return word;
    if (t.singular.has(word)) return undefined;
    const fixed = this.#fixed.get(word);
    if (fixed !== undefined) return fixed;
    if (word.endsWith("quies")) return cut(3, "y");
    if (word.endsWith("persons")) return cut(1);
    if (word.endsWith("people")) return cut(4, "rson");
    if (word.endsWith("mans") && endsIn(word, this.#tables.manEnds)) return cut(1);
    if (word.endsWith("men")) return cut(3, "man");
    if (word.endsWith("mice")) return cut(4, "mouse");
    if (t.lice.has(word)) return cut(4, "louse");
    if (word.endsWith("geese")) return cut(5, "goose");
    if (word.endsWith("teeth")) return cut(5, "tooth");
    if (word.endsWith("feet")) return cut(4, "foot");
    if (word === "dice") return "die";
    if (word.endsWith("ceps")) return word;
    if (word.endsWith("zoa")) return cut(1, "on");
    for (const [last, ends, gone, instead] of t.families) {
      if (word.endsWith(last) && endsIn(word, ends)) return cut(gone, instead);
    }
    return this.#regular(word, cut);
  }

  #regular(word: string, cut: (letters: number, instead?: string) => string): string | undefined {
    const t = this.#sets;
    if (word.endsWith("houses") || t.uses.has(word) || t.ies.has(word)) return cut(1);
    if (word.endsWith("shoes") || t.oes.has(word) || t.sses.has(word)) return cut(1);
    if (t.singularS.has(word) || endsIn(word, this.#tables.singularSEnds) || t.zes.has(word) || t.zzes.has(word)) return cut(2);
    if (word.endsWith("zzes")) return cut(3);
    if (t.ches.has(word)) return cut(1);
    if (word.endsWith("ches") || word.endsWith("shes")) return cut(2);
    if (t.xes.has(word)) return cut(1);
    if (word.endsWith("xes")) return cut(2);
    if (t.ves.has(word)) return cut(1);
    if (word.endsWith("ves")) {
      const before = word.slice(-5, -3);
      if (["el", "al", "ol"].includes(before)) return cut(3, "f");
      if (before === "ea" && word.slice(-6, -5) !== "d") return cut(3, "f");
      if (["ni", "li", "wi"].includes(before)) return cut(3, "fe");
      if (before === "ar") return cut(3, "f");
    }
    if (word.endsWith("ys") && /[aeiou]ys$/.test(word)) return cut(1);
    if (word.endsWith("ies")) return cut(3, "y");
    if (word.endsWith("os") && (t.os.has(word) || endsIn(word, this.#tables.osEnds) || /[aeiou]os$/.test(word))) return cut(1);
    if (word.endsWith("oes")) return cut(2);
    if (t.esIs.has(word)) return cut(2, "is");
    return word.endsWith("s") ? cut(1) : undefined;
  }
}

const endsIn = (word: string, ends: readonly string[]): boolean => ends.some((end) => word.endsWith(end));
