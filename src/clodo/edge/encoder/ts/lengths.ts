import type { Pen } from "./cue_names";
import { Decimal } from "./decimal";
import { Nearby } from "./nearby";
import { saidUnit } from "./periods";
import type { Span } from "./reading";

/**
 * What a unit of time may be by the words around it: a length of time, a time at which something is done, a length of which the text does
 * not say how long it is, units of which there are several, or none of these.
 */
export type ToldKind = "length" | "often" | "vague" | "several" | "";

/**
 * What a unit of time is in a text, and where it stands with its number; of a length how many of which unit it is, and whether it is one
 * whatever it is said with.
 */
export interface Told {
  readonly kind: ToldKind;
  readonly at: Span;
  readonly many: Decimal;
  readonly unit: string;
  readonly stands: boolean;
}

const NONE = new Decimal(0n);

const told = (kind: ToldKind, at: Span): Told => ({ kind, at, many: NONE, unit: "", stands: true });

/** Nothing, of what is not known where it stands. */
export const NOWHERE: Told = told("several", [0, 0]);

/**
 * What the word for a unit of time at a place is, which may be marked with its number. Right behind `end`, where the words of a schedule
 * end, a number and its unit are a time of it.
 */
export function toldAt(text: string, at: Span, pen: Pen, end = -1): Told {
  const { characters, tables } = pen;
  const { lengths: t } = tables;
  const nearby = new Nearby(tables, characters);
  const find = (pattern: string, words: string): RegExpExecArray | null => characters.pattern(pattern).exec(words);
  const has = (pattern: string, words: string): boolean => find(pattern, words) !== null;
  const own = text.slice(...at).toLowerCase();
  const last = find(t.last, own);
  const word = last === null ? "" : saidUnit(last[0], pen);
  if (last === null || !t.words.includes(word)) return told(word === "" ? "" : "often", at);
  const front = nearby.before(text, at) + own.slice(0, last.index);
  const back = nearby.behind(text, at);
  const counted = find(t.count, front);
  const place: Span = [at[0] + last.index - (counted === null ? 0 : front.length - counted.index), at[1]];
  const ahead = front.slice(0, counted?.index);
  const isOne = counted === null || has(`^(?:${t.single})$`, counted[1] ?? "");
  // "Told each 14 days before" tells each, and not each 14 days.
  const isAgain = has(t.again, ahead) && !(ahead.endsWith("each ") && has(t.one[1], back));
  const isBehind = end >= 0 && end <= place[0] && characters.strip(text.slice(end, place[0])) === "";
  if (isAgain || (isOne && has(t.once, ahead)) || isBehind) return told("often", place);
  const unit = tables.units[word] ?? "";
  if (counted !== null) {
    const isMore = ((counted[1] ?? "").includes("half") && has(t.more[0], ahead)) || has(t.more[1], back);
    return isMore ? told("vague", place) : length(counted[1] ?? "", unit, place, pen);
  }
  if (has(t.one[0], front) && has(t.one[1], back)) return { kind: "length", at: place, many: new Decimal(1n), unit, stands: false };
  if ((has(t.untold[0], front) && !(word === "day" && has(t.lastDay, front))) || has(t.untold[1], back)) return told("vague", place);
  return told(last[0].replace(/[ -]+$/, "").endsWith("s") ? "several" : "", place);
}

function length(words: string, unit: string, at: Span, pen: Pen): Told {
  const { halves, half } = pen.tables.lengths;
  if (words.includes("quarter")) return told("vague", at);
  if (pen.characters.pattern(`^(?:${half})$`).test(words)) {
    const known = Object.hasOwn(halves, unit) ? halves[unit] : undefined;
    return known === undefined ? told("vague", at) : { kind: "length", at, many: new Decimal(BigInt(known[0])), unit: known[1], stands: true };
  }
  const many = pen.numbers.read(words);
  if (many === undefined) return told("vague", at);
  return { kind: "length", at, ...inUnits(many, unit, pen), stands: true };
}

/** A length in a unit that the language has, where it is in one that it can be said in. */
export function inUnits(many: Decimal, unit: string, { tables: { lengths } }: Pen): { readonly many: Decimal; readonly unit: string } {
  const [each, of] = (Object.hasOwn(lengths.long, unit) ? lengths.long[unit] : undefined) ?? [1, unit];
  return { many: many.times(new Decimal(BigInt(each))), unit: of };
}

/** All words for units in the sentence of a stretch, and what they are; `schedule` is where the words of one end, as in `toldAt`. */
export function toldBeside(text: string, at: Span, pen: Pen, schedule = -1): (readonly [place: Span, told: Told])[] {
  const [start, end] = new Nearby(pen.tables, pen.characters).sentence(text, at);
  const found = text.slice(start, end).toLowerCase().matchAll(pen.characters.pattern(pen.tables.lengths.unit, "g"));
  return [...found].map((m): readonly [Span, Told] => {
    const place: Span = [start + m.index, start + m.index + m[0].length];
    return [place, toldAt(text, place, pen, schedule)];
  });
}
