import type { Characters } from "./characters";
import type { Span } from "./reading";

/** The words around a stretch of a text, as far as its sentence goes, in small letters. */
export class Nearby {
  readonly #end: RegExp;

  constructor(end: string, characters: Characters) {
    this.#end = characters.pattern(end, "g");
  }

  before(text: string, [start]: Span): string {
    const front = text.slice(0, start);
    const last = [...front.matchAll(this.#end)].at(-1);
    return front.slice(last === undefined ? 0 : last.index + last[0].length).toLowerCase();
  }

  behind(text: string, [, end]: Span): string {
    const rest = text.slice(end);
    const [first] = rest.matchAll(this.#end);
    return rest.slice(0, first?.index ?? rest.length).toLowerCase();
  }
}
