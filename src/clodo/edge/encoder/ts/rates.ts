import { type Pen, unsaid } from "./cue_names";
import { Decimal } from "./decimal";
import type { Filler } from "./draft";
import type { Access } from "./values";

/** What limits call what is done with rows, by how locks call it. */
export const WRITES: Readonly<Record<string, string>> = { change: "update", delete: "delete" };

/** How many times per which time; throws `Unsaid` where the text names no number, or a time that limits do not know. */
export function rate(many: Decimal | undefined, unit: string): string {
  if (many !== undefined && unit === "second") return `${many.times(new Decimal(60n)).toString()} per minute`;
  return many === undefined || !["minute", "hour", "day"].includes(unit) ? unsaid() : `${many.toString()} per ${unit}`;
}

/** Who is counted of those whom a rule lets in: each user, the key, or each address. */
export const countedBy = ({ who }: Access): string => (who === "public" ? "address" : who === "key" ? "key" : "user");

/** What a limit calls a step by; nothing where it would mean what every row has done to it. */
export const limited = (step: string): readonly string[] => (["create", "update", "delete", "writes"].includes(step) ? [] : [step]);

/** Whether a number and a time stand together in the text and so are a length of time: "24 hours", not "twice a day" or "5 daily". */
export function isLength(text: string, { at }: Filler, spans: readonly Filler[], { characters }: Pen): boolean {
  const time = spans.map((f) => f.at).find((place) => place !== undefined && place !== null);
  if (at === undefined || at === null || time === undefined || time === null || text.slice(...time).toLowerCase().endsWith("ly")) return false;
  return at[1] <= time[0] && characters.strip(text.slice(at[1], time[0]), " -") === "";
}

/** What of rows is meant by words such as `edits`, `deleted` and `writes`; empty where they are no such words. */
export function writesOf(words: string, { verbs }: Pick<Pen, "verbs">): readonly string[] {
  if (verbs.step(words) === "write") return ["writes"];
  const [said, allowed] = verbs.lock(words, false);
  return allowed ? said.map((verb) => WRITES[verb] ?? verb) : [];
}
