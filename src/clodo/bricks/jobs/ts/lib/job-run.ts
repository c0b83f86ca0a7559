import { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { type Authenticator, type Caller, type User, allows } from "./access";
import { CHANGED, actionable, carriedOut, valuesOf } from "./actions";
import { backoffSeconds } from "./backoff";
import type { Stored } from "./fields";
import type { Announcement, Later } from "./jobs";
import { Problem } from "./problem";
import { setting } from "./settings";

/** So long an attempt has a job to itself; if its Worker dies, another takes over then. */
const LEASE_MS = 60_000;
/** What the queue should have brought by now is taken up by cron. */
const LATE_MS = 30_000;
const SWEPT_AT_ONCE = 50;
const DAY_MS = 24 * 60 * 60 * 1000;
/** What went its way is forgotten after a week, what failed after a month. */
const KEPT_MS = 7 * DAY_MS;
const FAILED_KEPT_MS = 30 * DAY_MS;

/** What can be done behind the answer. */
export interface Work {
  readonly all: readonly Later[];
  /** The queue of messages that were given up. */
  readonly dead: string;
  /** Where tenants are kept apart: the header that names one, and what finds out whether the caller is a member of it. */
  readonly tenancy?: { readonly header: string; readonly authenticate: Authenticator };
}

interface Job {
  readonly id: string;
  readonly action: string;
  readonly row_id: string;
  readonly given: string;
  readonly user_id: string | null;
  readonly by_key: number;
  readonly tenant_id: string | null;
  readonly attempts: number;
  readonly claim: string;
}

const iso = (moment: number): string => new Date(moment).toISOString();

/** Handles `queue`: does what is due. Messages of other kinds are left alone. */
export const runJobs =
  (work: Work) =>
  async (batch: MessageBatch, env: Env, executionCtx: ExecutionContext): Promise<void> => {
    for (const message of batch.messages) {
      const id = (message.body as Partial<Announcement> | null)?.job;
      if (typeof id !== "string") continue;
      try {
        const wait = batch.queue === work.dead ? await giveUp(env, id) : await attempt(env, executionCtx, work, id);
        if (wait === undefined) message.ack();
        else message.retry({ delaySeconds: wait });
      } catch (error) {
        // The database cannot be reached, say: nothing is known of the job. In the end its message goes to the dead ones.
        console.error(error);
        message.retry({ delaySeconds: backoffSeconds(env.JOB_BACKOFF_SECONDS, message.attempts) });
      }
    }
  };

/** Handles `scheduled`: does what is due and was lost on its way, and forgets what is long over. */
export const sweepJobs =
  (work: Work) =>
  async (_: ScheduledController, env: Env, executionCtx: ExecutionContext): Promise<void> => {
    const now = Date.now();
    const late = env.DB.prepare(
      `SELECT "id" FROM "_job" WHERE "status" = 'queued' AND "next_attempt_at" <= ? ORDER BY "next_attempt_at" LIMIT ?`,
    ).bind(iso(now - LATE_MS), SWEPT_AT_ONCE);
    for (const { id } of (await late.all<{ id: string }>()).results) {
      await attempt(env, executionCtx, work, id).catch((error: unknown) => console.error(error));
    }
    await env.DB.batch([
      env.DB.prepare(`DELETE FROM "_job" WHERE "status" IN ('done', 'refused') AND "updated_at" < ?`).bind(iso(now - KEPT_MS)),
      env.DB.prepare(`DELETE FROM "_job" WHERE "status" = 'failed' AND "updated_at" < ?`).bind(iso(now - FAILED_KEPT_MS)),
    ]);
  };

/** Takes a job for itself, does it, and notes what came of it. Gives the seconds to wait where it is to be tried again. */
async function attempt(env: Env, executionCtx: ExecutionContext, work: Work, id: string): Promise<number | undefined> {
  const job = await claim(env, id);
  if (job === undefined) return undefined;
  const most = Math.max(1, setting(env.JOB_MAX_ATTEMPTS, 5));
  if (job.attempts > most) return end(env, job, "failed", 500, `It was begun ${most} times and never came to an end.`);
  try {
    return await carryOut(env, executionCtx, work, job);
  } catch (error) {
    if (error instanceof Problem && error.status < 500 && error.detail !== CHANGED) {
      return end(env, job, "refused", error.status, error.detail);
    }
    console.error(error);
    const again = job.attempts < most ? backoffSeconds(env.JOB_BACKOFF_SECONDS, job.attempts) : undefined;
    return end(env, job, again === undefined ? "failed" : "queued", 500, "Something went wrong on our side.", again);
  }
}

/** The job, if it is due and nobody else is at it. */
async function claim(env: Env, id: string): Promise<Job | undefined> {
  const now = Date.now();
  const taken = await env.DB.prepare(
    `UPDATE "_job" SET "attempts" = "attempts" + 1, "claim" = ?, "next_attempt_at" = ? WHERE "id" = ? AND "status" = 'queued' AND "next_attempt_at" <= ? RETURNING *`,
  )
    .bind(crypto.randomUUID(), iso(now + LEASE_MS), id, iso(now))
    .first<Job>();
  return taken ?? undefined;
}

/** Carries the action out as whoever asked for it. That it is done is noted in its own transaction: so it is done once, however often it
 * is begun. */
async function carryOut(env: Env, executionCtx: ExecutionContext, work: Work, job: Job): Promise<undefined> {
  const found = work.all.find(({ name }) => name === job.action);
  if (found === undefined) throw new Problem(404, "There is no such action any more.");
  const { entity, action } = found;
  const headers: Record<string, string> = {};
  if (work.tenancy !== undefined && job.tenant_id !== null) headers[work.tenancy.header] = job.tenant_id;
  const c = new Context<AppEnv>(new Request("https://job.invalid/", { headers }), { env, executionCtx });
  const caller = await asker(c, work, job);
  if (!allows(action.by, caller)) throw new Problem(403, "Whoever asked for this may not do it any more.");
  const given = JSON.parse(job.given) as Stored[];
  if (given.length !== Object.keys(action.fields).length + Object.keys(action.references).length + action.newRows) {
    throw new Problem(409, "The action is another one since this was asked for.");
  }
  const before = await actionable(c, entity, action, caller, job.row_id);
  const change = { entity, id: job.row_id, caller, before, after: {} };
  await carriedOut(c, action, change, valuesOf(change, given), done(env, job));
}

/** Whoever asked for a job, with what they may do now. */
async function asker(c: Context<AppEnv>, { tenancy }: Work, job: Job): Promise<Caller> {
  const key = job.by_key === 1 ? { key: true as const } : {};
  if (job.user_id === null) return key;
  const user = await c.env.DB.prepare('SELECT "id", "role" FROM "user" WHERE "id" = ?').bind(job.user_id).first<User>();
  if (user === null) return key;
  const caller: Caller = { ...key, user };
  return { ...caller, ...(await tenancy?.authenticate(c, caller)) };
}

/** Notes that a job is done; fails, and with it the transaction, where somebody else has taken it over. */
function done(env: Env, { id, claim: own }: Job): D1PreparedStatement[] {
  const mine = `EXISTS (SELECT 1 FROM "_job" WHERE "id" = ? AND "status" = 'queued' AND "claim" = ?)`;
  return [
    env.DB.prepare(`SELECT CASE WHEN ${mine} THEN 1 ELSE json('taken') END`).bind(id, own),
    env.DB.prepare(
      `UPDATE "_job" SET "status" = 'done', "error_status" = NULL, "error" = NULL, "given" = '[]', "next_attempt_at" = NULL, "updated_at" = ? WHERE "id" = ?`,
    ).bind(iso(Date.now()), id),
  ];
}

/** Notes what came of an attempt. Whoever took the job over in the meantime knows more. */
async function end(
  env: Env,
  { id, claim: own }: Job,
  status: "queued" | "refused" | "failed",
  errorStatus: number,
  error: string,
  wait?: number,
): Promise<number | undefined> {
  const now = Date.now();
  const next = wait === undefined ? null : iso(now + wait * 1000);
  // What was given is kept as long as it may be asked for again.
  const given = status === "refused" ? `, "given" = '[]'` : "";
  await env.DB.prepare(
    `UPDATE "_job" SET "status" = ?, "error_status" = ?, "error" = ?, "next_attempt_at" = ?, "updated_at" = ?${given} WHERE "id" = ? AND "status" = 'queued' AND "claim" = ?`,
  )
    .bind(status, errorStatus, error, next, iso(now), id, own)
    .run();
  return wait;
}

/** What the queue could not bring to an end is listed with what failed. */
async function giveUp(env: Env, id: string): Promise<undefined> {
  await env.DB.prepare(
    `UPDATE "_job" SET "status" = 'failed', "error_status" = 500, "error" = 'The queue gave it up.', "next_attempt_at" = NULL, "updated_at" = ? WHERE "id" = ? AND "status" = 'queued'`,
  )
    .bind(iso(Date.now()), id)
    .run();
}
