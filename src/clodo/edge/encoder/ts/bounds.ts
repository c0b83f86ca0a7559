import { unsaid } from "./cue_names";
import { Decimal } from "./decimal";

/** What holds where a comparison does not. */
const OPPOSITE: Readonly<Record<string, string>> = { "<": ">=", "<=": ">", ">": "<=", ">=": "<" };
const ADMIN = "admin";

/** `left sign right`; `right` is a number of the text, or an expression. */
export interface Figure {
  readonly left: string;
  readonly sign: string;
  readonly right: Decimal | string;
}

export const figureText = ({ left, sign, right }: Figure): string => `${left} ${sign} ${right.toString()}`;

/** What one cue says of a step: the `roles` that take it (none: whoever may), the states that must hold, and its figures. */
export interface Part {
  readonly roles: readonly string[];
  readonly states: readonly string[];
  readonly figures: readonly Figure[];
}

/** Whether different people take the step under different conditions. */
export const areToldApart = (parts: readonly Part[]): boolean => membersOf(parts).length > 0;

/**
 * The conditions of a step, each by itself, where a text says of several who takes it: "managers approve up to 1,000, above that a director
 * does". A figure bounds the roles that are named with it, and those of whom none is named where another role is needed above (or below) it.
 * Whoever may more is not held to what bounds the others. `maker` stands for whoever made the row. Throws `Unsaid` where what bounds roles
 * is not one figure that numbers of the text are compared with.
 */
export function guards(parts: readonly Part[], maker: string): string[] {
  const members = membersOf(parts);
  const common = (members[0]?.states ?? []).filter((state) => members.every(({ states }) => states.includes(state)));
  const plain = parts.filter((part) => !members.includes(part));
  const out = new Set([...common, ...plain.flatMap(({ states }) => states), ...plain.flatMap(({ figures }) => figures.map(figureText))]);
  const bound = members.flatMap((m) => {
    const free = members.flatMap((other) => (other === m ? [] : other.roles.filter((role) => !m.roles.includes(role))));
    return m.states.filter((state) => !common.includes(state)).map((state) => unless(state, free, m.roles, maker));
  });
  return [...out, ...bound, ...bounds(members, maker)];
}

/** The parts that different people are told apart by; none where all is said of the same. */
function membersOf(parts: readonly Part[]): Part[] {
  const named = parts.filter(({ roles }) => roles.length > 0);
  const [first] = parts;
  if (first?.roles.length === 0 && named.some(({ figures }) => figures.length > 0)) named.unshift(first);
  const ofRoles = new Set(named.map(({ roles }) => JSON.stringify([...roles].sort())));
  const ofConditions = new Set(named.map(({ states, figures }) => JSON.stringify([[...new Set(states)].sort(), figures.map(figureText)])));
  return ofRoles.size > 1 && ofConditions.size > 1 ? named : [];
}

function* bounds(members: readonly Part[], maker: string): Iterable<string> {
  const figures = members.flatMap((m) => m.figures);
  if (new Set(figures.map(({ left }) => left)).size > 1 || figures.some(({ sign, right }) => typeof right === "string" || OPPOSITE[sign] === undefined)) unsaid();
  const most = members.map((m) => mostOf(m, members));
  const tops = new Map(most.flatMap((top) => (top === undefined ? [] : [[figureText(top), top] as const])));
  for (const [text, top] of tops) {
    const rolesOf = (more: boolean): string[] => members.flatMap((m, i) => (isMore(most[i], top) === more ? m.roles : []));
    yield unless(text, rolesOf(true), rolesOf(false), maker);
  }
}

const isCap = ({ sign }: Figure): boolean => sign.startsWith("<");

/** What bounds the roles of a part; undefined where nothing does. */
function mostOf(m: Part, members: readonly Part[]): Figure | undefined {
  const cap = least(m.figures.filter(isCap));
  if (cap !== undefined) return cap;
  const needs = m.figures.filter((f) => !isCap(f));
  const above = members.flatMap((other) => (other === m ? [] : other.figures.filter((f) => !isCap(f) && needs.every((need) => compared(f, need) > 0))));
  const found = least(above);
  return found === undefined ? undefined : { ...found, sign: OPPOSITE[found.sign] ?? "" };
}

const isMore = (other: Figure | undefined, top: Figure): boolean => other === undefined || compared(other, top) > 0;

const least = (figures: readonly Figure[]): Figure | undefined => [...figures].sort(compared)[0];

const compared = (a: Figure, b: Figure): number => (typeof a.right === "string" || typeof b.right === "string" ? unsaid() : a.right.compare(b.right));

/** A condition from which some are free. */
function unless(condition: string, free: readonly string[], held: readonly string[], maker: string): string {
  const named = [...new Set(free)];
  if (named.length === 0) return condition;
  const roles = named.filter((role) => role !== maker);
  if (![...roles, ...held].includes(ADMIN)) roles.push(ADMIN);
  const quoted = roles.map((role) => `"${role}"`);
  const ways = quoted.length > 1 ? [`caller.role in (${quoted.join(", ")})`] : quoted.map((role) => `caller.role = ${role}`);
  return [condition, ...ways, ...(named.includes(maker) ? ["caller = owner"] : [])].join(" or ");
}
