import { chosen } from "./choices";
import { type Pen, unsaid } from "./cue_names";
import type { Filler } from "./draft";
import { type Field, quote } from "./values";

export const isNumber = ({ type }: Field): boolean => ["integer", "decimal", "money"].includes(type);

/** Whether a filler that names a yes/no field means yes. */
export function isTrue({ words }: Filler, { characters, tables }: Pen): boolean {
  return words === "" || !characters.pattern(tables.false).test(words.toLowerCase());
}

/** A value of a field as a constant of the language; throws `Unsaid` where the field has no such value. */
export function constantOf(f: Field, surface: string, { characters, numbers }: Pen): string {
  if (f.type === "enum") {
    const wanted = chosen(f.values, surface, characters);
    return wanted === undefined ? unsaid() : quote(wanted);
  }
  const value = numbers.read(surface);
  return isNumber(f) && value !== undefined ? value.toString() : unsaid();
}

/** The line that says which state may follow which. */
export function transitionsLine(f: Field, steps: readonly (readonly [string, string])[], { characters }: Pen): string {
  const rank = ([a, b]: readonly [string, string]): number => f.values.indexOf(a) * f.values.length + f.values.indexOf(b);
  const pairs = new Map<number, readonly [string, string]>();
  for (const [before, after] of steps) {
    const [from, to] = [chosen(f.values, before, characters), chosen(f.values, after, characters)];
    if (from === undefined || to === undefined || from === to) continue;
    pairs.set(rank([from, to]), [from, to]);
  }
  const later = new Set([...pairs.values()].map(([, after]) => after));
  // A state that nothing leads to comes first: rows begin with the first state of the first chain.
  const place = (pair: readonly [string, string]): number => (later.has(pair[0]) ? f.values.length ** 2 : 0) + rank(pair);
  let left = [...pairs.values()].sort((x, y) => place(x) - place(y));
  if (left.length === 0 || !allReached(f, left)) return unsaid();
  const chains: string[][] = [];
  while (left.length > 0) {
    const [first, ...others] = left;
    const chain = [...(first ?? [])];
    left = others;
    for (;;) {
      const next = left.find(([a, b]) => a === chain.at(-1) && !chain.includes(b));
      if (next === undefined) break;
      left = left.filter((pair) => pair !== next);
      chain.push(next[1]);
    }
    chains.push(chain);
  }
  return `transitions ${f.name}: ${chains.map((chain) => chain.map(bare).join(" -> ")).join(", ")}`;
}

/** Whether every value of a field can be reached from the one that rows begin with. */
function allReached(f: Field, pairs: readonly (readonly [string, string])[]): boolean {
  const reached = [f.default === undefined ? (pairs[0]?.[0] ?? "") : String(f.default)];
  for (const state of reached) {
    reached.push(...new Set(pairs.filter(([a, b]) => a === state && !reached.includes(b)).map(([, b]) => b)));
  }
  return reached.length === f.values.length;
}

const bare = (state: string): string =>
  /^[a-z][a-z0-9_]*$/.test(state) && state !== "true" && state !== "false" ? state : quote(state);
