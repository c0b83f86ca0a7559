import type { Context } from "hono";
import type { AppEnv } from "../env";
import { bearerToken, type Caller } from "./access";
import { Problem } from "./problem";

/** The API key, in `X-API-Key` or as a bearer token. */
export async function apiKey(c: Context<AppEnv>): Promise<Caller | undefined> {
  const given = c.req.header("x-api-key") ?? bearerToken(c);
  if (given === undefined) return undefined;
  if (!c.env.API_KEY) throw new Problem(500, "The secret API_KEY is not set.");
  return (await sameText(given, c.env.API_KEY)) ? { key: true } : undefined;
}

/** Compares in constant time; hashing first makes the lengths equal. */
async function sameText(a: string, b: string): Promise<boolean> {
  const hash = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const [left, right] = await Promise.all([hash(a), hash(b)]);
  return crypto.subtle.timingSafeEqual(left, right);
}
