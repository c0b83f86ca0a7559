import type { Context, Hono } from "hono";
import type { AppEnv, Env } from "../env";
import { type Rule, admit } from "./access";
import { type Entity, toJson } from "./entity";
import { datetime, json, text as textField } from "./fields";
import { readBounded, route } from "./http";
import { uuidv7 } from "./id";
import type { Named, Sender } from "./incoming-senders";
import { Problem, notFound } from "./problem";
import { listRows, readRow } from "./rows";
import { condition } from "./sql";

/** An event that came in, was signed, and has not been handled yet. */
export interface IncomingEvent {
  readonly hook: string;
  /** The sender's own id of the event, or what else it is known by: the hash of its body. */
  readonly eventId: string;
  readonly type: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What a service does with an event. If it throws, the event is handled again when it is sent again. */
export type Handle = (event: IncomingEvent, env: Env) => Promise<void>;

export interface Hook {
  readonly sender: Sender;
  readonly read: Rule;
  readonly secret: string;
  readonly handle: Handle;
}

/** So long a request has an event to itself; if its Worker dies, the next one takes over then. */
const LEASE_MS = 60_000;
/** What is handled is forgotten then, some of it with each event that comes in. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const FORGOTTEN_AT_ONCE = 20;

const listed = (read: Rule): Entity => ({
  name: "incoming__event",
  path: "incoming",
  fields: {
    hook: textField({ required: true }),
    event_id: textField({ required: true }),
    type: textField(),
    received_at: datetime({ required: true }),
    handled_at: datetime(),
  },
  references: {},
  computed: {},
  read,
  write: read,
  timestamps: false,
  softDelete: false,
});

/** `POST /api/incoming/{name}` for the sender, `GET` for those who may read what came. */
export function incoming(app: Hono<AppEnv>, name: string, hook: Hook): void {
  const list = listed(hook.read);
  const whole: Entity = { ...list, fields: { ...list.fields, payload: json({ required: true }) } };

  route(app, `/api/incoming/${name}`, {
    GET: async (c) => {
      const caller = await admit(c, hook.read);
      return listRows(c, list, caller, [condition('"hook" = ?', name)]);
    },
    POST: async (c) => receive(c, name, hook),
  });

  route(app, `/api/incoming/${name}/:id`, {
    GET: async (c) => {
      const caller = await admit(c, hook.read);
      const row = await readRow(c, whole, caller, c.req.param("id") ?? "");
      if (row["hook"] !== name) throw notFound();
      return c.json(toJson(whole, row));
    },
  });
}

async function receive(c: Context<AppEnv>, name: string, hook: Hook): Promise<Response> {
  if (c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    throw new Problem(415, "Send the body as application/json.");
  }
  const secret = (c.env as unknown as Record<string, string | undefined>)[hook.secret];
  if (!secret) throw new Problem(500, `The secret ${hook.secret} is not set.`);
  const request = { headers: c.req.raw.headers, body: await readBounded(c) };
  if (!(await hook.sender.signed(request, secret))) {
    throw new Problem(401, "The signature is missing, wrong or too old.", [], { "www-authenticate": "Signature" });
  }
  const [text, payload] = contentOf(request.body);
  const event = await hook.sender.named(request, payload);
  const { id, claim, isHandled, free } = await store(c, name, event, text);
  if (claim !== undefined) await handleOnce(c, hook.handle, id, claim, { hook: name, eventId: event.id, type: event.type, payload });
  // Whoever is at it may fail yet: only what is handled is not to be sent again.
  else if (!isHandled) throw again("The event is stored, and another request is at it.", free);
  return c.json({ id, event_id: event.id, duplicate: claim === undefined });
}

/** Asks the sender to send an event again, so many milliseconds from now. */
const again = (detail: string, wait: number): Problem =>
  new Problem(503, `${detail} Send it again.`, [], { "retry-after": String(Math.max(1, Math.ceil(wait / 1000))) });

/** The body as text and as an object. It is stored as it came: large numbers would change. */
function contentOf(body: Uint8Array): [string, Record<string, unknown>] {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "The body is not valid JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(422, "The body must be a JSON object.");
  }
  return [text, value as Record<string, unknown>];
}

/** An event as it is stored. `claim` is there where it is this request's to handle; else it is `free` in so many milliseconds, unless it is handled. */
interface Found {
  readonly id: string;
  readonly claim: string | undefined;
  readonly isHandled: boolean;
  readonly free: number;
}

/** Stores an event, if it is not there, and takes it if it is not handled and nobody is at it. */
async function store(c: Context<AppEnv>, hook: string, event: Named, payload: string): Promise<Found> {
  const now = Date.now();
  const iso = (moment: number): string => new Date(moment).toISOString();
  const claim = iso(now + LEASE_MS);
  const [, taken, found] = await c.env.DB.batch<{ id: string; handled_at: string | null; claimed_until: string }>([
    c.env.DB.prepare(
      'INSERT INTO "incoming__event" ("id", "hook", "event_id", "type", "payload", "received_at", "claimed_until") VALUES (?, ?, ?, ?, ?, ?, \'\') ON CONFLICT ("hook", "event_id") DO NOTHING',
    ).bind(uuidv7(), hook, event.id, event.type, payload, iso(now)),
    c.env.DB.prepare(
      'UPDATE "incoming__event" SET "claimed_until" = ? WHERE "hook" = ? AND "event_id" = ? AND "handled_at" IS NULL AND "claimed_until" <= ? RETURNING "id"',
    ).bind(claim, hook, event.id, iso(now)),
    c.env.DB.prepare(
      'SELECT "id", "handled_at", "claimed_until" FROM "incoming__event" WHERE "hook" = ? AND "event_id" = ?',
    ).bind(hook, event.id),
    c.env.DB.prepare(
      'DELETE FROM "incoming__event" WHERE "id" IN (SELECT "id" FROM "incoming__event" WHERE "handled_at" < ? LIMIT ?)',
    ).bind(iso(now - KEPT_MS), FORGOTTEN_AT_ONCE),
  ]);
  const row = found?.results[0];
  return {
    id: row?.id ?? "",
    claim: taken?.results.length === 1 ? claim : undefined,
    isHandled: typeof row?.handled_at === "string",
    free: Date.parse(row?.claimed_until ?? "") - now || 0,
  };
}

async function handleOnce(c: Context<AppEnv>, handle: Handle, id: string, claim: string, event: IncomingEvent): Promise<void> {
  try {
    await handle(event, c.env);
  } catch (error) {
    console.error(error);
    // Whoever took it over in the meantime keeps it.
    await c.env.DB.prepare('UPDATE "incoming__event" SET "claimed_until" = \'\' WHERE "id" = ? AND "claimed_until" = ?').bind(id, claim).run();
    throw again("The event is stored, but could not be handled.", LEASE_MS);
  }
  await c.env.DB.prepare('UPDATE "incoming__event" SET "handled_at" = ? WHERE "id" = ?').bind(new Date().toISOString(), id).run();
}
