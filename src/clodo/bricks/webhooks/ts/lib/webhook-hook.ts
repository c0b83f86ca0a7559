import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { type Entity, isOwned } from "./entity";
import type { Change, Hook } from "./hooks";
import { uuidv7 } from "./id";
import { quote } from "./sql";

type Kind = "created" | "updated" | "deleted";

/** By kind of change, the names that subscriptions may know it by. */
export type Topics = Partial<Record<Kind, readonly string[]>>;

/** A row with more text than this is told by its id alone. */
const MAX_CHARACTERS = 256 * 1024;
/** D1 gives a function 32 arguments at most, and each column takes two. */
const COLUMNS_AT_ONCE = 15;

/** The events of changes that are being stored. */
const events = new WeakMap<Change, string>();

/** Tells the subscribers of an entity's changes: what they get is stored together with the change. */
export function webhookHook(topics: Topics): Hook {
  return {
    afterAll: (c, stored) => {
      const ids = stored.flatMap(([change]) => events.get(change) ?? []);
      if (ids.length > 0) inBackground(c, announceEach(c.env, ids));
    },
    alongAll: (c, changes) =>
      [...Map.groupBy(changes, kindOf)].flatMap(([kind, its]) => {
        const names = topics[kind];
        if (names === undefined) return [];
        for (const change of its) events.set(change, uuidv7());
        return outbox(c, its, kind, names);
      }),
  };
}

const kindOf = ({ before, after }: Change): Kind => (before === null ? "created" : after === null ? "deleted" : "updated");

/** The events of changes of one kind, each with its row as it is at this point of the transaction, and a delivery of each for each
 * subscription: a statement for many, since a request has a bounded number of them. */
function outbox(c: Context<AppEnv>, changes: readonly Change[], kind: Kind, names: readonly string[]): D1PreparedStatement[] {
  const [now, topics] = [new Date().toISOString(), JSON.stringify(names)];
  const wanted =
    'EXISTS (SELECT 1 FROM json_each(s."events") WHERE "value" IN (SELECT "value" FROM json_each(?)))';
  const ids = JSON.stringify(changes.map((change) => events.get(change)));
  const stored = [...Map.groupBy(changes, snapshot)].flatMap(([row, its]) =>
    its.slice(0, 1).map(({ entity }) => {
      const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
      const given = its.map((change) => [change.id, events.get(change)]);
      // No column has a name with a space in it.
      return c.env.DB.prepare(
        `INSERT INTO "webhook__event" ("id", "type", "row", "created_at") SELECT "event id", ?, ${row}, ? ` +
          `FROM (SELECT "value" ->> 0 AS "row id", "value" ->> 1 AS "event id" FROM json_each(?)) JOIN ${quote(entity.name)} ON "id" = "row id" ` +
          `WHERE EXISTS (SELECT 1 FROM "webhook__subscription" s WHERE ${wanted})${shown}`,
      ).bind(`${entity.name}.${kind}`, now, JSON.stringify(given), topics);
    }),
  );
  return [
    ...stored,
    // The ids of deliveries begin like that of their event: they are in the order of time.
    c.env.DB.prepare(
      'INSERT INTO "webhook__delivery" ("id", "webhook_id", "event_id", "event", "status", "attempts", "next_attempt_at", "created_at", "updated_at") ' +
        "SELECT substr(e.\"id\", 1, 19) || '8' || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))), " +
        `s."id", e."id", e."type", 'pending', 0, e."created_at", e."created_at", e."created_at" ` +
        `FROM "webhook__event" e JOIN "webhook__subscription" s ON ${wanted} WHERE e."id" IN (SELECT "value" FROM json_each(?))`,
    ).bind(topics, ids),
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

function rowAsJson(entity: Entity): string {
  const stored = [
    "id",
    ...Object.entries(entity.fields).flatMap(([name, field]) => (field.writeOnly ? [] : [name])),
    ...Object.keys(entity.references),
    ...(isOwned(entity) ? ["owner_id"] : []),
    ...(entity.timestamps ? ["created_at", "updated_at"] : []),
  ];
  const pairs = [
    ...stored.map((name) => `'${name}', ${quote(name)}`),
    ...Object.entries(entity.computed).map(([name, { sql }]) => `'${name}', ${sql}`),
  ];
  const groups: string[] = [];
  for (let i = 0; i < pairs.length; i += COLUMNS_AT_ONCE) {
    // Every value is a number, a text or null, so that only the outer braces go.
    groups.push(`trim(json_object(${pairs.slice(i, i + COLUMNS_AT_ONCE).join(", ")}), '{}')`);
  }
  return `'{' || ${groups.join(" || ',' || ")} || '}'`;
}

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
    .all<{ id: string }>();
  for (let i = 0; i < results.length; i += ANNOUNCED_TOGETHER) {
    const messages = results.slice(i, i + ANNOUNCED_TOGETHER).map(({ id }) => ({ body: { webhook: id } satisfies Announcement }));
    await env.WEBHOOK_QUEUE.sendBatch(messages);
  }
}
