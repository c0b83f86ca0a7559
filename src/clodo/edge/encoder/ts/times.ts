import { type Pen, unsaid } from "./cue_names";
import { Decimal } from "./decimal";
import { periodOf } from "./periods";

/** What one stretch of words tells: times of day as minutes, a unit, and a number. */
interface Told {
  readonly clocks: readonly number[];
  readonly unit: string;
  readonly many: Decimal | undefined;
  readonly isDay: boolean;
}

const ONE = new Decimal(1n);
const A_DAY = 24 * 60;

/**
 * The times that the words of a wish amount to, as they stand behind `every`; `own` are those of the wish itself, of which not all
 * need to be a time. Throws `Unsaid` where the language has no such times.
 */
export function times(told: readonly string[], own: string, pen: Pen): string[] {
  const { times: t } = pen.tables;
  const has = (pattern: string, text: string): boolean => pen.characters.pattern(pattern).test(text);
  const said = [...told, own].join(" ").toLowerCase();
  const marked = told.map((text) => read(text, said, pen));
  const isTime = ({ clocks, unit, many }: Told): boolean => clocks.length > 0 || unit !== "" || many !== undefined;
  if (!marked.every(isTime) || told.some((text) => has(t.odd, text.toLowerCase()))) unsaid();
  // Of its own words, a number counts where it is one of a unit: "hourly", "every two hours".
  const mine = read(own, said, pen);
  const parts = [...marked, mine.unit === "" ? { ...mine, many: undefined } : mine];
  let clocks = [...new Set(parts.flatMap((part) => part.clocks))].sort((a, b) => a - b);
  const units = parts.map(({ unit }) => unit).filter((unit) => unit !== "");
  const spans = Object.entries(t.spans).flatMap(([pattern, days]) => (has(pattern, said) ? days : []));
  const days = spans.length > 0 ? spans : [...new Set(units.filter((unit) => unit.endsWith("day") && unit !== "day"))];
  let unit = days[0] ?? units[0] ?? "day";
  if (unit !== "month" && told.some((text) => has(t.month, text.toLowerCase()))) {
    if (days.length > 0 || !has(t.first, said)) unsaid();
    unit = "month";
  }
  if (["second", "minute", "hour"].includes(unit)) {
    const numbers = parts.map(({ many }) => many).filter((many) => many !== undefined);
    if (clocks.length > 0 || numbers.length > 1) unsaid();
    return [step(unit, numbers[0] ?? ONE, t.steps)];
  }
  for (const { many, unit: own, isDay } of parts) {
    if (many === undefined || (many.compare(ONE) === 0 && (own !== "" || isDay))) continue;
    // A number that stands alone beside a day is an hour of it.
    if (own !== "" || isDay || clocks.length > 0 || unit === "month" || !many.isWhole || has(t.several, said)) unsaid();
    clocks = [minuteOf(Number(many.toString()), 0, said, false, pen)];
  }
  const [, usual = ""] = Object.entries(t.usual).find(([word]) => word !== "" && said.includes(word)) ?? ["", t.usual[""]];
  const heads = clocks.length > 0 ? clocks.map((minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`) : [usual];
  return (days.length > 0 ? days : [unit]).flatMap((day) => heads.map((time) => `${dayOf(day)} at "${time}"`));
}

/** The time of what is done so often, where nothing is said of it. */
export function usualTime(unit: string, { tables }: Pen): string {
  if (unit === "minute" || unit === "hour") return unit;
  const named = unit === "week" || unit === "fortnight" ? "monday" : unit === "month" || unit.endsWith("day") ? unit : "day";
  return `${named} at "${tables.times.usual[""] ?? ""}"`;
}

/** What a stretch of words tells; `said` are all words, which tell the half of the day. */
function read(text: string, said: string, pen: Pen): Told {
  const { times: t } = pen.tables;
  const low = text.toLowerCase();
  const part = Object.entries(t.parts).find(([pattern]) => pen.characters.pattern(pattern).test(low));
  if (part !== undefined) return { clocks: [], unit: "minute", many: new Decimal(BigInt(part[1])), isDay: false };
  const figures = low.replace(pen.characters.pattern(t.hour, "g"), (word) => String(t.hours.indexOf(word) + 1));
  const clocks: number[] = [];
  for (const [, word = "", hour = "", minute = "", half = "", other = "", its = "", full = "", at = ""] of figures.matchAll(pen.characters.pattern(t.clock, "g"))) {
    if (word !== "") {
      clocks.push((t.named[word] ?? 0) * 60);
    } else if (half !== "") {
      if (Number(hour) < 1 || Number(hour) > 12) unsaid();
      clocks.push(((Number(hour) % 12) + (half === "p" ? 12 : 0)) * 60 + sixty(minute || "0"));
    } else {
      const spelt = other || full || at;
      clocks.push(minuteOf(Number(spelt), sixty(its || "0"), said, spelt.startsWith("0"), pen));
    }
  }
  const rest = figures.replace(pen.characters.pattern(t.clock, "g"), " ");
  const isDay = pen.characters.pattern(t.ordinal).test(rest);
  const isSpan = Object.keys(t.spans).some((pattern) => pen.characters.pattern(pattern).test(rest));
  return { clocks, unit: isSpan ? "week" : periodOf(rest, pen), many: pen.numbers.read(rest), isDay };
}

const sixty = (minute: string): number => (Number(minute) > 59 ? unsaid() : Number(minute));

/** A time of day as a minute of it: hours up to twelve are of the half that the words tell of, where none is fixed. */
function minuteOf(spelt: number, minute: number, said: string, isFixed: boolean, { tables: { times: t }, characters }: Pen): number {
  if (spelt < 0 || spelt * 60 + minute > A_DAY) unsaid();
  const isNight = characters.pattern(t.night).test(said);
  let hour = spelt;
  if (isNight && hour === 12) hour = 0;
  else if (!isFixed && hour < 12 && (characters.pattern(t.afternoon).test(said) || (isNight && hour > 5))) hour += 12;
  return (hour * 60 + minute) % A_DAY;
}

function step(unit: string, many: Decimal, steps: readonly number[]): string {
  const shown = many.toString();
  if (unit === "minute" && steps.some((one) => String(one) === shown)) return shown === "1" ? "minute" : `${shown} minutes`;
  return (unit === "hour" && shown === "1") || (unit === "minute" && shown === "60") ? "hour" : unsaid();
}

function dayOf(unit: string): string {
  if (["fortnight", "quarter", "year"].includes(unit)) unsaid();
  return unit === "week" ? "monday" : unit;
}

const two = (n: number): string => String(n).padStart(2, "0");
