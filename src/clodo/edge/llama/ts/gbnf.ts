// GBNF, the grammars of llama.cpp, read into a program for the automaton. What llama.cpp refuses is refused here too, and so is
// a NUL, which no text of a model holds.

import { Problem } from "./shared/problems";

/** Something in a grammar that cannot be, and where. */
export class GrammarError extends Problem {
  constructor(detail: string) {
    super(400, detail, { param: "grammar", code: "invalid_grammar" });
  }
}

/**
 * A grammar as numbers. `elements` are those of all alternatives in a row: from 0 on the number of a class of characters, -1
 * the end of an alternative, below that the call of rule `-2 - element`. Rule r has the alternatives that begin at
 * `starts[firsts[r]]` … `starts[firsts[r + 1] - 1]`. A class is its ranges: first, last, first, last, …, in order.
 */
export interface Program {
  readonly elements: Int32Array;
  readonly starts: Int32Array;
  readonly firsts: Int32Array;
  readonly empty: Uint8Array;
  readonly classes: readonly Int32Array[];
  readonly root: number;
}

export const END = -1;
/** The call of a rule, and the rule of a call. */
export const callOf = (rule: number): number => -2 - rule;

/** The longest grammar, in UTF-16 units; those of blueprints have 60,000 at most. */
const LONGEST = 65_536;
/** The most elements of a program, repetitions written out. */
const ELEMENTS = 65_536;
const REPETITIONS = 2000;
const NESTING = 100;
const LAST = 0x10ffff;

const SIMPLE: ReadonlyMap<string, readonly [number, number]> = new Map([["*", [0, Infinity]], ["+", [1, Infinity]], ["?", [0, 1]]]);

type Alternatives = number[][];

/** A rule; `loop` says that it calls itself at its end to repeat what stands before. */
interface Rule {
  alternatives: Alternatives;
  loop: boolean;
  /** Where it was first named, and whether it is defined: one that is made here always is. */
  readonly at: number;
  defined: boolean;
  readonly name: string;
}

/** Reads a grammar; throws `GrammarError`. */
export function readGrammar(text: string): Program {
  if (text.length > LONGEST) throw new GrammarError(`The grammar has ${text.length} characters, and ${LONGEST} are the most.`);
  return new Reader(text).program();
}

class Reader {
  #text: string;
  #at = 0;
  #rules: Rule[] = [];
  #names = new Map<string, number>();
  #classes: Int32Array[] = [];
  #classNumbers = new Map<string, number>();
  #characters = new Map<number, number>();
  #elements = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  program(): Program {
    for (this.#space(true); this.#at < this.#text.length; this.#space(true)) this.#rule();
    const root = this.#names.get("root");
    if (root === undefined || !(this.#rules[root] as Rule).defined) throw new GrammarError("The grammar has no rule root, with which every answer begins.");
    for (const rule of this.#rules) if (!rule.defined) throw this.#error(`there is no rule ${rule.name}`, rule.at);
    const empty = this.#emptyRules();
    return this.#flat(root, this.#inOrder(empty), empty);
  }

  #rule(): void {
    const at = this.#at;
    const rule = this.#rules[this.#numberOf(this.#name("the name of a rule"), at)] as Rule;
    this.#space(false);
    if (!this.#text.startsWith("::=", this.#at)) throw this.#error("::= must follow the name of a rule");
    this.#at += 3;
    this.#space(true);
    // Of two rules of one name the later holds, as in llama.cpp.
    rule.alternatives = this.#alternatives(false);
    rule.defined = true;
    if (this.#at < this.#text.length && !/[\r\n]/.test(this.#here())) throw this.#error("a rule must end with its line");
  }

  #alternatives(nested: boolean): Alternatives {
    const found = [this.#sequence(nested)];
    while (this.#here() === "|") {
      this.#at += 1;
      this.#space(true);
      found.push(this.#sequence(nested));
    }
    return found;
  }

  #sequence(nested: boolean): number[] {
    const out: number[] = [];
    // Where the last item begins: what a repetition is of.
    let last = -1;
    for (;;) {
      const at = this.#at;
      const here = this.#here();
      const repeated = this.#repetition();
      if (repeated !== undefined) {
        if (last < 0) throw this.#error("there is nothing before it to repeat", at);
        out.push(...this.#repeat(out.splice(last), ...repeated, at));
      } else if (here === '"') {
        last = out.length;
        out.push(...this.#literal());
      } else if (here === "[") {
        last = out.length;
        out.push(this.#class());
      } else if (here === ".") {
        this.#at += 1;
        last = out.length;
        out.push(this.#classOf([[0, LAST]], false));
      } else if (here === "(") {
        last = out.length;
        out.push(callOf(this.#group()));
      } else if (isOfName(here.charCodeAt(0))) {
        last = out.length;
        out.push(callOf(this.#numberOf(this.#name("the name of a rule"), at)));
      } else {
        this.#spend(out.length + 1, at);
        return out;
      }
      this.#space(nested);
    }
  }

  #group(): number {
    this.#depth += 1;
    if (this.#depth > NESTING) throw this.#error(`brackets are ${NESTING} deep at most`);
    this.#at += 1;
    this.#space(true);
    const rule = this.#made(this.#alternatives(true));
    if (this.#here() !== ")") throw this.#error("a bracket must be closed here");
    this.#at += 1;
    this.#depth -= 1;
    return rule;
  }

  /** How often the item before is to stand, least and most. */
  #repetition(): readonly [number, number] | undefined {
    const at = this.#at;
    const simple = SIMPLE.get(this.#here());
    if (simple !== undefined) {
      this.#at += 1;
      return simple;
    }
    if (this.#here() !== "{") return undefined;
    const written = /^\{[ \t]*(\d{1,6})[ \t]*(?:(,)[ \t]*(\d{1,6})?[ \t]*)?\}/.exec(this.#text.slice(at, at + 64));
    if (written === null) throw this.#error("repetitions are written {2}, {2,} or {2,5}");
    this.#at += written[0].length;
    const least = Number(written[1]);
    const most = written[2] === undefined ? least : written[3] === undefined ? Infinity : Number(written[3]);
    if (most < least) throw this.#error(`${most} repetitions at most are fewer than ${least} at least`, at);
    if (Math.max(least, most === Infinity ? 0 : most) > REPETITIONS) throw this.#error(`${REPETITIONS} repetitions are the most`, at);
    return [least, most];
  }

  #repeat(items: readonly number[], least: number, most: number, at: number): number[] {
    if (items.length === 0 || most === 0) return [];
    const item = items.length === 1 ? (items[0] as number) : callOf(this.#made([[...items]]));
    const out = Array.from({ length: least }, () => item);
    if (most === Infinity) {
      const loop = this.#made([], true);
      (this.#rules[loop] as Rule).alternatives = [[item, callOf(loop)], []];
      return [...out, callOf(loop)];
    }
    this.#spend(4 * (most - least), at);
    let rest: number | undefined;
    // Each calls the next at its end, so that no return has to be kept.
    for (let i = least; i < most; i++) rest = this.#made([rest === undefined ? [item] : [item, callOf(rest)], []]);
    return rest === undefined ? out : [...out, callOf(rest)];
  }

  #literal(): number[] {
    const at = this.#at++;
    const out: number[] = [];
    while (this.#here() !== '"') {
      if (this.#here() === "") throw this.#error("a text in quotes has no end", at);
      const code = this.#character();
      let known = this.#characters.get(code);
      if (known === undefined) this.#characters.set(code, (known = this.#classOf([[code, code]], false)));
      out.push(known);
    }
    this.#at += 1;
    return out;
  }

  #class(): number {
    const at = this.#at++;
    const inverted = this.#here() === "^";
    if (inverted) this.#at += 1;
    const ranges: [number, number][] = [];
    while (this.#here() !== "]") {
      if (this.#here() === "") throw this.#error("a class of characters has no end", at);
      const first = this.#character();
      let last = first;
      if (this.#here() === "-" && this.#text[this.#at + 1] !== "]") {
        this.#at += 1;
        if (this.#here() === "") throw this.#error("a class of characters has no end", at);
        const to = this.#at;
        last = this.#character();
        if (last < first) throw this.#error("a range ends before it begins", to);
      }
      ranges.push([first, last]);
    }
    this.#at += 1;
    if (ranges.length === 0) throw this.#error("a class of characters is empty", at);
    return this.#classOf(ranges, inverted);
  }

  /** The code point of the character or the escape that stands here. */
  #character(): number {
    const at = this.#at;
    let code = this.#text.codePointAt(at) as number;
    if (code !== 0x5c) {
      this.#at += code > 0xffff ? 2 : 1;
    } else {
      const kind = this.#text[at + 1] ?? "";
      const digits = { x: 2, u: 4, U: 8 }[kind] ?? 0;
      const plain = { t: "\t", r: "\r", n: "\n", "\\": "\\", '"': '"', "[": "[", "]": "]", "-": "-" }[kind];
      const hex = this.#text.slice(at + 2, at + 2 + digits);
      if (digits > 0 && hex.length === digits && /^[0-9A-Fa-f]+$/.test(hex)) code = Number.parseInt(hex, 16);
      else if (plain !== undefined) code = plain.charCodeAt(0);
      else throw this.#error(digits > 0 ? `\\${kind} needs ${digits} hexadecimal digits` : `\\${kind} is no escape that is known`);
      this.#at += 2 + digits;
    }
    if (code > LAST || (code >= 0xd800 && code <= 0xdfff)) throw this.#error("this is no character of Unicode", at);
    return code;
  }

  #name(what: string): string {
    const from = this.#at;
    while (isOfName(this.#text.charCodeAt(this.#at))) this.#at += 1;
    if (this.#at === from) throw this.#error(`${what} must stand here`);
    return this.#text.slice(from, this.#at);
  }

  /** Passes over spaces and comments, and over ends of lines where they mean nothing. */
  #space(lines: boolean): void {
    for (;;) {
      const here = this.#here();
      if (here === " " || here === "\t" || (lines && (here === "\n" || here === "\r"))) this.#at += 1;
      else if (here === "#") while (this.#here() !== "" && !/[\r\n]/.test(this.#here())) this.#at += 1;
      else return;
    }
  }

  #here(): string {
    return this.#text.charAt(this.#at);
  }

  #numberOf(name: string, at: number): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, this.#rules.length);
    return this.#rules.push({ alternatives: [], loop: false, at, defined: false, name }) - 1;
  }

  #made(alternatives: Alternatives, loop = false): number {
    return this.#rules.push({ alternatives, loop, at: this.#at, defined: true, name: "" }) - 1;
  }

  #spend(elements: number, at: number): void {
    this.#elements += elements;
    if (this.#elements > ELEMENTS) throw this.#error(`with repetitions written out the grammar has more than ${ELEMENTS} elements`, at);
  }

  #classOf(ranges: readonly (readonly [number, number])[], inverted: boolean): number {
    const key = `${inverted ? "^" : ""}${ranges.join(";")}`;
    const known = this.#classNumbers.get(key);
    if (known !== undefined) return known;
    const made = this.#classes.push(rangesOf(ranges, inverted)) - 1;
    this.#classNumbers.set(key, made);
    return made;
  }

  /** The rules, each behind those that may call it before they have read anything. One that may so call itself is refused: it would
   * be entered without end. */
  #inOrder(empty: Uint8Array): number[] {
    const order: number[] = [];
    const state = new Uint8Array(this.#rules.length);
    const OPEN = 1;
    const DONE = 2;
    for (let from = 0; from < this.#rules.length; from++) {
      if (state[from] === DONE) continue;
      state[from] = OPEN;
      const path = [{ rule: from, next: this.#leftmost(from, empty) }];
      while (path.length > 0) {
        const top = path[path.length - 1] as { readonly rule: number; readonly next: number[] };
        const called = top.next.pop();
        if (called === undefined) {
          state[top.rule] = DONE;
          order.push(top.rule);
          path.pop();
        } else if (state[called] === OPEN) {
          const cycle = path.slice(path.findIndex(({ rule }) => rule === called)).map(({ rule }) => this.#rules[rule] as Rule);
          const named = cycle.find(({ name }) => name !== "") ?? (cycle[0] as Rule);
          throw this.#error(`the rule ${named.name} begins with itself (left recursion)`, named.at);
        } else if (state[called] !== DONE) {
          state[called] = OPEN;
          path.push({ rule: called, next: this.#leftmost(called, empty) });
        }
      }
    }
    return order.reverse();
  }

  /** The rules that a rule may call before anything is read. */
  #leftmost(rule: number, empty: Uint8Array): number[] {
    const { alternatives, loop } = this.#rules[rule] as Rule;
    const found = new Set<number>();
    for (const alternative of alternatives) {
      for (const element of alternative) {
        if (element >= 0) break;
        const called = callOf(element);
        // A loop goes round at its end, and leaves nothing to come back to.
        if (!(loop && called === rule)) found.add(called);
        if (empty[called] === 0) break;
      }
    }
    return [...found];
  }

  /** Which rules may read nothing. */
  #emptyRules(): Uint8Array {
    const empty = new Uint8Array(this.#rules.length);
    for (let changed = true; changed; ) {
      changed = false;
      // From the last one on: rules that are made here are called by earlier ones.
      for (let rule = this.#rules.length - 1; rule >= 0; rule--) {
        if (empty[rule] === 1) continue;
        const { alternatives } = this.#rules[rule] as Rule;
        if (!alternatives.some((one) => one.every((element) => element < 0 && empty[callOf(element)] === 1))) continue;
        empty[rule] = 1;
        changed = true;
      }
    }
    return empty;
  }

  #flat(root: number, order: readonly number[], empty: Uint8Array): Program {
    const numbers = new Int32Array(order.length);
    order.forEach((rule, number) => (numbers[rule] = number));
    const elements: number[] = [];
    const starts: number[] = [];
    const firsts = [0];
    for (const rule of order) {
      for (const alternative of (this.#rules[rule] as Rule).alternatives) {
        starts.push(elements.length);
        for (const element of alternative) elements.push(element >= 0 ? element : callOf(numbers[callOf(element)] as number));
        elements.push(END);
      }
      firsts.push(starts.length);
    }
    return {
      elements: Int32Array.from(elements),
      starts: Int32Array.from(starts),
      firsts: Int32Array.from(firsts),
      empty: Uint8Array.from(order, (rule) => empty[rule] as number),
      classes: this.#classes,
      root: numbers[root] as number,
    };
  }

  #error(what: string, at = this.#at): GrammarError {
    const before = this.#text.slice(0, at).split("\n");
    const column = [...(before[before.length - 1] as string)].length + 1;
    return new GrammarError(`The grammar cannot be read at line ${before.length}, column ${column}: ${what}.`);
  }
}

/** Whether a character may be of a rule's name: a letter or digit of ASCII, or a hyphen. */
const isOfName = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 45;

/** Ranges in order, apart, and without what is no character: NUL and the halves of surrogate pairs. */
function rangesOf(ranges: readonly (readonly [number, number])[], inverted: boolean): Int32Array {
  const joined: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const top = joined[joined.length - 1];
    if (top !== undefined && first <= top[1] + 1) top[1] = Math.max(top[1], last);
    else joined.push([first, last]);
  }
  const wanted: [number, number][] = inverted ? [] : joined;
  if (inverted) {
    let next = 0;
    for (const [first, last] of joined) {
      if (first > next) wanted.push([next, first - 1]);
      next = last + 1;
    }
    if (next <= LAST) wanted.push([next, LAST]);
  }
  const kept = wanted.flatMap(([first, last]) => [
    ...(Math.max(first, 1) <= Math.min(last, 0xd7ff) ? [Math.max(first, 1), Math.min(last, 0xd7ff)] : []),
    ...(Math.max(first, 0xe000) <= last ? [Math.max(first, 0xe000), last] : []),
  ]);
  return Int32Array.from(kept);
}
