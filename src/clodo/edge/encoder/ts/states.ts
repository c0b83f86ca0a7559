import { chosen } from "./choices";
import { type Pen, unsaid } from "./cue_names";
import type { Filler } from "./draft";
import { type Field, quote } from "./values";

export const isNumber = ({ type }: Field): boolean => ["integer", "decimal", "money"].includes(type);

/** Whether a filler that names a yes/no field means yes. */
export function isTrue({ words }: Filler, { characters, tables }: Pen): boolean {
  return words === "" || !characters.pattern(tables.false).test(words.toLowerCase());
}

/** A value of a field as a constant of the language; throws `Unsaid` where the field has no such value. */
export function constantOf(f: Field, surface: string, { characters, numbers }: Pen): string {
  if (f.type === "enum") {
    const wanted = chosen(f.values, surface, characters);
    return wanted === undefined ? unsaid() : quote(wanted);
  }
  const value = numbers.read(surface);
  return isNumber(f) && value !== undefined ? value.toString() : unsaid();
}
