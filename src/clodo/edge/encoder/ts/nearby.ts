import type { Characters } from "./characters";
import type { Span } from "./reading";

/** The words around a stretch of a text, as far as its sentence goes and `reach` allows, in small letters. */
export class Nearby {
  readonly #end: RegExp;
  readonly #reach: number;

  constructor({ sentence, reach }: { readonly sentence: string; readonly reach: number }, characters: Characters) {
    this.#end = characters.pattern(sentence, "g");
    this.#reach = reach;
  }

  /** Where the sentence of a stretch begins and ends, as far as it is looked at. */
  sentence(text: string, [start, end]: Span): Span {
    const front = text.slice(Math.max(0, start - this.#reach), start);
    const rest = text.slice(end, end + this.#reach);
    const last = [...front.matchAll(this.#end)].at(-1);
    const [first] = rest.matchAll(this.#end);
    return [start - front.length + (last === undefined ? 0 : last.index + last[0].length), end + (first?.index ?? rest.length)];
  }

  before(text: string, at: Span): string {
    return text.slice(this.sentence(text, at)[0], at[0]).toLowerCase();
  }

  behind(text: string, at: Span): string {
    return text.slice(at[1], this.sentence(text, at)[1]).toLowerCase();
  }
}
