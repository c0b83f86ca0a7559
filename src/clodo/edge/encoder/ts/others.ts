import { type Names, type Pen, Unsaid, unsaid } from "./cue_names";
import type { Filler } from "./draft";
import { constantOf, isNumber, isTrue } from "./states";
import type { Entity, Field } from "./values";

/** The signs that a number can have beside `below` and `over`, the usual one first. */
const SIGNS = { below: ["<=", "<"], over: [">=", ">"] } as const;

/**
 * Conditions of a step on the rows that refer to its own: how many there are of them, how many are not in some state, what their
 * figures come to. Where a field can be reached from the row itself, that is meant. An empty yes/no field counts as no, and an empty
 * state as any other than the one that is named.
 */
export class Others {
  readonly #names: Names;
  readonly #e: Entity;
  readonly #pen: Pen;

  constructor(names: Names, e: Entity, pen: Pen) {
    this.#names = names;
    this.#e = e;
    this.#pen = pen;
  }

  /** Whether a filler speaks of such rows, and not of the row itself or of one that it refers to. */
  areMeant(filler: Filler): boolean {
    if (filler.entity === "" || (filler.field !== "" && attempted(() => this.#names.seenFrom(this.#e, filler)))) return false;
    return attempted(() => this.#names.way(this.#names.entity(filler), this.#e.name));
  }

  /**
   * That all of them are so (`wanted`), or none is; of an entity alone that there is one, or none, or where that must not hold the
   * opposite. Throws `Unsaid` where not all are to be so: what that says of a row that has none is open.
   */
  states(fillers: readonly Filler[], wanted: boolean, holds = true): string[] {
    const byField = new Map<string, Filler[]>();
    for (const filler of fillers.filter((f) => this.areMeant(f))) {
      const key = `${filler.entity}.${filler.field}`;
      byField.set(key, [...(byField.get(key) ?? []), filler]);
    }
    return [...byField.values()].flatMap((said) => {
      const [first] = said;
      if (first === undefined) return [];
      if (first.field !== "" && !holds) unsaid();
      const other = this.#names.entity(first);
      const alike = first.field === "" ? [] : this.#alike(other, first, said, !wanted);
      return [`${this.#rows("count", other, "", alike)} ${first.field !== "" || wanted !== holds ? "= 0" : "> 0"}`];
    });
  }

  /** How many there are, or what their figures come to, against a number; `sign` is what the text says of it. */
  figures(slot: "below" | "over", fillers: readonly Filler[], most: string, sign: string): string[] {
    const known = SIGNS[slot].find((one) => one === sign) ?? SIGNS[slot][0];
    return fillers.filter((f) => this.areMeant(f)).map((filler) => `${this.#figure(filler)} ${known} ${most}`);
  }

  /** One figure against another, of which one at least is theirs; `seen` is how one of the row itself is called. */
  compared(lesser: Filler, greater: Filler, seen: (filler: Filler) => string): string {
    if (lesser.entity === greater.entity && lesser.field === greater.field) unsaid();
    if (!this.areMeant(lesser)) return `${this.#figure(greater)} >= ${seen(lesser)}`;
    return `${this.#figure(lesser)} <= ${this.areMeant(greater) ? this.#figure(greater) : seen(greater)}`;
  }

  /** The conditions under which a row is in one of the states of a field, or (not `wanted`) in none of them. */
  #alike(other: Entity, first: Filler, said: readonly Filler[], wanted: boolean): string[] {
    const f = this.#field(other, first);
    if (f.type === "boolean") return [isTrue(first, this.#pen) === wanted ? f.name : `${f.name} != true`];
    if (first.words === "") return [`${f.name} is ${wanted ? "not " : ""}empty`];
    const values = [...new Set(said.map(({ words }) => constantOf(f, words, this.#pen)))];
    if (wanted && values.length > 1) return [`${f.name} in (${values.join(", ")})`];
    return values.map((value) => `${f.name} ${wanted ? "=" : "!="} ${value}`);
  }

  #figure(filler: Filler): string {
    const other = this.#names.entity(filler);
    if (filler.field === "") return this.#rows("count", other, "", []);
    const f = this.#field(other, filler);
    return isNumber(f) ? this.#rows("sum", other, `.${f.name}`, []) : unsaid();
  }

  #field(other: Entity, filler: Filler): Field {
    const [entity, f] = this.#names.field(filler);
    return entity.name !== other.name || f.writeOnly ? unsaid() : f;
  }

  #rows(name: string, other: Entity, column: string, conditions: readonly string[]): string {
    const where = [`${this.#names.way(other, this.#e.name)} = this`, ...conditions].join(" and ");
    return `${name}(${other.name}${column} where ${where})`;
  }
}

function attempted(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof Unsaid) return false;
    throw error;
  }
}
