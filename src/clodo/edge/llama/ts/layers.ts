/// <reference lib="esnext.disposable" />
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import type { Prefix } from "./cache";
import { Engine } from "./engine";
import { plan } from "./plan";
import { letGo, LocalStage, Sent, type StageSession } from "./stage";
import type { WeightsEnv } from "./shared/weights";

let engine: Engine | undefined;
let stage: LocalStage | undefined;

/** The isolate's engine, made at the first request: a Worker does little before one. */
function here(): { readonly engine: Engine; readonly stage: LocalStage } {
  engine ??= new Engine(plan);
  stage ??= new LocalStage(engine);
  return { engine, stage };
}

/** A session as the front holds it. It ends when the front lets go of it, or is gone. */
class LayersSession extends RpcTarget {
  #session: StageSession;
  #sent = new Sent();

  constructor(session: StageSession) {
    super();
    this.#session = session;
  }

  async step(states: Uint8Array, tokens: number, position: number): Promise<Uint8Array> {
    this.#sent.letGo();
    try {
      return this.#sent.keep(await this.#session.step(states, tokens, position));
    } finally {
      letGo(states);
    }
  }

  close(): Promise<void> {
    this.#sent.letGo();
    return this.#session.close();
  }

  [Symbol.dispose](): void {
    void this.close();
  }
}

/** Some layers of a model. Only the front reaches it, over a service binding; HTTP gets nothing. */
export default class LayersWorker extends WorkerEntrypoint<WeightsEnv> {
  /** Opens a session; one stub for each request pins the isolate that holds its keys and values. */
  async open(session: string, prefix: Prefix | null): Promise<{ readonly reused: number; readonly session: LayersSession }> {
    this.ctx.waitUntil(here().engine.load(this.env));
    const opened = await here().stage.open(session, prefix);
    return { reused: opened.reused, session: new LayersSession(opened) };
  }

  /** Loads, and returns when all is there. */
  async warm(): Promise<void> {
    this.ctx.waitUntil(here().engine.load(this.env));
    await here().engine.whole();
  }

  override fetch(): Response {
    return new Response(null, { status: 404 });
  }
}
