import { docs } from "./docs";
import { admit } from "./key";
import { METRICS_TYPE, type Metrics } from "./metrics";
import { answerProblem, Problem } from "./problems";

/** What every front Worker has. */
export interface FrontEnv {
  readonly API_KEY?: string;
}

/** One way in: a method, a path and what answers it. `request.signal` fires when the caller goes away; `answer` runs on to its end. */
export interface Route<Env> {
  readonly method: "GET" | "POST";
  readonly path: string;
  answer(request: Request, env: Env, context: ExecutionContext): Promise<Response>;
}

/** A front: its routes under `/v1/` and the OpenAPI document of all, the metrics of its isolate, and the loading of its model. */
export interface Front<Env> {
  readonly routes: readonly Route<Env>[];
  readonly document: object;
  readonly metrics: Metrics;
  /** Whether all weights are in their place. */
  ready(): boolean;
  /** Begins to load, where nobody has; never rejects. */
  load(env: Env): Promise<void>;
}

/** Headers that every answer carries, unless its route chose its own: those of generated services. */
const HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** The most bytes of a body, a quarter of what the service contract has: a description of 20,000 characters fits, however it is
 * written down, and each body is in memory several times while it is read. 32 callers with 1 MiB each take all of 128 MB. */
const MOST_BYTES = 256 * 1024;

/**
 * The HTTP side of a model's Worker: `/health`, `/metrics` and the document of it all at once, everything under `/v1/` behind the
 * API key. Whatever comes in first begins the loading, which outlives that request.
 */
export async function answer<Env extends FrontEnv>(
  front: Front<Env>,
  request: Request,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  // The page asks for the document beside it, so that it has one address only.
  const path = pathname.startsWith("/docs/") ? pathname : withoutSlashes(pathname);
  if (path === "/health" && isRead(request)) {
    // The answer goes first: what loading begins with takes the thread for a while.
    context.waitUntil(scheduler.wait(1).then(() => front.load(env)));
    return finished(request, json({ status: "ok", ready: front.ready() }));
  }
  context.waitUntil(front.load(env));
  const routes = [...openRoutes(front), ...front.routes];
  const route = routes.find((r) => r.path === path)?.path ?? "other";
  const started = Date.now();
  let response: Response;
  try {
    const work = routed(routes, path, request, env, context);
    // A request whose caller goes away would end where it stands, its `finally` blocks not run.
    context.waitUntil(work.then(nothing, nothing));
    response = await work;
  } catch (error) {
    response = answerProblem(error, path);
  }
  front.metrics.request(route, response.status, (Date.now() - started) / 1000);
  return finished(request, response);
}

/** What needs no key. */
function openRoutes<Env>(front: Front<Env>): Route<Env>[] {
  const page = (): Response => new Response(front.metrics.page(), { headers: { "content-type": METRICS_TYPE } });
  return [
    { method: "GET", path: "/health", answer: async () => json({ status: "ok", ready: front.ready() }) },
    { method: "GET", path: "/metrics", answer: async () => page() },
    { method: "GET", path: "/openapi.json", answer: async () => json(front.document) },
    { method: "GET", path: "/docs", answer: docs },
  ];
}

/** An answer with the headers that all have; without its body for who asked for none. */
function finished({ method }: Request, response: Response): Response {
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return method === "HEAD" ? new Response(null, response) : response;
}

async function routed<Env extends FrontEnv>(
  routes: readonly Route<Env>[],
  path: string,
  request: Request,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  // Before it is said what there is: whoever has no key learns nothing.
  if (path.startsWith("/v1/")) await admit(request, env.API_KEY);
  const here = routes.filter((route) => route.path === path);
  if (here.length === 0) throw new Problem(404, "There is nothing here.", { code: "not-found" });
  const asked = request.method === "HEAD" ? "GET" : request.method;
  const route = here.find(({ method }) => method === asked);
  if (route === undefined) {
    const allow = here.map(({ method }) => (method === "GET" ? "GET, HEAD" : method)).join(", ");
    throw new Problem(405, `${path} answers ${allow} only.`, { code: "method", headers: { allow } });
  }
  return route.answer(request, env, context);
}

const nothing = (): void => undefined;

/** A path without slashes at its end. No pattern does this: on thousands of slashes it would take seconds, with no key asked for. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path.charAt(end - 1) === "/") end -= 1;
  return path.slice(0, end);
}

const isRead = ({ method }: Request): boolean => method === "GET" || method === "HEAD";

/** A JSON answer that no cache keeps. */
export const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });

/** The JSON object of a body; throws what the caller is told. */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Problem(415, "The body must be application/json.", { code: "content-type" });
  }
  const bytes = await readBody(request);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    throw new Problem(400, "The body is no JSON.", { code: "json" });
  } finally {
    // Freed at once: V8 would let the bytes lie until it collects.
    (bytes.buffer as ArrayBuffer).transfer(0);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(422, "The body must be a JSON object.", { code: "body" });
  }
  return value as Record<string, unknown>;
}

/** The body, read no further than it may be long. */
async function readBody(request: Request): Promise<Uint8Array> {
  const tooLong = (): Problem => {
    const detail = `The body has more than ${MOST_BYTES / 1024} KiB. No more is taken, so that many at once stay within the memory of a Worker.`;
    return new Problem(413, detail, { code: "too-large" });
  };
  if (Number(request.headers.get("content-length") ?? 0) > MOST_BYTES) throw tooLong();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.byteLength;
    if (length > MOST_BYTES) throw tooLong();
    parts.push(part);
  }
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
