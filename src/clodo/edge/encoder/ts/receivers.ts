import { type Names, type Pen, unsaid } from "./cue_names";
import type { DraftCue, Filler } from "./draft";
import { type Entity, quote } from "./values";
import { areTheirs } from "./whose";

/** What the language calls whoever made a row, and the administrator. */
const OWNER = "owner";
const ADMIN = "admin";

/** Who gets a mail. */
export interface Receivers {
  /** Those that the text says, as the language has them. */
  readonly known: readonly string[];
  /** Whom it names besides, of whom no address is stored. */
  readonly missing: readonly Filler[];
  /** To whom it goes, as the language has it. */
  readonly to: readonly string[];
}

/**
 * Who gets a mail on rows of an entity; throws `Unsaid` where a field is named that neither is an address nor stands for somebody, or
 * that no row leads to.
 */
export function receivers(cue: DraftCue, names: Names, e: Entity, pen: Pen): Receivers {
  const slot = (name: string): readonly Filler[] => cue.slots.get(name) ?? [];
  const words = [...slot("n"), ...slot("to")].filter((f) => f.words.includes("@"));
  const addresses = words.map((f) => quote(f.words.replace(/^["'“”‘’ <>.,]+|["'“”‘’ <>.,]+$/g, "")));
  const found = slot("to").filter(({ entity }) => entity !== "").map((f): readonly [Filler, string] => [f, address(names, e, f)]);
  found.push(...slot("by").filter(({ role }) => role !== "").map((f): readonly [Filler, string] => [f, ofRole(names, e, f.role, pen)]));
  // Whoever is named beside an address of the text is reached by that.
  const missing = addresses.length > 0 ? [] : found.filter(([, path]) => path === "").map(([f]) => f);
  const known = [...addresses, ...found.map(([, path]) => path).filter((path) => path !== "")];
  return { known, missing, to: [...new Set([...known, ...(missing.length > 0 || known.length === 0 ? [ADMIN] : [])])] };
}

function ofRole(names: Names, e: Entity, role: string, pen: Pen): string {
  if (isTheirs(names, e) && (pen.tables.makers.includes(role) || role === pen.tables.takers.user || areTheirOwn(names, e, role, pen))) return OWNER;
  return role === ADMIN ? ADMIN : "";
}

/**
 * The path to an e-mail field, or to the account that a row refers to or belongs to; empty where no address is stored of whom a filler
 * names: a thing, what a reference leads to, a text.
 */
function address(names: Names, e: Entity, filler: Filler): string {
  if (filler.field === "") return ofThing(names, e, filler);
  if (isAccount(names, filler.entity)) return isTheirs(names, e) ? OWNER : `${names.way(e, filler.entity)}.email`;
  const named = names.reference(filler);
  const target = named?.[0].references.find(({ name }) => name === named[1])?.target;
  if (target !== undefined) return ofRows(names, target, names.seenFrom(e, filler));
  return names.field(filler)[1].type === "text" ? "" : names.seenFrom(e, filler);
}

/** Whether the text says that rows are those of people who have no rights besides. */
function areTheirOwn({ blueprint: { users }, text }: Names, e: Entity, role: string, pen: Pen): boolean {
  return users !== undefined && ![...users.roles, ADMIN].includes(role) && areTheirs(text, role, e.name, pen);
}

/** Whether rows belong to whoever made them. */
const isTheirs = ({ blueprint: b }: Names, e: Entity): boolean => [e.read ?? b.read, e.write ?? b.write].some(({ who }) => who === "owner");

const isAccount = ({ blueprint }: Names, entity: string): boolean => entity === "user" && blueprint.users !== undefined;

function ofThing(names: Names, e: Entity, filler: Filler): string {
  if (isAccount(names, filler.entity) && isTheirs(names, e)) return OWNER;
  const target = names.target(filler);
  const way = target === e.name ? "" : names.known(e, target);
  return way === undefined ? "" : ofRows(names, target, way);
}

/** The path to the only e-mail field of rows of an entity, by the way that leads to them; empty where they have none. */
function ofRows(names: Names, target: string, way: string): string {
  if (isAccount(names, target)) return `${way}.email`;
  const holder = names.blueprint.entities.find(({ name }) => name === target);
  const found = (holder?.fields ?? []).filter((f) => f.type === "email" && !f.writeOnly).map(({ name }) => name);
  if (found.length > 1) unsaid();
  return found.length === 0 ? "" : [way, ...found].filter((part) => part !== "").join(".");
}
