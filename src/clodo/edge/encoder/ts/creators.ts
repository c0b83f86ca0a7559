import type { Draft, DraftCue } from "./draft";
import { type Access, USER } from "./values";
import type { Verbs } from "./verbs";

/** Whether a cue says who adds rows and nothing besides: a condition or an outcome makes it a step. */
export function saysWhoCreates({ kind, slots, words }: DraftCue, verbs: Verbs): boolean {
  if (kind !== "action" || !(slots.get("by") ?? []).some(({ role }) => role !== "") || !(slots.get("of") ?? []).some(({ entity }) => entity !== "")) return false;
  return [...slots].every(([name, fillers]) => fillers.length === 0 || name === "of" || name === "by") && verbs.makesRows(words);
}

/** The roles that cues let add rows, by entity of the draft, in the order in which they are said. */
export function creatorsOf(draft: Draft, verbs: Verbs): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { slots } of draft.cues.filter((cue) => saysWhoCreates(cue, verbs))) {
    for (const { entity } of slots.get("of") ?? []) {
      const roles = found.get(entity) ?? new Set();
      for (const { role } of slots.get("by") ?? []) if (role !== "") roles.add(role);
      found.set(entity, roles);
    }
  }
  return found;
}

/**
 * The rule that lets these roles add rows, beside whoever may write; nothing where there is nothing to say. `create` is what facts
 * say. Whoever may not read rows adds none.
 */
export function creation(roles: Iterable<string>, read: Access, write: Access, create: Access | undefined): Access | undefined {
  if (create !== undefined || write.who !== "role") return create;
  const seeing = [...roles].filter((role) => read.who !== "role" || role === "admin" || read.roles.includes(role));
  if (seeing.includes("user")) return USER;
  const known = new Set([...write.roles, "admin"]);
  return seeing.every((role) => known.has(role)) ? undefined : { who: "role", roles: [...new Set([...seeing, ...write.roles])] };
}

/** Whether a rule of creation lets a role in; whoever logs in adds rows that are to be their own. */
export const letsAdd = ({ who, roles }: Access, role: string): boolean => (who === "role" ? role === "admin" || roles.includes(role) : who !== "key");
