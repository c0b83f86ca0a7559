import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { type Entity, isOwned } from "./entity";
import type { Change, Hook } from "./hooks";
import { uuidv7 } from "./id";
import { quote } from "./sql";

/** By kind of change, the names that subscriptions may know it by. */
export type Topics = Partial<Record<"created" | "updated" | "deleted", readonly string[]>>;

/** A row with more text than this is told by its id alone. */
const MAX_CHARACTERS = 256 * 1024;
/** D1 gives a function 32 arguments at most, and each column takes two. */
const COLUMNS_AT_ONCE = 15;

/** The events of changes that are being stored. */
const events = new WeakMap<Change, string>();

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
  };
}

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
  const wanted =
    'EXISTS (SELECT 1 FROM json_each(s."events") WHERE "value" IN (SELECT "value" FROM json_each(?)))';
  const shown = change.entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  return [
    c.env.DB.prepare(
      `INSERT INTO "webhook__event" ("id", "type", "row", "created_at") SELECT ?, ?, ${snapshot(change)}, ? ` +
        `FROM ${quote(change.entity.name)} WHERE "id" = ?${shown} AND EXISTS (SELECT 1 FROM "webhook__subscription" s WHERE ${wanted})`,
    ).bind(id, type, now, change.id, topics),
    // The ids of deliveries begin like that of their event: they are in the order of time.
    c.env.DB.prepare(
      'INSERT INTO "webhook__delivery" ("id", "webhook_id", "event_id", "event", "status", "attempts", "next_attempt_at", "created_at", "updated_at") ' +
        "SELECT substr(e.\"id\", 1, 19) || '8' || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))), " +
        `s."id", e."id", e."type", 'pending', 0, e."created_at", e."created_at", e."created_at" ` +
        `FROM "webhook__event" e JOIN "webhook__subscription" s ON ${wanted} WHERE e."id" = ?`,
    ).bind(topics, id),
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

/** Says that an event is there, if anybody waits for it. A message that is lost is made good by cron. */
async function announce(env: Env, id: string): Promise<void> {
  const found = await env.DB.prepare('SELECT 1 FROM "webhook__event" WHERE "id" = ?').bind(id).first();
  if (found !== null) await enqueue(env, id);
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
