import type { Characters } from "./characters";
import type { Nearby } from "./nearby";
import type { Span } from "./reading";
import type { QuotingTables } from "./tables";

/** Words of a text as a sentence of ours quotes them: short, on one line, and of nothing that a terminal or a page obeys. */
export class Quoting {
  readonly #tables: QuotingTables;
  readonly #characters: Characters;
  readonly #odd: RegExp;
  readonly #marks: RegExp;

  constructor(tables: QuotingTables, characters: Characters) {
    this.#tables = tables;
    this.#characters = characters;
    this.#odd = characters.pattern(tables.odd, "g");
    this.#marks = characters.pattern(tables.quotes, "g");
  }

  /** A text without odd characters and what stands at its ends; it may come to nothing. */
  plain(text: string): string {
    return this.#characters.strip(text.replace(this.#odd, " ").replace(this.#marks, "'"), this.#tables.ends);
  }

  /** The first words of a text in quotation marks, `most` of them. */
  quoted(text: string, most: number): string {
    const words = this.plain(text).split(" ");
    const said = [...words.slice(0, most).join(" ")].slice(0, most * this.#tables.word);
    const short = this.#characters.strip(said.join(""), this.#tables.ends);
    return short === words.join(" ") ? `“${short}”` : `“${short} …”`;
  }

  /** The sentence of a stretch in quotation marks, or `most` words of it, among which it stands. */
  around(text: string, at: Span, most: number, nearby: Nearby): string {
    const [start, end] = nearby.sentence(text, at);
    const words = this.plain(text.slice(start, end)).split(" ");
    const front = this.plain(text.slice(start, at[0]));
    const lead = front === "" ? 0 : front.split(" ").length;
    const first = Math.max(0, Math.min(lead - Math.floor(most / 2), words.length - most));
    const said = this.quoted(words.slice(first).join(" "), most);
    return first > 0 ? `“… ${said.slice(1)}` : said;
  }
}

/** Quotations as one list: a, b and c. */
export function listed(quotations: readonly string[]): string {
  const last = quotations.at(-1) ?? "";
  return quotations.length > 1 ? `${quotations.slice(0, -1).join(", ")} and ${last}` : last;
}
