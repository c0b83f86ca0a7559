import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import { type Rows, among, deleteRow, erased, erasing, prepare, referrers, remove, spread } from "./deletion";
import type { Entity } from "./entity";
import { Problem } from "./problem";
import { writableRow } from "./rows";
import { type Condition, condition, quote } from "./sql";

const shown = (entity: Entity): string => (entity.softDelete ? '"deleted_at" IS NULL' : "1 = 1");

/** Rows may come below those that go while these are looked for: so often a deletion begins anew. */
const TRIES = 5;

/**
 * Deletes a row where some entities only hide theirs. Hiding follows the same rules as deleting:
 * `restrict` forbids it while visible rows refer to the row, `cascade` takes them along,
 * `set null` lets them go. Rows of entities that hide nothing go for good, whatever took them along.
 */
export async function archiveRow(c: Context<AppEnv>, entity: Entity, id: string): Promise<Response> {
  if (!entity.softDelete) return deleteRow(c, entity, id);
  const [, caller] = await writableRow(c, entity, id);
  for (let left = TRIES; !(await hidden(c, caller, entity, id)); ) {
    if (--left === 0) throw new Problem(409, "Other rows come to refer to this one all the time.");
  }
  return c.body(null, 204);
}

/** Hides a row and what goes with it; false where rows came to refer to them meanwhile, and nothing is stored. */
async function hidden(c: Context<AppEnv>, caller: Caller, entity: Entity, id: string): Promise<boolean> {
  const going = await spread(c, new Map([[entity, new Set([id])]]), (child, reference) =>
    reference.onDelete === "cascade" && child.softDelete ? shown(child) : undefined,
  );
  const gone = await erased(c, await hardChildren(c, going));
  for (const [key, ids] of gone) for (const one of ids) going.get(key)?.delete(one);
  await refuseWhereHeld(c, going, gone);
  const changes = [...hiding(going, new Date().toISOString()), ...letGo(going), ...erasing(gone), ...whole(going)];
  try {
    await remove(c, caller, [going, gone], changes);
  } catch (error) {
    if (error instanceof Error && error.message.includes("malformed JSON")) return false;
    throw error;
  }
  return true;
}

/** The rows that go for good because they cascade from rows that are hidden. */
async function hardChildren(c: Context<AppEnv>, hidden: Rows): Promise<Rows> {
  const found: Rows = new Map();
  for (const [entity, ids] of hidden) {
    for (const [child, key, reference] of referrers(entity)) {
      if (reference.onDelete !== "cascade" || child.softDelete) continue;
      const theirs = among(quote(key), ids);
      const select = condition(`SELECT "id" FROM ${quote(child.name)} WHERE ${theirs.sql}`, ...theirs.values);
      const { results } = await prepare(c, select).all<{ id: string }>();
      if (results.length === 0) continue;
      found.set(child, new Set([...(found.get(child) ?? []), ...results.map((row) => row.id)]));
    }
  }
  return found;
}

/** A 409 where a row that stays refers to one that goes, and may not be left alone. */
async function refuseWhereHeld(c: Context<AppEnv>, hidden: Rows, gone: Rows): Promise<void> {
  const going = (entity: Entity) => new Set([...(hidden.get(entity) ?? []), ...(gone.get(entity) ?? [])]);
  const guards = [...new Set([...hidden.keys(), ...gone.keys()])].flatMap((entity) =>
    referrers(entity)
      .filter(([, , reference]) => reference.onDelete === "restrict")
      .map(([child, key]) => {
        const [theirs, along] = [among(quote(key), going(entity)), among('"id"', going(child))];
        return condition(
          `SELECT 1 FROM ${quote(child.name)} WHERE ${theirs.sql} AND NOT ${along.sql} AND ${shown(child)} LIMIT 1`,
          ...theirs.values,
          ...along.values,
        );
      }),
  );
  if (guards.length === 0) return;
  const held = await c.env.DB.batch(guards.map((guard) => prepare(c, guard)));
  if (held.some((result) => result.results.length > 0)) {
    throw new Problem(409, "Other rows refer to this one.");
  }
}

const hiding = (hidden: Rows, now: string): Condition[] =>
  [...hidden].map(([entity, ids]) => {
    const those = among('"id"', ids);
    return condition(
      `UPDATE ${quote(entity.name)} SET "deleted_at" = ? WHERE ${those.sql} AND ${shown(entity)}`,
      now,
      ...those.values,
    );
  });

/** Empties the references of the rows that stay. */
const letGo = (hidden: Rows): Condition[] =>
  [...hidden].flatMap(([entity, ids]) =>
    referrers(entity)
      .filter(([, , reference]) => reference.onDelete === "set null")
      .map(([child, key]) => {
        const theirs = among(quote(key), ids);
        return condition(
          `UPDATE ${quote(child.name)} SET ${quote(key)} = NULL WHERE ${theirs.sql} AND ${shown(child)}`,
          ...theirs.values,
        );
      }),
  );

/**
 * Statements that fail where a row would stay that refers to one that is hidden: it came after its parent's children
 * were looked for. They end the transaction; later ones are refused by a trigger of the table. (`json` is one of the few
 * functions that fail on demand.)
 */
const whole = (hidden: Rows): Condition[] =>
  [...hidden].flatMap(([entity, ids]) =>
    referrers(entity).map(([child, key]) => {
      const theirs = among(quote(key), ids);
      const left = `SELECT 1 FROM ${quote(child.name)} WHERE ${theirs.sql} AND ${shown(child)}`;
      return condition(`SELECT json(CASE WHEN EXISTS (${left}) THEN 'left' ELSE '0' END)`, ...theirs.values);
    }),
  );
