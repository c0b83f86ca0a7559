import type { Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { AppEnv } from "../env";
import type { Authenticator } from "./access";
import { route } from "./http";
import { Problem } from "./problem";
import { sessionOpenedBy } from "./sessions";
import { hashSecret, mark, randomSecret, sameText } from "./token";
import { admitInPerson, takePart } from "./users";

/** The browser keeps a cookie with this front for this host alone, and only from encrypted connections. */
const NAME = "__Host-session";
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const DAY_SECONDS = 24 * 60 * 60;
/** How often it is noted that a session is in use. */
const NOTED_MILLISECONDS = 10 * 60 * 1000;

const csrfToken = (c: Context<AppEnv>, session: string): Promise<string> => mark(c, "csrf", session);

/** Whether the request comes from a page that may use the cookie. Programs that are no browsers name no origin. */
function fromFriend(c: Context<AppEnv>, origins: readonly string[]): boolean {
  const origin = c.req.header("origin");
  if (origin !== undefined) return origin === new URL(c.req.url).origin || origins.includes(origin);
  return c.req.header("sec-fetch-site") !== "cross-site";
}

const setSession = (c: Context<AppEnv>, value: string, seconds: number): void =>
  setCookie(c, NAME, value, { path: "/", secure: true, httpOnly: true, sameSite: "Lax", maxAge: seconds });

/** Logins set a cookie that lasts as long as their session; `origins` are those of other pages that may use it. */
export function cookies(app: Hono<AppEnv>, days: number, origins: readonly string[]): void {
  takePart(app, {
    entered: async (c) => {
      const session = sessionOpenedBy(c) ?? "";
      // A page of another site cannot log its visitor in to an account of its own.
      if (fromFriend(c, origins)) {
        const secret = randomSecret();
        await c.env.DB.prepare('INSERT INTO "user__cookie" ("hash", "session_id") VALUES (?, ?)')
          .bind(await hashSecret(secret), session)
          .run();
        setSession(c, secret, days * DAY_SECONDS);
      }
      return { csrf_token: await csrfToken(c, session) };
    },
    left: (c) => setSession(c, "", 0),
  });

  route(app, "/api/auth/csrf", {
    GET: async (c) => {
      const user = await admitInPerson(c);
      return c.json({ csrf_token: await csrfToken(c, user.session ?? "") });
    },
  });
}

/**
 * The user of a session cookie. A credential in a header comes first: no page of another site can send
 * that. With the cookie alone, a request that changes something needs the token of its session too.
 */
export const cookieUser =
  (origins: readonly string[]): Authenticator =>
  async (c) => {
    if (c.req.header("authorization") !== undefined || c.req.header("x-api-key") !== undefined) return undefined;
    const secret = getCookie(c, NAME);
    if (!secret) return undefined;
    const now = new Date();
    const found = await c.env.DB.prepare(
      'SELECT u."id", u."role", s."id" AS "session", s."last_used_at" FROM "user__cookie" AS k JOIN "user__session" AS s ON s."id" = k."session_id" JOIN "user" AS u ON u."id" = s."user_id" WHERE k."hash" = ? AND s."expires_at" > ?',
    )
      .bind(await hashSecret(secret), now.toISOString())
      .first<{ id: string; role: string; session: string; last_used_at: string }>();
    if (found === null) return undefined;
    if (!SAFE.has(c.req.method)) {
      if (!fromFriend(c, origins)) throw new Problem(403, "A page of another site may not do this.");
      const given = c.req.header("x-csrf-token") ?? "";
      if (!sameText(given, await csrfToken(c, found.session))) {
        throw new Problem(403, "With a cookie this needs X-CSRF-Token; GET /api/auth/csrf gives it.");
      }
    }
    if (now.getTime() - Date.parse(found.last_used_at) > NOTED_MILLISECONDS) {
      await c.env.DB.prepare('UPDATE "user__session" SET "last_used_at" = ? WHERE "id" = ?')
        .bind(now.toISOString(), found.session)
        .run();
    }
    return { user: { id: found.id, role: found.role, session: found.session } };
  };
