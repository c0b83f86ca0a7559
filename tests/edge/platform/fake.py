"""A bundle without a model: a front that echoes, and a Worker behind it that counts, each with weights and WebAssembly."""

from __future__ import annotations

from clodo.edge.bundle import Bundle, WorkerFiles
from clodo.edge.shared_ts import shared_sources

# A module with nothing but a memory of 16 pages (1 MiB), exported as "memory".
WASM = bytes.fromhex("0061736d01000000" "0503010010" "070a01066d656d6f72790200")

WEIGHTS = bytes(range(256)) * 2400  # 600 KiB: more than two reads of the loader

FRONT = """
import module from "./fake.wasm";
import { answer, json, readObject, type Front, type FrontEnv } from "./shared/front";
import { eventStream } from "./shared/events";
import { Loading } from "./shared/loading";
import { Metrics } from "./shared/metrics";
import { Problem } from "./shared/problems";
import { Queue } from "./shared/queue";
import { loadWeights, type WeightsEnv } from "./shared/weights";
import type { Layers } from "./types";

interface Env extends FrontEnv, WeightsEnv {
  readonly LAYERS: Fetcher & Layers;
  readonly MODEL: string;
  readonly PAUSE_MS: string;
  readonly ARRIVALS?: D1Database;
}

const memory = new WebAssembly.Instance(module, {}).exports["memory"] as WebAssembly.Memory;
const metrics = new Metrics();
const queue = new Queue(1, 3);
metrics.gauge("edge_queue_waiting", () => queue.waiting);
let loading: Loading<number> | undefined;
const ended: string[] = [];
let healths = 0;

const loaded = (env: Env): Loading<number> =>
  (loading ??= new Loading(async ({ step, beat }) => {
    await scheduler.wait(Number(env.PAUSE_MS));
    await loadWeights(env, "table.bin", memory, 1024, 614_400, beat);
    step();
    return new Uint8Array(memory.buffer, 1024, 614_400).reduce((sum, byte) => (sum + byte) % 65_521, 0);
  }));

async function echo(request: Request, env: Env): Promise<Response> {
  const { text, ms } = await readObject(request);
  if (typeof text !== "string") throw new Problem(422, "text must be a string.", { param: "text" });
  const sum = await loaded(env).whole();
  const order = await queue.run(async (place) => {
    try {
      for (let left = Number(ms ?? 0); left > 0 && !request.signal.aborted; left -= 20) {
        place.beat();
        await scheduler.wait(20);
      }
      using session = await env.LAYERS.open();
      return await session.next();
    } finally {
      ended.push(text);
    }
  }, request.signal);
  return json({ text, sum, order, model: env.MODEL, provider: "edge" });
}

async function chat(request: Request, _env: Env, context: ExecutionContext): Promise<Response> {
  const { count, fail } = await readObject(request);
  return eventStream(context, async (send) => {
    try {
      for (let i = 0; i < Number(count); i++) {
        await send({ i });
        await scheduler.wait(10);
      }
      if (fail === true) throw new Problem(503, "It broke.");
      await send("[DONE]");
    } finally {
      ended.push("chat");
    }
  });
}

async function sql(request: Request, env: Env): Promise<Response> {
  const { statement } = await readObject(request);
  return json((await env.ARRIVALS?.prepare(String(statement)).all())?.results ?? null);
}

async function complete(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const { prompt, max_tokens, stream } = await readObject(request);
  await loaded(env).whole();
  const words = String(prompt).split(" ").length;
  const usage = { prompt_tokens: words, completion_tokens: Number(max_tokens) };
  if (stream !== true) return json({ choices: [{ text: "x" }], usage });
  return eventStream(context, async (send) => {
    await scheduler.wait(words);
    for (let i = 0; i < Number(max_tokens); i++) {
      await send({ choices: [{ text: "x" }] });
      await scheduler.wait(5);
    }
    await send({ choices: [], usage });
    await send("[DONE]");
  });
}

const front: Front<Env> = {
  routes: [
    { method: "POST", path: "/v1/completions", answer: complete },
    { method: "POST", path: "/v1/echo", answer: echo },
    { method: "POST", path: "/v1/chat/completions", answer: chat },
    { method: "POST", path: "/v1/sql", answer: sql },
    { method: "GET", path: "/v1/ended", answer: async () => json({ ended, healths, busy: queue.busy, waiting: queue.waiting }) },
  ],
  document: { openapi: "3.1.0" },
  metrics,
  ready: () => {
    healths += 1;
    return loading?.ready ?? false;
  },
  load: (env) => loaded(env).start(),
};

export default {
  fetch: (request, env, context) => answer(front, request, env, context),
} satisfies ExportedHandler<Env>;
"""

TYPES = """
export interface Session extends Disposable {
  next(): Promise<number>;
}

export interface Layers {
  open(): Promise<Session>;
}
"""

LAYERS = """
import module from "./fake.wasm";
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

const memory = new WebAssembly.Instance(module, {}).exports["memory"] as WebAssembly.Memory;
let count = 0;

class Session extends RpcTarget {
  next(): number {
    if (memory.buffer.byteLength < 1024) memory.grow(160);
    return ++count;
  }
}

export default class extends WorkerEntrypoint {
  open(): Session {
    return new Session();
  }
}
"""


def fake_bundle(*, pause_ms: int = 0) -> Bundle:
    """The bundle; loading waits ``pause_ms`` first."""
    front = WorkerFiles(
        "front",
        {"src/index.ts": FRONT, "src/types.ts": TYPES, "src/fake.wasm": WASM, **shared_sources()},
        planned_mb=9,
        assets={"table.bin": WEIGHTS},
        services={"LAYERS": "layers-0"},
        variables={"MODEL": "fake 1", "PAUSE_MS": str(pause_ms)},
    )
    layers = WorkerFiles(
        "layers-0", {"src/index.ts": LAYERS, "src/fake.wasm": WASM}, planned_mb=8, assets={"layer.bin": WEIGHTS}
    )
    return Bundle("llama", "fake 1", (front, layers), ("/v1/chat/completions", "/v1/completions", "/v1/echo"))
