import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { type Entity, isOwned } from "./entity";
import type { Beside, Change, Hook } from "./hooks";
import { uuidv7 } from "./id";
import { formerly, jsonObject, quote } from "./sql";

type Kind = "created" | "updated" | "deleted";

/** By kind of change, the names that subscriptions may know it by. */
export type Topics = Partial<Record<Kind, readonly string[]>>;

/** A row with more text than this is told by its id alone. */
const MAX_CHARACTERS = 256 * 1024;
/** Of the events of one transaction so many are announced; cron comes by for the others. */
const ANNOUNCED_AT_ONCE = 100;

/** The events of changes that are being stored, and what those of rows beside them begin with. */
const events = new WeakMap<Change | Beside, string>();

/** Tells the subscribers of an entity's changes: what they get is stored together with the change. */
export function webhookHook(topics: Topics): Hook {
  return {
    along: (c, change) => {
      const kind = change.before === null ? "created" : change.after === null ? "deleted" : "updated";
      const names = topics[kind];
      if (names === undefined) return [];
      const id = uuidv7();
      events.set(change, id);
      return outbox(c, change, id, `${change.entity.name}.${kind}`, names);
    },
    after: (c, change) => {
      const id = events.get(change);
      if (id !== undefined) inBackground(c, announce(c.env, id));
    },
    beside: (c, beside) => {
      const start = uuidv7().slice(0, NUMBERED);
      events.set(beside, start);
      return (Object.keys(topics) as Kind[]).flatMap((kind) => outboxBeside(c, beside, start, kind, topics[kind] ?? []));
    },
    afterBeside: (c, beside) => {
      const start = events.get(beside);
      if (start !== undefined) inBackground(c, announceAll(c.env, start));
    },
  };
}

const WANTED =
  'EXISTS (SELECT 1 FROM json_each(s."events") WHERE "value" IN (SELECT "value" FROM json_each(?)))';
const STORE = 'INSERT INTO "webhook__event" ("id", "type", "row", "created_at")';

/** The event, with the row as it is at this point of the transaction, and a delivery for each subscription. */
function outbox(
  c: Context<AppEnv>,
  change: Change,
  id: string,
  type: string,
  names: readonly string[],
): D1PreparedStatement[] {
  const now = new Date().toISOString();
  const topics = JSON.stringify(names);
  const shown = change.entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  return [
    c.env.DB.prepare(
      `${STORE} SELECT ?, ?, ${snapshot(change)}, ? ` +
        `FROM ${quote(change.entity.name)} WHERE "id" = ?${shown} AND EXISTS (SELECT 1 FROM "webhook__subscription" s WHERE ${WANTED})`,
    ).bind(id, type, now, change.id, topics),
    deliveries(c, topics, type, id, id),
  ];
}

/** The deliveries of events of one type, by the first and the last of their ids. */
const deliveries = (c: Context<AppEnv>, topics: string, type: string, first: string, last: string): D1PreparedStatement =>
  // The ids of deliveries begin like that of their event: they are in the order of time.
  c.env.DB.prepare(
    'INSERT INTO "webhook__delivery" ("id", "webhook_id", "event_id", "event", "status", "attempts", "next_attempt_at", "created_at", "updated_at") ' +
        "SELECT substr(e.\"id\", 1, 19) || '8' || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))), " +
        `s."id", e."id", e."type", 'pending', 0, e."created_at", e."created_at", e."created_at" ` +
        `FROM "webhook__event" e JOIN "webhook__subscription" s ON ${WANTED} WHERE e."type" = ? AND e."id" BETWEEN ? AND ?`,
    ).bind(topics, type, first, last);

/** So much of an id is the same for all events of one transaction; behind that they are numbered. */
const NUMBERED = 24;

/** The events of rows that others change, with each row as it is behind the last change, or as it was where it is gone. */
function outboxBeside(c: Context<AppEnv>, { entity }: Beside, start: string, kind: Kind, names: readonly string[]): D1PreparedStatement[] {
  const [now, topics, type] = [new Date().toISOString(), JSON.stringify(names), `${entity.name}.${kind}`];
  const table = quote(entity.name);
  const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  const touched = `FROM "_touched" WHERE "entity" = '${entity.name}'`;
  const before = `"was" IS ${kind === "created" ? "" : "NOT "}NULL`;
  const there =
    `SELECT "id", ${rowAsJson(entity)} AS "row", (SELECT "number" ${touched} AND "_touched"."id" = ${table}."id") AS "number" ` +
    `FROM ${table} WHERE "id" IN (SELECT "id" ${touched} AND ${before})${shown}`;
  const gone =
    `SELECT "id", ${jsonObject(shownColumns(entity).map((name) => [name, formerly(name)]))} AS "row", "number" ${touched} AND ${before} ` +
    `AND NOT EXISTS (SELECT 1 FROM ${table} WHERE ${table}."id" = "_touched"."id"${shown})`;
  const told = `CASE WHEN length("row") > ${MAX_CHARACTERS} THEN json_object('id', "id") ELSE "row" END`;
  return [
    c.env.DB.prepare(
      `${STORE} SELECT ? || printf('%012x', "number"), ?, ${told}, ? FROM (${kind === "deleted" ? gone : there}) ` +
        `WHERE EXISTS (SELECT 1 FROM "webhook__subscription" s WHERE ${WANTED})`,
    ).bind(start, type, now, topics),
    deliveries(c, topics, type, start, `${start}~`),
  ];
}

const columns = new WeakMap<Entity, string>();

/** SQL that gives a row as JSON, as it is stored: what is answered of it is worked out when it is sent. */
function snapshot(change: Change): string {
  const values = Object.values({ ...change.before, ...change.after });
  const size = values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 0), 0);
  if (size > MAX_CHARACTERS) return `json_object('id', "id")`;
  const known = columns.get(change.entity) ?? rowAsJson(change.entity);
  columns.set(change.entity, known);
  return known;
}

const rowAsJson = (entity: Entity): string =>
  jsonObject(shownColumns(entity).map((name) => [name, entity.computed[name]?.sql ?? quote(name)]));

const shownColumns = (entity: Entity): string[] => [
  "id",
  ...Object.entries(entity.fields).flatMap(([name, field]) => (field.writeOnly ? [] : [name])),
  ...Object.keys(entity.references),
  ...(isOwned(entity) ? ["owner_id"] : []),
  ...(entity.timestamps ? ["created_at", "updated_at"] : []),
  ...Object.keys(entity.computed),
];

/** What the queue carries: the id of an event whose deliveries are due, or of one delivery. */
export interface Announcement {
  readonly webhook: string;
}

/** Says that an event is there, if anybody waits for it. A message that is lost is made good by cron. */
async function announce(env: Env, id: string): Promise<void> {
  const found = await env.DB.prepare('SELECT 1 FROM "webhook__event" WHERE "id" = ?').bind(id).first();
  if (found !== null) await enqueue(env, id);
}

/** The same for the events whose ids begin like that. */
async function announceAll(env: Env, start: string): Promise<void> {
  const { results } = await env.DB.prepare('SELECT "id" FROM "webhook__event" WHERE "id" BETWEEN ? AND ? LIMIT ?')
    .bind(start, `${start}~`, ANNOUNCED_AT_ONCE)
    .all<{ id: string }>();
  if (results.length > 0) await env.WEBHOOK_QUEUE.sendBatch(results.map(({ id }) => ({ body: { webhook: id } satisfies Announcement })));
}

export async function enqueue(env: Env, id: string, delaySeconds = 0): Promise<void> {
  const message: Announcement = { webhook: id };
  await env.WEBHOOK_QUEUE.send(message, { delaySeconds }).catch((error: unknown) => console.error(error));
}

/** Lets work go on behind the answer. */
export function inBackground(c: Context<AppEnv>, work: Promise<void>): void {
  const done = work.catch((error: unknown) => console.error(error));
  try {
    c.executionCtx.waitUntil(done);
  } catch {
    // A request that tests make by hand has no context; its work goes on all the same.
  }
}
