import { creatorsOf } from "./creators";
import type { Draft, DraftCue, DraftEntity } from "./draft";
import { OUTCOMES } from "./uploads";
import type { Verbs } from "./verbs";

/** Whether a step leads to something: people whom a lock lets through are no outcome. */
export const hasOutcome = ({ slots }: DraftCue): boolean => OUTCOMES.some((name) => (slots.get(name) ?? []).some(({ role }) => role === ""));

/** The roles that a lock does not hold up. */
export const freeOfLock = ({ slots }: DraftCue): string[] => [...new Set((slots.get("to") ?? []).map(({ role }) => role).filter((role) => role !== ""))];

/**
 * Lets those write rows of whom a lock says that they alone do ("only clerks may edit it, while it is a draft"), or that it does not hold
 * them up ("after that only by admins"). `makers` are words for whoever made a row, `stated` the flags by which a text says who writes; what
 * it says stays as it is.
 */
export function withWriters(draft: Draft, e: DraftEntity, cue: DraftCue, verbs: Verbs, makers: readonly string[], stated: readonly string[]): void {
  const [said, allowed] = verbs.lock(cue.words, false);
  const isConditional = ["when", "unless", "from"].some((name) => (cue.slots.get(name) ?? []).length > 0);
  if (cue.kind !== "action" || said.length === 0 || hasOutcome(cue) || !isConditional) return;
  const free = freeOfLock(cue);
  const alone = (cue.slots.get("by") ?? []).map(({ role }) => role).filter((role) => role !== "");
  const isDeletion = said.length === 1 && said[0] === "delete";
  if (free.length > 0) join(draft, e, free, stated);
  else if (alone.length > 0 && allowed && !isDeletion && !alone.some((role) => makers.includes(role))) leaveTo(draft, e, alone, stated, verbs);
}

const isOpen = ({ access }: Draft): boolean => access === "unstated" || access === "none";

/** Roles write rows beside whoever does: where that is everybody, people who log in, so that they can be told apart. */
function join(draft: Draft, e: DraftEntity, roles: readonly string[], stated: readonly string[]): void {
  if (e.flags.has("own")) e.readRoles.push(...roles.filter((role) => !e.readRoles.includes(role)));
  if (e.writeRoles.length > 0 || e.flags.has("own") || e.flags.has("own-write")) e.writeRoles.push(...roles.filter((role) => !e.writeRoles.includes(role)));
  else if (isOpen(draft) && !stated.some((flag) => e.flags.has(flag))) e.flags.add("write-login");
}

/** Roles alone change rows, and whoever could add some still does. */
function leaveTo(draft: Draft, e: DraftEntity, roles: readonly string[], stated: readonly string[], verbs: Verbs): void {
  if (e.writeRoles.length > 0 || stated.some((flag) => e.flags.has(flag)) || draft.access === "key" || draft.access === "key-write") return;
  e.writeRoles.push(...roles);
  if (!creatorsOf(draft, verbs).has(e.name)) e.flags.add(isOpen(draft) ? "write-public" : "write-login");
}
