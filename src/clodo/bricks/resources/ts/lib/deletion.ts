import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import { entities } from "../entities";
import { type Entity, type Reference, type Row, selected } from "./entity";
import { type Change, afterAll, ahead, along, check, refused } from "./hooks";
import { Problem } from "./problem";
import { writableRow } from "./rows";
import { type Condition, condition, isForeignKeyFailure, quote } from "./sql";

/** Ids of rows, by entity. */
export type Rows = Map<Entity, Set<string>>;

/** D1 binds at most 2 MB at once; this many ids stay well below that. */
const IDS_AT_ONCE = 20_000;

/** Whether a column holds one of the ids. They are bound as JSON, since D1 binds at most 100 values. */
export function among(column: string, ids: ReadonlySet<string>): Condition {
  const all = [...ids];
  const parts: string[] = [];
  for (let i = 0; i === 0 || i < all.length; i += IDS_AT_ONCE) {
    parts.push(JSON.stringify(all.slice(i, i + IDS_AT_ONCE)));
  }
  const each = `${column} IN (SELECT "value" FROM json_each(?))`;
  return condition(`(${parts.map(() => each).join(" OR ")})`, ...parts);
}

/** The references that point at an entity. */
export const referrers = (entity: Entity): [child: Entity, key: string, reference: Reference][] =>
  entities.flatMap((child) =>
    Object.entries(child.references)
      .filter(([, reference]) => reference.to === entity.name)
      .map(([key, reference]): [Entity, string, Reference] => [child, key, reference]),
  );

export const prepare = (c: Context<AppEnv>, { sql, values }: Condition): D1PreparedStatement =>
  c.env.DB.prepare(sql).bind(...values);

/** Says of which rows a reference takes along those that refer: a condition, or none at all. */
type Takes = (child: Entity, reference: Reference) => string | undefined;

/** The rows and all that goes with them, however far that is. */
export async function spread(c: Context<AppEnv>, start: Rows, takes: Takes): Promise<Rows> {
  const all: Rows = new Map();
  let fresh = start;
  while (fresh.size > 0) {
    for (const [entity, ids] of fresh) all.set(entity, new Set([...(all.get(entity) ?? []), ...ids]));
    const steps = [...fresh].flatMap(([entity, ids]) =>
      referrers(entity).flatMap(([child, key, reference]) => {
        const which = takes(child, reference);
        return which === undefined ? [] : [{ child, next: step(entity, ids, child, key, which) }];
      }),
    );
    if (steps.length === 0) break;
    const found = await c.env.DB.batch<{ id: string }>(steps.map(({ next }) => prepare(c, next)));
    fresh = new Map();
    for (const [index, { child }] of steps.entries()) {
      for (const { id } of found[index]?.results ?? []) {
        if (all.get(child)?.has(id)) continue;
        fresh.set(child, (fresh.get(child) ?? new Set()).add(id));
      }
    }
  }
  return all;
}

/** The ids of the rows that refer to the given ones; in a tree the whole branches, at once. */
function step(entity: Entity, ids: ReadonlySet<string>, child: Entity, key: string, which: string): Condition {
  const table = quote(child.name);
  if (child !== entity) {
    const theirs = among(quote(key), ids);
    return condition(`SELECT "id" FROM ${table} WHERE ${theirs.sql} AND ${which}`, ...theirs.values);
  }
  const roots = among("r.\"id\"", ids);
  // No entity has a name with a space in it.
  return condition(
    `WITH RECURSIVE " branch" ("root") AS (SELECT r."id" FROM ${table} r WHERE ${roots.sql} UNION ` +
      `SELECT "id" FROM ${table} JOIN " branch" ON ${quote(key)} = "root" WHERE ${which}) SELECT "root" AS "id" FROM " branch"`,
    ...roots.values,
  );
}

/** All rows that go for good with the given ones: what cascades, and what is only hidden and would
 * hold on to them. */
export const erased = (c: Context<AppEnv>, start: Rows): Promise<Rows> =>
  spread(c, start, (child, reference) => {
    if (reference.onDelete === "cascade") return "1 = 1";
    return reference.onDelete === "restrict" && child.softDelete ? '"deleted_at" IS NOT NULL' : undefined;
  });

/**
 * Deletes rows for good. The references between them are loosened first, where they can be, and
 * children go before their parents: SQLite forbids or follows each reference row by row, and
 * D1 follows ten of them at most.
 */
export function erasing(rows: Rows): Condition[] {
  const loosened = [...rows].flatMap(([entity, ids]) => {
    const loose = Object.entries(entity.references).filter(
      ([, r]) => !r.required && [...rows.keys()].some((other) => other.name === r.to),
    );
    const those = among('"id"', ids);
    const nulls = loose.map(([key]) => `${quote(key)} = NULL`).join(", ");
    return loose.length === 0
      ? []
      : [condition(`UPDATE ${quote(entity.name)} SET ${nulls} WHERE ${those.sql}`, ...those.values)];
  });
  const deleted = childrenFirst([...rows.keys()]).map((entity) => {
    const those = among('"id"', rows.get(entity) ?? new Set());
    return condition(`DELETE FROM ${quote(entity.name)} WHERE ${those.sql}`, ...those.values);
  });
  return [...loosened, ...deleted];
}

function childrenFirst(chosen: readonly Entity[]): Entity[] {
  const seen = new Set<Entity>();
  const order: Entity[] = [];
  const visit = (entity: Entity): void => {
    if (seen.has(entity)) return;
    seen.add(entity);
    for (const [child, , reference] of referrers(entity)) if (reference.required) visit(child);
    order.push(entity);
  };
  chosen.forEach(visit);
  return order.filter((entity) => chosen.includes(entity));
}

/** Deletes a row; what refers to it decides whether that is possible. */
export async function deleteRow(c: Context<AppEnv>, entity: Entity, id: string): Promise<Response> {
  const [, caller] = await writableRow(c, entity, id);
  const rows = await erased(c, new Map([[entity, new Set([id])]]));
  await remove(c, caller, [rows], erasing(rows));
  return c.body(null, 204);
}

/** Carries out a deletion, and what the hooks of the rows that go have to do with it. */
export async function remove(
  c: Context<AppEnv>,
  caller: Caller,
  going: readonly Rows[],
  statements: readonly Condition[],
): Promise<void> {
  const changes = (await Promise.all(going.map((rows) => leaving(c, caller, rows)))).flat();
  await check(c, changes);
  const prepared = statements.map((statement) => prepare(c, statement));
  await c.env.DB.batch([...ahead(c, changes), ...along(c, changes), ...prepared]).catch((error: unknown) => {
    for (const { entity } of changes) refused(entity, error);
    inUse(error);
  });
  await afterAll(c, changes.map((change) => [change, change.before ?? {}]));
}

/** The rows that go of entities with hooks. Nobody reads them for the others. */
async function leaving(c: Context<AppEnv>, caller: Caller, rows: Rows): Promise<Change[]> {
  const found: Change[] = [];
  for (const [entity, ids] of rows) {
    if (entity.hooks === undefined || ids.size === 0) continue;
    const those = among('"id"', ids);
    const select = condition(`SELECT ${selected(entity)} FROM ${quote(entity.name)} WHERE ${those.sql}`, ...those.values);
    const { results } = await prepare(c, select).all<Row>();
    found.push(...results.map((row): Change => ({ entity, id: String(row["id"]), caller, before: row, after: null })));
  }
  return found;
}

export function inUse(error: unknown): never {
  if (!isForeignKeyFailure(error)) throw error;
  throw new Problem(409, "Other rows refer to this one.");
}
