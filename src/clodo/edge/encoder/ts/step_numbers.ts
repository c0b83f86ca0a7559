import { type Pen, unsaid } from "./cue_names";
import type { Decimal } from "./decimal";
import type { DraftCue, Filler } from "./draft";
import { Nearby } from "./nearby";

/**
 * The numbers of a step by what they are for; `measure`: the words of the one that is compared, `second`: those of another, where `below` and
 * `over` have one each, `often`: those of how often it may be taken, `given`: words for one that is given with the step, `spare`: what is for nothing.
 */
export interface StepNumbers {
  readonly compared: Decimal | undefined;
  readonly early: Decimal | undefined;
  readonly counted: Decimal | undefined;
  readonly measure: Filler | undefined;
  readonly second: Filler | undefined;
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
  const second = has("below") && has("over") && left.length > (counts ? 1 : 0) ? left.shift() : undefined;
  const byField = given.filter(({ field, words }) => field !== "" && words === "");
  const counted = counts && byField.length === 0 ? left.shift() : undefined;
  const other = given.filter((f) => numbers.read(f.words) === undefined && !(counts && byField.includes(f)));
  const givenWith = counts && counted === undefined && byField.length === 0 ? other.find(({ words, entity }) => words !== "" && entity === "") : undefined;
  const of = (f: Filler | undefined): Decimal | undefined => (f === undefined ? undefined : numbers.read(f.words));
  return { compared: of(compared), early: of(early), counted: of(counted), measure: compared, second, often, given: givenWith, spare: [...left, ...other.filter((f) => f !== givenWith)] };
}

/**
 * The number that the figures of `below` or `over` are compared with: of two the one of theirs, by the words around the numbers, or else by the
 * order in which a sentence says numbers and figures. Throws `Unsaid` where it is open whose number is which.
 */
export function numberFor({ slots }: DraftCue, { measure, second: other }: StepNumbers, name: string, text: string, pen: Pen): Filler | undefined {
  if (measure === undefined || other === undefined) return measure;
  const place = ({ at }: Filler): readonly number[] => at ?? [0, 0];
  const order = (a: readonly number[], b: readonly number[]): number => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0);
  const [first = measure, second = other] = [measure, other].sort((a, b) => order(place(a), place(b)));
  const signs = (isAhead: boolean): string => [first, second].map((f) => comparison(text, f, pen, isAhead).slice(0, 1) || " ").join("");
  let told = signs(false);
  // What stands in front of the second is not behind the first: "two trips and at most one meal".
  if (told === "<<" || told === ">>") told = signs(true);
  if (told === "  ") {
    const [start, end] = first.at ? new Nearby(pen.tables, pen.characters).sentence(text, first.at) : [0, 0];
    const within = (slot: string): (readonly number[])[] => (slots.get(slot) ?? []).flatMap(({ at }) => (at && start <= at[0] && at[0] < end ? [at] : []));
    const [below] = within("below").sort(order);
    const [over] = within("over").sort(order);
    told = below === undefined || over === undefined ? unsaid() : order(below, over) < 0 ? "<>" : "><";
  }
  if (told === "<<" || told === ">>") unsaid();
  return (told.startsWith("<") || told.endsWith(">")) === (name === "below") ? first : second;
}

/** The number that stands next to a time; the last one where it is not known where they stand. */
function oftenOf(numbers: readonly Filler[], [time]: readonly Filler[]): Filler | undefined {
  if (time === undefined) return undefined;
  const distance = ({ at }: Filler): number => (at && time.at ? Math.abs(at[0] - time.at[0]) : 0);
  return [...numbers].reverse().sort((a, b) => distance(a) - distance(b))[0];
}

/** The sign that the words around a number amount to; empty where there are no such words. `isAhead`: those in front of it alone. */
export function comparison(text: string, { at, words }: Filler, { tables, characters }: Pen, isAhead = false): string {
  if (at === undefined || at === null) return "";
  const { front, back, between, negated } = tables.comparisons;
  const near = new Nearby(tables, characters);
  // Words that are marked with the number count as well: "over 500".
  const inside = /[0-9]/.test(words) ? (words.toLowerCase().split(/[0-9]/)[0] ?? "") : "";
  const [ahead, rest] = [near.before(text, at) + inside, near.behind(text, at)];
  if (characters.pattern(negated).test(`${ahead} ${rest}`)) return "";
  const after = isAhead ? undefined : back.find(([, said]) => characters.pattern(`^(?:${said})`).test(rest));
  return (after ?? front.find(([, said]) => characters.pattern(`(?<!\\w)${said}${between}`).test(ahead)))?.[0] ?? "";
}
