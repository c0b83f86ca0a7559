import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";

/** What pages may send, beside what browsers let them send anyway. */
const SENT =
  "Authorization, Content-Disposition, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, If-None-Match, If-Range, Last-Event-ID, Range, X-API-Key, X-CSRF-Token, X-Request-Id, X-Tenant-Id";

/** What pages may read, beside what browsers let them read anyway. */
const EXPOSED =
  "Accept-Ranges, Age, Allow, Cache-Status, Content-Disposition, Content-Range, ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Cache, X-Request-Id";

/** Browsers ask again after this time; none of them remembers for much longer. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Lets pages of other origins call the service: those listed (`https://*.example.com` stands for all hosts
 * below the domain, however deep), or of any origin. Cookies go along only from those that are `trusted`.
 */
export function cors(
  origins: readonly string[] | "any",
  trusted: readonly string[] = [],
): MiddlewareHandler<AppEnv> {
  const patterns = origins === "any" ? [] : origins.map(matcher);
  const varies = origins !== "any" || trusted.length > 0;

  const grant = (origin: string | undefined): Record<string, string> => {
    if (origin !== undefined && trusted.includes(origin)) {
      return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" };
    }
    if (origins === "any") return { "access-control-allow-origin": "*" };
    const listed = origin !== undefined && patterns.some((matches) => matches(origin));
    return listed ? { "access-control-allow-origin": origin } : {};
  };

  return async (c, next) => {
    const granted = grant(c.req.header("origin"));
    if (isPreflight(c)) return preflight(granted, varies);
    await next();
    // The answer to the handshake of a WebSocket is no page's to read.
    if (c.res.status !== 101) mark(c.res.headers, granted, varies);
    return undefined;
  };
}

/** Tells browsers which pages may read an answer. */
function mark(headers: Headers, granted: Record<string, string>, varies: boolean): void {
  for (const [name, value] of Object.entries(granted)) headers.set(name, value);
  if (granted["access-control-allow-origin"] !== undefined) headers.set("access-control-expose-headers", EXPOSED);
  // Whatever is kept between here and there must not be given to another origin.
  if (varies) headers.append("vary", "Origin");
}

const isPreflight = (c: Context<AppEnv>): boolean =>
  c.req.method === "OPTIONS" &&
  c.req.header("origin") !== undefined &&
  c.req.header("access-control-request-method") !== undefined;

/** A page that is not let in gets the same answer without a grant, and its browser goes no further. */
function preflight(granted: Record<string, string>, varies: boolean): Response {
  const more = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": SENT,
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  };
  const vary = `${varies ? "Origin, " : ""}Access-Control-Request-Method, Access-Control-Request-Headers`;
  const headers = granted["access-control-allow-origin"] === undefined ? {} : { ...granted, ...more };
  return new Response(null, { status: 204, headers: { ...headers, vary } });
}

const LABELS = /^[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** Whether an origin is the one that is listed, or below the domain behind its star. */
function matcher(listed: string): (origin: string) => boolean {
  const [front, back] = listed.split("*");
  if (front === undefined || back === undefined) return (origin) => origin === listed;
  return (origin) =>
    origin.startsWith(front) && origin.endsWith(back) && LABELS.test(origin.slice(front.length, -back.length));
}
