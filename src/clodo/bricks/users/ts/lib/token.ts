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

/** A token that says what it is given. */
export const signToken = (c: Context<AppEnv>, claims: Record<string, string | number>): Promise<string> =>
  sign(claims, secret(c), "HS256");

export async function issueToken(c: Context<AppEnv>, userId: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return signToken(c, { sub: userId, iat: now, exp: now + LIFETIME_SECONDS });
}

/** What a valid bearer token says; nothing where there is none. */
export async function bearerClaims(c: Context<AppEnv>): Promise<Readonly<Record<string, unknown>>> {
  const token = bearerToken(c);
  if (token === undefined) return {};
  return verify(token, secret(c), "HS256").catch(() => ({}));
}

/** The user of a bearer token. The row is read each time, so that a role or account cannot outlive it. */
export async function bearerUser(c: Context<AppEnv>): Promise<Caller | undefined> {
  const subject = (await bearerClaims(c))["sub"];
  if (typeof subject !== "string") return undefined;
  const user = await c.env.DB.prepare('SELECT "id", "role" FROM "user" WHERE "id" = ?')
    .bind(subject)
    .first<{ id: string; role: string }>();
  return user === null ? undefined : { user: { id: user.id, role: user.role } };
}

/** 32 random bytes as text: nobody guesses it. */
export function randomSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}

const toHex = (digest: ArrayBuffer): string =>
  Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** How a random secret is stored. It has nothing to guess, so it needs neither salt nor rounds. */
export async function hashSecret(text: string): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** A mark of a text that only this service can make; `use` keeps marks of different uses apart. */
export async function mark(c: Context<AppEnv>, use: string, text: string): Promise<string> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const encode = (part: string) => new TextEncoder().encode(part);
  const key = await crypto.subtle.importKey("raw", encode(secret(c)), hmac, false, ["sign"]);
  return toHex(await crypto.subtle.sign("HMAC", key, encode(`${use}:${text}`)));
}

/** Compares two texts in a time that does not tell where they differ. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  return left.byteLength === right.byteLength && crypto.subtle.timingSafeEqual(left, right);
}
