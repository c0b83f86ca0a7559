import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { Problem } from "./problem";

export interface Redirect {
  readonly path: string;
  readonly below: boolean;
  readonly to: string;
  /** Whether what follows `path` goes behind `to`. */
  readonly rest: boolean;
  readonly status: 301 | 302;
}

export interface HeaderRule {
  readonly path: string;
  readonly below: boolean;
  readonly name: string;
  readonly value: string;
}

export interface SiteOptions {
  readonly singlePage: boolean;
  readonly cleanUrls: boolean;
  readonly redirects: readonly Redirect[];
  readonly headers: readonly HeaderRule[];
  /** Where the page for what is not there lies. */
  readonly unknownPage: string;
  /** Headers that nothing of the site carries. */
  readonly removed: readonly string[];
  readonly policy: string;
}

/** Empty and hidden segments, dots, and slashes in disguise: no file of a site has such an address. */
const TRICKS = /\/\/|\\|%(2f|5c|00)|\/\.(?!well-known(\/|$))/i;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

const fits = ({ path, below }: { readonly path: string; readonly below: boolean }, asked: string): boolean =>
  asked === path || (below && asked.startsWith(`${path}/`));

/** Answers with the files of the site whatever no route of the service has. Paths below `/api` are the service's alone. */
export function site(app: Hono<AppEnv>, options: SiteOptions): void {
  app.all("*", async (c, next) => {
    const path = (/^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(c.req.raw.url)?.[1] ?? "/").replace(/%2e/gi, ".");
    if (path === "/api" || path.startsWith("/api/") || TRICKS.test(path)) return next();
    const reading = c.req.method === "GET" || c.req.method === "HEAD";
    if (!reading) {
      if ((await asset(c, options, path, { method: "HEAD" })).status === 404) return next();
      throw new Problem(405, "This path does not answer that method.", [], { allow: "GET, HEAD" });
    }
    const response =
      moved(c, options.redirects, path) ?? (await file(c, options, path)) ?? (await fallback(c, options, path));
    if (response === undefined) return next();
    for (const [name, value] of Object.entries(security(c, options.policy))) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    for (const name of options.removed) response.headers.delete(name);
    return response;
  });
}

function moved(c: Context<AppEnv>, redirects: readonly Redirect[], path: string): Response | undefined {
  const found = redirects.find((redirect) => fits(redirect, path));
  if (found === undefined) return undefined;
  // Whatever follows, it stays below the place that the blueprint names: `//host` is no path here.
  const rest = found.rest ? path.slice(found.path.length).replace(/^[/\\]+/, "") : "";
  const { search } = new URL(c.req.url);
  const location = found.to + rest + (found.to.includes("?") ? search.replace("?", "&") : search);
  return new Response(null, { status: found.status, headers: { location } });
}

async function file(c: Context<AppEnv>, options: SiteOptions, path: string): Promise<Response | undefined> {
  const found = await asset(c, options, path, { method: c.req.method, headers: c.req.raw.headers });
  if (found.status === 404) return undefined;
  const response = new Response(found.body, found);
  if (response.status === 200 || response.status === 304) {
    for (const rule of options.headers) if (fits(rule, path)) response.headers.set(rule.name, rule.value);
  }
  return response;
}

/** Where there is no file, a page for who asks for one. Rules of headers are not for it. */
async function fallback(c: Context<AppEnv>, options: SiteOptions, path: string): Promise<Response | undefined> {
  if (!/\btext\/html\b/i.test(c.req.header("accept") ?? "")) return undefined;
  const single = options.singlePage && !/\.[^/]*$/.test(path);
  const page = single ? "/index.html" : options.unknownPage;
  const address = options.cleanUrls ? page.replace(/((?<=\/)index)?\.html$/, "") : page;
  const found = await asset(c, options, address, { method: c.req.method });
  if (found.status !== 200) return undefined;
  const headers = { "content-type": "text/html; charset=utf-8", "cache-control": single ? "no-cache" : "no-store" };
  return new Response(found.body, { status: single ? 200 : 404, headers });
}

function asset(c: Context<AppEnv>, options: SiteOptions, path: string, init: RequestInit): Promise<Response> {
  const url = new URL(c.req.url);
  url.pathname = !options.cleanUrls && path.endsWith("/") ? `${path}index.html` : path;
  return c.env.ASSETS.fetch(new Request(url, { ...init, redirect: "manual" }));
}

function security(c: Context<AppEnv>, policy: string): Record<string, string> {
  const headers = {
    "content-security-policy": policy,
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
  if (new URL(c.req.url).protocol !== "https:") return headers;
  return { ...headers, "strict-transport-security": `max-age=${YEAR_SECONDS}` };
}
