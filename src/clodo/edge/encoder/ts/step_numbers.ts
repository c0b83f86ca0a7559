import type { Pen } from "./cue_names";
import type { Decimal } from "./decimal";
import type { DraftCue, Filler } from "./draft";
import { Nearby } from "./nearby";

/**
 * The numbers of a step by what they are for; `measure`: the words of the one that is compared, `often`: those of how often it may be
 * taken, `given`: words for one that is given with the step, `spare`: what is for nothing.
 */
export interface StepNumbers {
  readonly compared: Decimal | undefined;
  readonly early: Decimal | undefined;
  readonly counted: Decimal | undefined;
  readonly measure: Filler | undefined;
  readonly often: Filler | undefined;
  readonly given: Filler | undefined;
  readonly spare: readonly Filler[];
}

/**
 * The numbers in the slot `n` of a step. That of its latest moment stands behind the others, and that of how often it may be taken next to
 * the time.
 */
export function stepNumbers({ slots }: DraftCue, { numbers }: Pen): StepNumbers {
  const given = slots.get("n") ?? [];
  const has = (...names: readonly string[]): boolean => names.some((name) => (slots.get(name) ?? []).length > 0);
  const left = given.filter(({ words }) => numbers.read(words) !== undefined);
  const counts = has("plus", "minus");
  const compares = has("below", "over");
  const isTimed = (slots.get("from") ?? []).some(({ field }) => field !== "");
  const early = isTimed && (left.length > 1 || has("per") || !compares) ? left.pop() : undefined;
  const often = isTimed ? undefined : oftenOf(left, (slots.get("per") ?? []).filter(({ words, entity }) => words !== "" && entity === ""));
  if (often !== undefined) left.splice(left.indexOf(often), 1);
  const compared = compares ? left.shift() : undefined;
  const byField = given.filter(({ field, words }) => field !== "" && words === "");
  const counted = counts && byField.length === 0 ? left.shift() : undefined;
  const other = given.filter((f) => numbers.read(f.words) === undefined && !(counts && byField.includes(f)));
  const givenWith = counts && counted === undefined && byField.length === 0 ? other.find(({ words, entity }) => words !== "" && entity === "") : undefined;
  const of = (f: Filler | undefined): Decimal | undefined => (f === undefined ? undefined : numbers.read(f.words));
  return { compared: of(compared), early: of(early), counted: of(counted), measure: compared, often, given: givenWith, spare: [...left, ...other.filter((f) => f !== givenWith)] };
}

/** The number that stands next to a time; the last one where it is not known where they stand. */
function oftenOf(numbers: readonly Filler[], [time]: readonly Filler[]): Filler | undefined {
  if (time === undefined) return undefined;
  const distance = ({ at }: Filler): number => (at && time.at ? Math.abs(at[0] - time.at[0]) : 0);
  return [...numbers].reverse().sort((a, b) => distance(a) - distance(b))[0];
}

/** The sign that the words around a number amount to; empty where there are no such words. */
export function comparison(text: string, { at, words }: Filler, { tables, characters }: Pen): string {
  if (at === undefined || at === null) return "";
  const { front, back, between, negated } = tables.comparisons;
  const near = new Nearby(tables, characters);
  // Words that are marked with the number count as well: "over 500".
  const inside = /[0-9]/.test(words) ? (words.toLowerCase().split(/[0-9]/)[0] ?? "") : "";
  const [ahead, rest] = [near.before(text, at) + inside, near.behind(text, at)];
  if (characters.pattern(negated).test(`${ahead} ${rest}`)) return "";
  const after = back.find(([, said]) => characters.pattern(`^(?:${said})`).test(rest));
  return (after ?? front.find(([, said]) => characters.pattern(`(?<!\\w)${said}${between}`).test(ahead)))?.[0] ?? "";
}
