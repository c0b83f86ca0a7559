import type { MiddlewareHandler } from "hono";
import { entityByName } from "../entities";
import type { AppEnv, Env } from "../env";
import { type Entity, type Row, selected, toJson } from "./entity";
import { type Outbox, type Waiting, sendDue } from "./outgoing";
import { quote } from "./sql";

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

const iso = (moment: number): string => new Date(moment).toISOString();

/** Sends what a change has put into the outbox, behind its answer. */
export const sendNotices: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.req.method === "GET" || !c.res.ok) return;
  const sending = sendDue(c.env, outbox).catch((error: unknown) => console.error(error));
  try {
    c.executionCtx.waitUntil(sending);
  } catch {
    // A request that tests make by hand has no context; its work goes on all the same.
  }
};

/** Handles `scheduled`: sends what is due, and forgets what is long done. */
export async function sweepNotices(_: ScheduledController, env: Env): Promise<void> {
  await sendDue(env, outbox);
  await env.DB.prepare('DELETE FROM "notice__outbox" WHERE "created_at" < ?').bind(iso(Date.now() - KEPT_MS)).run();
}

interface Notice extends Waiting {
  readonly recipient: string;
  readonly subject: string;
  readonly entity: string | null;
  readonly row_id: string | null;
  readonly report: string | null;
}

const outbox: Outbox<Notice> = {
  table: "notice__outbox",
  columns: ["recipient", "subject", "entity", "row_id", "report"],
  mail: async (env, notice) => {
    const { id, subject, entity, recipient } = notice;
    const to = recipient === "admin" ? env.ADMIN_EMAIL : recipient;
    if (!to) return undefined;
    const report: unknown = notice.report === null ? null : JSON.parse(notice.report);
    return { id, to, subject, entity, data: await rowOf(env, notice), report };
  },
};

/** The row as the API shows it; null where it is gone. */
async function rowOf(env: Env, { entity, row_id }: Notice): Promise<Record<string, unknown> | null> {
  const found: Entity | undefined = entity === null ? undefined : entityByName(entity);
  if (found === undefined || row_id === null) return null;
  const row = await env.DB.prepare(`SELECT ${selected(found)} FROM ${quote(found.name)} WHERE "id" = ?`).bind(row_id).first<Row>();
  return row === null ? null : toJson(found, row);
}
