import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { type Caller, type Rule, admit } from "./access";
import { checkBody } from "./body";
import { type Entity, type Row, selected, toJson } from "./entity";
import { choice, datetime, integer, list, text } from "./fields";
import { readJsonObject, route, tellOnce } from "./http";
import { uuidv7 } from "./id";
import { Problem } from "./problem";
import { listRows, readRow } from "./rows";
import { quote } from "./sql";
import { enqueue, inBackground } from "./webhook-hook";
import { shownSecret } from "./webhook-signature";
import { urlFault } from "./webhook-url";

const MAX_SUBSCRIPTIONS = 100;

const plain = { references: {}, computed: {}, timestamps: true, softDelete: false } as const;

const subscriptions = (rule: Rule): Entity => ({
  ...plain,
  name: "webhook__subscription",
  path: "webhooks",
  fields: { url: text({ required: true, maxLength: 2000 }), events: list({ required: true }) },
  read: rule,
  write: rule,
});

const deliveries = (rule: Rule): Entity => ({
  ...plain,
  name: "webhook__delivery",
  path: "webhooks/deliveries",
  fields: {
    event: text({ required: true }),
    status: choice(["pending", "delivered", "dead"], { required: true }),
    attempts: integer({ required: true }),
    response_status: integer(),
    error: text(),
    next_attempt_at: datetime(),
  },
  references: {
    webhook_id: { to: "webhook__subscription", required: true, onDelete: "cascade" },
    event_id: { to: "webhook__event", required: true, onDelete: "restrict" },
  },
  read: rule,
  write: rule,
});

/** Subscriptions, and what was sent to them. `rule` says who may manage both, `topics` what can be subscribed to. */
export function webhooks(app: Hono<AppEnv>, rule: Rule, topics: readonly string[]): void {
  const [subscription, delivery] = [subscriptions(rule), deliveries(rule)];
  const one = async (c: Context<AppEnv>, entity: Entity): Promise<[Row, Caller]> => {
    const caller = await admit(c, rule);
    return [await readRow(c, entity, caller, c.req.param("id") ?? ""), caller];
  };

  route(app, "/api/webhooks/deliveries", {
    GET: async (c) => listRows(c, delivery, await admit(c, rule)),
  });

  route(app, "/api/webhooks/deliveries/:id", {
    GET: async (c) => c.json(toJson(delivery, (await one(c, delivery))[0])),
  });

  route(app, "/api/webhooks/deliveries/:id/retry", {
    POST: async (c) => {
      const [{ id }] = await one(c, delivery);
      const now = new Date().toISOString();
      const again = await c.env.DB.prepare(
        `UPDATE "webhook__delivery" SET "status" = 'pending', "attempts" = 0, "error" = NULL, "next_attempt_at" = ?, "updated_at" = ? WHERE "id" = ? AND "status" <> 'pending' RETURNING ${selected(delivery)}`,
      )
        .bind(now, now, id ?? "")
        .first<Row>();
      if (again === null) throw new Problem(409, "This delivery is still under way.");
      inBackground(c, enqueue(c.env, String(again["id"])));
      return c.json(toJson(delivery, again), 202);
    },
  });

  route(app, "/api/webhooks", {
    GET: async (c) => listRows(c, subscription, await admit(c, rule)),
    POST: async (c) => {
      await admit(c, rule);
      const { url, events, ...rest } = await readJsonObject(c);
      checkBody({}, rest, [
        ["url", z.string().check(addressed(c.env.WEBHOOK_ALLOW_LOCAL)), url],
        ["events", z.array(z.enum(topics)).check(z.minLength(1), z.maxLength(topics.length)), events],
      ]);
      const stored = await subscribe(c, subscription, url as string, events as string[]);
      return tellOnce(c, stored, { location: `/api/webhooks/${String(stored["id"])}` });
    },
  });

  route(app, "/api/webhooks/:id", {
    GET: async (c) => c.json(toJson(subscription, (await one(c, subscription))[0])),
    DELETE: async (c) => {
      const [{ id }] = await one(c, subscription);
      await c.env.DB.prepare(`DELETE FROM ${quote(subscription.name)} WHERE "id" = ?`).bind(id ?? "").run();
      return c.body(null, 204);
    },
  });
}

const addressed = (local: string | undefined) =>
  z.check<string>((ctx) => {
    const fault = urlFault(ctx.value, local);
    if (fault !== undefined) ctx.issues.push({ code: "custom", message: fault, input: ctx.value });
  });

/** Stores a subscription; its secret is answered now and never again. */
async function subscribe(
  c: Context<AppEnv>,
  subscription: Entity,
  url: string,
  events: readonly string[],
): Promise<Record<string, unknown>> {
  const id = uuidv7();
  const secret = await shownSecret(c.env, id);
  const now = new Date().toISOString();
  const row = await c.env.DB.prepare(
    `INSERT INTO "webhook__subscription" ("id", "url", "events", "created_at", "updated_at") SELECT ?, ?, ?, ?, ? ` +
      `WHERE (SELECT count(*) FROM "webhook__subscription") < ? RETURNING ${selected(subscription)}`,
  )
    .bind(id, url, JSON.stringify([...new Set(events)]), now, now, MAX_SUBSCRIPTIONS)
    .first<Row>();
  if (row === null) throw new Problem(409, `There are ${MAX_SUBSCRIPTIONS} subscriptions already.`);
  return { ...toJson(subscription, row), signing_secret: secret };
}
