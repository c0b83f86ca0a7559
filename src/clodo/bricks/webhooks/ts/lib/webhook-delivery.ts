import type { Env } from "../env";
import { entityByName } from "../entities";
import { backoffSeconds } from "./backoff";
import { type Row, toJson } from "./entity";
import { setting } from "./settings";
import { type Announcement, enqueue } from "./webhook-hook";
import { signedHeaders } from "./webhook-signature";
import { urlFault } from "./webhook-url";

const TIMEOUT_MS = 10_000;
/** So long an attempt has a delivery to itself; if its Worker dies, another takes over then. */
const LEASE_MS = TIMEOUT_MS + 30_000;
/** Workers have six connections at once. */
const AT_ONCE = 5;
const SWEPT_AT_ONCE = 50;
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

const iso = (moment: number): string => new Date(moment).toISOString();

/** Handles `queue`: sends what was announced and is due. Messages of other kinds are left alone. */
export async function deliverWebhooks(batch: MessageBatch, env: Env): Promise<void> {
  const ids = batch.messages
    .map(({ body }) => (body as Partial<Announcement> | null)?.webhook)
    .filter((id) => typeof id === "string");
  if (ids.length === 0) return;
  const announced = '(SELECT "value" FROM json_each(?1))';
  const due = env.DB.prepare(
    `SELECT "id" FROM "webhook__delivery" WHERE ("event_id" IN ${announced} OR "id" IN ${announced}) AND "status" = 'pending' AND "next_attempt_at" <= ?2`,
  ).bind(JSON.stringify(ids), iso(Date.now()));
  await attemptAll(env, (await due.all<{ id: string }>()).results);
}

/** Handles `scheduled`: sends what is due and was not announced, or was lost, and forgets what is long done. */
export async function sweepWebhooks(_: ScheduledController, env: Env): Promise<void> {
  const now = Date.now();
  const late = env.DB.prepare(
    `SELECT "id" FROM "webhook__delivery" WHERE "status" = 'pending' AND "next_attempt_at" <= ? ORDER BY "next_attempt_at" LIMIT ?`,
  ).bind(iso(now), SWEPT_AT_ONCE);
  await attemptAll(env, (await late.all<{ id: string }>()).results);
  const old = iso(now - KEPT_MS);
  await env.DB.batch([
    env.DB.prepare(`DELETE FROM "webhook__delivery" WHERE "status" <> 'pending' AND "created_at" < ?`).bind(old),
    env.DB.prepare(
      'DELETE FROM "webhook__event" WHERE "created_at" < ? AND "id" NOT IN (SELECT "event_id" FROM "webhook__delivery")',
    ).bind(old),
  ]);
}

async function attemptAll(env: Env, due: readonly { id: string }[]): Promise<void> {
  for (let i = 0; i < due.length; i += AT_ONCE) {
    // What fails here keeps its lease, and is taken up by cron behind that.
    const group = due.slice(i, i + AT_ONCE).map(({ id }) => attempt(env, id).catch((error: unknown) => console.error(error)));
    await Promise.all(group);
  }
}

interface Due {
  readonly id: string;
  readonly attempts: number;
  readonly webhook_id: string;
  readonly url: string;
  readonly event_id: string;
  readonly type: string;
  readonly row: string;
  readonly created_at: string;
}

/** Takes a delivery for itself, sends it, and notes what came of it. */
async function attempt(env: Env, id: string): Promise<void> {
  const due = await claim(env, id);
  if (due === undefined) return;
  const outcome = await send(env, due).catch((error: unknown): Outcome => {
    console.error(error);
    return { status: null, error: "the service could not send it" };
  });
  const most = Math.max(1, setting(env.WEBHOOK_MAX_ATTEMPTS, 12));
  const status = outcome.error === null ? "delivered" : due.attempts >= most ? "dead" : "pending";
  const delay = status === "pending" ? backoffSeconds(env.WEBHOOK_BACKOFF_SECONDS, due.attempts) : 0;
  const now = Date.now();
  await env.DB.prepare(
    // Whoever took it over in the meantime knows more.
    `UPDATE "webhook__delivery" SET "status" = ?, "response_status" = ?, "error" = ?, "next_attempt_at" = ?, "updated_at" = ? WHERE "id" = ? AND "status" = 'pending' AND "attempts" = ?`,
  )
    .bind(
      status,
      outcome.status,
      outcome.error,
      status === "pending" ? iso(now + delay * 1000) : null,
      iso(now),
      id,
      due.attempts,
    )
    .run();
  if (status === "pending") await enqueue(env, id, delay);
}

/** The delivery with all that it takes, if it is due and nobody else is at it. */
async function claim(env: Env, id: string): Promise<Due | undefined> {
  const now = Date.now();
  const [taken, found] = await env.DB.batch([
    env.DB.prepare(
      `UPDATE "webhook__delivery" SET "attempts" = "attempts" + 1, "next_attempt_at" = ? WHERE "id" = ? AND "status" = 'pending' AND "next_attempt_at" <= ? RETURNING "id"`,
    ).bind(iso(now + LEASE_MS), id, iso(now)),
    env.DB.prepare(
      'SELECT d."id", d."attempts", d."webhook_id", s."url", d."event_id", e."type", e."row", e."created_at" FROM "webhook__delivery" d ' +
        'JOIN "webhook__subscription" s ON s."id" = d."webhook_id" JOIN "webhook__event" e ON e."id" = d."event_id" WHERE d."id" = ?',
    ).bind(id),
  ]);
  return taken?.results.length === 1 ? (found?.results[0] as Due | undefined) : undefined;
}

interface Outcome {
  readonly status: number | null;
  readonly error: string | null;
}

async function send(env: Env, due: Due): Promise<Outcome> {
  const fault = urlFault(due.url, env.WEBHOOK_ALLOW_LOCAL);
  if (fault !== undefined) return { status: null, error: `the URL ${fault}` };
  const body = bodyOf(due);
  const headers = {
    ...(await signedHeaders(env, due.webhook_id, due.event_id, body)),
    "content-type": "application/json",
    "user-agent": "Clodo-Webhooks/1.0",
  };
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(due.url, { method: "POST", headers, body, signal, redirect: "manual" });
    // Nothing of what it says is read, however much that is.
    await response.body?.cancel().catch(() => undefined);
    return { status: response.status, error: response.ok ? null : `the receiver answered ${response.status}` };
  } catch (error) {
    const late = error instanceof Error && error.name === "TimeoutError";
    return { status: null, error: late ? "the receiver did not answer in time" : "the receiver cannot be reached" };
  }
}

function bodyOf(due: Due): string {
  const row = JSON.parse(due.row) as Row;
  const entity = entityByName(due.type.split(".")[0] ?? "");
  // A row that was too large holds its id and nothing else.
  const whole = entity !== undefined && Object.keys(row).length > 1;
  return JSON.stringify({ type: due.type, timestamp: due.created_at, data: whole ? toJson(entity, row) : row });
}
