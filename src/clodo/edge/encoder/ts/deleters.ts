import type { DraftCue } from "./draft";
import { type Access, type Blueprint, type Entity, USER } from "./values";
import type { Verbs } from "./verbs";

/** Whether a cue says who deletes rows, perhaps how often, and nothing besides: a condition makes it a lock, an outcome a step. */
export function saysWhoDeletes({ kind, slots, words }: DraftCue, verbs: Verbs): boolean {
  if (kind !== "action" || !(slots.get("by") ?? []).some(({ role }) => role !== "")) return false;
  const told = [...slots].filter(([, fillers]) => fillers.length > 0).map(([name]) => name);
  const hasRate = told.includes("n") && told.includes("per");
  if (told.some((name) => !["of", "by", ...(hasRate ? ["n", "per"] : [])].includes(name))) return false;
  const [said, allowed] = verbs.lock(words, false);
  return allowed && said.length === 1 && said[0] === "delete";
}

/**
 * The rule that lets in these roles, of which `makers` are words for whoever made the row, where they are no roles that have
 * rights to it; nothing where it lets in whoever may write, so that there is nothing to say.
 */
export function deleters(roles: readonly string[], b: Blueprint, e: Entity, makers: readonly string[]): Access | undefined {
  const named = [...new Set(roles)];
  const write = e.write ?? b.write;
  const known = [...(e.read ?? b.read).roles, ...write.roles];
  const held = named.filter((role) => !makers.includes(role) || known.includes(role));
  const rule: Access = named.includes("user") ? USER : { who: held.length === named.length ? "role" : "owner", roles: held };
  return isLike(rule, write) ? undefined : rule;
}

/** Whether two rules let in the same people; an administrator may do what any role may. */
export function isLike(a: Access, b: Access): boolean {
  const [ours, theirs] = [a, b].map(({ roles }) => new Set(roles.length > 0 ? [...roles, "admin"] : []));
  return a.who === b.who && ours?.size === theirs?.size && [...(ours ?? [])].every((role) => theirs?.has(role));
}

/** Whether it makes sense that these delete rows of an entity: they have to know of them, and owners to be there. */
export function canDelete(rule: Access, b: Blueprint, e: Entity): boolean {
  const [read, write] = [e.read ?? b.read, e.write ?? b.write];
  const isNarrow = read.who === "owner" || read.who === "role";
  const seeing = read.roles.length > 0 ? ["admin", ...read.roles] : [];
  if (rule.who === "owner") {
    if ([write, e.create ?? write].some(({ who }) => who === "public" || who === "key")) return false;
    // The owner's key must be free.
    const owned = [read, write].some(({ who }) => who === "owner");
    const taken = e.fields.some(({ name }) => name === "owner_id") || e.references.some(({ name }) => name === "owner");
    if (taken && !owned) return false;
  }
  if (read.who === "owner" && rule.who === "user") return false;
  return !isNarrow || rule.roles.every((role) => seeing.includes(role));
}

/** A rule from its text: wishes carry lines as text. */
export const ruleOfText = (text: string): Access => {
  const [who = "", roles = ""] = text.startsWith("role ") ? ["role", text.slice(5)] : text.split(" or role ");
  return { who: who as Access["who"], roles: roles === "" ? [] : roles.split(", ") };
};
