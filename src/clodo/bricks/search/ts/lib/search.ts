import type { Entity } from "./entity";
import { Problem } from "./problem";
import { type Condition, condition, quote } from "./sql";

const MAX_WORDS = 8;

/**
 * Every word must occur in one of the columns; the case of ASCII letters does not matter.
 * (`instr` rather than `LIKE`: D1 refuses patterns of more than 50 bytes.)
 */
export function search(columns: readonly string[]): (text: string, entity: Entity) => Condition {
  return (text, entity) => {
    const words = text.split(/\s+/).filter((word) => word !== "");
    if (words.length > MAX_WORDS) {
      const message = `must be at most ${MAX_WORDS} words`;
      throw new Problem(400, `The parameter q ${message}.`, [{ path: "q", message }]);
    }
    if (words.length === 0) return condition("1 = 1");
    const all = joined(columns.map((name) => column(entity, name)));
    return condition(words.map(() => `instr(lower(${all}), lower(?)) > 0`).join(" AND "), ...words);
  };
}

function column(entity: Entity, name: string): string {
  const stored = `${quote(entity.name)}.${quote(name)}`;
  return `coalesce(${entity.fields[name]?.searched?.(stored) ?? stored}, '')`;
}

/** The columns as one text, a line each: no word goes across a line. One text, since D1 binds at most
 * 100 values; halved again and again, since it nests at most 100 expressions. */
function joined(columns: readonly string[]): string {
  if (columns.length === 1) return columns[0] ?? "''";
  const middle = Math.ceil(columns.length / 2);
  return `(${joined(columns.slice(0, middle))} || char(10) || ${joined(columns.slice(middle))})`;
}
