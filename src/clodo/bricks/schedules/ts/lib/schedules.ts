import { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { type Entity, type Row, selected } from "./entity";
import { Problem } from "./problem";
import { quote } from "./sql";
import { watch } from "./touched";

/** Rows beyond this wait for the next time. */
const ROWS_AT_ONCE = 500;
/** Rows that refuse take the place of no other, up to so many in all: one event has a thousand queries. */
const MOST_TRIED = 800;
/** Behind every id. */
const END = "~";

/** SQL over the moment and the day, of which it binds so many. */
export interface Timed {
  readonly sql: string;
  readonly uses: number;
}

/** An action on every row of an entity that meets a condition. `name` is one that no other run has. */
export interface Run {
  readonly name: string;
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
  /** The entities of whose rows the statements change some, where that is told. */
  readonly touches: readonly string[];
}

/**
 * Handles `scheduled`. The statements of a schedule are one transaction; each run of an action is one of its own. What fails keeps nothing
 * else from being done; Cloudflare is told of the first failure when all of it is. `last` is done behind all that was to be done.
 */
export const schedules =
  (all: readonly Schedule[], last?: (env: Env) => Promise<void>) =>
  async (controller: ScheduledController, env: Env, executionCtx: ExecutionContext): Promise<void> => {
    const now = new Date(controller.scheduledTime).toISOString();
    const values = [now, now.slice(0, 10)];
    const bound: Bound = ({ sql, uses }, ...more) => env.DB.prepare(sql).bind(...values.slice(0, uses), ...more);
    const c = new Context<AppEnv>(new Request("https://schedule.invalid/"), { env, executionCtx });
    const failures: unknown[] = [];
    const apart = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        console.error(error);
        failures.push(error);
      }
    };
    for (const schedule of all) {
      if (schedule.cron !== controller.cron) continue;
      if (schedule.statements.length > 0) await apart(() => changeAll(c, schedule, bound));
      for (const run of schedule.runs) await apart(() => runOnAll(c, run, bound));
      for (const mailed of schedule.reports) await apart(() => mail(env, mailed));
    }
    if (last !== undefined && all.some(({ cron }) => cron === controller.cron)) await apart(() => last(env));
    if (failures.length > 0) throw failures[0];
  };

/** SQL with the moment and the day, and with more values behind them. */
type Bound = (timed: Timed, ...more: string[]) => D1PreparedStatement;

async function changeAll(c: Context<AppEnv>, { statements, touches }: Schedule, bound: Bound): Promise<void> {
  const others = watch(c, touches, { clock: true });
  const done = await c.env.DB.batch([...others.ahead, ...statements.map((one) => bound(one)), ...others.along]);
  await others.after(done.at(-1));
}

async function mail(env: Env, { report, to, subject }: Mailed): Promise<void> {
  await env.DB.prepare('INSERT INTO "notice__outbox" ("recipient", "subject", "report") VALUES (?, ?, ?)')
    .bind(to, subject, JSON.stringify(await report(env)))
    .run();
}

/**
 * Runs an action on the rows that meet its condition, the oldest first. Where there are too many for one time, the next one goes on behind
 * the last row that was tried, and comes to the others when it has been at the end.
 */
async function runOnAll(c: Context<AppEnv>, run: Run, bound: Bound): Promise<void> {
  const begun = await placeOf(c.env, run);
  let [after, last, done, tried] = [begun, END, 0, 0];
  const failures: unknown[] = [];
  while (done < ROWS_AT_ONCE && tried < MOST_TRIED) {
    const rows = await rowsBetween(run, bound, after, last, Math.min(ROWS_AT_ONCE - done, MOST_TRIED - tried));
    if (rows.length === 0 && (last !== END || begun === "")) {
      after = "";
      break;
    }
    if (rows.length === 0) [after, last] = ["", begun];
    for (const row of rows) {
      after = String(row["id"]);
      tried += 1;
      try {
        await run.carryOut(c, row);
        done += 1;
      } catch (error) {
        // What a guard or a rule refuses stays as it is; one row's failure is not that of the others.
        if (!(error instanceof Problem)) failures.push(error);
      }
    }
  }
  if (after !== begun) await keepPlace(c.env, run, after);
  for (const error of failures.slice(1)) console.error(error);
  if (failures.length > 0) throw failures[0];
}

async function rowsBetween({ entity, where }: Run, bound: Bound, after: string, last: string, most: number): Promise<Row[]> {
  const between = `"id" > ?${where.uses + 1} AND "id" <= ?${where.uses + 2}`;
  const sql = `SELECT ${selected(entity)} FROM ${quote(entity.name)} WHERE (${where.sql}) AND ${between} ORDER BY "id" LIMIT ${most}`;
  return (await bound({ sql, uses: where.uses }, after, last).all<Row>()).results;
}

/** The row behind which a run goes on; none where it begins with the oldest. */
async function placeOf(env: Env, { name }: Run): Promise<string> {
  const found = await env.DB.prepare('SELECT "after" FROM "_run" WHERE "name" = ?').bind(name).first<{ after: string }>();
  return found?.after ?? "";
}

async function keepPlace(env: Env, { name }: Run, after: string): Promise<void> {
  await env.DB.prepare('INSERT OR REPLACE INTO "_run" ("name", "after") VALUES (?, ?)').bind(name, after).run();
}
