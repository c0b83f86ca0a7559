import { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { type Entity, type Row, selected } from "./entity";
import { Problem } from "./problem";
import { quote } from "./sql";

/** Rows beyond this wait for the next time. */
const ROWS_AT_ONCE = 500;

/** SQL over the moment and the day, of which it binds so many. */
export interface Timed {
  readonly sql: string;
  readonly uses: number;
}

/** An action on every row of an entity that meets a condition. */
export interface Run {
  readonly entity: Entity;
  readonly where: Timed;
  readonly carryOut: (c: Context<AppEnv>, row: Row) => Promise<void>;
}

/** A report that is put into the outbox, for an address. */
export interface Mailed {
  readonly report: (env: Env) => Promise<unknown>;
  readonly to: string;
  readonly subject: string;
}

/** Work that is done whenever its line of cron comes. */
export interface Schedule {
  readonly cron: string;
  readonly statements: readonly Timed[];
  readonly runs: readonly Run[];
  readonly reports: readonly Mailed[];
}

/** Handles `scheduled`. The statements of a schedule are one transaction; each run of an action is one of its own. */
export const schedules =
  (all: readonly Schedule[]) =>
  async (controller: ScheduledController, env: Env, executionCtx: ExecutionContext): Promise<void> => {
    const now = new Date(controller.scheduledTime).toISOString();
    const values = [now, now.slice(0, 10)];
    const bound = ({ sql, uses }: Timed) => env.DB.prepare(sql).bind(...values.slice(0, uses));
    for (const schedule of all) {
      if (schedule.cron !== controller.cron) continue;
      if (schedule.statements.length > 0) await env.DB.batch(schedule.statements.map(bound));
      const c = new Context<AppEnv>(new Request("https://schedule.invalid/"), { env, executionCtx });
      for (const run of schedule.runs) await runOnAll(c, run, bound);
      for (const mailed of schedule.reports) await mail(env, mailed);
    }
  };

async function mail(env: Env, { report, to, subject }: Mailed): Promise<void> {
  await env.DB.prepare('INSERT INTO "notice__outbox" ("recipient", "subject", "report") VALUES (?, ?, ?)')
    .bind(to, subject, JSON.stringify(await report(env)))
    .run();
}

async function runOnAll(c: Context<AppEnv>, run: Run, bound: (timed: Timed) => D1PreparedStatement): Promise<void> {
  const { entity, where } = run;
  const select = `SELECT ${selected(entity)} FROM ${quote(entity.name)} WHERE ${where.sql} ORDER BY "id" LIMIT ${ROWS_AT_ONCE}`;
  const { results } = await bound({ sql: select, uses: where.uses }).all<Row>();
  for (const row of results) {
    try {
      await run.carryOut(c, row);
    } catch (error) {
      // A guard that does not hold leaves the row as it is; one row's failure is not that of the others.
      if (!(error instanceof Problem)) console.error(error);
    }
  }
}
