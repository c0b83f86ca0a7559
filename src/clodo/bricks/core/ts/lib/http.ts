import type { Context, Handler, Hono, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { Problem } from "./problem";

export const MAX_BODY_BYTES = 1024 * 1024;

const HEADERS = [
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
] as const;

/** Headers that every answer carries, unless its handler chose its own. */
export const securityHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  for (const [name, value] of HEADERS) {
    if (!headers.has(name)) headers.set(name, value);
  }
};

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Registers the handlers of one path; every other method is answered with 405 and `Allow`. */
export function route(
  app: Hono<AppEnv>,
  path: string,
  handlers: Partial<Record<Method, Handler<AppEnv>>>,
): void {
  const methods = Object.keys(handlers) as Method[];
  for (const method of methods) app.on(method, path, handlers[method] as Handler<AppEnv>);
  app.all(path, () => refuseMethod(methods));
}

/** Answers for a path that has these methods and no others. */
export function refuseMethod(methods: readonly Method[]): never {
  const allow = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  throw new Problem(405, "This path does not answer that method.", [], { allow: allow.join(", ") });
}

const secret = new WeakSet<Context<AppEnv>>();

/** An answer with a secret that is told this once: whatever keeps answers must not keep it. */
export function tellOnce(c: Context<AppEnv>, body: object, headers: Record<string, string> = {}): Response {
  secret.add(c);
  return c.json(body, 201, headers);
}

export const isToldOnce = (c: Context<AppEnv>): boolean => secret.has(c);

/** The JSON in the body of a request. */
export async function readJson(c: Context<AppEnv>): Promise<unknown> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Problem(415, "Send the body as application/json.");
  }
  const bytes = await readBounded(c);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new Problem(400, "The body is not valid JSON.");
  }
}

/** The JSON object in the body of a request. */
export async function readJsonObject(c: Context<AppEnv>): Promise<Record<string, unknown>> {
  const value = await readJson(c);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(422, "The body must be a JSON object.");
  }
  return value as Record<string, unknown>;
}

/** The JSON object in the body of a request that may have none: an empty one then. Many clients say the length of a body that they do not send. */
export async function readGivenObject(c: Context<AppEnv>): Promise<Record<string, unknown>> {
  if (c.req.raw.body === null || c.req.header("content-length") === "0") return {};
  const isBare = c.req.header("content-type") === undefined && (await readBounded(c)).byteLength === 0;
  return isBare ? {} : readJsonObject(c);
}

/** Beyond this the rest of a body is not even read: the connection is dropped. */
const MAX_DRAINED_BYTES = 16 * MAX_BODY_BYTES;

/** The body, if it is small enough. A larger one is read to its end, so that the 413 arrives. */
export async function readBounded(c: Context<AppEnv>): Promise<Uint8Array> {
  const reader = c.req.raw.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size <= MAX_BODY_BYTES) chunks.push(value);
    else chunks.length = 0;
    if (size > MAX_DRAINED_BYTES) break;
  }
  if (size > MAX_BODY_BYTES) throw new Problem(413, "The body is larger than 1 MiB.");
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
