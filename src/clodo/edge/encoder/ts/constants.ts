import type { Characters } from "./characters";
import { Decimal } from "./decimal";
import type { CheckTables, Traits } from "./tables";
import type { Bound, Constant, Field } from "./values";

const HUNDREDTHS = -2;
const LARGEST = new Decimal(1n, 300);
/** The places to which the values between two decimal bounds are looked for. */
const PLACES = 20;

/** Which constants are values of a type, and whether the bounds of a field leave any. */
export class Constants {
  readonly tables: CheckTables;
  readonly #email: RegExp;
  readonly #url: RegExp;
  readonly #uuid: RegExp;
  readonly #date: RegExp;
  readonly #time: RegExp;
  readonly #moment: RegExp;

  constructor(tables: CheckTables, characters: Characters) {
    this.tables = tables;
    const ascii = (source: string, flags = ""): RegExp =>
      new RegExp(`^(?:${source.replaceAll("(?P<", "(?<").replaceAll("\\S", "[^ \\t-\\r]")})$`, flags);
    this.#email = new RegExp(tables.email);
    this.#uuid = characters.pattern(`^(?:${tables.uuid})$`, "i");
    this.#date = ascii(tables.date);
    this.#time = ascii(tables.time);
    this.#moment = ascii(tables.moment, "i");
    this.#url = ascii(tables.url, "i");
  }

  traits(type: string): Traits {
    return this.tables.types[type] ?? { number: false, temporal: false, textual: false };
  }

  /** Whether a constant is of the type of the field; `now` is one for dates and times. */
  isValid(f: Field, value: Constant): boolean {
    return (value === "now" && this.traits(f.type).temporal) || this.#isOf(f.type, value);
  }

  #isOf(type: string, value: Constant): boolean {
    if (typeof value === "boolean") return type === "boolean";
    if (value instanceof Decimal) return this.isNumber(type, value);
    if (value.includes("\0") || !value.isWellFormed()) return false;
    switch (type) {
      case "date":
        return this.#date.test(value) && isDate(value);
      case "time":
        return this.#time.test(value);
      case "datetime":
        return this.#moment.test(value) && isMoment(value.toUpperCase());
      case "uuid":
        return this.#uuid.test(value);
      case "email":
        return this.#email.test(value) && !value.includes("\n");
      case "url":
        return this.#isAddress(value);
      default:
        return ["text", "longtext", "enum"].includes(type);
    }
  }

  isNumber(type: string, value: Decimal): boolean {
    const { mostDigits, safeInteger, mostMoney } = this.tables;
    if (value.length > mostDigits) return false;
    const within = (most: Decimal): boolean => absolute(value).compare(most) <= 0;
    if (type === "integer") return within(whole(safeInteger)) && value.isWhole;
    if (type === "money") return within(whole(mostMoney)) && new Decimal(value.digits, value.exponent + 2).isWhole;
    return type === "decimal" && within(LARGEST);
  }

  #isAddress(value: string): boolean {
    const found = this.#url.exec(value)?.groups;
    if (found === undefined || Number(found["port"] ?? 0) > 65535) return false;
    const host = found["host"] ?? "";
    if (!/^\d+$/.test(host.slice(host.lastIndexOf(".") + 1))) return true;
    // A host whose last part is a number has to be an IPv4 address as a whole.
    const parts = host.split(".");
    return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  }

  /** The least and the greatest length that the service takes, in characters or items. */
  #lengths(f: Field): readonly [least: Decimal, most: Decimal] {
    let least = f.minimum?.value ?? whole(0);
    if (f.required && (f.type === "text" || f.type === "longtext") && least.compare(whole(1)) < 0) least = whole(1);
    return [least, f.maximum?.value ?? whole(this.tables.lengths[f.type] ?? 0)];
  }

  /** Whether no value at all keeps to the bounds, which have to be well-formed. */
  isEmpty(f: Field): boolean {
    if (this.traits(f.type).textual) {
      const [least, most] = this.#lengths(f);
      return most.compare(least) < 0 || most.compare(whole(this.tables.shortest[f.type] ?? 0)) < 0;
    }
    return this.traits(f.type).number && !this.#hasSteps(f);
  }

  #hasSteps(f: Field): boolean {
    const [low, high] = this.#ends(f);
    const tries = f.type === "decimal" ? PLACES : 1;
    for (let places = 0; places < tries; places += 1) {
      // A step is 1, a hundredth, or half of a tenth to the power of the places: all whole in units a place finer.
      const exponent = Math.min(low.exponent, high.exponent, -places - 1, HUNDREDTHS);
      const size = f.type === "decimal" ? new Decimal(5n, -places - 1) : new Decimal(1n, f.type === "money" ? HUNDREDTHS : 0);
      const step = size.units(exponent);
      let first = ceiling(low.units(exponent), step);
      let last = -ceiling(-high.units(exponent), step);
      if (f.minimum?.exclusive === true && first * step === low.units(exponent)) first += 1n;
      if (f.maximum?.exclusive === true && last * step === high.units(exponent)) last -= 1n;
      if (last >= first) return true;
    }
    return false;
  }

  /** The ends of the range as numbers; where there is no bound, those of the type. */
  #ends(f: Field): readonly [low: Decimal, high: Decimal] {
    const low = f.minimum?.value;
    const high = f.maximum?.value;
    if (f.type === "decimal") {
      const far = whole(this.tables.safeInteger);
      return [
        low ?? lesser(far.negated(), exactSum(high ?? whole(0), far.negated())),
        high ?? greater(far, exactSum(low ?? whole(0), far)),
      ];
    }
    const end = whole(f.type === "money" ? this.tables.mostMoney : this.tables.safeInteger);
    return [low === undefined ? end.negated() : greater(low, end.negated()), high === undefined ? end : lesser(high, end)];
  }

  /** Whether a constant of the right type keeps to the bounds of the field. */
  isWithin(f: Field, value: Constant): boolean {
    if (this.traits(f.type).textual) {
      const length = whole(typeof value === "string" ? value.length : 0);
      const [least, most] = this.#lengths(f);
      return least.compare(length) <= 0 && length.compare(most) <= 0;
    }
    if (!this.traits(f.type).number || !(value instanceof Decimal)) return true;
    return keeps(value, f.minimum, 1) && keeps(value, f.maximum, -1);
  }
}

export const whole = (value: number): Decimal => new Decimal(BigInt(value));

const absolute = (value: Decimal): Decimal => (value.digits < 0n ? new Decimal(-value.digits, value.exponent) : value);
const lesser = (a: Decimal, b: Decimal): Decimal => (b.compare(a) < 0 ? b : a);
const greater = (a: Decimal, b: Decimal): Decimal => (b.compare(a) > 0 ? b : a);

function exactSum(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return new Decimal(a.units(exponent) + b.units(exponent), exponent);
}

/** The least whole number of steps that is not below. */
function ceiling(value: bigint, step: bigint): bigint {
  const quotient = value / step;
  return quotient * step < value ? quotient + 1n : quotient;
}

function keeps(value: Decimal, bound: Bound | undefined, side: 1 | -1): boolean {
  if (bound === undefined) return true;
  const distance = value.compare(bound.value) * side;
  return bound.exclusive ? distance > 0 : distance >= 0;
}

function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  const made = dateOf(year, month, day);
  return year >= 1 && made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
}

function dateOf(year: number, month: number, day: number): Date {
  const made = new Date(0);
  made.setUTCFullYear(year, month - 1, day);
  return made;
}

/** Whether a well-formed moment is on a day that there is, and in UTC within the years 1 to 9999. */
function isMoment(text: string): boolean {
  const [day = "", rest = ""] = text.split("T");
  if (!isDate(day)) return false;
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  const [hour = 0, minute = 0, second = 0] = rest.slice(0, 8).split(":").map(Number);
  const zone = /([+-])(\d\d):(\d\d)$/.exec(rest);
  const offset = zone === null ? 0 : (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]));
  const made = dateOf(year, month, date).getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000;
  return made >= dateOf(1, 1, 1).getTime() && made < dateOf(10_000, 1, 1).getTime();
}
