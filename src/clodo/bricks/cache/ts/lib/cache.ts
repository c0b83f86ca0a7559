import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

type Ctx = Context<AppEnv>;

/** A request with one of these may be answered differently, or with what is not for everybody. */
const CREDENTIALS = ["Authorization", "Cookie", "X-API-Key"];
const NAME = "answers";

/**
 * Where an answer is kept. The address holds the tokens of the tables that it is made of, as they are now: a write changes
 * them in its own transaction, in every data centre at once, and what was kept before is never found again.
 */
async function addressOf(c: Ctx, tables: readonly string[]): Promise<string> {
  const { results } = await c.env.DB.prepare(
    'SELECT "token" FROM "_cache" WHERE "name" IN (SELECT "value" FROM json_each(?)) ORDER BY "name"',
  )
    .bind(JSON.stringify(tables))
    .all<{ token: string }>();
  const url = new URL(c.req.url);
  url.searchParams.sort();
  return `${url.origin}/_cache/${results.map(({ token }) => token).join("-")}${url.pathname}${url.search}`;
}

async function markOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is kept under an address, unless it is too old. A cache that fails is as good as an empty one. */
async function find(address: string, seconds: number): Promise<{ kept: Response; age: number } | undefined> {
  try {
    const kept = await (await caches.open(NAME)).match(address);
    if (kept === undefined) return undefined;
    const age = Math.floor((Date.now() - Number(kept.headers.get("x-stored"))) / 1000);
    return age < seconds ? { kept, age: Math.max(age, 0) } : undefined;
  } catch {
    return undefined;
  }
}

async function store(address: string, seconds: number, text: string, etag: string): Promise<void> {
  const headers = {
    "content-type": "application/json",
    "cache-control": `public, max-age=${seconds}`,
    etag,
    "x-stored": String(Date.now()),
  };
  try {
    await (await caches.open(NAME)).put(address, new Response(text, { headers }));
  } catch (error) {
    console.error(error);
  }
}

/** Whoever keeps the answer asks again before giving it out: only here is known whether it is old. */
const SHARED = { "cache-control": "public, no-cache", vary: CREDENTIALS.join(", ") };

function unchanged(c: Ctx, etag: string): boolean {
  const known = c.req.header("if-none-match") ?? "";
  return known.trim() === "*" || [...known.matchAll(/"[^"]*"/g)].some(([tag]) => tag === etag);
}

/**
 * Answers `GET` from the cache for at most `seconds`, and never with rows from before a write to `tables`. Where
 * answers have an ETag of another kind, `tagging` is false.
 */
export function cached(seconds: number, tables: readonly string[], tagging = true): MiddlewareHandler<AppEnv> {
  const tagged = (c: Ctx, answer: Response, etag: string): Response => {
    if (!tagging) return answer;
    answer.headers.set("etag", etag);
    return unchanged(c, etag) ? new Response(null, { status: 304, headers: answer.headers }) : answer;
  };

  return async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") return next();
    if (CREDENTIALS.some((name) => c.req.header(name) !== undefined)) {
      await next();
      c.res.headers.append("vary", SHARED.vary);
      return undefined;
    }
    const address = await addressOf(c, tables);
    const found = await find(address, seconds);
    if (found !== undefined) {
      const headers = { ...SHARED, "content-type": "application/json", "x-cache": "HIT", age: String(found.age) };
      return tagged(c, new Response(found.kept.body, { headers }), found.kept.headers.get("etag") ?? "");
    }
    await next();
    if (c.res.status !== 200 || !c.res.headers.get("content-type")?.startsWith("application/json")) return undefined;
    const text = await c.res.clone().text();
    const etag = `"${await markOf(text)}"`;
    await store(address, seconds, text, etag);
    for (const [name, value] of Object.entries({ ...SHARED, "x-cache": "MISS" })) c.res.headers.set(name, value);
    c.res = tagged(c, c.res, etag);
    return undefined;
  };
}
