import { type Pen, unsaid } from "./cue_names";
import { Decimal } from "./decimal";
import { type Entity, type Field, fieldLine, plainField, type Reference } from "./values";

/** The parameters of an action, in the order in which they are asked for: what whoever takes the step has the values for. */
export class Givens {
  readonly #pen: Pen;
  readonly #given = new Map<string, Field | Reference>();
  readonly #names = new Map<string, string>();

  constructor(pen: Pen) {
    this.#pen = pen;
  }

  has(name: string): boolean {
    return this.#given.has(name);
  }

  /** The name of the parameter for a field or reference of a row; throws `Unsaid` where only the body of a request can give it. */
  member(e: Entity, m: Field | Reference): string {
    if ("hashed" in m && m.hashed) unsaid();
    const key = `${e.name}.${m.name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = this.#free(m.name, e.name);
    this.#names.set(key, name);
    this.#given.set(name, parameter(m, name));
    return name;
  }

  /** The name of the parameter for a number that the text calls by these words; it is of the type of a field. */
  figure(words: string, like: Field): string {
    const { figure, name: pattern } = this.#pen.tables.givens;
    const said = this.#pen.naming.field(words);
    const name = this.#free(new RegExp(`^(?:${pattern})$`).test(said) && said.length < 60 ? said : figure, figure);
    this.#given.set(name, { ...plainField(name, like.type), required: true });
    return name;
  }

  /** A parameter is more than nothing: what is added is not taken off by it. */
  isPositive(name: string): void {
    const given = this.#given.get(name);
    if (given === undefined || !("type" in given)) return;
    const least = given.minimum?.value;
    if (least !== undefined && least.digits > 0n) return;
    this.#given.set(name, { ...given, minimum: { value: new Decimal(0n), exclusive: true } });
  }

  /** The parameters as the language has them. */
  lines(): string[] {
    return [...this.#given.values()].map((p) => ("type" in p ? fieldLine(p) : `${p.name}: -> ${p.target} required`));
  }

  /** A name that no other parameter has; `of` tells it from one that has. */
  #free(wanted: string, of: string): string {
    let name = this.#pen.tables.givens.taken.includes(wanted) ? `${wanted}_given` : wanted;
    while (this.#given.has(name)) name = `${of}_${name}`;
    return name;
  }
}

/** What a parameter says of the member of a row that it is for: its type and its bounds. */
function parameter(m: Field | Reference, name: string): Field | Reference {
  if (!("type" in m)) return { ...m, name };
  return { ...plainField(name, m.type, m.values), required: true, minimum: m.minimum, maximum: m.maximum };
}
