import type { MiddlewareHandler } from "hono";
import { entityByName } from "../entities";
import type { AppEnv, Env } from "../env";
import { type Entity, type Row, selected, toJson } from "./entity";
import { type Mail, senderOf } from "./sender";
import { quote } from "./sql";

/** So long a notice is left to whoever took it; if its Worker dies, another takes over then. */
const LEASE_MS = 60_000;
const MOST_AT_ONCE = 20;
/** Twice as long each time: a minute, two, and so on, for a day altogether. */
const PAUSE_MS = 60_000;
const MOST_ATTEMPTS = 11;
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

const iso = (moment: number): string => new Date(moment).toISOString();

/** Sends what a change has put into the outbox, behind its answer. */
export const sendNotices: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method === "GET" || !c.res.ok) return;
  const sending = send(c.env).catch((error: unknown) => console.error(error));
  try {
    c.executionCtx.waitUntil(sending);
  } catch {
    // A request that tests make by hand has no context; its work goes on all the same.
  }
};

/** Handles `scheduled`: sends what is due, and forgets what is long done. */
export async function sweepNotices(_: ScheduledController, env: Env): Promise<void> {
  await send(env);
  await env.DB.prepare('DELETE FROM "notice__outbox" WHERE "created_at" < ?').bind(iso(Date.now() - KEPT_MS)).run();
}

interface Notice {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
  readonly entity: string | null;
  readonly row_id: string | null;
  readonly report: string | null;
  readonly attempts: number;
}

async function send(env: Env): Promise<void> {
  const give = senderOf(env);
  if (give === undefined) return;
  for (let count = 0; count < MOST_AT_ONCE; count += 1) {
    const notice = await claim(env);
    if (notice === null) return;
    const taken = await handed(env, give, notice);
    const next = notice.attempts >= MOST_ATTEMPTS ? null : iso(Date.now() + PAUSE_MS * 2 ** (notice.attempts - 1));
    await env.DB.prepare('UPDATE "notice__outbox" SET "sent_at" = ?, "next_attempt_at" = ? WHERE "id" = ?')
      .bind(taken ? iso(Date.now()) : null, taken ? null : next, notice.id)
      .run();
  }
}

/** The oldest notice that is due and that nobody is sending just now. */
async function claim(env: Env): Promise<Notice | null> {
  const now = Date.now();
  return env.DB.prepare(
    `UPDATE "notice__outbox" SET "attempts" = "attempts" + 1, "next_attempt_at" = ? WHERE "id" = (SELECT "id" FROM "notice__outbox" WHERE "sent_at" IS NULL AND "next_attempt_at" <= ? ORDER BY "next_attempt_at" LIMIT 1) RETURNING "id", "recipient", "subject", "entity", "row_id", "report", "attempts"`,
  )
    .bind(iso(now + LEASE_MS), iso(now))
    .first<Notice>();
}

/** Whether the sender took a notice. */
async function handed(env: Env, give: (mail: Mail) => Promise<boolean>, notice: Notice): Promise<boolean> {
  const to = notice.recipient === "admin" ? env.ADMIN_EMAIL : notice.recipient;
  if (!to) return true; // nobody is meant
  const { id, subject, entity } = notice;
  const report: unknown = notice.report === null ? null : JSON.parse(notice.report);
  const taken = await give({ id, to, subject, entity, data: await rowOf(env, notice), report });
  if (!taken) console.error(`The notice ${id} could not be handed over.`);
  return taken;
}

/** The row as the API shows it; null where it is gone. */
async function rowOf(env: Env, { entity, row_id }: Notice): Promise<Record<string, unknown> | null> {
  const found: Entity | undefined = entity === null ? undefined : entityByName(entity);
  if (found === undefined || row_id === null) return null;
  const row = await env.DB.prepare(`SELECT ${selected(found)} FROM ${quote(found.name)} WHERE "id" = ?`).bind(row_id).first<Row>();
  return row === null ? null : toJson(found, row);
}
