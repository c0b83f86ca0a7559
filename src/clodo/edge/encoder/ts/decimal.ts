/** Significant digits that sums and products keep, as in Python's default context. */
const PRECISION = 28;

/** A decimal number as Python's `Decimal` has it: `digits` times ten to the `exponent`. Zero has no sign here. */
export class Decimal {
  readonly digits: bigint;
  readonly exponent: number;

  constructor(digits: bigint, exponent = 0) {
    this.digits = digits;
    this.exponent = exponent;
  }

  /** The number of a plain numeral such as `-1.50`. */
  static parse(numeral: string): Decimal {
    const negative = numeral.startsWith("-");
    const [whole = "", part = ""] = numeral.replace("-", "").split(".");
    const digits = BigInt(whole + part || "0");
    return new Decimal(negative ? -digits : digits, -part.length);
  }

  times(other: Decimal): Decimal {
    return rounded(this.digits * other.digits, this.exponent + other.exponent);
  }

  plus(other: Decimal): Decimal {
    const exponent = Math.min(this.exponent, other.exponent);
    return rounded(scaled(this, exponent) + scaled(other, exponent), exponent);
  }

  negated(): Decimal {
    return rounded(-this.digits, this.exponent);
  }

  /** Negative, zero or positive as this is below, at or above the other. */
  compare(other: Decimal): number {
    const exponent = Math.min(this.exponent, other.exponent);
    const distance = scaled(this, exponent) - scaled(other, exponent);
    return distance < 0n ? -1 : distance > 0n ? 1 : 0;
  }

  get isWhole(): boolean {
    return this.exponent >= 0 || this.digits % 10n ** BigInt(-this.exponent) === 0n;
  }

  /** How many digits it is written with, zeros in front not counted. */
  get length(): number {
    return magnitude(this.digits).toString().length;
  }

  /** The whole number of units of ten to the `exponent`; only where it is one. */
  units(exponent: number): bigint {
    return scaled(this, exponent);
  }

  /** Plain notation without needless zeros. */
  toString(): string {
    const negative = this.digits < 0n;
    let plain = magnitude(this.digits).toString();
    if (this.exponent >= 0) plain += "0".repeat(this.digits === 0n ? 0 : this.exponent);
    else {
      plain = plain.padStart(1 - this.exponent, "0");
      const point = plain.length + this.exponent;
      plain = `${plain.slice(0, point)}.${plain.slice(point)}`.replace(/\.?0+$/, "");
    }
    return negative ? `-${plain}` : plain;
  }
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);

function scaled(value: Decimal, exponent: number): bigint {
  const places = value.exponent - exponent;
  return places >= 0 ? value.digits * 10n ** BigInt(places) : value.digits / 10n ** BigInt(-places);
}

/** To 28 digits, halves to the even neighbour. */
function rounded(digits: bigint, exponent: number): Decimal {
  const surplus = magnitude(digits).toString().length - PRECISION;
  if (surplus <= 0) return new Decimal(digits, exponent);
  const unit = 10n ** BigInt(surplus);
  const size = magnitude(digits);
  let kept = size / unit;
  const rest = (size % unit) * 2n;
  if (rest > unit || (rest === unit && kept % 2n === 1n)) kept += 1n;
  // 9.99… may have become a digit longer; it ends in a zero then.
  return rounded(digits < 0n ? -kept : kept, exponent + surplus);
}
