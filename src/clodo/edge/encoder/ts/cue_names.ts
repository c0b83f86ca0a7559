import type { Characters } from "./characters";
import type { DraftCue, Filler } from "./draft";
import type { Naming } from "./naming";
import type { Numbers } from "./numbers";
import type { CueTables } from "./tables";
import type { Blueprint, Entity, Field } from "./values";
import type { Verbs } from "./verbs";

/** The text leaves open what a line would need. */
export class Unsaid extends Error {}

export const unsaid = (): never => {
  throw new Unsaid();
};

/** What writing lines needs beside the cue. */
export interface Pen {
  readonly tables: CueTables;
  readonly characters: Characters;
  readonly naming: Naming;
  readonly numbers: Numbers;
  readonly verbs: Verbs;
}

/** What the fillers of a draft are called in its blueprint. */
export class Names {
  readonly blueprint: Blueprint;
  readonly fieldName: (name: string) => string;
  readonly #entityName: (name: string) => string;
  readonly #naming: Naming;
  /** Whether rows are kept apart by tenant. */
  readonly apart: boolean;
  /** The text that the things are of. */
  readonly text: string;
  /** The files of rows by what the draft calls their entity and, behind a space, them: they are no fields of the blueprint. */
  readonly #files: readonly string[];

  constructor(
    blueprint: Blueprint,
    entityName: (name: string) => string,
    fieldName: (name: string) => string,
    naming: Naming,
    apart: boolean,
    text: string,
    files: readonly string[] = [],
  ) {
    this.blueprint = blueprint;
    this.apart = apart;
    this.text = text;
    this.#files = files;
    this.#entityName = entityName;
    this.fieldName = fieldName;
    this.#naming = naming;
  }

  entity(filler: Filler): Entity {
    const name = this.#entityName(filler.entity);
    return this.blueprint.entities.find((e) => e.name === name) ?? unsaid();
  }

  /** The one entity that a cue is about: its `of`, else that of its fields and states. */
  about({ slots }: DraftCue): Entity {
    const named = ["of", "set", "unset", "from", "to", "when", "unless", "below", "over"].flatMap((name) => slots.get(name) ?? []);
    const filler = named.find(({ entity }) => entity !== "");
    return filler === undefined ? unsaid() : this.entity(filler);
  }

  field(filler: Filler): readonly [Entity, Field] {
    const entity = this.entity(filler);
    const name = this.fieldName(filler.field);
    return [entity, entity.fields.find((f) => f.name === name) ?? unsaid()];
  }

  /** The reference that a filler names (`winner`), and its entity. */
  reference(filler: Filler): readonly [Entity, string] | undefined {
    const entity = this.entity(filler);
    const name = this.fieldName(filler.field);
    const known = entity.references.map((r) => r.name);
    const found = [name, name.replace(/_id$/, ""), this.#naming.singular(name)].find((n) => known.includes(n));
    return found === undefined ? undefined : [entity, found];
  }

  /** What the file is called that a filler names. */
  file({ entity, field }: Filler): string | undefined {
    return this.#files.includes(`${entity} ${field}`) ? this.fieldName(field) : undefined;
  }

  target(filler: Filler): string {
    return this.#entityName(filler.entity);
  }

  /** The reference, or the path of two, that leads from an entity to another. */
  way(start: Entity, goal: string): string {
    for (const r of start.references) if (r.target === goal) return r.name;
    for (const r of start.references) {
      const between = this.blueprint.entities.find(({ name }) => name === r.target);
      for (const second of between?.references ?? []) if (second.target === goal) return `${r.name}.${second.name}`;
    }
    return unsaid();
  }

  /** The same, or undefined where there is no such path. */
  known(start: Entity, goal: string): string | undefined {
    try {
      return this.way(start, goal);
    } catch (error) {
      if (error instanceof Unsaid) return undefined;
      throw error;
    }
  }

  /**
   * The condition that a row of another entity belongs to one of `e`: it refers to it, or, where `e` does not refer to the other, is
   * linked with it. Throws `Unsaid` where it does neither; things that are linked with their like are linked in one direction.
   */
  tie(other: Entity, e: Entity): string {
    const way = this.known(other, e.name);
    if (way !== undefined) return `${way} = this`;
    const isLinked = [[other, e], [e, other]].some(([a, b]) => a?.links.some(({ target }) => target === b?.name));
    return isLinked && other.name !== e.name && !e.references.some(({ target }) => target === other.name) ? "linked(this)" : unsaid();
  }

  /** A field as it is named from the rows of an entity: `people`, or `room.seats`. */
  seenFrom(start: Entity, filler: Filler): string {
    const named = this.reference(filler);
    const [entity, name] = named ?? [this.field(filler)[0], this.field(filler)[1].name];
    return entity.name === start.name ? name : `${this.way(start, entity.name)}.${name}`;
  }
}
