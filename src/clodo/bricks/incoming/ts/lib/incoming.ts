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
  /** The sender's own id of the event. */
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
  const [id, fresh] = await store(c, name, event, text);
  if (fresh !== undefined) await handleOnce(c, hook.handle, fresh, { hook: name, eventId: event.id, type: event.type, payload });
  return c.json({ id, event_id: event.id, duplicate: fresh === undefined });
}

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

/** Stores an event, if it is not there. Gives its id, twice where it is this request's to handle. */
async function store(
  c: Context<AppEnv>,
  hook: string,
  event: Named,
  payload: string,
): Promise<[id: string, mine: string | undefined]> {
  const now = Date.now();
  const iso = (moment: number): string => new Date(moment).toISOString();
  const [, taken, found] = await c.env.DB.batch<{ id: string }>([
    c.env.DB.prepare(
      'INSERT INTO "incoming__event" ("id", "hook", "event_id", "type", "payload", "received_at", "claimed_until") VALUES (?, ?, ?, ?, ?, ?, \'\') ON CONFLICT ("hook", "event_id") DO NOTHING',
    ).bind(uuidv7(), hook, event.id, event.type, payload, iso(now)),
    c.env.DB.prepare(
      'UPDATE "incoming__event" SET "claimed_until" = ? WHERE "hook" = ? AND "event_id" = ? AND "handled_at" IS NULL AND "claimed_until" <= ? RETURNING "id"',
    ).bind(iso(now + LEASE_MS), hook, event.id, iso(now)),
    c.env.DB.prepare('SELECT "id" FROM "incoming__event" WHERE "hook" = ? AND "event_id" = ?').bind(hook, event.id),
  ]);
  return [found?.results[0]?.id ?? "", taken?.results[0]?.id];
}

async function handleOnce(c: Context<AppEnv>, handle: Handle, id: string, event: IncomingEvent): Promise<void> {
  const note = (column: "handled_at" | "claimed_until", value: string) =>
    c.env.DB.prepare(`UPDATE "incoming__event" SET "${column}" = ? WHERE "id" = ?`).bind(value, id).run();
  try {
    await handle(event, c.env);
  } catch (error) {
    console.error(error);
    await note("claimed_until", "");
    throw new Problem(503, "The event is stored, but could not be handled. Send it again.", [], { "retry-after": "60" });
  }
  await note("handled_at", new Date().toISOString());
}
