import { type Context, Hono } from "hono";
import type { AppEnv, Env } from "../env";
import type { Caller } from "./access";
import { checkBody } from "./body";
import { type Entity, type Row, selected, toJson, visible } from "./entity";
import { type Stored, datetime } from "./fields";
import { type Change, after, carryOut, check } from "./hooks";
import { readGivenObject, route } from "./http";
import { Problem, notFound } from "./problem";
import { conflict, writableRow } from "./rows";
import { type Condition, condition, quote, where } from "./sql";

/** `POST /api/{entities}/:id/publish` and `…/unpublish`. */
export function publishing(app: Hono<AppEnv>, entity: Entity): void {
  const row = `/api/${entity.path}/:id`;
  route(app, `${row}/publish`, {
    POST: async (c) => {
      const [before, caller] = await writableRow(c, entity, c.req.param("id") ?? "");
      const now = new Date().toISOString();
      const at = await givenMoment(c, now);
      const isOut = typeof before["published_at"] === "string" && before["published_at"] <= now;
      if (isOut && at !== null) throw new Problem(409, "It is published already.");
      const next = at !== null ? { status: "scheduled", published_at: at } : { status: "published", published_at: isOut ? before["published_at"] ?? now : now };
      return change(c, entity, caller, before, next);
    },
  });
  route(app, `${row}/unpublish`, {
    POST: async (c) => {
      const [before, caller] = await writableRow(c, entity, c.req.param("id") ?? "");
      return change(c, entity, caller, before, { status: "draft", published_at: null });
    },
  });
}

/** The moment that the body asks for, which lies ahead; null where there is no body or no moment in it. */
async function givenMoment(c: Context<AppEnv>, now: string): Promise<string | null> {
  const { at } = checkBody({ at: datetime() }, await readGivenObject(c));
  if (typeof at !== "string") return null;
  if (at <= now) throw new Problem(422, "The body has invalid fields.", [{ path: "at", message: "must lie in the future" }]);
  return at;
}

async function change(c: Context<AppEnv>, entity: Entity, caller: Caller, before: Row, next: Readonly<Record<string, Stored>>): Promise<Response> {
  const isNew = Object.entries(next).some(([name, value]) => before[name] !== value);
  const row = isNew ? await store(c, entity, caller, before, next, visible(entity, caller)) : before;
  if (row === null) throw notFound();
  return c.json(toJson(entity, row));
}

/** Stores a row's new state with all that takes part in its changes; null where the row is gone or no longer as it was. */
async function store(
  c: Context<AppEnv>,
  entity: Entity,
  caller: Caller,
  before: Row,
  next: Readonly<Record<string, Stored>>,
  conditions: readonly Condition[],
): Promise<Row | null> {
  const values: Record<string, Stored> = { ...next, ...(entity.timestamps ? { updated_at: new Date().toISOString() } : {}) };
  const one: Change = { entity, id: String(before["id"]), caller, before, after: values };
  await check(c, [one]);
  const filter = where([condition('"id" = ?', one.id), ...conditions]);
  const columns = Object.keys(values).map((name) => `${quote(name)} = ?`).join(", ");
  const statement = c.env.DB.prepare(
    `UPDATE ${quote(entity.name)} SET ${columns}${filter.sql} RETURNING ${selected(entity)}`,
  ).bind(...Object.values(values), ...filter.values);
  const stored = await carryOut(c, one, statement).catch(conflict(entity));
  if (stored !== null) await after(c, one, stored);
  return stored;
}

const EVERY_MINUTE = "* * * * *";
const MOST_AT_ONCE = 100;
/** The rows whose time has come the longest ago; behind those that were refused, any others. */
const ORDERS = ['"published_at"', "random()"];

/**
 * The handler of cron that turns `scheduled` into `published` when the time has come. Readers see such a row at its time,
 * not only when this has run; but its status is told right, and what takes part in changes learns of it.
 */
export function publishDue(entities: readonly Entity[]): (event: ScheduledController, env: Env) => Promise<void> {
  // What takes part in changes works with the context of a request, so there is one.
  const inner = new Hono<AppEnv>();
  inner.get("/", async (c) => {
    for (const entity of entities) await publishRows(c, entity);
    return c.body(null, 204);
  });
  return async ({ cron }, env) => {
    if (cron === EVERY_MINUTE) await inner.request("/", {}, env);
  };
}

async function publishRows(c: Context<AppEnv>, entity: Entity): Promise<void> {
  const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  const due = `"status" = 'scheduled' AND "published_at" <= ?${shown}`;
  const now = new Date().toISOString();
  const refused: string[] = [];
  for (const order of ORDERS) {
    const { results } = await c.env.DB.prepare(
      `SELECT ${selected(entity)} FROM ${quote(entity.name)} WHERE ${due} AND "id" NOT IN (SELECT "value" FROM json_each(?)) ` +
        `ORDER BY ${order} LIMIT ${MOST_AT_ONCE}`,
    )
      .bind(now, JSON.stringify(refused))
      .all<Row>();
    for (const row of results) {
      // One that is refused holds back no other.
      await store(c, entity, { clock: true }, row, { status: "published" }, [condition(due, now)]).catch((error: unknown) => {
        console.error(error);
        refused.push(String(row["id"]));
      });
    }
    if (refused.length === 0) return;
  }
}
