import type { Characters } from "./characters";
import { creatorsOf, saysWhoCreates } from "./creators";
import { saysWhoDeletes } from "./deleters";
import type { Draft, DraftCue, DraftEntity, Filler } from "./draft";
import type { Naming } from "./naming";
import { Nearby } from "./nearby";
import type { CueTables } from "./tables";
import type { Access } from "./values";
import type { Verbs } from "./verbs";
import { areTheirs } from "./whose";

/** Flags by which a text says who writes. */
export const STATED = ["own", "own-write", "write-login", "write-key", "write-public"];
/** Cues that give nobody rights that they did not have. */
const NO_RIGHTS = ["action", "notify", "at-most"];
/** Slots that tell which rows a step is about. */
const ABOUT = ["of", "set", "unset", "from", "to", "when", "unless"];

/**
 * Puts whoever made the row in the place of words for them, where they take a step: they are no roles with rights of their own,
 * and the text speaks of the row's, or says that rows belong to whoever made them. Rows of which nothing is said of who writes
 * them are theirs then. People of whom the text says that the rows are theirs, and who have no rights to others, are whoever made
 * them, too.
 */
export function withTakers(draft: Draft, tables: CueTables, verbs: Verbs, naming: Naming, characters: Characters): void {
  const rights = new Set([...draft.entities.values()].flatMap((e) => [...e.readRoles, ...e.writeRoles]));
  for (const { slots } of draft.cues.filter(({ kind }) => !NO_RIGHTS.includes(kind))) {
    for (const { role } of [...slots.values()].flat()) rights.add(role);
  }
  for (const role of [...creatorsOf(draft, verbs).values()].flatMap((roles) => [...roles])) rights.add(role);
  const isTheirs = (e: DraftEntity, role: string): boolean =>
    (e.flags.has("own") || e.flags.has("own-write")) && !rights.has(role) && areTheirs(draft.text, role, e.name, { tables, naming, characters });
  const isMaker = (e: DraftEntity, f: Filler): boolean =>
    tables.makers.includes(f.role)
      ? !rights.has(f.role) && isOfRow(draft, e, f, tables, naming, characters)
      : isOfTheirOwn(draft, e, f, tables, characters) || isTheirs(e, f.role);
  draft.cues = draft.cues.map((cue) => {
    const e = about(draft, cue);
    const named = cue.slots.get("by") ?? [];
    if (e === undefined || named.length === 0) return cue;
    if (cue.kind !== "action" || saysWhoDeletes(cue, verbs) || saysWhoCreates(cue, verbs)) return cue;
    const by = named.map((f) => (isMaker(e, f) ? { ...f, role: tables.takers.maker } : f));
    if (by.some(({ role }) => role === tables.takers.maker)) {
      const stated = e.writeRoles.length > 0 || STATED.some((flag) => e.flags.has(flag));
      if (!stated && draft.access !== "key" && draft.access !== "key-write") e.flags.add("own-write");
    }
    if (e.flags.has("own")) {
      // Whoever takes a step with rows of somebody else must see them.
      const others = [...new Set(by.map(({ role }) => role))].filter((role) => !["", tables.takers.maker, tables.takers.user, ...e.readRoles].includes(role));
      e.readRoles.push(...others);
    }
    return { ...cue, slots: new Map([...cue.slots, ["by", by]]) };
  });
}

/** The rule that lets in who takes a step; undefined where nobody is named. */
export function takers({ slots }: DraftCue, { takers: { maker } }: CueTables): Access | undefined {
  const roles = [...new Set((slots.get("by") ?? []).map(({ role }) => role))];
  const held = roles.filter((role) => role !== maker);
  return roles.length === 0 ? undefined : { who: held.length === roles.length ? "role" : "owner", roles: held };
}

function about(draft: Draft, { slots }: DraftCue): DraftEntity | undefined {
  const named = ABOUT.flatMap((slot) => slots.get(slot) ?? []).find(({ entity }) => entity !== "");
  return draft.entities.get(named?.entity ?? "");
}

/** Whether people take a step with rows of their own, and have no rights to others: "members cancel their own bookings". */
function isOfTheirOwn(draft: Draft, e: DraftEntity, { role, at }: Filler, tables: CueTables, characters: Characters): boolean {
  if (at === undefined || at === null || [...e.readRoles, ...e.writeRoles].includes(role)) return false;
  const behind = new Nearby(tables, characters).behind(draft.text, at);
  return (e.flags.has("own") || e.flags.has("own-write")) && characters.pattern(`^(?:${tables.takers.owning})`).test(behind);
}

function isOfRow(draft: Draft, e: DraftEntity, { role, at }: Filler, tables: CueTables, naming: Naming, characters: Characters): boolean {
  const { called, possessive, possessed, belonging, definite, doubtful, it } = tables.takers;
  const near = new Nearby(tables, characters);
  const front = at === undefined || at === null ? "" : near.before(draft.text, at);
  const has = (pattern: string): boolean => characters.pattern(pattern).test(front);
  if (has(called)) return false;
  if (e.flags.has("own") || e.flags.has("own-write")) return true;
  if (at === undefined || at === null) return false;
  if (has(possessive) || (role !== doubtful && has(definite))) return true;
  const found = [characters.pattern(possessed).exec(front), characters.pattern(`^(?:${belonging})`).exec(near.behind(draft.text, at))];
  const whose = found.map((m) => m?.[1]).filter((word) => word !== undefined);
  return whose.some((word) => it.includes(word) || e.name.split("_").includes(naming.singular(word)));
}
