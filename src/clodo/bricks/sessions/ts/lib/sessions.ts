import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import { checkBody } from "./body";
import { readJsonObject, route } from "./http";
import { uuidv7 } from "./id";
import { Problem, notFound } from "./problem";
import { bearerClaims, hashSecret, randomSecret, signToken } from "./token";
import { type Account, admitInPerson, hooksOf, takePart } from "./users";

/** How long an access token lasts; its session goes on by refreshing it. */
const ACCESS_SECONDS = 15 * 60;
/** What an account can have open at once; the oldest goes when there is one more. */
const MOST_SESSIONS = 50;
/** How many used refresh tokens a session remembers; an older one is refused all the same. */
const MOST_USED = 200;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;
const MOST_AGENT_CHARACTERS = 200;

const opened = new WeakMap<Context<AppEnv>, string>();

/** The session that this request opened. */
export const sessionOpenedBy = (c: Context<AppEnv>): string | undefined => opened.get(c);

/** Sessions that last `days`: short access tokens, refresh tokens that are good once, logout. */
export function sessions(app: Hono<AppEnv>, days: number): void {
  takePart(app, {
    entered: (c, account) => open(c, account, days),
    secured: (c, userId, kept) => [end(c, userId, kept)],
  });
  const left = (c: Context<AppEnv>): void => {
    for (const hook of hooksOf(app)) hook.left?.(c);
  };

  route(app, "/api/auth/refresh", { POST: refresh });

  route(app, "/api/auth/logout", {
    POST: async (c) => {
      const user = await admitInPerson(c);
      await endOne(c, user.id, user.session ?? "");
      left(c);
      return c.body(null, 204);
    },
  });

  route(app, "/api/auth/logout-all", {
    POST: async (c) => {
      await end(c, (await admitInPerson(c)).id).run();
      left(c);
      return c.body(null, 204);
    },
  });

  route(app, "/api/auth/sessions", {
    GET: async (c) => {
      const user = await admitInPerson(c);
      const { results } = await c.env.DB.prepare(
        'SELECT "id", "agent", "created_at", "last_used_at", "expires_at" FROM "user__session" WHERE "user_id" = ? AND "expires_at" > ? ORDER BY "id" DESC',
      )
        .bind(user.id, new Date().toISOString())
        .all<{ id: string }>();
      return c.json({ items: results.map((row) => ({ ...row, current: row.id === user.session })) });
    },
  });

  route(app, "/api/auth/sessions/:id", {
    DELETE: async (c) => {
      const user = await admitInPerson(c);
      const id = c.req.param("id") ?? "";
      if (!(await endOne(c, user.id, id))) throw notFound();
      if (id === user.session) left(c);
      return c.body(null, 204);
    },
  });
}

/** The user of an access token, as long as its session is open. */
export async function sessionUser(c: Context<AppEnv>): Promise<Caller | undefined> {
  const { sub, sid } = await bearerClaims(c);
  if (typeof sub !== "string" || typeof sid !== "string") return undefined;
  const user = await c.env.DB.prepare(
    'SELECT u."id", u."role" FROM "user__session" AS s JOIN "user" AS u ON u."id" = s."user_id" WHERE s."id" = ? AND u."id" = ? AND s."expires_at" > ?',
  )
    .bind(sid, sub, new Date().toISOString())
    .first<{ id: string; role: string }>();
  return user === null ? undefined : { user: { id: user.id, role: user.role, session: sid } };
}

function accessToken(c: Context<AppEnv>, userId: string, session: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return signToken(c, { sub: userId, sid: session, iat: now, exp: now + ACCESS_SECONDS });
}

async function open(c: Context<AppEnv>, account: Account, days: number): Promise<Record<string, unknown>> {
  const id = uuidv7();
  const secret = randomSecret();
  const now = new Date();
  const moment = now.toISOString();
  const expires = new Date(now.getTime() + days * DAY_MILLISECONDS).toISOString();
  const agent = c.req.header("user-agent")?.slice(0, MOST_AGENT_CHARACTERS) ?? null;
  const db = c.env.DB;
  await db.batch([
    db.prepare('DELETE FROM "user__session" WHERE "expires_at" <= ?').bind(moment),
    db
      .prepare(
        'DELETE FROM "user__session" WHERE "user_id" = ?1 AND "id" NOT IN (SELECT "id" FROM "user__session" WHERE "user_id" = ?1 ORDER BY "id" DESC LIMIT ?2)',
      )
      .bind(account.id, MOST_SESSIONS - 1),
    db
      .prepare(
        'INSERT INTO "user__session" ("id", "user_id", "agent", "created_at", "last_used_at", "expires_at") VALUES (?, ?, ?, ?, ?, ?)',
      )
      .bind(id, account.id, agent, moment, moment, expires),
    db
      .prepare('INSERT INTO "user__refresh" ("hash", "session_id") VALUES (?, ?)')
      .bind(await hashSecret(secret), id),
  ]);
  opened.set(c, id);
  return { token: await accessToken(c, account.id, id), refresh_token: secret, expires_in: ACCESS_SECONDS };
}

/** Gives a new pair of tokens for a refresh token. One that comes a second time was stolen, or is used by whoever
 * stole it: nobody can tell, so the whole session ends. */
async function refresh(c: Context<AppEnv>): Promise<Response> {
  const body = await readJsonObject(c);
  const { refresh_token: given, ...rest } = body;
  checkBody({}, rest, [["refresh_token", z.string().check(z.maxLength(200)), given]]);
  const [old, secret] = [await hashSecret(given as string), randomSecret()];
  const next = await hashSecret(secret);
  const now = new Date().toISOString();
  const db = c.env.DB;
  const session = '(SELECT "session_id" FROM "user__refresh" WHERE "hash" = ?)';
  // All or nothing: of requests that come at once with the same token, the first one alone marks it as used.
  const [, , found] = await db.batch<{ id: string; user_id: string }>([
    db
      .prepare(
        'UPDATE "user__refresh" SET "next" = ? WHERE "hash" = ? AND "next" IS NULL AND "session_id" IN (SELECT "id" FROM "user__session" WHERE "expires_at" > ?)',
      )
      .bind(next, old, now),
    db
      .prepare(
        'INSERT INTO "user__refresh" ("hash", "session_id") SELECT "next", "session_id" FROM "user__refresh" WHERE "hash" = ? AND "next" = ?',
      )
      .bind(old, next),
    db
      .prepare(`UPDATE "user__session" SET "last_used_at" = ? WHERE "id" = ${session} RETURNING "id", "user_id"`)
      .bind(now, next),
    db
      .prepare(
        `DELETE FROM "user__refresh" WHERE "session_id" = ${session} AND "number" <= (SELECT "number" FROM "user__refresh" WHERE "session_id" = ${session} ORDER BY "number" DESC LIMIT 1 OFFSET ${MOST_USED})`,
      )
      .bind(next, next),
  ]);
  const [row] = found?.results ?? [];
  if (row === undefined) {
    await db.prepare(`DELETE FROM "user__session" WHERE "id" = ${session}`).bind(old).run();
    throw new Problem(401, "The refresh token is not valid, or no longer. Log in again.", [], {
      "www-authenticate": 'Bearer realm="api"',
    });
  }
  const token = await accessToken(c, row.user_id, row.id);
  return c.json({ token, refresh_token: secret, expires_in: ACCESS_SECONDS });
}

const end = (c: Context<AppEnv>, userId: string, kept = ""): D1PreparedStatement =>
  c.env.DB.prepare('DELETE FROM "user__session" WHERE "user_id" = ? AND "id" <> ?').bind(userId, kept);

async function endOne(c: Context<AppEnv>, userId: string, id: string): Promise<boolean> {
  const { meta } = await c.env.DB.prepare('DELETE FROM "user__session" WHERE "user_id" = ? AND "id" = ?')
    .bind(userId, id)
    .run();
  return meta.changes > 0;
}
