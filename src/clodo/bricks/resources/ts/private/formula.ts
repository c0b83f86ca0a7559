import * as z from "zod/mini";
import type { Field } from "./fields";

/** A default that is worked out of the other values of a row. */
type Default = (fields: Readonly<Record<string, Field>>, body: Readonly<Record<string, unknown>>) => unknown;

type Amount = number | null;
type Text = string | null;
type Truth = boolean | null;

const DAY = 86_400_000;
/** Lengths of time in days; those of months and years that are no whole ones count as so many. */
const DAYS = { minutes: 1 / 1440, hours: 1 / 24, days: 1, weeks: 7, months: 30, years: 365 } as const;
type Unit = keyof typeof DAYS;

/** The value of a field as it will be stored: as given, or its own default; null where the body has a fault there. */
function valueOf(fields: Parameters<Default>[0], body: Parameters<Default>[1], name: string): unknown {
  const field = fields[name];
  if (field === undefined) return null;
  const given = Object.hasOwn(body, name) ? body[name] : undefined;
  const own = typeof field.fallback === "function" ? (field.fallback as Default)(fields, body) : field.fallback;
  const value = given === undefined ? own : given;
  if (value === undefined || value === null || !z.safeParse(field.schema, value).success) return null;
  return field.decode(field.encode(value));
}

/** Nothing comes of nothing, as in SQL. */
const ofTwo = (left: unknown, right: unknown, make: (left: number, right: number) => number): Amount => {
  if (left === null || right === null) return null;
  const made = make(left as number, right as number);
  return Number.isFinite(made) ? made : null;
};

/** Half goes away from zero, as in SQL, also where the dust of binary fractions makes it less than one. */
const rounded = (value: unknown, steps: number): Amount => {
  if (value === null) return null;
  const scaled = Number(Math.abs((value as number) * steps).toFixed(7));
  return (Math.sign(value as number) * Math.round(scaled)) / steps + 0;
};

/** The order of code points: that of UTF-16 puts some signs elsewhere. */
function order(left: unknown, right: unknown): number {
  if (typeof left === "string" && typeof right === "string") {
    const [a, b] = [Array.from(left), Array.from(right)];
    for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
      const apart = (a[at]?.codePointAt(0) ?? 0) - (b[at]?.codePointAt(0) ?? 0);
      if (apart !== 0) return apart;
    }
    return a.length - b.length;
  }
  return Number(left) - Number(right);
}

const parsed = (text: string): number => Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text);

/** A moment so much later, `null` where it lies beyond what calendars hold. */
function moved(text: unknown, count: unknown, unit: Unit): Date | null {
  if (text === null || count === null) return null;
  const moment = new Date(parsed(text as string));
  let rest = count as number;
  if (unit === "months" || unit === "years") {
    const whole = Math.trunc(rest);
    rest -= whole;
    moment.setUTCMonth(moment.getUTCMonth() + whole * (unit === "years" ? 12 : 1));
  }
  const apart = rest * DAYS[unit] * DAY;
  const later = new Date(moment.getTime() + Math.sign(apart) * Math.round(Math.abs(apart)));
  const year = later.getUTCFullYear();
  return year >= 0 && year <= 9999 ? later : null;
}

function monday(text: string): string {
  const at = new Date(parsed(text.slice(0, 10)));
  return new Date(at.getTime() - ((at.getUTCDay() + 6) % 7) * DAY).toISOString().slice(0, 10);
}

const PERIODS = {
  hour: (text: string) => text.slice(0, 13),
  day: (text: string) => text.slice(0, 10),
  week: monday,
  month: (text: string) => text.slice(0, 7),
  quarter: (text: string) => `${text.slice(0, 4)}-Q${Math.floor((Number(text.slice(5, 7)) + 2) / 3)}`,
  year: (text: string) => text.slice(0, 4),
} as const;

const COMPARED = {
  "=": (apart: number) => apart === 0,
  "<": (apart: number) => apart < 0,
  "<=": (apart: number) => apart <= 0,
  ">": (apart: number) => apart > 0,
  ">=": (apart: number) => apart >= 0,
} as const;

/** What the blueprint's expressions are made of. Each does what the database does with the same values. */
export const formula = {
  from:
    (compute: (value: (name: string) => unknown) => unknown): Default =>
    (fields, body) =>
      compute((name) => valueOf(fields, body, name)),
  now: (): string => new Date().toISOString(),
  today: (): string => new Date().toISOString().slice(0, 10),
  plus: (left: unknown, right: unknown): Amount => ofTwo(left, right, (a, b) => a + b),
  minus: (left: unknown, right: unknown): Amount => ofTwo(left, right, (a, b) => a - b),
  times: (left: unknown, right: unknown): Amount => ofTwo(left, right, (a, b) => a * b),
  over: (left: unknown, right: unknown): Amount => ofTwo(left, right, (a, b) => (b === 0 ? Number.NaN : a / b)),
  rounded,
  round: (value: unknown): Amount => rounded(value, 1),
  abs: (value: unknown): Amount => (value === null ? null : Math.abs(value as number)),
  /** Without the dust of binary fractions. */
  dusted: (value: unknown): Amount => (value === null ? null : Number((value as number).toFixed(9))),
  joined: (left: unknown, right: unknown): Text => (left === null || right === null ? null : `${left as string}${right as string}`),
  length: (text: unknown): Amount => (text === null ? null : Array.from(text as string).length),
  lower: (text: unknown): Text => (text === null ? null : (text as string).replace(/[A-Z]/g, (sign) => sign.toLowerCase())),
  not: (truth: unknown): Truth => (truth === null ? null : truth !== true),
  and: (left: unknown, right: unknown): Truth =>
    left === false || right === false ? false : left === null || right === null ? null : true,
  or: (left: unknown, right: unknown): Truth =>
    left === true || right === true ? true : left === null || right === null ? null : false,
  among: (value: unknown, values: readonly unknown[]): Truth => (value === null ? null : values.includes(value)),
  compared: (left: unknown, by: keyof typeof COMPARED, right: unknown): Truth =>
    left === null || right === null ? null : COMPARED[by](order(left, right)),
  dateOf: (moment: unknown): Text => (moment === null ? null : (moment as string).slice(0, 10)),
  momentOf: (date: unknown): Text => (date === null ? null : `${date as string}T00:00:00.000Z`),
  movedDate: (date: unknown, count: unknown, unit: Unit): Text => moved(date, count, unit)?.toISOString().slice(0, 10) ?? null,
  movedMoment: (moment: unknown, count: unknown, unit: Unit): Text => moved(moment, count, unit)?.toISOString() ?? null,
  daysBetween: (left: unknown, right: unknown): Amount =>
    left === null || right === null ? null : Number(((parsed(left as string) - parsed(right as string)) / DAY).toFixed(8)),
  period: (name: keyof typeof PERIODS, text: unknown): Text => (text === null ? null : PERIODS[name](text as string)),
};
