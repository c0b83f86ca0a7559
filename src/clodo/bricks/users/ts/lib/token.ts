import { sign, verify } from "hono/jwt";
import type { Context } from "hono";
import type { AppEnv } from "../env";
import { bearerToken, type Caller } from "./access";
import { Problem } from "./problem";

const LIFETIME_SECONDS = 7 * 24 * 60 * 60;

function secret(c: Context<AppEnv>): string {
  if (!c.env.JWT_SECRET) throw new Problem(500, "The secret JWT_SECRET is not set.");
  return c.env.JWT_SECRET;
}

export async function issueToken(c: Context<AppEnv>, userId: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return sign({ sub: userId, iat: now, exp: now + LIFETIME_SECONDS }, secret(c), "HS256");
}

/** The user of a bearer token. The row is read each time, so that a role or account cannot outlive it. */
export async function bearerUser(c: Context<AppEnv>): Promise<Caller | undefined> {
  const token = bearerToken(c);
  if (token === undefined) return undefined;
  const subject = await verify(token, secret(c), "HS256")
    .then((payload) => payload["sub"])
    .catch(() => undefined);
  if (typeof subject !== "string") return undefined;
  const user = await c.env.DB.prepare('SELECT "id", "role" FROM "user" WHERE "id" = ?')
    .bind(subject)
    .first<{ id: string; role: string }>();
  return user === null ? undefined : { user: { id: user.id, role: user.role } };
}
