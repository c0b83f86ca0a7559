import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { entityByName } from "../entities";
import { type Caller, admit, allows, ownAlone } from "./access";
import { type Rows, among, prepare, spread } from "./deletion";
import { type Entity, type Row, selected, toJson, visible } from "./entity";
import { type Change, afterAll, ahead, along, check } from "./hooks";
import { route } from "./http";
import { Problem, notFound } from "./problem";
import { conflict, listRows, readRow } from "./rows";
import { type Condition, condition, quote, where } from "./sql";

/** `GET /api/{entities}/deleted`, and `POST /api/{entities}/:id/restore`. */
export function restoring(app: Hono<AppEnv>, entity: Entity): void {
  // The same rows, seen from the other side: what is hidden is shown.
  const hidden: Entity = { ...entity, softDelete: false };

  route(app, `/api/${entity.path}/deleted`, {
    GET: async (c) => {
      await admit(c, entity.read);
      const caller = await admit(c, entity.write);
      return listRows(c, hidden, caller, whose(entity, caller));
    },
  });

  route(app, `/api/${entity.path}/:id/restore`, {
    POST: async (c) => {
      const id = c.req.param("id") ?? "";
      const caller = await admit(c, entity.write);
      if (!allows(entity.read, caller)) throw notFound();
      const moment = await deletedAt(c, hidden, caller, id, whose(entity, caller));
      if (moment === undefined) {
        await readRow(c, entity, caller, id);
        throw new Problem(409, "This row is not deleted.");
      }
      return c.json(toJson(entity, await restore(c, entity, caller, id, moment)));
    },
  });
}

/** Hidden rows that this caller may bring back. */
const whose = (entity: Entity, caller: Caller): Condition[] => [
  condition('"deleted_at" IS NOT NULL'),
  ...(ownAlone(entity.write, caller) ? [condition('"owner_id" = ?', caller.user?.id ?? "")] : []),
];

async function deletedAt(
  c: Context<AppEnv>,
  hidden: Entity,
  caller: Caller,
  id: string,
  conditions: readonly Condition[],
): Promise<string | undefined> {
  const filter = where([condition('"id" = ?', id), ...visible(hidden, caller), ...conditions]);
  const select = condition(`SELECT "deleted_at" AS "moment" FROM ${quote(hidden.name)}${filter.sql}`, ...filter.values);
  return (await prepare(c, select).first<{ moment: string }>())?.moment;
}

/** Brings back a row and what the same deletion hid with it. */
async function restore(c: Context<AppEnv>, entity: Entity, caller: Caller, id: string, moment: string): Promise<Row> {
  const then = `"deleted_at" = '${moment.replaceAll("'", "''")}'`;
  const rows = await spread(c, new Map([[entity, new Set([id])]]), (child, reference) =>
    reference.onDelete === "cascade" && child.softDelete ? then : undefined,
  );
  const changes = (await Promise.all([...rows].map((some) => coming(c, caller, some)))).flat();
  await check(c, changes);
  const statements = [...rows].map(([one, ids]) => showing(c, one, ids, then));
  // What hooks set may be a reference, too: where it leads is looked at behind that.
  const before = [...ahead(c, changes), ...changes.flatMap((change) => set(c, change, then)), ...whole(c, rows)];
  const done = await c.env.DB.batch<Row>([...before, ...statements, ...along(c, changes)]).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes("malformed JSON")) throw parentGone();
    return conflict(entity)(error);
  });
  const results = done.slice(before.length, before.length + statements.length).flatMap((result) => result.results);
  const stored = new Map(results.map((row) => [row["id"], row]));
  await afterAll(
    c,
    changes.map((change) => [change, stored.get(change.id) ?? change.before ?? {}] as const),
  );
  const row = stored.get(id);
  if (row === undefined) throw new Problem(409, "This row is not deleted.");
  return row;
}

const parentGone = (): Problem => new Problem(409, "A row that this one refers to is deleted. Restore that one first.");

/** The columns that hooks have set on the way, while the row is still hidden. A row that they leave as it was is of the version that it was. */
function set(c: Context<AppEnv>, { entity, id, before, after }: Change, then: string): D1PreparedStatement[] {
  const given = Object.entries(after ?? {}).filter(([name, value]) => name !== "deleted_at" && value !== before?.[name]);
  if (given.every(([name]) => name === "version")) return [];
  const columns = given.map(([name]) => `${quote(name)} = ?`).join(", ");
  return [c.env.DB.prepare(`UPDATE ${quote(entity.name)} SET ${columns} WHERE "id" = ? AND ${then}`).bind(...given.map(([, value]) => value), id)];
}

function showing(c: Context<AppEnv>, entity: Entity, ids: ReadonlySet<string>, then: string): D1PreparedStatement {
  const those = among('"id"', ids);
  const sql = `UPDATE ${quote(entity.name)} SET "deleted_at" = NULL WHERE ${those.sql} AND ${then} RETURNING ${selected(entity)}`;
  return prepare(c, condition(sql, ...those.values));
}

/**
 * Statements that fail where a row would come back whose parent stays hidden. They belong to the
 * transaction: a parent may be deleted at the same time. (`json` is one of the few functions that fail on demand.)
 */
function whole(c: Context<AppEnv>, rows: Rows): D1PreparedStatement[] {
  return [...rows].flatMap(([entity, ids]) =>
    Object.entries(entity.references).flatMap(([key, reference]) => {
      const parent = entityByName(reference.to);
      if (parent === undefined || !parent.softDelete) return [];
      const [those, back] = [among('r."id"', ids), among('p."id"', rows.get(parent) ?? new Set())];
      const gone =
        `SELECT 1 FROM ${quote(entity.name)} r JOIN ${quote(parent.name)} p ON p."id" = r.${quote(key)} ` +
        `WHERE ${those.sql} AND p."deleted_at" IS NOT NULL AND NOT ${back.sql}`;
      const sql = `SELECT json(CASE WHEN EXISTS (${gone}) THEN 'gone' ELSE '0' END)`;
      return [prepare(c, condition(sql, ...those.values, ...back.values))];
    }),
  );
}

/** The rows that come back of entities with hooks. Nobody reads them for the others. */
async function coming(c: Context<AppEnv>, caller: Caller, [entity, ids]: [Entity, Set<string>]): Promise<Change[]> {
  if (entity.hooks === undefined) return [];
  const those = among('"id"', ids);
  const select = condition(`SELECT ${selected(entity)} FROM ${quote(entity.name)} WHERE ${those.sql}`, ...those.values);
  const { results } = await prepare(c, select).all<Row>();
  return results.map((row) => ({ entity, id: String(row["id"]), caller, before: row, after: { deleted_at: null } }));
}
