import * as z from "zod/mini";

/** A value as D1 stores it. */
export type Stored = string | number | null;

/** How one column is checked, stored, answered and filtered by. */
export interface Field {
  readonly schema: z.ZodMiniType;
  readonly required: boolean;
  readonly fallback: unknown;
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
  /** Whether lists can be filtered by equality and sorted. */
  readonly comparable: boolean;
  /** Whether `_min` and `_max` filters make sense. */
  readonly ranged: boolean;
  /** Whether it is stored as a number; as a text otherwise. */
  readonly numeric?: true;
  /** What a text search looks into, where that is not the stored column itself. */
  readonly searched?: (column: string) => string;
  encode(value: unknown): Stored;
  decode(value: Stored): unknown;
  /** A query parameter as a stored value, or `undefined` where it makes no sense. */
  parse(text: string): Stored | undefined;
}

interface Rules {
  readonly required?: boolean;
  readonly default?: unknown;
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

interface Length {
  readonly minLength?: number;
  readonly maxLength?: number;
}

type Kind = Pick<
  Field,
  "schema" | "comparable" | "ranged" | "numeric" | "searched" | "encode" | "decode" | "parse"
>;

const define = (rules: Rules, kind: Kind): Field => ({
  ...kind,
  required: rules.required ?? false,
  fallback: rules.default,
  readOnly: rules.readOnly ?? false,
  writeOnly: rules.writeOnly ?? false,
});

const same = (value: unknown): Stored => value as Stored;

/** Parses a parameter with the field's own schema. */
const parseWith =
  (schema: z.ZodMiniType, encode: (value: unknown) => Stored, read: (text: string) => unknown) =>
  (text: string): Stored | undefined => {
    const result = z.safeParse(schema, read(text));
    return result.success ? encode(result.data) : undefined;
  };

const wellFormed = z.refine<string>(
  (text) => !text.includes("\u0000") && text.isWellFormed(),
  "must be well-formed text",
);

function stringSchema(rules: Length & { pattern?: RegExp }, limit: number) {
  const schema = z
    .string()
    .check(z.minLength(rules.minLength ?? 0), z.maxLength(rules.maxLength ?? limit), wellFormed);
  return rules.pattern === undefined ? schema : schema.check(z.regex(rules.pattern));
}

function textual(rules: Rules & Length & { pattern?: RegExp }, limit: number): Field {
  const least = Math.max(rules.minLength ?? 0, rules.required ? 1 : 0);
  const schema = stringSchema(least > 0 ? { ...rules, minLength: least } : rules, limit);
  return define(rules, {
    schema,
    comparable: true,
    ranged: false,
    encode: same,
    decode: same,
    parse: (value) => (value.isWellFormed() && !value.includes("\u0000") ? value : undefined),
  });
}

export const text = (rules: Rules & Length & { pattern?: RegExp } = {}): Field =>
  textual(rules, 1000);

export const longText = (rules: Rules & Length & { pattern?: RegExp } = {}): Field =>
  textual(rules, 100_000);

function rangeChecks(range: Range) {
  const checks = [];
  if (range.min !== undefined) checks.push(z.gte(range.min));
  if (range.max !== undefined) checks.push(z.lte(range.max));
  if (range.above !== undefined) checks.push(z.gt(range.above));
  if (range.below !== undefined) checks.push(z.lt(range.below));
  return checks;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const readNumber = (text: string): unknown => (NUMBER.test(text) ? Number(text) : text);

const number = { comparable: true, ranged: true, numeric: true } as const;

export function integer(rules: Rules & Range = {}): Field {
  const schema = z.int().check(...rangeChecks(rules));
  const parse = parseWith(z.int(), same, readNumber);
  return define(rules, { schema, ...number, encode: same, decode: same, parse });
}

export function decimal(rules: Rules & Range = {}): Field {
  const schema = z.number().check(...rangeChecks(rules));
  const parse = parseWith(z.number(), same, readNumber);
  return define(rules, { schema, ...number, encode: same, decode: same, parse });
}

const cents = z.refine<number>(
  (amount) => Math.round(amount * 100) / 100 === amount,
  "must have at most two decimals",
);

/** An amount with at most two decimals, stored exactly, in hundredths. */
export function money(rules: Rules & Range = {}): Field {
  const bounded = z.number().check(z.gte(-9e12), z.lte(9e12), cents);
  const schema = bounded.check(...rangeChecks(rules));
  const encode = (value: unknown): Stored => Math.round((value as number) * 100);
  const decode = (value: Stored): unknown => (value === null ? null : (value as number) / 100);
  const parse = parseWith(bounded, encode, readNumber);
  return define(rules, { schema, ...number, encode, decode, parse });
}

export const boolean = (rules: Rules = {}): Field =>
  define(rules, {
    schema: z.boolean(),
    comparable: true,
    ranged: false,
    numeric: true,
    encode: (value) => (value === true ? 1 : 0),
    decode: (value) => (value === null ? null : value === 1),
    parse: (text) => (text === "true" ? 1 : text === "false" ? 0 : undefined),
  });

export function choice(values: readonly [string, ...string[]], rules: Rules = {}): Field {
  return define(rules, {
    schema: z.enum([...values]),
    comparable: true,
    ranged: false,
    encode: same,
    decode: same,
    parse: (text) => (values.includes(text) ? text : undefined),
  });
}

interface Times {
  readonly min?: string;
  readonly max?: string;
  readonly above?: string;
  readonly below?: string;
}

function timeChecks(times: Times, normal: (text: string) => string) {
  const { min, max, above, below } = times;
  const checks = [];
  if (min !== undefined) checks.push(z.refine<string>((t) => normal(t) >= min, `must be ${min} or later`));
  if (max !== undefined) checks.push(z.refine<string>((t) => normal(t) <= max, `must be ${max} or earlier`));
  if (above !== undefined) checks.push(z.refine<string>((t) => normal(t) > above, `must be after ${above}`));
  if (below !== undefined) checks.push(z.refine<string>((t) => normal(t) < below, `must be before ${below}`));
  return checks;
}

const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
};

export function date(rules: Rules & Times = {}): Field {
  const plain = z.string().check(z.refine(isDate, "must be a date such as 2026-01-31"));
  const schema = plain.check(...timeChecks(rules, (t) => t));
  const parse = parseWith(plain, same, (t) => t);
  return define(rules, { schema, comparable: true, ranged: true, encode: same, decode: same, parse });
}

const MOMENT = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

const isMoment = (text: string): boolean => {
  const match = MOMENT.exec(text);
  if (match === null || !isDate(match[1] ?? "")) return false;
  const year = new Date(text).getUTCFullYear();
  return year >= 0 && year <= 9999;
};

const toUtc = (text: string): string => new Date(text).toISOString();

/** A moment: RFC 3339 with any offset comes in, UTC with milliseconds is stored and answered. */
export function datetime(rules: Rules & Times = {}): Field {
  const plain = z
    .string()
    .check(z.refine(isMoment, "must be a date and time such as 2026-01-31T09:30:00Z"));
  // Every check runs, also on what the one before has found to be no moment.
  const schema = plain.check(...timeChecks(rules, (t) => (isMoment(t) ? toUtc(t) : "")));
  const encode = (value: unknown): Stored => toUtc(value as string);
  // In a filter a date stands for its first moment.
  const parse = parseWith(plain, encode, (t) => (isDate(t) ? `${t}T00:00:00Z` : t));
  return define(rules, { schema, comparable: true, ranged: true, encode, decode: same, parse });
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const withSeconds = (text: string): string => (text.length === 5 ? `${text}:00` : text);

export function time(rules: Rules & Times = {}): Field {
  const plain = z.string().check(z.regex(TIME, "must be a time such as 09:30"));
  const schema = plain.check(...timeChecks(rules, withSeconds));
  const encode = (value: unknown): Stored => withSeconds(value as string);
  const parse = parseWith(plain, encode, (t) => t);
  return define(rules, { schema, comparable: true, ranged: true, encode, decode: same, parse });
}

const EMAIL = /^(?=[^@]{1,64}@)[A-Za-z0-9_'+%&-]+(\.[A-Za-z0-9_'+%&-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;

/** Addresses that differ by case are one: nobody has two of them, and people type either. */
export const normalAddress = (address: string): string => address.toLowerCase();

export function email(rules: Rules & Length = {}): Field {
  const schema = stringSchema(rules, 254).check(z.regex(EMAIL, "must be an e-mail address"));
  const plain = textual({}, 254);
  const encode = (value: unknown): Stored => normalAddress(value as string);
  return define(rules, { ...plain, schema, encode, parse: (t) => plain.parse(t) && normalAddress(t) });
}

const isWebAddress = (text: string): boolean => {
  if (!/^https?:\/\/[^\s]+$/i.test(text)) return false;
  return URL.canParse(text);
};

export function url(rules: Rules & Length = {}): Field {
  const schema = stringSchema(rules, 2000).check(
    z.refine(isWebAddress, "must be a web address such as https://example.com"),
  );
  return define(rules, { ...textual({}, 2000), schema });
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function uuid(rules: Rules = {}): Field {
  const schema = z.string().check(z.regex(UUID, "must be a UUID"));
  const encode = (value: unknown): Stored => (value as string).toLowerCase();
  const parse = parseWith(schema, encode, (t) => t);
  return define(rules, { schema, comparable: true, ranged: false, encode, decode: same, parse });
}

const asJson = {
  comparable: false,
  ranged: false,
  encode: (value: unknown): Stored => JSON.stringify(value),
  decode: (value: Stored): unknown => (value === null ? null : JSON.parse(value as string)),
  parse: () => undefined,
};

const MAX_DEPTH = 100;

/** Level by level: a call for each level would not end well with a deep value. */
function* levels(value: unknown): Generator<readonly unknown[]> {
  for (let level = [value]; level.length > 0; ) {
    yield level;
    level = level.flatMap((v) => (typeof v === "object" && v !== null ? Object.values(v) : []));
  }
}

function isShallow(value: unknown): boolean {
  let depth = 0;
  for (const _ of levels(value)) if (++depth > MAX_DEPTH) return false;
  return true;
}

const isFiniteThroughout = (value: unknown): boolean =>
  [...levels(value)].flat().every((v) => typeof v !== "number" || Number.isFinite(v));

/** Any value but null. What is parsed JSON needs no check but for its depth and for overflowing numbers. */
export const json = (rules: Rules = {}): Field =>
  define(rules, {
    schema: z.unknown().check(
      z.refine(isShallow, { error: `must be nested at most ${MAX_DEPTH} deep`, abort: true }),
      z.refine(isFiniteThroughout, "must not hold numbers that are too large"),
    ),
    ...asJson,
  });

/** A list of short texts inside the row. The lengths are numbers of items. */
export function list(rules: Rules & Length = {}): Field {
  const item = z.string().check(z.maxLength(1000), wellFormed);
  const schema = z
    .array(item)
    .check(z.minLength(rules.minLength ?? 0), z.maxLength(rules.maxLength ?? 1000));
  const searched = (column: string): string =>
    `(SELECT group_concat(" item"."value", char(10)) FROM json_each(${column}) AS " item")`;
  return define(rules, { schema, ...asJson, searched });
}
