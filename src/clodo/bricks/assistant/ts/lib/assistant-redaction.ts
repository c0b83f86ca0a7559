import {
  AMERICAN, BOOKS, CALLED, CAPITALISED, DATE, DIGITS, FIRST_NAMES, FORMS, IBAN, LONG, NAME_CUES, type Pattern, SECRET, UUID, WORD,
} from "./assistant-patterns";

/** Characters `start` to `end` of a text, and what they are: KEY, PASSWORD, EMAIL, CARD, IBAN, PHONE, ID or NAME. */
interface Finding {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

/** What the letters behind a backslash mean, in all scripts. */
const CLASSES: Readonly<Record<string, string>> = {
  w: String.raw`[\p{L}\p{N}_]`,
  W: String.raw`[^\p{L}\p{N}_]`,
  d: String.raw`\p{Nd}`,
  D: String.raw`\P{Nd}`,
  s: String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`,
  S: String.raw`[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`,
  b: String.raw`(?:(?<=[\p{L}\p{N}_])(?![\p{L}\p{N}_])|(?<![\p{L}\p{N}_])(?=[\p{L}\p{N}_]))`,
  Z: "$",
};

const expanded = (source: string): string => source.replace(/\\([wWdDsSbZ])/g, (_, letter: string) => CLASSES[letter] ?? "");
const anywhere = ({ source, anyCase }: Pattern): RegExp => new RegExp(expanded(source), anyCase ? "dgiv" : "dgv");
const whole = ({ source, anyCase }: Pattern): RegExp => new RegExp(`^(?:${expanded(source)})$`, anyCase ? "iv" : "v");

const forms = FORMS.map((form) => ({ ...form, found: anywhere(form) }));
const nameCues = NAME_CUES.map(anywhere);
const secret = anywhere(SECRET);
const long = anywhere(LONG);
const iban = anywhere(IBAN);
const digitRun = anywhere(DIGITS);
const capitalised = anywhere(CAPITALISED);
const word = anywhere(WORD);
const uuid = whole(UUID);
const date = whole(DATE);
const american = whole(AMERICAN);
const called = new RegExp(expanded(CALLED.source), "iv");
const books = new RegExp(expanded(BOOKS.source), "iv");
const firstNames: ReadonlySet<string> = new Set(FIRST_NAMES.split(" "));

/**
 * A text whose secrets and names are placeholders (`[EMAIL_1]`), the same for the same words, and what they stand for. It finds what
 * has the form of a secret, and what stands behind a cue (`password=`, `Dr.`); what only the sense gives away it cannot find.
 */
export class Redaction {
  /** The text with placeholders. */
  readonly text: string;
  /** Placeholder, without its brackets → what stood there. */
  #originals = new Map<string, string>();

  constructor(original: string) {
    const placeholders = new Map<string, string>();
    const counts = new Map<string, number>();
    const placeholder = (kind: string, value: string): string => {
      const known = placeholders.get(`${kind} ${value}`);
      if (known !== undefined) return known;
      let name: string;
      do {
        const count = (counts.get(kind) ?? 0) + 1;
        counts.set(kind, count);
        name = `${kind}_${count}`;
        // No placeholder is one of the text's own words.
      } while (original.includes(name));
      placeholders.set(`${kind} ${value}`, `[${name}]`);
      this.#originals.set(name, value);
      return `[${name}]`;
    };
    let text = "";
    let at = 0;
    for (const { start, end, kind } of stretches(original)) {
      text += original.slice(at, start) + placeholder(kind, original.slice(start, end));
      at = end;
    }
    this.text = text + original.slice(at);
  }

  /** What a model said of the text, with the words in the place of placeholders, with or without their brackets. */
  restored(said: unknown): unknown {
    if (typeof said === "string") return this.#back(said);
    if (typeof said !== "object" || said === null) return said;
    return Object.fromEntries(
      Object.entries(said).map(([name, value]: [string, unknown]) => [name, typeof value === "string" ? this.#back(value) : value]),
    );
  }

  #back(text: string): string {
    if (this.#originals.size === 0) return text;
    const names = [...this.#originals.keys()].sort((a, b) => b.length - a.length).join("|");
    const placed = new RegExp(expanded(String.raw`\[(${names})\]|\b(${names})\b`), "gv");
    return text.replace(placed, (_, bracketed: string | undefined, bare: string | undefined) => this.#originals.get(bracketed ?? bare ?? "") ?? "");
  }
}

/** What is found in a text, and what of it stands there once more, though nothing there gives it away. */
function stretches(text: string): Finding[] {
  const found = findings(text);
  const everywhere = new Map<string, string>();
  for (const { start, end, kind } of found) {
    const value = text.slice(start, end);
    if (telling(kind, value) && !everywhere.has(value)) everywhere.set(value, kind);
  }
  let rest = found.reduce(blanked, text);
  for (const [value, kind] of [...everywhere].sort(([a], [b]) => b.length - a.length)) {
    if (!rest.includes(value)) continue;
    const again = [...rest.matchAll(alone(value))].map((m) => ({ start: m.index, end: m.index + value.length, kind }));
    rest = again.reduce(blanked, rest);
    found.push(...again);
  }
  return found.sort((a, b) => a.start - b.start);
}

const blanked = (text: string, { start, end }: Finding): string => text.slice(0, start) + "\0".repeat(end - start) + text.slice(end);

/** Whether found words give the secret away wherever they stand: `text` of `password=text` does not. */
function telling(kind: string, value: string): boolean {
  if (kind === "NAME") return value.length >= 3;
  return value.length >= 4 && !/^[A-Z]?[a-z]+$/.test(value) && !value.includes("\0");
}

/** Some words that are no part of longer ones. */
function alone(value: string): RegExp {
  const escaped = value.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&");
  const starts = /^[\p{L}\p{N}_]/u.test(value) ? String.raw`(?<!\w)` : "";
  const ends = /[\p{L}\p{N}_]$/u.test(value) ? String.raw`(?!\w)` : "";
  return new RegExp(expanded(starts) + escaped + expanded(ends), "gv");
}

/** What is taken for a secret or a name; none overlaps another. The surer kinds come first, a later one keeps what no earlier one has. */
function findings(text: string): Finding[] {
  const taken: Finding[] = [];
  for (const found of [...secrets(text), ...numbers(text), ...names(text)]) {
    if (found.end > found.start && taken.every(({ start, end }) => found.end <= start || found.start >= end)) taken.push(found);
  }
  return taken;
}

/** Where a group of a match stands. */
function at(match: RegExpExecArray, group: number, kind: string): Finding {
  const [start, end] = match.indices?.[group] ?? [match.index, match.index];
  return { start, end, kind };
}

function* secrets(text: string): Generator<Finding> {
  for (const { found, kind, group } of forms) for (const match of text.matchAll(found)) yield at(match, group, kind);
  for (const match of text.matchAll(secret)) {
    const group = [3, 4, 5, 6, 7].find((one) => match[one] !== undefined) ?? 0;
    const { start, end } = at(match, group, "PASSWORD");
    // Bare at the end of a sentence, its sign is none of the secret.
    const value = group === 7 ? text.slice(start, end).replace(/[.!?]+$/, "") : text.slice(start, end);
    if (match[2] !== undefined || unlikeProse(value)) yield { start, end: start + value.length, kind: "PASSWORD" };
  }
  for (const match of text.matchAll(long)) {
    if (isRandom(match[0]) && !uuid.test(match[0])) yield at(match, 0, "KEY");
  }
}

/** Whether a word looks like a password rather than like the type or the rule of a field (`password: text`). */
function unlikeProse(value: string): boolean {
  const kinds = [/[a-z]/, /[A-Z]/, /\p{Nd}/u, /[^\p{L}\p{N}_\s\-]/u].filter((kind) => kind.test(value)).length;
  return value.length >= 4 && !value.includes(" ") && (kinds >= 2 || /^\p{Nd}+$/u.test(value)) && !/^[A-Z]?[a-z]+$/.test(value);
}

/** Whether a long run of characters looks drawn at random: many different ones, letters and digits mixed. */
function isRandom(text: string): boolean {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const bits = -[...counts.values()].reduce((sum, n) => sum + (n / text.length) * Math.log2(n / text.length), 0);
  const digits = text.replace(/\D/g, "").length;
  if (/^[0-9a-fA-F]{32,}$/.test(text)) return bits > 3 && digits > 0 && digits < text.length;
  return bits > 3.7 && digits >= 2 && /[a-z]/.test(text) && /[A-Z]/.test(text);
}

function* numbers(text: string): Generator<Finding> {
  for (const match of text.matchAll(iban)) if (isIban(match[0].replaceAll(" ", ""))) yield at(match, 0, "IBAN");
  for (const match of text.matchAll(digitRun)) {
    const digits = match[0].replace(/\P{Nd}/gu, "");
    if (digits.length >= 13 && digits.length <= 19 && isCard(digits)) yield at(match, 0, "CARD");
    else if (isTelephone(match[0], digits, text.slice(0, match.index))) yield at(match, 0, "PHONE");
  }
}

/** Whether the check digit of a card is right (Luhn). */
function isCard(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = valueOf(digit) * (1 + (place % 2));
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0 && new Set(digits).size > 1;
}

/** The value of a digit of any script: those of each stand in a row, from zero on. */
function valueOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return (code - zero) % 10;
}

/** Whether the check digits of an account number are right (ISO 7064, 97-10). */
function isIban(text: string): boolean {
  if (text.length < 15 || text.length > 34) return false;
  const turned = text.slice(4) + text.slice(0, 4);
  return BigInt([...turned].map((c) => parseInt(c, 36)).join("")) % 97n === 1n;
}

function isTelephone(written: string, digits: string, before: string): boolean {
  if (digits.length < 6 || digits.length > 15 || books.test(before) || date.test(written)) return false;
  const start = written.replace(/^\(+/, "");
  return (start.startsWith("+") && digits.length >= 7) || american.test(written) || (start.startsWith("0") && digits.length >= 9) || called.test(before);
}

function* names(text: string): Generator<Finding> {
  for (const cue of nameCues) for (const match of text.matchAll(cue)) yield at(match, 1, "NAME");
  for (const match of text.matchAll(capitalised)) {
    const name = match[1] ?? "";
    const { start } = at(match, 1, "NAME");
    // A name may follow a capital that begins a sentence ("Does Anna Berg …"); "Ann's diary" names Ann.
    for (const part of name.matchAll(word)) {
      const plain = part[0].replace(/['’]s$/, "");
      if (!isFirstName(plain) && !isFirstName(plain.split("-")[0] ?? "")) continue;
      const found = plain === part[0] ? name.slice(part.index).replace(/['’]s$/, "") : plain;
      yield { start: start + part.index, end: start + part.index + found.length, kind: "NAME" };
      break;
    }
  }
}

function isFirstName(word: string): boolean {
  const plain = word.toLowerCase().replace(/[łøđı]/g, (letter) => ({ ł: "l", ø: "o", đ: "d", ı: "i" })[letter] ?? letter);
  return firstNames.has(plain.normalize("NFKD").replace(/\p{M}/gu, ""));
}
