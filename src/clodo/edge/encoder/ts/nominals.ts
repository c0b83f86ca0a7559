import type { Naming } from "./naming";
import type { NominalTables } from "./tables";
import type { Verbs } from "./verbs";

/** The noun for a thing that a text says only by a verb: `people can book rooms` → `booking`. */
export class Nominals {
  readonly #naming: Naming;
  readonly #base: (word: string) => string;
  readonly #verbs: ReadonlyMap<string, string>;
  readonly #both: ReadonlyMap<string, string>;
  readonly #phrasal: ReadonlyMap<string, readonly string[]>;
  readonly #before: ReadonlySet<string>;
  readonly #doers: ReadonlySet<string>;

  constructor(tables: NominalTables, naming: Naming, verbs: Verbs) {
    this.#naming = naming;
    this.#base = (word) => verbs.action(word);
    this.#verbs = new Map(Object.entries(tables.verbs));
    this.#both = new Map(Object.entries(tables.both));
    this.#phrasal = new Map(Object.entries(tables.phrasal));
    this.#before = new Set(tables.before);
    this.#doers = new Set(tables.doers);
  }

  /** The name of an entity from one of its mentions and the words in front of it and behind it. */
  thing(surface: string, before: string, behind: string): string {
    const name = this.#naming.entity(surface);
    const [word, ...others] = this.#naming.words(surface);
    if (word === undefined || others.length > 0) return name;
    const base = this.#base(word);
    if (this.#phrasal.get(base)?.includes(behind.toLowerCase())) return `${base}_${behind.toLowerCase()}`;
    const noun = this.#both.get(base);
    const byVerb = word === base && this.follows(before) && this.#naming.singular(before.toLowerCase()) !== word;
    const verbal = byVerb || word.endsWith("ed") || (word === `${base}s` && this.#doers.has(before.toLowerCase()));
    return noun !== undefined && verbal ? noun : (this.#verbs.get(base) ?? name);
  }

  /** Whether a verb can stand behind a word. */
  follows(before: string): boolean {
    const word = before.toLowerCase();
    return this.#before.has(word) || this.#doers.has(word) || (/^[a-z]+$/.test(word) && this.#naming.singular(word) !== word);
  }
}
