import type { Characters } from "./characters";
import { Plurals } from "./plurals";
import type { NamingTables, PluralTables } from "./tables";

/** Names from a user's own words: normalisation only, which words name something is the model's decision. */
export class Naming {
  readonly #fillers: ReadonlySet<string>;
  readonly #notPlural: RegExp;
  readonly #irregular: ReadonlyMap<string, string>;
  readonly #abbreviations: ReadonlyMap<string, string>;
  readonly #letters: ReadonlyMap<string, string>;
  readonly #heads: readonly string[];
  readonly #cycles: readonly string[];
  readonly #plurals: Plurals;
  readonly #word: RegExp;
  readonly #lettered: RegExp;
  readonly #genitive: RegExp;
  readonly #email: RegExp;

  constructor(tables: NamingTables, plurals: PluralTables, characters: Characters) {
    this.#fillers = new Set(tables.fillers);
    this.#notPlural = new RegExp(`^(?:${tables.notPlural})$`);
    this.#irregular = new Map(Object.entries(tables.irregular));
    this.#abbreviations = new Map(Object.entries(tables.abbreviations));
    this.#letters = new Map(Object.entries(tables.letters));
    this.#heads = tables.heads;
    this.#cycles = tables.cycles;
    this.#plurals = new Plurals(plurals);
    this.#word = characters.pattern(tables.word, "g");
    this.#lettered = characters.pattern(tables.lettered, "");
    this.#genitive = characters.pattern("[’']s\\b|s[’'](?=\\s)", "g");
    this.#email = characters.pattern("\\be-(?=mail)", "gi");
  }

  isAbbreviation(word: string): boolean {
    return this.#abbreviations.has(word);
  }

  /** The singular of one lower-case English word; a singular comes back unchanged. */
  singular(word: string): string {
    const irregular = this.#irregular.get(word);
    if (irregular !== undefined) return irregular;
    if (word.length < 4 || this.#notPlural.test(word)) return word;
    return this.#plurals.singular(word) ?? word;
  }

  /** The lower-case words of a phrase, camel case taken apart, articles and `'s` dropped. */
  words(surface: string): string[] {
    const text = this.#plain(surface)
      .replace(/(?<=[a-z]{2})(?=[A-Z])/g, " ")
      .replace(this.#genitive, (found) => (found.startsWith("s") ? "s" : ""))
      .replace(this.#email, "e");
    const found = [...text.matchAll(this.#word)].map(([word]) => word.toLowerCase());
    const kept = found.filter((word) => !this.#fillers.has(word));
    return kept.length > 0 ? kept : found;
  }

  /** The text without the marks of its letters: `café` → `cafe`. */
  #plain(text: string): string {
    const told = [...text].map((letter) => this.#letters.get(letter) ?? letter).join("");
    return told.normalize("NFKD").replace(/\p{M}/gu, "");
  }

  /** The name of an entity from one of its mentions: snake_case, last word singular. */
  entity(surface: string): string {
    const parts = this.words(surface).map((word) => (word.length > 3 ? this.#full(word) : word));
    const last = parts.pop();
    return last === undefined ? "" : [...parts, this.singular(last)].join("_");
  }

  /** The name of a field from the words that mention it: snake_case. */
  field(surface: string): string {
    const full = this.#turned(surface).map((word) => this.#full(word));
    // "ranger_email email": its type may stand beside the name.
    const parts = full.filter((word, i) => word !== full[i - 1]);
    if (parts.length === 2 && (parts[1] === "no" || parts[1] === "nr")) parts[1] = "number";
    const name = parts.join("_");
    return { date_birth: "birth_date", how_many: "quantity", out_order: "out_of_order" }[name] ?? name;
  }

  /** The words of a phrase, `date of arrival` as `arrival date` and `day of the week` as `day of week`; `score a` keeps its letter. */
  #turned(surface: string): readonly string[] {
    if (this.#lettered.test(surface)) return [...this.words(surface), "a"];
    const [head = [], of = [], ...more] = surface.split(/\s+of\s+/i).map((part) => this.words(part));
    const last = head.at(-1) ?? "";
    if (of.length === 0 || more.length > 0 || !this.#heads.includes(last)) return this.words(surface);
    if (of.length === 1 && this.#cycles.includes(of[0] ?? "")) return [...head, "of", ...of];
    return [...head.slice(0, -1), ...of, last];
  }

  #full(word: string): string {
    return this.#abbreviations.get(word) ?? word;
  }
}

/** `goes` → `status`: what a field of states is called whose words only carry the change; other names are unchanged. */
export function stateName(name: string, carriers: readonly string[]): string {
  return name.split("_").every((word) => carriers.includes(word)) ? "status" : name;
}

/** `from` → `score`: what a number is called of which a text only says the bounds; other names are unchanged. */
export function figureName(name: string, scales: readonly string[]): string {
  return name.split("_").every((word) => scales.includes(word)) ? "score" : name;
}

/** `taken` → `taken_at` (a moment) or `taken_on` (a day); names that already tell are unchanged. */
export function momentName(name: string, day: boolean): string {
  const last = name.slice(name.lastIndexOf("_") + 1);
  return ["at", "on", "date", "day", "time", "moment"].includes(last) ? name : `${name}_${day ? "on" : "at"}`;
}
