import type { Context } from "hono";
import type { AppEnv } from "../env";
import { type Caller, type Rule, admit, allows, ownAlone } from "./access";
import type { Entity, Row } from "./entity";
import { Problem, notFound } from "./problem";
import { readRow } from "./rows";

/** Who may delete rows of an entity, and bring them back where that can be. */
export const deleters = (entity: Entity): Rule => entity.delete ?? entity.write;

/** The row of that id, where this caller may delete it. Whoever may not read a row cannot delete it either:
 * the answer would tell that it is there. */
export async function deletableRow(c: Context<AppEnv>, entity: Entity, id: string): Promise<[Row, Caller]> {
  const rule = deleters(entity);
  const caller = await admit(c, rule);
  if (!allows(entity.read, caller)) throw notFound();
  const row = await readRow(c, entity, caller, id);
  if (ownAlone(rule, caller) && row["owner_id"] !== caller.user?.id) {
    throw new Problem(403, "Only the owner may delete this.");
  }
  return [row, caller];
}
