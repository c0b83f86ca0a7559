import type { Context } from "hono";
import type { AppEnv } from "../env";
import { entities } from "../entities";
import type { Entity } from "./entity";
import { Problem } from "./problem";
import { inUse, writableRow } from "./rows";
import { type Condition, condition, quote } from "./sql";

/**
 * Deletes a row where some entities only hide theirs. Hiding follows the same rules as deleting:
 * `restrict` forbids it while visible rows refer to the row, `cascade` takes them along,
 * `set null` lets them go.
 */
export async function archiveRow(c: Context<AppEnv>, entity: Entity, id: string): Promise<Response> {
  await writableRow(c, entity, id);
  if (!entity.softDelete) return deleteForGood(c, entity, id);
  const chosen = condition('"id" = ?', id);
  const { guards, changes } = consequences(entity, chosen, new Date().toISOString(), new Set());
  const prepare = (s: Condition) => c.env.DB.prepare(s.sql).bind(...s.values);
  if (guards.length > 0) {
    const held = await c.env.DB.batch(guards.map(prepare));
    if (held.some((result) => result.results.length > 0)) {
      throw new Problem(409, "Other rows refer to this one.");
    }
  }
  await c.env.DB.batch(changes.map(prepare)).catch(inUse);
  return c.body(null, 204);
}

interface Consequences {
  readonly guards: Condition[];
  readonly changes: Condition[];
}

/** What must not exist, and what changes, when the chosen rows of an entity are hidden or deleted. */
function consequences(
  entity: Entity,
  chosen: Condition,
  now: string,
  trail: ReadonlySet<string>,
): Consequences {
  const guards: Condition[] = [];
  const changes: Condition[] = [];
  const ids = `SELECT "id" FROM ${quote(entity.name)} WHERE ${chosen.sql}`;
  for (const child of entities) {
    for (const [key, reference] of Object.entries(child.references)) {
      if (reference.to !== entity.name || trail.has(`${child.name}.${key}`)) continue;
      const shown = child.softDelete ? ' AND "deleted_at" IS NULL' : "";
      const theirs = condition(`${quote(key)} IN (${ids})${shown}`, ...chosen.values);
      const table = quote(child.name);
      if (reference.onDelete === "restrict") {
        guards.push(condition(`SELECT 1 FROM ${table} WHERE ${theirs.sql} LIMIT 1`, ...theirs.values));
      } else if (reference.onDelete === "set null") {
        changes.push(condition(`UPDATE ${table} SET ${quote(key)} = NULL WHERE ${theirs.sql}`, ...theirs.values));
      } else {
        const further = consequences(child, theirs, now, new Set([...trail, `${child.name}.${key}`]));
        guards.push(...further.guards);
        changes.push(...further.changes);
      }
    }
  }
  const table = quote(entity.name);
  changes.push(
    entity.softDelete
      ? condition(`UPDATE ${table} SET "deleted_at" = ? WHERE ${chosen.sql}`, now, ...chosen.values)
      : condition(`DELETE FROM ${table} WHERE ${chosen.sql}`, ...chosen.values),
  );
  return { guards, changes };
}

/** Really deletes a row, together with the hidden rows that would hold on to it. */
async function deleteForGood(c: Context<AppEnv>, entity: Entity, id: string): Promise<Response> {
  const hidden = entities.filter((child) => child.softDelete).flatMap((child) =>
    Object.entries(child.references)
      .filter(([, reference]) => reference.to === entity.name && reference.onDelete === "restrict")
      .map(([key]) => condition(
        `DELETE FROM ${quote(child.name)} WHERE ${quote(key)} = ? AND "deleted_at" IS NOT NULL`,
        id,
      )),
  );
  const last = condition(`DELETE FROM ${quote(entity.name)} WHERE "id" = ?`, id);
  const statements = [...hidden, last].map((s) => c.env.DB.prepare(s.sql).bind(...s.values));
  await c.env.DB.batch(statements).catch(inUse);
  return c.body(null, 204);
}
