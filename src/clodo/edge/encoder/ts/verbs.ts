import type { Naming } from "./naming";
import type { VerbTables } from "./tables";

/** Other forms of words: the verb that an action is called after, the plural that a report is. */
export class Verbs {
  readonly #naming: Naming;
  readonly #past: ReadonlyMap<string, string>;
  readonly #participles: ReadonlyMap<string, string>;
  readonly #particles: ReadonlySet<string>;
  readonly #objects: ReadonlySet<string>;
  readonly #noun: RegExp;
  readonly #changes: ReadonlyMap<string, string>;
  readonly #locked: ReadonlySet<string>;
  readonly #joined: RegExp;
  readonly #silent: string;
  readonly #doubled: string;
  readonly #plurals: ReadonlyMap<string, string>;

  constructor(tables: VerbTables, naming: Naming) {
    this.#naming = naming;
    this.#past = new Map(Object.entries(tables.past));
    this.#participles = new Map(Object.entries(tables.participles));
    this.#particles = new Set(tables.particles);
    this.#objects = new Set(tables.objects);
    this.#changes = new Map(Object.entries(tables.changes));
    this.#locked = new Set(tables.locked);
    this.#joined = new RegExp(tables.joined, "g");
    this.#noun = new RegExp(`^(?:${tables.noun})$`);
    this.#silent = ` ${tables.silent} `;
    this.#doubled = ` ${tables.doubled} `;
    this.#plurals = new Map(Object.entries(tables.plurals));
  }

  /** The name of an action from the words that say it: `cancelled` → `cancel`; empty where there are no words. */
  action(surface: string): string {
    const [first, ...others] = this.#naming.words(surface);
    return first === undefined ? "" : [this.#base(first), ...others].join("_");
  }

  /**
   * What words of a lock speak of, `change` and `delete`, and whether they say when it is allowed (and not when it is no longer).
   * Empty where they are no such words.
   */
  lock(surface: string): readonly [verbs: readonly string[], allowed: boolean] {
    const said = this.#naming.words(surface).join("_");
    if (this.#locked.has(said) || this.#locked.has(this.#base(said))) return [["change", "delete"], false];
    const verbs = said.replace(this.#joined, "").split("_").map((word) => this.#changes.get(this.#base(word)));
    const known = verbs.filter((verb) => verb !== undefined);
    return [known.length === verbs.length ? [...new Set(known)].sort() : [], true];
  }

  /** What a row is after a step, from the words that say the step: `close` → `closed`; empty where the words are no verb. */
  participle(surface: string): string {
    const [first = "", ...rest] = this.action(surface).split("_");
    const others = rest.filter((word) => !this.#objects.has(word));
    if (!/^[a-z]+$/.test(first) || this.#noun.test(first) || !others.every((word) => this.#particles.has(word))) return "";
    return [this.#pastOf(first), ...others].join("_");
  }

  #pastOf(base: string): string {
    const irregular = this.#participles.get(base);
    if (irregular !== undefined) return irregular;
    if (base.endsWith("e")) return `${base}d`;
    if (/[^aeiou]y$/.test(base)) return `${base.slice(0, -1)}ied`;
    const doubled = `${base}${base.at(-1) ?? ""}ed`;
    return this.#doubled.includes(` ${doubled} `) ? doubled : `${base}ed`;
  }

  #base(word: string): string {
    const past = this.#past.get(word);
    if (past !== undefined) return past;
    if (word.endsWith("ied") && word.length > 4) return `${word.slice(0, -3)}y`;
    const ending = ["ed", "ing"].find((end) => word.endsWith(end) && word.length - end.length > 2);
    if (ending !== undefined) {
      const stem = word.slice(0, -ending.length);
      if (this.#silent.includes(` ${word} `)) return `${stem}e`;
      return this.#doubled.includes(` ${word} `) ? stem.slice(0, -1) : stem;
    }
    return word.endsWith("s") && !word.endsWith("ss") ? this.#naming.singular(word) : word;
  }

  /** The plural of a name in snake_case. */
  plural(name: string): string {
    const at = name.lastIndexOf("_") + 1;
    const last = name.slice(at);
    const known = this.#plurals.get(last);
    if (known !== undefined) return name.slice(0, at) + known;
    if (/[^aeiou]y$/.test(last)) return `${name.slice(0, -1)}ies`;
    return `${name}${/(?:s|x|z|ch|sh)$/.test(last) ? "es" : "s"}`;
  }
}
