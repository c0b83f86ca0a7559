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

  before(text: string, [start]: Span): string {
    const front = text.slice(Math.max(0, start - this.#reach), start);
    const last = [...front.matchAll(this.#end)].at(-1);
    return front.slice(last === undefined ? 0 : last.index + last[0].length).toLowerCase();
  }

  behind(text: string, [, end]: Span): string {
    const rest = text.slice(end, end + this.#reach);
    const [first] = rest.matchAll(this.#end);
    return rest.slice(0, first?.index ?? rest.length).toLowerCase();
  }
}
