/// <reference lib="esnext.disposable" />
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { Engine } from "./engine";
import { plan } from "./plan";
import { letGo, Sent } from "./stage";
import type { WeightsEnv } from "./shared/weights";

let engine: Engine | undefined;

/** The isolate's engine, made at the first request: a Worker does little before one. */
const here = (): Engine => (engine ??= new Engine(plan));

/** A conversation's way to these rows. Nothing of one is kept but what was sent last. */
class RowsSession extends RpcTarget {
  #sent = new Sent();

  /** The states of tokens before the first layer; token 0 is the first of these rows. */
  async embed(tokens: readonly number[]): Promise<Uint8Array> {
    await here().vocabularyReady();
    this.#sent.letGo();
    return this.#sent.keep(here().embed(tokens));
  }

  /** The scores of these rows after a token's last state: f32 for each row. */
  async score(state: Uint8Array): Promise<Uint8Array> {
    await here().vocabularyReady();
    this.#sent.letGo();
    here().setStates(state);
    letGo(state);
    const { buffer, byteOffset, byteLength } = here().logits();
    return this.#sent.keep(new Uint8Array(buffer, byteOffset, byteLength).slice());
  }

  close(): void {
    this.#sent.letGo();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Some rows of a model's vocabulary. Only the front reaches it, over a service binding; HTTP gets nothing. */
export default class RowsWorker extends WorkerEntrypoint<WeightsEnv> {
  /** One session for each request, whose calls are then none of their own. */
  open(): RowsSession {
    this.ctx.waitUntil(here().load(this.env));
    return new RowsSession();
  }

  /** Loads, and returns when all is there. */
  async warm(): Promise<void> {
    this.ctx.waitUntil(here().load(this.env));
    await here().whole();
  }

  override fetch(): Response {
    return new Response(null, { status: 404 });
  }
}
