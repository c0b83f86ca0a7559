import type { Context, Hono } from "hono";
import type { AppEnv, Env } from "../env";
import { type Caller, type Rule, admit, allows } from "./access";
import { type Action, actionable, asserted, parameters, refusal, valuesOf } from "./actions";
import { type Entity, type Row, selected, toJson } from "./entity";
import { choice, datetime, integer, text } from "./fields";
import { type Change, type Hook, along, check } from "./hooks";
import { route } from "./http";
import { uuidv7 } from "./id";
import { Problem } from "./problem";
import { listRows, readRow } from "./rows";
import { type Condition, condition, insertSql, where } from "./sql";

/** An action that is done behind the answer, under the name that its jobs have. */
export interface Later {
  readonly name: string;
  readonly entity: Entity;
  readonly action: Action;
}

/** Who sees what becomes of the jobs of a service. */
export interface Ledger {
  readonly job: Entity;
  /** Who sees all of them, and tries those again that failed. */
  readonly keeper: Rule;
  /** Who may ask for jobs, and so see their own; the first of these has a list of them. */
  readonly askers: readonly Rule[];
}

/** What else limits the jobs that a caller may know of: those of a tenant. */
type Limit = (caller: Caller) => readonly Condition[];

/** A job, as an entity whose rows lists page, sort and filter. `limit` is that of what belongs to tenants: not all jobs do. */
export const jobEntity = (names: readonly string[], limit?: Limit, hooks: readonly Hook[] = []): Entity => ({
  name: "_job",
  path: "background-jobs",
  fields: {
    action: choice(names as [string, ...string[]], { required: true }),
    row_id: text({ required: true }),
    user_id: text(),
    status: choice(["queued", "done", "refused", "failed"], { required: true }),
    attempts: integer({ required: true }),
    error_status: integer(),
    error: text(),
    next_attempt_at: datetime(),
  },
  references: {},
  computed: { url: { sql: `'/api/background-jobs/' || "id"`, decode: String } },
  read: "public",
  write: "public",
  timestamps: true,
  softDelete: false,
  hooks,
  limits:
    limit === undefined
      ? []
      : [(caller) => limit(caller).map(({ sql, values }) => condition(`"tenant_id" IS NULL OR ${sql}`, ...values))],
});

/** What the queue carries. */
export interface Announcement {
  readonly job: string;
}

/** Says that a job is due. A message that is lost is made good by cron. */
async function announce(env: Env, id: string): Promise<void> {
  const message: Announcement = { job: id };
  await env.JOB_QUEUE.send(message).catch((error: unknown) => console.error(error));
}

/** `POST /api/{entities}/:id/{path}`: looks at all that can be seen now, keeps what was asked for, and leaves the rest to the queue. */
export function later(app: Hono<AppEnv>, { job }: Ledger, { name, entity, action: a }: Later): void {
  route(app, `/api/${entity.path}/:id/${a.path}`, {
    POST: async (c) => {
      const caller = await admit(c, a.by);
      const before = await actionable(c, entity, a, caller, c.req.param("id") ?? "");
      const change: Change = { entity, id: String(before["id"]), caller, before, after: {} };
      const given = await parameters(c, entity, a, caller);
      await check(c, [change]);
      const asked = request(job, name, change, JSON.stringify(given));
      const values = valuesOf(change, given);
      const row = asked.after;
      const insert = c.env.DB.prepare(`${insertSql(job.name, Object.keys(row))} RETURNING ${selected(job)}`);
      const done = await c.env.DB.batch<Row>([
        asserted(c, a, values),
        ...along(c, [asked]),
        insert.bind(...Object.values(row)),
      ]).catch((error: unknown) => refusal(c, a, entity, values, error));
      await announce(c.env, asked.id);
      const shown = toJson(job, done.at(-1)?.results[0] ?? {});
      return c.json(shown, 202, { location: `/api/${job.path}/${asked.id}` });
    },
  });
}

/** A job as it is stored first, with who asked for it. */
function request(job: Entity, action: string, { id: row_id, caller }: Change, given: string): Change & { readonly after: Row } {
  const [id, now] = [uuidv7(), new Date().toISOString()];
  const by = { user_id: caller.user?.id ?? null, by_key: caller.key === true ? 1 : 0, tenant_id: caller.tenant ?? null };
  const state = { status: "queued", attempts: 0, next_attempt_at: now, created_at: now, updated_at: now };
  return { entity: job, id, caller, before: null, after: { id, action, row_id, given, ...by, ...state } };
}

/** `/api/background-jobs`: what becomes of jobs, for whoever asked for them and for those who keep the service. */
export function jobs(app: Hono<AppEnv>, { job, keeper, askers }: Ledger): void {
  /** The jobs that a caller may know of: all, or their own. */
  const seen = (caller: Caller): Condition[] => {
    if (allows(keeper, caller)) return [];
    if (caller.user !== undefined) return [condition('"user_id" = ?', caller.user.id)];
    return [condition('"user_id" IS NULL AND "by_key" = ?', caller.key === true ? 1 : 0)];
  };

  const one = async (c: Context<AppEnv>, caller: Caller): Promise<Row> =>
    readRow(c, { ...job, limits: [...(job.limits ?? []), seen] }, caller, c.req.param("id") ?? "");

  route(app, "/api/background-jobs", {
    GET: async (c) => {
      const caller = await admit(c, askers[0] ?? keeper);
      return listRows(c, job, caller, seen(caller));
    },
  });

  route(app, "/api/background-jobs/:id", {
    GET: async (c) => {
      const caller = await admit(c, "public");
      if (!askers.some((rule) => allows(rule, caller))) await admit(c, askers[0] ?? keeper);
      return c.json(toJson(job, await one(c, caller)));
    },
  });

  route(app, "/api/background-jobs/:id/retry", {
    POST: async (c) => {
      const { id } = await one(c, await admit(c, keeper));
      const now = new Date().toISOString();
      const failed = where([condition('"id" = ?', id ?? ""), condition(`"status" = 'failed'`)]);
      const again = await c.env.DB.prepare(
        `UPDATE "_job" SET "status" = 'queued', "attempts" = 0, "error_status" = NULL, "error" = NULL, "claim" = NULL, "next_attempt_at" = ?, "updated_at" = ?${failed.sql} RETURNING ${selected(job)}`,
      )
        .bind(now, now, ...failed.values)
        .first<Row>();
      if (again === null) throw new Problem(409, "This job has not failed.");
      await announce(c.env, String(again["id"]));
      return c.json(toJson(job, again), 202);
    },
  });
}
