import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { type Caller, admit } from "./access";
import { networkOf } from "./network";
import { Problem } from "./problem";

/** At most so many requests in so many seconds, from the first one on. */
export interface Limit {
  readonly name: string;
  readonly most: number;
  readonly seconds: number;
  readonly per: "address" | "key" | "user";
}

/** How a limit stands when a request was counted; `passes` is false where nothing was left. */
interface State {
  readonly limit: Limit;
  readonly passes: boolean;
  readonly left: number;
  readonly wait: number;
}

/** Answered without a look at anything stored: counting would cost more than the answer. */
const UNCOUNTED: ReadonlySet<string> = new Set(["/health", "/openapi.json", "/docs"]);

/** Ended counts that go with each request, which leaves one count at most for each limit: they cannot pile up. */
const SWEPT = 10;

/**
 * Counts a request and refuses it where a limit is used up. It stands before everything that looks at rows, so that a refusal
 * tells nothing of them. Paths whose parameter `part` begins with one of `beside` are not meant.
 */
export function limited(
  limits: readonly Limit[],
  beside: readonly string[] = [],
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const part = c.req.param("part")?.split("/")[0] ?? "";
    if (UNCOUNTED.has(c.req.path) || beside.includes(part)) return next();
    const standing = await counted(c, limits);
    await next();
    // The answer to the handshake of a WebSocket cannot be changed.
    if (c.res.status === 101) return;
    for (const [name, value] of Object.entries(standing)) {
      const before = c.res.headers.get(name);
      c.res.headers.set(name, before === null ? value : `${value}, ${before}`);
    }
  };
}

/** Counts a request, refuses it where a limit is used up, and gives the headers that tell how the limits stand. */
export async function counted(c: Context<AppEnv>, limits: readonly Limit[]): Promise<Record<string, string>> {
  const states = await count(c, limits);
  const waits = states.filter((state) => !state.passes).map((state) => state.wait);
  if (waits.length === 0) return told(states);
  const wait = Math.max(...waits);
  const detail = `Too many requests. Try again in ${wait} ${wait === 1 ? "second" : "seconds"}.`;
  throw new Problem(429, detail, [], { "retry-after": String(wait), ...told(states) });
}

/** The headers of draft-ietf-httpapi-ratelimit-headers. */
function told(states: readonly State[]): Record<string, string> {
  if (states.length === 0) return {};
  const list = (parameters: (state: State) => string): string =>
    states.map((state) => `"${state.limit.name}";${parameters(state)}`).join(", ");
  return {
    "ratelimit-policy": list(({ limit }) => `q=${limit.most};w=${limit.seconds}`),
    ratelimit: list(({ left, wait }) => `r=${left};t=${wait}`),
  };
}

const ENDED = 'DELETE FROM "rate-limit" WHERE "policy" = ? AND "subject" = ? AND "reset" <= ?';

/** Checks and counts in one: whoever comes when nothing is left changes nothing, and gets no row back. */
const COUNTED =
  'INSERT INTO "rate-limit" ("policy", "subject", "count", "reset") VALUES (?, ?, 1, ?) ' +
  'ON CONFLICT ("policy", "subject") DO UPDATE SET "count" = "count" + 1 WHERE "count" < ? RETURNING "count"';

const RESET = 'SELECT "reset" FROM "rate-limit" WHERE "policy" = ? AND "subject" = ?';

const SWEEP =
  'DELETE FROM "rate-limit" WHERE rowid IN (SELECT rowid FROM "rate-limit" WHERE "reset" <= ? ORDER BY "reset" LIMIT ?)';

/** Counts a request for every limit that knows whom to count, in one transaction. */
async function count(c: Context<AppEnv>, limits: readonly Limit[]): Promise<State[]> {
  const held = await subjects(c, limits);
  if (held.length === 0) return [];
  const now = Date.now();
  const found = await c.env.DB.batch<{ count?: number; reset?: number }>([
    ...held.flatMap(({ limit, subject }) => [
      c.env.DB.prepare(ENDED).bind(limit.name, subject, now),
      c.env.DB.prepare(COUNTED).bind(limit.name, subject, now + limit.seconds * 1000, limit.most),
      c.env.DB.prepare(RESET).bind(limit.name, subject),
    ]),
    c.env.DB.prepare(SWEEP).bind(now, SWEPT),
  ]);
  return held.map(({ limit }, index): State => {
    const counted = found[3 * index + 1]?.results[0]?.count;
    const reset = found[3 * index + 2]?.results[0]?.reset ?? now;
    return {
      limit,
      passes: counted !== undefined,
      left: limit.most - (counted ?? limit.most),
      wait: Math.max(1, Math.ceil((reset - now) / 1000)),
    };
  });
}

/** Who is calling. Credentials that are refused altogether are refused by the route that needs them. */
async function known(c: Context<AppEnv>): Promise<Caller> {
  return admit(c, "public").catch((error: unknown) => {
    if (error instanceof Problem) return {};
    throw error;
  });
}

/** Whom each limit counts, as it is stored. Who shows no key or account is counted by address alone. */
async function subjects(
  c: Context<AppEnv>,
  limits: readonly Limit[],
): Promise<{ limit: Limit; subject: string }[]> {
  const caller = limits.every(({ per }) => per === "address") ? {} : await known(c);
  const who = {
    // Set by Cloudflare, whatever the caller sends. All that comes without one is counted together.
    address: networkOf(c.req.header("cf-connecting-ip") ?? ""),
    key: caller.key === true ? "" : undefined,
    user: caller.user?.id,
  };
  const held = limits.flatMap((limit) => {
    const subject = who[limit.per];
    return subject === undefined ? [] : [{ limit, subject }];
  });
  if (held.length === 0) return [];
  const sign = await signer(c);
  return Promise.all(
    held.map(async ({ limit, subject }) => ({ limit, subject: await sign(`${limit.per} ${subject}`) })),
  );
}

/** Without the secret nobody can find an address by trying all of them. */
async function signer(c: Context<AppEnv>): Promise<(text: string) => Promise<string>> {
  if (!c.env.LIMIT_SECRET) throw new Problem(500, "The secret LIMIT_SECRET is not set.");
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(c.env.LIMIT_SECRET), algorithm, false, ["sign"]);
  return async (text) => {
    const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
    return btoa(String.fromCharCode(...bytes));
  };
}
