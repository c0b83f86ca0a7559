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

/** The events of changes that are being stored, and what those of rows beside them begin with. */
const events = new WeakMap<Change | Beside, string>();

/** Tells the subscribers of an entity's changes: what they get is stored together with the change. */
export function webhookHook(topics: Topics): Hook {
  return {
    alongAll: (c, changes) =>
      [...Map.groupBy(changes, kindOf)].flatMap(([kind, its]) => {
        const names = topics[kind];
        if (names === undefined) return [];
        for (const change of its) events.set(change, uuidv7());
        return outbox(c, its, kind, names);
      }),
    afterAll: (c, stored) => {
      const ids = stored.flatMap(([change]) => events.get(change) ?? []);
      if (ids.length > 0) inBackground(c, announceEach(c.env, ids));
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

const kindOf = ({ before, after }: Change): Kind => (before === null ? "created" : after === null ? "deleted" : "updated");

/** The events of changes of one kind, each with its row as it is at this point of the transaction, and a delivery of each for each
 * subscription: a statement for many, since a request has a bounded number of them. */
function outbox(c: Context<AppEnv>, changes: readonly Change[], kind: Kind, names: readonly string[]): D1PreparedStatement[] {
  const [now, topics] = [new Date().toISOString(), JSON.stringify(names)];
  const ids = JSON.stringify(changes.map((change) => events.get(change)));
  const stored = [...Map.groupBy(changes, snapshot)].flatMap(([row, its]) =>
    its.slice(0, 1).map(({ entity }) => {
      const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
      const given = its.map((change) => [change.id, events.get(change)]);
      // No column has a name with a space in it.
      return c.env.DB.prepare(
        `${STORE} SELECT "event id", ?, ${row}, ? ` +
          `FROM (SELECT "value" ->> 0 AS "row id", "value" ->> 1 AS "event id" FROM json_each(?)) JOIN ${quote(entity.name)} ON "id" = "row id" ` +
          `WHERE EXISTS (SELECT 1 FROM "webhook__subscription" s WHERE ${WANTED})${shown}`,
      ).bind(`${entity.name}.${kind}`, now, JSON.stringify(given), topics);
    }),
  );
  return [...stored, deliveries(c, topics, 'e."id" IN (SELECT "value" FROM json_each(?))', ids)];
}

/** The deliveries of the events that a condition names. */
const deliveries = (c: Context<AppEnv>, topics: string, which: string, ...bound: readonly string[]): D1PreparedStatement =>
  // The ids of deliveries begin like that of their event: they are in the order of time.
  c.env.DB.prepare(
    'INSERT INTO "webhook__delivery" ("id", "webhook_id", "event_id", "event", "status", "attempts", "next_attempt_at", "created_at", "updated_at") ' +
      "SELECT substr(e.\"id\", 1, 19) || '8' || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))), " +
      `s."id", e."id", e."type", 'pending', 0, e."created_at", e."created_at", e."created_at" ` +
      `FROM "webhook__event" e JOIN "webhook__subscription" s ON ${WANTED} WHERE ${which}`,
  ).bind(topics, ...bound);

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
    deliveries(c, topics, 'e."type" = ? AND e."id" BETWEEN ? AND ?', type, start, `${start}~`),
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

/** As many messages as a queue takes at once. */
const ANNOUNCED_TOGETHER = 100;

/** Says which events are there, if anybody waits for them. Messages that are lost are made good by cron. */
async function announceEach(env: Env, ids: readonly string[]): Promise<void> {
  const { results } = await env.DB.prepare('SELECT "id" FROM "webhook__event" WHERE "id" IN (SELECT "value" FROM json_each(?)) ORDER BY "id"')
    .bind(JSON.stringify(ids))
    .all<Stored>();
  for (let i = 0; i < results.length; i += ANNOUNCED_TOGETHER) await announce(env, results.slice(i, i + ANNOUNCED_TOGETHER));
}

/** The same for the first of the events whose ids begin like that; cron comes by for the others. */
async function announceAll(env: Env, start: string): Promise<void> {
  const { results } = await env.DB.prepare('SELECT "id" FROM "webhook__event" WHERE "id" BETWEEN ? AND ? LIMIT ?')
    .bind(start, `${start}~`, ANNOUNCED_TOGETHER)
    .all<Stored>();
  if (results.length > 0) await announce(env, results);
}

/** An event that is there. */
type Stored = { readonly id: string };

async function announce(env: Env, events: readonly Stored[]): Promise<void> {
  await env.WEBHOOK_QUEUE.sendBatch(events.map(({ id }) => ({ body: { webhook: id } satisfies Announcement })));
}
