import type { Naming } from "./naming";
import { similarity } from "./similarity";
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
  readonly #mild: ReadonlyMap<string, string>;
  readonly #third: ReadonlyMap<string, string>;
  readonly #hissing: RegExp;
  readonly #short: RegExp;
  readonly #said: string;
  readonly #meant: string;
  readonly #tables: VerbTables;
  readonly #locked: ReadonlySet<string>;
  readonly #joined: RegExp;
  readonly #bases: ReadonlyMap<string, string>;
  readonly #doubled: string;
  readonly #tiny: readonly Rule[];
  readonly #spelt: readonly Rule[];
  readonly #fronted: RegExp;
  readonly #plurals: ReadonlyMap<string, string>;

  constructor(tables: VerbTables, naming: Naming) {
    this.#naming = naming;
    this.#past = new Map(Object.entries(tables.past));
    this.#participles = new Map(Object.entries(tables.participles));
    this.#particles = new Set(tables.particles);
    this.#objects = new Set(tables.objects);
    this.#changes = new Map(Object.entries(tables.changes));
    this.#mild = new Map(Object.entries(tables.mild));
    this.#third = new Map(Object.entries(tables.third));
    this.#hissing = new RegExp(`^(?:${tables.hissing})$`);
    this.#short = new RegExp(`^(?:${tables.short})$`);
    this.#said = ` ${tables.said} `;
    this.#meant = ` ${tables.meant} `;
    this.#tables = tables;
    this.#locked = new Set(tables.locked);
    this.#joined = new RegExp(tables.joined, "g");
    this.#noun = new RegExp(`^(?:${tables.noun})$`);
    this.#bases = new Map(Object.entries(tables.bases));
    this.#doubled = ` ${tables.doubled} `;
    this.#tiny = tables.tiny.map(rule);
    this.#spelt = tables.spelt.map(rule);
    this.#fronted = new RegExp(tables.fronted, "i");
    this.#plurals = new Map(Object.entries(tables.plurals));
  }

  /** The name of an action from the words that say it: `cancelled` → `cancel`; empty where there are no words. */
  action(surface: string): string {
    const [first, ...others] = this.#stepWords(surface);
    return first === undefined ? "" : [this.#base(first), ...others].join("_");
  }

  /** The name of an action from the words that say it, with the slips of its verb mended; empty where there are no words. */
  step(surface: string): string {
    const [first = "", ...others] = this.#stepWords(surface);
    return [this.#base(this.mended(first)), ...others].join("_");
  }

  /** The words of a step; what is written in front of its verb is part of it: `re-opened`. */
  #stepWords(surface: string): readonly string[] {
    return this.#naming.words(surface.trim().replace(this.#fronted, "$1"));
  }

  /**
   * What words of a lock speak of, `change` and `delete`, and whether they say when it is allowed (and not when it is no longer).
   * Empty where they are no such words; mild ones count where they can be nothing else.
   */
  lock(surface: string, mild: boolean): readonly [verbs: readonly string[], allowed: boolean] {
    const said = this.#naming.words(surface).join("_").replace(this.#joined, "");
    const parts = said.split("_");
    if (this.#locked.has(said) || (parts.length === 1 && this.#locked.has(this.#base(this.mended(said))))) return [["change", "delete"], false];
    const allowed = !parts.every((word) => word.startsWith("un"));
    const verbs = parts.map((word) => {
      const base = this.#base(this.mended(allowed ? word : word.slice(2)));
      return this.#changes.get(base) ?? (mild ? this.#mild.get(base) : undefined);
    });
    const known = verbs.filter((verb) => verb !== undefined);
    return [known.length === verbs.length ? [...new Set(known)].sort() : [], allowed];
  }

  /** Whether words say that rows are made: `handed in`, `add or register`. */
  makesRows(surface: string): boolean {
    return this.#naming
      .words(surface)
      .join("_")
      .split(this.#joined)
      .map((part) => this.step(part).split("_"))
      .every((parts) => this.#tables.adding.includes(parts.filter((word) => !this.#objects.has(word)).join("_")));
  }

  /** Whether words may say what is done with a file itself: `changes`, `uploaded`, `attach`. */
  uploads(surface: string): boolean {
    return this.lock(surface, true)[0].length > 0 || this.makesRows(surface) || this.#tables.attaching.includes(this.step(surface));
  }

  /** A lower-case verb that nobody writes so, as the much said one that it is next to: `chnaged` → `changed`. */
  mended(word: string): string {
    if (word.length < 4 || this.#attested(this.#base(word))) return word;
    const near = this.#tables.forms
      .filter((form) => form.charAt(0) === word.charAt(0) && !word.endsWith(form))
      .map((form) => ({ form, ratio: similarity(form, word) }))
      .filter(({ ratio }) => ratio >= this.#tables.alike)
      .sort((a, b) => b.ratio - a.ratio || (a.form < b.form ? 1 : -1))[0];
    return near === undefined || this.#meant.includes(` ${word} `) ? word : near.form;
  }

  /** Whether words only carry a rule, so that they are no step; `conditional` where it has a condition and nobody who does it. */
  isRule(surface: string, conditional: boolean): boolean {
    const [first = ""] = this.step(surface).split("_");
    return this.#tables.rules.includes(first) || (conditional && this.#tables.refusals.includes(first));
  }

  /** Whether a verb has forms that no ending tells. */
  isIrregular(base: string): boolean {
    return this.#participles.has(base);
  }

  /** What a row is after a step, from the words that say the step: `close` → `closed`; empty where the words are no verb. */
  participle(surface: string): string {
    const [first = "", ...rest] = this.step(surface).split("_");
    const others = rest.filter((word) => !this.#objects.has(word));
    if (!/^[a-z]+$/.test(first) || (this.#noun.test(first) && !this.#isPast(this.#pastOf(first))) || !others.every((word) => this.#particles.has(word))) return "";
    return [this.#pastOf(first), ...others].join("_");
  }

  /** Whether people say the participle of a step's verb, so that a field may be called so. */
  isSaid(surface: string): boolean {
    return this.#attested(this.step(surface).split("_")[0] ?? "");
  }

  #attested(base: string): boolean {
    if (this.#participles.has(base) || this.#isPast(this.#pastOf(base))) return true;
    if (/[iy]se$/.test(base) && this.#isPast(`${base.slice(0, -2)}zed`)) return true;
    return this.#tables.fronts.some((front) => base.startsWith(front) && base.length > front.length + 3 && this.#attested(base.slice(front.length)));
  }

  #isPast(word: string): boolean {
    return word.endsWith("ed") && this.#said.includes(` ${word.slice(0, -2)} `);
  }

  #pastOf(base: string): string {
    const irregular = this.#participles.get(base);
    if (irregular !== undefined) return irregular;
    if (base.endsWith("e")) return `${base}d`;
    if (/[^aeiou]y$/.test(base)) return `${base.slice(0, -1)}ied`;
    if (/^.*[aeiou].*ic$/.test(base)) return `${base}ked`;
    const double = (verb: string): string => `${verb}${verb.at(-1) ?? ""}ed`;
    if (this.#short.test(base) || this.#doubled.includes(` ${double(base)} `)) return double(base);
    // "Unban", "resubmit": as the verb behind.
    const fronts = this.#isPast(`${base}ed`) ? [] : this.#tables.fronts.filter((front) => base.startsWith(front));
    const behind = fronts.map((front) => base.slice(front.length)).filter((verb) => verb.length > 2);
    return behind.some((verb) => this.#pastOf(verb) === double(verb)) ? double(base) : `${base}ed`;
  }

  #base(word: string): string {
    const past = this.#past.get(word);
    if (past !== undefined) return past;
    const ending = ["ed", "ing"].find((end) => word.endsWith(end));
    const stem = ending === undefined ? "" : word.slice(0, -ending.length);
    if (stem.length > 2 || matched(this.#tiny, word) !== undefined) return this.#known(word) ?? this.#behind(word, stem) ?? this.#guessed(word, stem);
    return word.endsWith("s") && this.#naming.singular(word) !== word ? this.#firstPerson(word) : word;
  }

  #known(word: string): string | undefined {
    return matched(this.#tiny, word) ?? this.#bases.get(word);
  }

  /** The base of a form that nobody knows, by the verb behind what stands in front of it: `transcoded`. */
  #behind(word: string, stem: string): string | undefined {
    // One letter of "referred" is missing: people know that verb.
    if (this.#doubled.includes(` ${stem}${stem.at(-1) ?? ""}ed `)) return undefined;
    for (const front of this.#tables.fronts.filter((front) => word.startsWith(front))) {
      const rest = word.slice(front.length);
      const found = this.#past.get(rest) ?? this.#knownBehind(rest, rest.replace(/(?:ed|ing)$/, ""));
      if (found !== undefined) return front + found;
    }
    return undefined;
  }

  #knownBehind(word: string, stem: string): string | undefined {
    if (word === stem || stem.length < 2) return undefined;
    return this.#known(word) ?? (this.#past.has(stem) ? stem : this.#short.test(stem) ? `${stem}e` : undefined);
  }

  #guessed(word: string, stem: string): string {
    if (word.endsWith("ied")) return `${stem.slice(0, -1)}y`;
    const found = matched(this.#spelt, stem) ?? stem;
    return this.#past.get(found) ?? found;
  }

  /** The verb of its third person: verbs end otherwise than plurals do (`outlives`, `refuses`). */
  #firstPerson(word: string): string {
    const third = this.#third.get(word);
    if (third !== undefined) return third;
    if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
    return word.slice(0, this.#hissing.test(word) ? -2 : -1);
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

type Rule = readonly [pattern: RegExp, tail: string];

function rule([pattern, tail]: readonly [string, string]): Rule {
  return [new RegExp(`^(?:${pattern})$`), tail];
}

/** What the first rule that fits a word keeps of it, with what follows that. */
function matched(rules: readonly Rule[], word: string): string | undefined {
  for (const [pattern, tail] of rules) {
    const kept = pattern.exec(word)?.[1];
    if (kept !== undefined) return kept + tail;
  }
  return undefined;
}
