import { type Caller, allows, ownAlone } from "./access";
import type { Entity } from "./entity";
import { type Condition, condition } from "./sql";

/** What limits the rows that a caller may know of: those that are out, and for whoever may write them all. */
export function published(caller: Caller, entity: Entity): Condition[] {
  const now = new Date().toISOString();
  if (!allows(entity.write, caller)) return [condition('"published_at" <= ?', now)];
  if (!ownAlone(entity.write, caller)) return [];
  return [condition('"published_at" <= ? OR "owner_id" = ?', now, caller.user?.id ?? "")];
}
