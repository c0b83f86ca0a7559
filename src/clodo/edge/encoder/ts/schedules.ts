import type { Age } from "./ages";
import { type Pen, unsaid } from "./cue_names";
import type { Entity, Field } from "./values";

/** What a step sets a field of its row to: `"closed"`, `true`. */
export type Outcome = readonly [name: string, value: string];

/** An action that a schedule runs. */
export interface Run {
  readonly action: string;
  readonly outcomes: readonly Outcome[];
}

export const isMoment = (f: Field): boolean => f.type === "date" || f.type === "datetime";

/** The line that runs an action on the rows of an entity: what has its outcome already is left alone. */
export function running(e: Entity, { action, outcomes }: Run, where: string): string {
  const states = outcomes.filter(([, value]) => value.includes('"')).map(([name, value]) => `${name} != ${value}`);
  const conditions = [...new Set([where, ...states, ...unticked(outcomes)])].filter((condition) => condition !== "");
  return `run ${action} on ${e.name} where ${conditions.length > 0 ? conditions.join(" and ") : "true"}`;
}

/** That yes/no fields are not what some outcomes make them. */
export const unticked = (outcomes: readonly Outcome[]): string[] =>
  outcomes.filter(([, value]) => value === "true" || value === "false").map(([name, value]) => (value === "false" ? name : `not ${name}`));

/**
 * That dates or moments have passed, or passed so long ago; where the text names none, that rows are that old. Throws `Unsaid` where there
 * is no such length of time, or a field is no date.
 */
export function passed(fields: readonly Field[], age: Age | undefined, pen: Pen): string[] {
  const many = age?.many.toString();
  const unit = age?.unit ?? "";
  if (many !== undefined && !pen.tables.lengthUnits.includes(unit)) unsaid();
  const before = (f: Field | undefined): string => {
    if (many === undefined) return "";
    const [length, span] = inDays(many, unit, f);
    return ` - ${span}s(${length})`;
  };
  if (many !== undefined && fields.length === 0) return [`created_at < now${before(undefined)}`];
  return fields.map((f) => (isMoment(f) ? `${f.name} < ${f.type === "date" ? "today" : "now"}${before(f)}` : unsaid()));
}

/** A length of time; in days, of which the last counts whole, where it is in hours and the field is a date, which knows no hours. */
export function inDays(many: string, unit: string, f: Field | undefined): readonly [many: string, unit: string] {
  if (f?.type !== "date" || unit !== "hour") return [many, unit];
  return [Math.ceil(Number(many) / 24).toString(), "day"];
}
