import { type Pen, unsaid } from "./cue_names";
import type { DraftCue, Filler } from "./draft";
import { periodOf } from "./periods";
import { isLength } from "./rates";
import type { Entity, Field } from "./values";

/** A length of time: its number and its unit, as the text says them. */
export type Age = readonly [many: Filler, unit: Filler];

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
 * How long something must have been so: a number and a unit that stand together, and not right behind the words of the schedule, where
 * they are a time of it ("every 15 minutes").
 */
export function ageOf({ slots, evidence }: DraftCue, text: string, pen: Pen): Age | undefined {
  const end = evidence.spans[0]?.[1] ?? 0;
  for (const many of slots.get("n") ?? []) {
    if (pen.numbers.read(many.words) === undefined || many.at === undefined || many.at === null) continue;
    if (pen.characters.strip(text.slice(end, many.at[0])) === "") continue;
    const unit = (slots.get("per") ?? []).find((one) => isLength(text, many, [one], pen));
    if (unit !== undefined) return [many, unit];
  }
  return undefined;
}

/** Whether a length of time is said with a filler. */
export const isOf = (age: Age | undefined, f: Filler): boolean =>
  age?.some(({ entity, field, words, role }) => entity === f.entity && field === f.field && words === f.words && role === f.role) ?? false;

/**
 * That dates or moments have passed, or passed so long ago; where the text names none, that rows are that old. Throws `Unsaid` where there
 * is no such length of time, or a field is no date.
 */
export function passed(fields: readonly Field[], age: Age | undefined, pen: Pen): string[] {
  const many = age === undefined ? undefined : pen.numbers.read(age[0].words)?.toString();
  const unit = age === undefined ? "" : periodOf(age[1].words, pen);
  if (many !== undefined && !pen.tables.lengths.includes(unit)) unsaid();
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
