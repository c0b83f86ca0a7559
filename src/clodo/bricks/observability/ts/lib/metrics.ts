import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { methodOf, routeOf } from "./observed";

/** The upper edges of the buckets of durations, in milliseconds. */
const EDGES = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000] as const;

/** How long counts are gathered before they are written: one write for all requests of that time. */
const GATHER_MS = 2000;

/** Requests of one method, route and class of status. `buckets` are the numbers up to each edge. */
interface Series {
  readonly method: string;
  readonly route: string;
  readonly status: string;
  readonly count: number;
  readonly ms: number;
  readonly buckets: readonly number[];
}

/** What this isolate has counted and not yet written, and when it will be. */
let gathered = new Map<string, Series>();
let due = 0;

/** Counts each request. The database is written to when the answer is long gone. */
export const metered: MiddlewareHandler<AppEnv> = async (c, next) => {
  const started = Date.now();
  await next();
  const now = Date.now();
  const ms = now - started;
  add({
    method: methodOf(c),
    route: routeOf(c),
    status: `${Math.floor(c.res.status / 100)}xx`,
    count: 1,
    ms,
    buckets: EDGES.map((edge) => (ms <= edge ? 1 : 0)),
  });
  if (now < due) return;
  due = now + GATHER_MS;
  const { DB } = c.env;
  try {
    c.executionCtx.waitUntil(scheduler.wait(GATHER_MS).then(() => write(DB)));
  } catch {
    // A test that calls the app itself gives it nothing that outlasts the answer.
    await write(DB);
  }
};

function add(series: Series): void {
  const key = [series.method, series.route, series.status].join(" ");
  const old = gathered.get(key);
  gathered.set(key, old === undefined ? series : sum(old, series));
}

const sum = (a: Series, b: Series): Series => ({
  ...a,
  count: a.count + b.count,
  ms: a.ms + b.ms,
  buckets: a.buckets.map((count, index) => count + (b.buckets[index] ?? 0)),
});

const NUMBERS = ["count", "ms", ...EDGES.map((edge) => `le_${edge}`)];
const COLUMNS = ["method", "route", "status", ...NUMBERS];
const WRITE =
  `INSERT INTO "request-metric" (${COLUMNS.map((name) => `"${name}"`).join(", ")}) ` +
  `VALUES (${COLUMNS.map(() => "?").join(", ")}) ON CONFLICT ("method", "route", "status") DO UPDATE SET ` +
  NUMBERS.map((name) => `"${name}" = "${name}" + excluded."${name}"`).join(", ");

/** Writes what was gathered; what cannot be written is kept for the next time. */
async function write(database: D1Database): Promise<void> {
  const all = [...gathered.values()];
  gathered = new Map();
  due = 0;
  if (all.length === 0) return;
  try {
    await database.batch(
      all.map((s) => database.prepare(WRITE).bind(s.method, s.route, s.status, s.count, s.ms, ...s.buckets)),
    );
  } catch (error) {
    all.forEach(add);
    throw error;
  }
}

/** `GET /metrics`, for whoever has the key: the counts of all isolates, as Prometheus reads them. */
export async function metrics(c: Context<AppEnv>): Promise<Response> {
  await admit(c, "key");
  await write(c.env.DB);
  const { results } = await c.env.DB.prepare(
    'SELECT * FROM "request-metric" ORDER BY "route", "method", "status"',
  ).all<Record<string, string | number>>();
  return c.text(page(results.map(fromRow)), 200, {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
  });
}

const fromRow = (row: Record<string, string | number>): Series => ({
  method: String(row["method"]),
  route: String(row["route"]),
  status: String(row["status"]),
  count: Number(row["count"]),
  ms: Number(row["ms"]),
  buckets: EDGES.map((edge) => Number(row[`le_${edge}`])),
});

function page(all: readonly Series[]): string {
  const durations = new Map<string, Series>();
  for (const series of all) {
    const key = labels({ method: series.method, route: series.route });
    const old = durations.get(key);
    durations.set(key, old === undefined ? series : sum(old, series));
  }
  return [
    "# HELP http_requests_total Requests by route and class of status.",
    "# TYPE http_requests_total counter",
    ...all.map((s) => `http_requests_total{${labels({ method: s.method, route: s.route, status: s.status })}} ${s.count}`),
    "# HELP http_request_duration_seconds Time from the request to its answer.",
    "# TYPE http_request_duration_seconds histogram",
    ...[...durations].flatMap(([key, series]) => histogram(key, series)),
    "",
  ].join("\n");
}

function histogram(key: string, { count, ms, buckets }: Series): string[] {
  const name = "http_request_duration_seconds";
  return [
    ...EDGES.map((edge, index) => `${name}_bucket{${key},le="${edge / 1000}"} ${buckets[index] ?? 0}`),
    `${name}_bucket{${key},le="+Inf"} ${count}`,
    `${name}_sum{${key}} ${ms / 1000}`,
    `${name}_count{${key}} ${count}`,
  ];
}

const labels = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, (sign) => (sign === "\n" ? "\\n" : `\\${sign}`))}"`)
    .join(",");
