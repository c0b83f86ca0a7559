import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { User } from "./access";

/** They belong to one connection, not to the message (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const CREDENTIALS = ["authorization", "cookie", "x-api-key"];
/** What a caller may not say of itself. */
const SPOOFED = /^(forwarded|x-forwarded-.*|x-real-ip|x-client-ip|x-original-.*|x-rewrite-.*|x-http-method.*|x-method-override|x-user-id|x-user-role|cf-.*|true-client-ip)$/;
const CONDITIONAL = ["range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"];
const REQUEST_ID = /^[A-Za-z0-9_-]{8,64}$/;

function withoutHops(given: Headers): Headers {
  const headers = new Headers(given);
  const named = (given.get("connection") ?? "").split(",").map((name) => name.trim());
  for (const name of [...HOP_BY_HOP, ...named]) {
    if (/^[\w-]+$/.test(name)) headers.delete(name);
  }
  return headers;
}

/** The number of a request: the caller's, if it is one that logs can take, or a new one. */
export function requestId(c: Context<AppEnv>): string {
  const given = c.req.header("x-request-id") ?? "";
  return REQUEST_ID.test(given) ? given : crypto.randomUUID();
}

/** The address of the caller, as Cloudflare saw it. */
export const callerAddress = (c: Context<AppEnv>): string | undefined => c.req.header("cf-connecting-ip");

export interface HeaderRules {
  readonly set: Readonly<Record<string, string | ((env: AppEnv["Bindings"]) => string)>>;
  readonly remove: readonly string[];
}

export interface Forwarding {
  readonly id: string;
  readonly user: User | undefined;
  readonly rules: HeaderRules;
  readonly credentials: boolean;
  readonly cached: boolean;
}

/** The headers of the request to the upstream. */
export function forwarded(c: Context<AppEnv>, { id, user, rules, credentials, cached }: Forwarding): Headers {
  const headers = withoutHops(c.req.raw.headers);
  for (const name of [...headers.keys()]) {
    // Many servers take `X_User_Id` for `X-User-Id`, so a name with an underscore could be any of those that are decided on here.
    if (SPOOFED.test(name) || name.includes("_")) headers.delete(name);
  }
  if (!credentials) for (const name of CREDENTIALS) headers.delete(name);
  // A cached answer is the whole one, whatever of it was asked for.
  if (cached) for (const name of CONDITIONAL) headers.delete(name);
  const url = new URL(c.req.url);
  const address = callerAddress(c);
  if (address !== undefined) headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  headers.set("x-forwarded-host", url.host);
  headers.set("x-request-id", id);
  if (user !== undefined) {
    headers.set("x-user-id", user.id);
    headers.set("x-user-role", user.role);
  }
  for (const name of rules.remove) headers.delete(name);
  for (const [name, value] of Object.entries(rules.set)) {
    headers.set(name, typeof value === "string" ? value : value(c.env));
  }
  headers.delete("host");
  return headers;
}

/** The headers of the answer to the caller. */
export function answered(given: Headers, rules: HeaderRules, credentials: boolean): Headers {
  const headers = withoutHops(given);
  // Who is not told of cookies has no use for them, and they would be set for the gateway's own host.
  if (!credentials) headers.delete("set-cookie");
  for (const name of rules.remove) headers.delete(name);
  for (const [name, value] of Object.entries(rules.set)) {
    if (typeof value === "string") headers.set(name, value);
  }
  return headers;
}
