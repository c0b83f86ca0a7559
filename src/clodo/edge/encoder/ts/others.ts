import { type Names, type Pen, Unsaid, unsaid } from "./cue_names";
import type { DraftCue, Filler } from "./draft";
import { constantOf, isNumber, isTrue } from "./states";
import type { Entity, Field } from "./values";

/** The signs that a number can have beside `below` and `over`, the usual one first. */
export const FIGURE_SIGNS = { below: ["<=", "<"], over: [">=", ">"] } as const;

/** What a step says of other rows: conditions on them, and the figures of theirs that `below` and `over` compare. */
export interface OnOthers {
  readonly states: readonly string[];
  readonly below: readonly string[];
  readonly over: readonly string[];
}

/**
 * Conditions of a step on the rows that refer to its own or are linked with it: how many there are of them, or of those in some state, how
 * many are not in one, what their figures come to. Where a field can be reached from the row itself, that is meant. An empty yes/no field counts as no, and an empty
 * state as any other than the one that is named. Of one field a step can say both: how many rows are in one state, and that none is in another.
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
    return attempted(() => this.#names.tie(this.#names.entity(filler), this.#e));
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

  /**
   * All that the slots of a step say of such rows. A state that a figure is of says nothing of all of them, but another one of its field
   * does. Throws `Unsaid` where what is named is neither a number nor says of which rows a figure is.
   */
  said({ slots }: DraftCue): OnOthers {
    const [when = [], unless = [], below = [], over = []] = ["when", "unless", "below", "over"].map((name) =>
      (slots.get(name) ?? []).filter((f) => this.areMeant(f)),
    );
    const counted = [...below, ...over].filter((f) => this.#isState(f));
    const [among, so] = this.#parted(when, counted, true);
    const [amongNot, notSo] = this.#parted(unless, counted, false);
    const figures = (fillers: readonly Filler[]): string[] => this.#figures(fillers, among, amongNot);
    return { states: [...this.states(so, true), ...this.states(notSo, false)], below: figures(below), over: figures(over) };
  }

  /**
   * What says which rows figures are of, and what says something of all rows: a field of which `counted` names other states. `whole`: of
   * one field all is said of the same rows.
   */
  #parted(fillers: readonly Filler[], counted: readonly Filler[], whole: boolean): readonly [among: Filler[], all: Filler[]] {
    const ofField = (all: readonly Filler[], { entity, field }: Filler): Filler[] => all.filter((f) => f.entity === entity && f.field === field);
    const isAlike = (filler: Filler): boolean => {
      const states = ofField(counted, filler).filter(({ words }) => words !== "").map((f) => this.#state(f));
      return states.length === 0 || filler.words === "" || states.includes(this.#state(filler));
    };
    const among = fillers.filter((filler) => {
      if (ofField(counted, filler).length === 0) return false;
      return whole ? ofField(fillers, filler).every(isAlike) : isAlike(filler);
    });
    return [among, fillers.filter((f) => !among.includes(f))];
  }

  /** A state as the language has it, however the text writes it. */
  #state(filler: Filler): string {
    const f = this.#own(this.#names.entity(filler), filler);
    return f.type === "enum" ? constantOf(f, filler.words, this.#pen) : filler.words.toLowerCase();
  }

  /**
   * How many there are, or what a number of theirs comes to: of those in the states that are named beside, if any are. `when` and `unless`
   * say of such a state which one it is: they are so, or not so.
   */
  #figures(meant: readonly Filler[], when: readonly Filler[], unless: readonly Filler[]): string[] {
    const states = meant.filter((f) => this.#isState(f));
    const named = meant.filter((f) => !states.includes(f));
    const counted = [...new Set(meant.map(({ entity }) => entity))].filter((entity) => !named.some((f) => f.entity === entity));
    return [...named, ...counted.map((entity) => ({ entity, field: "", words: "", role: "" }))].map((f) =>
      this.#figure(f, this.#within(states.filter(({ entity }) => entity === f.entity), when, unless)),
    );
  }

  #isState(filler: Filler): boolean {
    return filler.field !== "" && !isNumber(this.#own(this.#names.entity(filler), filler));
  }

  /** The conditions on the rows that a figure is of. */
  #within(states: readonly Filler[], when: readonly Filler[], unless: readonly Filler[]): string[] {
    const firsts = states.filter((f, i) => states.findIndex(({ entity, field }) => entity === f.entity && field === f.field) === i);
    return firsts.flatMap((first) => {
      const [own = [], so = [], not = []] = [states, when, unless].map((all) => all.filter(({ entity, field }) => entity === first.entity && field === first.field));
      const told = not.length > 0 ? not : [...own, ...so];
      const worded = told.filter(({ words }) => words !== "");
      // What only tells the field says nothing beside its states.
      const [said = first, ...others] = worded.length > 0 ? worded : told;
      const other = this.#names.entity(said);
      const { type } = this.#own(other, said);
      if (!["boolean", "date", "datetime"].includes(type) && (type !== "enum" || said.words === "")) unsaid();
      return this.#alike(other, said, worded.length > 0 ? [said, ...others] : [said], not.length === 0);
    });
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

  #figure(filler: Filler, conditions: readonly string[]): string {
    const other = this.#names.entity(filler);
    if (filler.field === "") return this.#rows("count", other, "", conditions);
    return this.#rows("sum", other, `.${this.#field(other, filler).name}`, conditions);
  }

  #own(other: Entity, filler: Filler): Field {
    const [entity, f] = this.#names.field(filler);
    return entity.name === other.name ? f : unsaid();
  }

  #field(other: Entity, filler: Filler): Field {
    const f = this.#own(other, filler);
    return f.writeOnly ? unsaid() : f;
  }

  #rows(name: string, other: Entity, column: string, conditions: readonly string[]): string {
    const where = [this.#names.tie(other, this.#e), ...conditions].join(" and ");
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
