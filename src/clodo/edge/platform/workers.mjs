// One long-lived Node process that runs the Workers of an edge model, driven over JSON lines: a request
// {"id", "method", ...} on stdin is answered by {"id", "ok", ...} on stdout. It ends with stdin.
//
// All Workers share one workerd, as they would share a machine, except those that are to be killed alone: each of these has a
// workerd of its own, and they find each other through Miniflare's registry.
import { createRequire } from "node:module";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { setTimeout } from "node:timers/promises";
import path from "node:path";
import { bundled, driven } from "../../proof/driven.mjs";
import { inspect } from "./inspector.mjs";

const modules = process.argv[2];
const require = createRequire(path.join(modules, "noop.js"));
const esbuild = require("esbuild");
// Loading it takes longest; it is done while Python is still getting ready, and at the latest when it is asked for.
setImmediate(() => require("miniflare"));

// One Worker: its script, and beside it the WebAssembly modules that the script imports, by name.
async function bundle({ directory, configuration: { main } }) {
  const wasm = new Map();
  const aside = {
    name: "wasm",
    setup(build) {
      build.onResolve({ filter: /\.wasm$/ }, ({ path: name, resolveDir }) => {
        const file = path.resolve(resolveDir, name);
        const known = `./${path.relative(directory, file).replaceAll(path.sep, "-")}`;
        wasm.set(known.slice(2), readFileSync(file));
        return { path: known, external: true };
      });
    },
  };
  const code = await bundled(esbuild, directory, main, { plugins: [aside] });
  const gzip = [Buffer.from(code), ...wasm.values()].reduce((sum, bytes) => sum + gzipSync(bytes).byteLength, 0);
  return { code, wasm, gzip };
}

const named = (list, value) => Object.fromEntries((list ?? []).map((item) => [item.binding, value(item)]));

// What wrangler.jsonc says, as Miniflare wants it.
async function optionsOf({ directory, configuration, secrets }) {
  const { name, main, compatibility_date, compatibility_flags, vars, services, assets, r2_buckets, kv_namespaces, d1_databases } = configuration;
  const { code, wasm, gzip } = await bundle({ directory, configuration: { main } });
  const options = {
    name,
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags ?? [],
    modules: [
      { type: "ESModule", path: "index.mjs", contents: code },
      ...[...wasm].map(([file, contents]) => ({ type: "CompiledWasm", path: file, contents })),
    ],
    bindings: { ...vars, ...secrets },
    serviceBindings: named(services, ({ service }) => service),
    r2Buckets: named(r2_buckets, ({ bucket_name, binding }) => bucket_name ?? binding),
    kvNamespaces: named(kv_namespaces, ({ id, binding }) => id ?? binding),
    d1Databases: named(d1_databases, ({ database_name, binding }) => database_name ?? binding),
    ...(assets
      ? {
          assets: {
            directory: path.resolve(directory, assets.directory),
            binding: assets.binding,
            routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: assets.run_worker_first === true },
          },
        }
      : {}),
    // The Worker's own socket: Miniflare's front would add a hop, and error pages that production does not have.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
  return { options, gzip };
}

/** Running Miniflares: what they serve, and how to start them again. */
let groups = [];
let registry;

async function start(group) {
  const { Miniflare, convertV4MiniflareOptions } = require("miniflare");
  const options = {
    host: "127.0.0.1",
    port: group.port ?? 0,
    cf: false,
    logRequests: false,
    inspectorPort: 0,
    ...(group.persist ? { resourcePersistencePath: group.persist, isolatedResourcePersistencePath: group.persist } : {}),
    ...(registry ? { unsafeDevRegistryPath: registry, unsafeHandleDevRegistryUpdate: (seen) => (group.seen = seen) } : {}),
    workers: group.workers,
  };
  group.miniflare = new Miniflare(convertV4MiniflareOptions(options));
  await group.miniflare.ready;
}

async function serve({ workers, port, persist }) {
  // What does not bundle leaves running what runs.
  const built = await Promise.all(workers.map(optionsOf));
  await reset();
  const together = workers.flatMap(({ apart }, i) => (apart ? [] : [built[i].options]));
  const apart = workers.flatMap((worker, i) => (worker.apart ? [{ workers: [built[i].options] }] : []));
  if (apart.length > 0) registry = mkdtempSync(path.join(tmpdir(), "registry-"));
  groups = [...apart, { workers: together, port, persist }];
  for (const group of groups) await start(group);
  for (const { directory, configuration } of workers) await fill(directory, configuration);
  const main = groups.at(-1).miniflare;
  const url = port ? await main.ready : await main.unsafeGetDirectURL(workers[0].configuration.name);
  return { url: url.href, gzip: Object.fromEntries(workers.map(({ configuration }, i) => [configuration.name, built[i].gzip])) };
}

// Puts the weights of a Worker that reads them from a bucket into the bucket that it has here.
async function fill(directory, { name, vars, r2_buckets }) {
  const folder = path.join(directory, "assets");
  if (!r2_buckets?.some(({ binding }) => binding === "WEIGHTS") || !existsSync(folder)) return;
  const bucket = await groupOf(name).miniflare.getR2Bucket("WEIGHTS", name);
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
    const bytes = readFileSync(path.join(file.parentPath, file.name));
    const key = `${vars?.WEIGHTS_PREFIX ?? ""}${path.relative(folder, path.join(file.parentPath, file.name)).replaceAll(path.sep, "/")}`;
    await bucket.put(key, bytes);
  }
}

const groupOf = (name) => {
  const found = groups.find((group) => group.workers.some((worker) => worker.name === name));
  if (found === undefined) throw new Error(`no Worker is called ${name}`);
  return found;
};

function aloneGroup(name) {
  const group = groupOf(name);
  if (group === groups.at(-1)) throw new Error(`${name} shares its process with others and cannot be killed alone`);
  return group;
}

async function kill({ name }) {
  const group = aloneGroup(name);
  const old = group.miniflare;
  group.miniflare = undefined;
  await old?.dispose();
  return {};
}

async function revive({ name }) {
  const group = aloneGroup(name);
  if (group.miniflare !== undefined) return {};
  await start(group);
  await found(name);
  return {};
}

// Waits until all who call a Worker have learnt its new address.
async function found(name) {
  const address = JSON.parse(readFileSync(path.join(registry, name), "utf8")).debugPortAddress;
  const callers = groups.filter(({ miniflare, workers }) => miniflare && workers.some((w) => Object.values(w.serviceBindings).includes(name)));
  const deadline = Date.now() + 10_000;
  while (!callers.every(({ seen }) => seen?.[name]?.debugPortAddress === address)) {
    if (Date.now() > deadline) throw new Error(`${name} runs again, and its callers do not find it`);
    await setTimeout(20);
  }
  // They pass it on to their own workerd right after.
  await setTimeout(100);
}

async function inspectors() {
  const running = groups.flatMap(({ miniflare }) => (miniflare ? [miniflare] : []));
  const names = new Set(groups.flatMap(({ workers }) => workers.map(({ name }) => name)));
  const found = await Promise.all(
    running.map(async (miniflare) => {
      const { host } = new URL(await miniflare.getInspectorURL());
      const list = await (await fetch(`http://${host}/json/list`)).json();
      return list.map(({ id, webSocketDebuggerUrl }) => ({ name: id.replace(/^core:user:/, ""), url: webSocketDebuggerUrl }));
    }),
  );
  return found.flat().filter(({ name }) => names.has(name));
}

/** Open inspectors that are sampled, and the most that each has seen. */
let watched;

async function watch({ ms }) {
  await unwatch();
  const open = await Promise.all((await inspectors()).map(async ({ name, url }) => ({ name, inspector: await inspect(url), peak: 0 })));
  watched = { open, on: true };
  const mine = watched;
  // Each by itself: one that computes answers late, and must not hold up the others.
  mine.loops = open.map(async (isolate) => {
    while (mine.on) {
      const heap = await isolate.inspector.heap().catch(() => 0);
      isolate.peak = Math.max(isolate.peak, heap);
      await setTimeout(ms);
    }
  });
  return {};
}

async function unwatch() {
  if (watched === undefined) return { isolates: [] };
  const { open, loops } = watched;
  watched.on = false;
  watched = undefined;
  await Promise.all(loops);
  const isolates = await Promise.all(
    open.map(async ({ name, inspector, peak }) => {
      const last = await inspector.heap();
      const wasm = await inspector.wasm();
      inspector.close();
      return { name, heap: Math.max(peak, last), wasm };
    }),
  );
  return { isolates };
}

async function reset() {
  await unwatch().catch(() => undefined);
  const old = groups;
  groups = [];
  await Promise.all(old.map(({ miniflare }) => miniflare?.dispose().catch(() => undefined)));
  if (registry) rmSync(registry, { recursive: true, force: true });
  registry = undefined;
  return {};
}

const methods = {
  serve,
  kill,
  revive,
  watch,
  unwatch,
  reset,
  size: async (request) => ({ gzip: (await bundle(request)).gzip }),
  scheduled: async ({ name, cron, time }) => {
    const worker = await groupOf(name).miniflare.getWorker(name);
    const { outcome } = await worker.scheduled({ cron, scheduledTime: new Date(time) });
    if (outcome !== "ok") throw new Error(`the handler of cron ended with ${outcome}`);
    return {};
  },
};

await driven(methods, reset);
