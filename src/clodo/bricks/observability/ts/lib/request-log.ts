import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { methodOf, routeOf } from "./observed";

/** What an id of the caller's may look like. Anything else could be more than an id. */
const PLAIN = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * One line of JSON for each request, and its id in `X-Request-Id`. No path, no query, no header, no body and
 * no address is in it. (A Worker's clock stands still while it computes: `ms` is the time spent waiting.)
 */
export const requestLog: MiddlewareHandler<AppEnv> = async (c, next) => {
  const started = Date.now();
  const given = c.req.header("x-request-id") ?? "";
  const id = PLAIN.test(given) ? given : crypto.randomUUID();
  await next();
  // The answer to the handshake of a WebSocket cannot be changed.
  if (c.res.status !== 101) c.res.headers.set("x-request-id", id);
  const ms = Date.now() - started;
  const { status } = c.res;
  console.log(JSON.stringify({ id, method: methodOf(c), route: routeOf(c), status, ms, caller: await kindOf(c) }));
};

/** What kind of caller it was. Requests that were refused before anyone asked are not asked now. */
async function kindOf(c: Context<AppEnv>): Promise<string> {
  if (c.get("authenticators") === undefined) return "unknown";
  try {
    const { key, user } = await admit(c, "public");
    return [key && "key", user && "user"].filter(Boolean).join("+") || "anonymous";
  } catch {
    return "unknown";
  }
}
