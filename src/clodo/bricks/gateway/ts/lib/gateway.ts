import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { type Caller, type Rule, admit, bearerToken } from "./access";
import { boundedBody } from "./gateway-body";
import { cacheKey, cached, isShareable, keep, secondsToKeep, unkept } from "./gateway-cache";
import { type HeaderRules, answered, callerAddress, forwarded, requestId } from "./gateway-headers";
import { ambiguous, loosePath, plainPath, refuseTricks } from "./gateway-paths";
import type { Method } from "./http";
import { networkOf } from "./network";
import { Problem } from "./problem";
import type { Upstream } from "./upstream";

export interface Limit {
  readonly limiter: (env: AppEnv["Bindings"]) => RateLimit;
  readonly per: "address" | "key" | "user";
}

/** Counts a request longer than a minute, refuses it where a limit is used up, and gives the headers that tell what is left. */
export type Counter = (c: Context<AppEnv>) => Promise<Readonly<Record<string, string>>>;

export interface Route {
  /** Without a slash at its end; `below`: whether what lies below belongs to it too. */
  readonly path: string;
  readonly below: boolean;
  readonly methods: readonly Method[];
  readonly upstream: Upstream;
  readonly strip: string;
  readonly rule: Rule;
  readonly limit?: Limit;
  /** What counts for addresses, before anybody is known, and for those who are. */
  readonly counts?: { readonly address?: Counter; readonly caller?: Counter };
  readonly maxBodyBytes: number;
  readonly cacheSeconds?: number;
  readonly request: HeaderRules;
  readonly answer: HeaderRules;
  readonly credentials: boolean;
}

const REPEATABLE = new Set(["GET", "HEAD", "PUT", "DELETE"]);
const WINDOW_SECONDS = 60;

const fits = (route: Route, path: string): boolean =>
  path === route.path || (route.below && path.startsWith(`${route.path}/`));

/** Registers the routes. Of several that a path fits, those with the longest path have it; then the method decides. */
export function gateway(app: Hono<AppEnv>, routes: readonly Route[]): void {
  const sorted = [...routes].sort(
    (a, b) => b.path.length - a.path.length || Number(a.below) - Number(b.below),
  );
  const routesOf = (path: string): readonly Route[] => {
    const first = sorted.find((route) => fits(route, path));
    return sorted.filter((route) => route.path === first?.path && route.below === first.below);
  };

  app.all("*", async (c, next) => {
    const path = plainPath(c.req.raw.url);
    const found = routesOf(path);
    if (found.length === 0) return next();
    refuseTricks(path);
    // Whatever the server behind makes of the path, the route whose rules held must be the one that it takes.
    if (routesOf(loosePath(path))[0] !== found[0]) throw ambiguous();
    const method = c.req.method === "HEAD" ? "GET" : c.req.method;
    const route = found.find(({ methods }) => methods.some((name) => name === method));
    if (route === undefined) throw notAllowed(found);
    return pass(c, route, path);
  });
}

function notAllowed(routes: readonly Route[]): Problem {
  const methods: string[] = routes.flatMap((route) => route.methods);
  if (methods.includes("GET")) methods.push("HEAD");
  return new Problem(405, "This path does not answer that method.", [], { allow: methods.join(", ") });
}

async function pass(c: Context<AppEnv>, route: Route, path: string): Promise<Response> {
  if (route.limit?.per === "address") await count(c, route.limit, networkOf(callerAddress(c) ?? ""));
  const standing = [await route.counts?.address?.(c)];
  const caller: Caller = route.rule === "public" ? {} : await admit(c, route.rule);
  if (route.limit !== undefined && route.limit.per !== "address") {
    await count(c, route.limit, await identity(c, caller));
  }
  standing.push(await route.counts?.caller?.(c));
  const target = targetOf(c, route, path);
  const seconds = c.req.method === "GET" ? route.cacheSeconds : undefined;
  const id = requestId(c);
  const whose = seconds === undefined ? "" : await holder(c, route, caller);
  const key = seconds === undefined ? "" : cacheKey(new URL(c.req.url).origin, whose, target);
  const kept = seconds === undefined ? undefined : await cached(key);
  const response = kept ?? (await ask(c, route, caller, target, id));
  const given = whose !== "" && isShareable(response) ? unkept(response.headers) : response.headers;
  const headers = answered(given, route.answer, route.credentials);
  headers.set("x-request-id", id);
  for (const [name, value] of Object.entries(joined(standing))) headers.set(name, value);
  rewriteLocation(c, route, headers);
  if (seconds !== undefined && kept === undefined) {
    headers.set("cache-status", "gateway; fwd=miss");
    const span = secondsToKeep(response, seconds);
    if (span > 0) c.executionCtx.waitUntil(keep(key, response.clone(), span).catch(console.error));
  }
  return new Response(response.body, { status: response.status, headers });
}

async function ask(c: Context<AppEnv>, route: Route, caller: Caller, target: URL, id: string): Promise<Response> {
  const { stream, signal: refusal, watch } = await boundedBody(c, route.maxBodyBytes);
  const cached = c.req.method === "GET" && route.cacheSeconds !== undefined;
  const headers = forwarded(c, { id, user: caller.user, rules: route.request, credentials: route.credentials, cached });
  return route.upstream.send({
    // Where a server sends callers is theirs to follow: the gateway goes nowhere that the blueprint does not name.
    request: (signal) =>
      new Request(target, { method: c.req.method, headers, body: stream, redirect: "manual", signal }),
    refusal,
    watch,
    repeatable: REPEATABLE.has(c.req.method) && stream === null,
  });
}

function targetOf(c: Context<AppEnv>, route: Route, path: string): URL {
  const target = route.upstream.address(c.env);
  const base = target.pathname === "/" ? "" : target.pathname;
  const search = c.req.raw.url.indexOf("?");
  target.pathname = base + (path.slice(route.strip.length) || "/");
  target.search = search < 0 ? "" : c.req.raw.url.slice(search);
  return target;
}

/**
 * A place on the upstream itself is told as the place on the gateway that leads there. It begins with one slash: with two, or
 * with a backslash behind the first, browsers take what follows for the name of a host.
 */
function rewriteLocation(c: Context<AppEnv>, route: Route, headers: Headers): void {
  const location = headers.get("location");
  const address = route.upstream.address(c.env);
  if (location === null || !URL.canParse(location, address)) return;
  const place = new URL(location, address);
  const base = address.pathname === "/" ? "" : address.pathname;
  if (place.origin !== address.origin || !/^(\/|[a-z]+:)/i.test(location)) return;
  if (place.pathname !== base && !place.pathname.startsWith(`${base}/`)) return;
  const path = (route.strip + place.pathname.slice(base.length)).replace(/^[/\\]*/, "/");
  headers.set("location", path + place.search + place.hash);
}

/** Headers of several kinds of caller, each by its name once. */
function joined(standing: readonly (Readonly<Record<string, string>> | undefined)[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of standing.flatMap((told) => Object.entries(told ?? {}))) {
    out[name] = name in out ? `${out[name]}, ${value}` : value;
  }
  return out;
}

async function count(c: Context<AppEnv>, limit: Limit, key: string): Promise<void> {
  const { success } = await limit.limiter(c.env).limit({ key });
  if (success) return;
  throw new Problem(429, "Too many requests. Try again later.", [], { "retry-after": String(WINDOW_SECONDS) });
}

/** Whom a kept answer is for: everybody, or the one caller, with all that the server behind is told of them. */
const holder = async (c: Context<AppEnv>, { rule }: Route, caller: Caller): Promise<string> =>
  rule === "public" ? "" : `${caller.user?.role ?? "key"} ${await identity(c, caller)}`;

/** Who is counted: the user, or a digest of the key. */
async function identity(c: Context<AppEnv>, caller: Caller): Promise<string> {
  if (caller.user !== undefined) return caller.user.id;
  const key = c.req.header("x-api-key") ?? bearerToken(c) ?? "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}
