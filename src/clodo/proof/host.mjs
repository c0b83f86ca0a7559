// One long-lived Node process with one Miniflare, driven over JSON lines: a request
// {"id", "method", ...} on stdin is answered by {"id", "ok", ...} on stdout. It ends with stdin.
import { createRequire } from "node:module";
import { readFileSync, readdirSync, existsSync, mkdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import path from "node:path";
import { bundled, driven } from "./driven.mjs";
import { statements } from "./statements.mjs";

const modules = process.argv[2];
const require = createRequire(path.join(modules, "noop.js"));
const esbuild = require("esbuild");

let miniflare;
// Loading it takes longest; it is done while Python is still getting ready, and at the latest when it is asked for.
setImmediate(() => require("miniflare"));

async function bundle({ directory, entry }) {
  const code = await bundled(esbuild, directory, entry, { nodePaths: [modules] });
  return { code, gzip: gzipSync(code).byteLength };
}

function migrations(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, sql: readFileSync(path.join(directory, name), "utf8") }));
}

// Miniflare's own way to a database from Node takes half a second for a migration; a Worker beside the service takes
// a tenth of that. It answers on a port of its own, and only to whoever knows this process's secret. It also
// rings the bell of cron, and puts messages into the service's queues.
const DATABASE = "clodo-database";
const secret = randomBytes(32).toString("hex");
const databaseWorker = `
export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== env.SECRET) return new Response(null, { status: 404 });
    try {
      const asked = await request.json();
      if (asked.cron !== undefined) {
        const { outcome } = await env.SERVICE.scheduled({ cron: asked.cron, scheduledTime: new Date() });
        return Response.json({ results: outcome === "ok" ? "" : \`the handler of cron ended with \${outcome}\` });
      }
      if (asked.queue !== undefined) {
        await env[asked.queue].send(asked.message);
        return Response.json({ results: [] });
      }
      const prepared = asked.map(({ sql, values }) => env.DB.prepare(sql).bind(...(values ?? [])));
      return Response.json({ results: (await env.DB.batch(prepared)).map((r) => r.results) });
    } catch (error) {
      return Response.json({ error: String(error?.message ?? error) });
    }
  },
};`;
let databaseUrl;

async function run(batch) {
  const response = await fetch(databaseUrl, {
    method: "POST",
    headers: { authorization: secret },
    body: JSON.stringify(batch),
  });
  const { results, error } = await response.json();
  if (error !== undefined) throw new Error(error);
  return results;
}

async function migrate(directory) {
  const [, rows] = await run([
    { sql: 'CREATE TABLE IF NOT EXISTS "d1_migrations" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)' },
    { sql: 'SELECT name FROM "d1_migrations"' },
  ]);
  const done = new Set(rows.map((row) => row.name));
  const fresh = migrations(directory).filter(({ name }) => !done.has(name));
  for (const { name, sql } of fresh) {
    const batch = statements(sql).map((s) => ({ sql: s }));
    batch.push({ sql: 'INSERT INTO "d1_migrations" (name) VALUES (?)', values: [name] });
    await run(batch);
  }
  return fresh.map(({ name }) => name);
}

// The bindings that wrangler.jsonc gives the Worker, as Miniflare wants them. Secrets and variables come apart.
function bindingsOf(sections, directory, mailable) {
  const named = (list, value) => Object.fromEntries((list ?? []).map((item) => [item.binding ?? item.name, value(item)]));
  const { r2_buckets, kv_namespaces, queues, durable_objects, migrations, ratelimits, assets, send_email } = sections;
  const sqlite = new Set((migrations ?? []).flatMap((m) => m.new_sqlite_classes ?? []));
  const out = {};
  if (r2_buckets) out.r2Buckets = named(r2_buckets, (b) => b.bucket_name ?? b.binding);
  if (kv_namespaces) out.kvNamespaces = named(kv_namespaces, (b) => b.id ?? b.binding);
  if (queues?.producers) out.queueProducers = named(queues.producers, (q) => ({ queueName: q.queue }));
  if (queues?.consumers) {
    out.queueConsumers = Object.fromEntries(
      queues.consumers.map((q) => [
        q.queue,
        // Nobody wants to wait for a batch to fill in a proof.
        { maxBatchSize: q.max_batch_size ?? 10, maxBatchTimeout: 0, maxRetries: q.max_retries ?? 3, deadLetterQueue: q.dead_letter_queue },
      ]),
    );
  }
  if (durable_objects?.bindings) {
    out.durableObjects = named(durable_objects.bindings, (d) => ({ className: d.class_name, useSQLite: sqlite.has(d.class_name) }));
  }
  // What is sent stays on this machine; addresses that the binding does not allow are refused as they are in production.
  if (send_email) out.email = { send_email: send_email.map((b) => (mailable ? { name: b.name, allowed_destination_addresses: mailable } : b)) };
  if (ratelimits) out.ratelimits = named(ratelimits, (r) => ({ namespace_id: r.namespace_id, simple: r.simple }));
  if (assets?.directory) {
    out.assets = {
      directory: path.resolve(directory, assets.directory),
      binding: assets.binding,
      routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: assets.run_worker_first === true },
      assetConfig: { html_handling: assets.html_handling, not_found_handling: assets.not_found_handling },
    };
  }
  return out;
}

const boundName = (binding) => `bound-${binding.toLowerCase()}`;

async function serve(request) {
  const { directory, sections, entry, bindings, bound, mailable, database, port, persist, compatibilityDate, compatibilityFlags } = request;
  // esbuild works in a process of its own while this one loads Miniflare, if it has not yet.
  const bundling = bundle({ directory, entry });
  bundling.catch(() => undefined);
  const { Miniflare, convertV4MiniflareOptions } = require("miniflare");
  const { code, gzip } = await bundling;
  if (persist) mkdirSync(persist, { recursive: true });
  const options = convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: port ?? 0,
    cf: false,
    ...(persist ? { resourcePersistencePath: persist, isolatedResourcePersistencePath: persist } : {}),
    logRequests: false,
    unsafeTriggerHandlers: false,
    workers: [
      {
        name: "service",
        compatibilityDate,
        d1Databases: database ? { [database]: database } : {},
        modules: [{ type: "ESModule", path: "index.mjs", contents: code }],
        compatibilityFlags,
        bindings,
        serviceBindings: Object.fromEntries(Object.keys(bound ?? {}).map((name) => [name, boundName(name)])),
        ...bindingsOf(sections ?? {}, directory, mailable),
        // The Worker's own socket: Miniflare's front would add a hop, and error pages that production does not have.
        ...(port ? {} : { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] }),
      },
      ...Object.entries(bound ?? {}).map(([name, contents]) => ({
        name: boundName(name),
        compatibilityDate,
        compatibilityFlags,
        modules: [{ type: "ESModule", path: "bound.mjs", contents }],
        bindings,
      })),
      ...(database
        ? [
            {
              name: DATABASE,
              compatibilityDate,
              modules: [{ type: "ESModule", path: "database.mjs", contents: databaseWorker }],
              compatibilityFlags: ["service_binding_extra_handlers"],
              d1Databases: { DB: database },
              queueProducers: bindingsOf({ queues: { producers: sections?.queues?.producers } }, directory).queueProducers ?? {},
              serviceBindings: { SERVICE: "service" },
              bindings: { SECRET: secret },
              unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
            },
          ]
        : []),
    ],
  });
  if (miniflare === undefined) miniflare = new Miniflare(options);
  else await miniflare.setOptions(options);
  const front = await miniflare.ready;
  const url = port ? front : await miniflare.unsafeGetDirectURL("service");
  if (database) databaseUrl = await miniflare.unsafeGetDirectURL(DATABASE);
  const applied = database ? await migrate(path.join(directory, "migrations")) : [];
  return { url: url.href, gzip, applied };
}

const methods = {
  ping: async () => ({}),
  bundle: async (request) => ({ gzip: (await bundle(request)).gzip }),
  serve,
  // Only for what no request can do: a role given by whoever runs the service.
  query: async ({ sql, values }) => ({ rows: (await run([{ sql, values }]))[0] }),
  scheduled: async ({ cron }) => ({ failure: await run({ cron }) }),
  // A message as it comes when a queue delivers it once more.
  delivered: async ({ queue, message }) => {
    await run({ queue, message });
    return {};
  },
  // A fresh, empty database for the next service: everything in memory goes with the instance.
  reset: async () => {
    const old = miniflare;
    miniflare = undefined;
    // One that never started cannot be ended, and says so.
    await old?.dispose().catch(() => undefined);
    return {};
  },
};

await driven(methods, async () => miniflare?.dispose());
