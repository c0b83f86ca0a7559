import { Dialect } from "./answers";
import { Decoder } from "./decoder";
import { Engine, readBlob } from "./engine";
import openapi from "./openapi.json";
import { generate, type Part, type Ending } from "./generate";
import type { Plan, TextPlan } from "./plan_types";
import { RemoteStage, type LayersBinding } from "./remote";
import { readChat, readCompletion, type Request as Asked } from "./requests";
import { LocalStage, type Stage } from "./stage";
import { Tokenizer } from "./tokenizer";
import { LocalVocabulary, RemoteVocabulary, type RowsBinding } from "./vocabulary";
import { type Send, eventStream } from "./shared/events";
import { type Front, type FrontEnv, json, readObject, type Route } from "./shared/front";
import { Loading } from "./shared/loading";
import { Metrics } from "./shared/metrics";
import { Problem } from "./shared/problems";
import { type Place, Queue } from "./shared/queue";
import type { WeightsEnv } from "./shared/weights";

/** What the front is bound to: its key and weights, and the other Workers under the names that the plan gives. */
export type Env = FrontEnv & WeightsEnv & Readonly<Record<string, unknown>>;

/** How many requests may wait. */
const WAITING = 24;

/** Bodies are read a few at a time: who waits has no more here than its tokens. */
const ARRIVING = 4;

/** A language model behind OpenAI's two ways to ask. One of these lives as long as its isolate. */
export class Service implements Front<Env> {
  readonly document = openapi;
  readonly metrics = new Metrics();
  readonly routes: readonly Route<Env>[];
  readonly decoder: Decoder;
  #plan: Plan;
  #text: TextPlan;
  #engine: Engine;
  #queue: Queue;
  #arriving = new Queue(ARRIVING, WAITING);
  #tokenizer: Loading<Tokenizer>;
  #remote: readonly RemoteStage[];
  #warm: Loading<boolean>;
  #env: Env;

  constructor(plan: Plan, text: TextPlan, env: Env) {
    this.#plan = plan;
    this.#text = text;
    this.#env = env;
    this.#engine = new Engine(plan);
    this.#remote = plan.stages.map((binding) => new RemoteStage(env[binding] as LayersBinding));
    const stages: readonly Stage[] = this.#remote.length > 0 ? this.#remote : [new LocalStage(this.#engine)];
    const rows = plan.tables.length > 0 ? new RemoteVocabulary(this.#engine, (binding) => env[binding] as RowsBinding) : undefined;
    this.decoder = new Decoder(this.#engine, rows ?? new LocalVocabulary(this.#engine), stages);
    this.decoder.onRetry = () => this.metrics.add("edge_retries_total");
    this.#queue = new Queue(plan.slots, WAITING);
    this.#tokenizer = new Loading(async ({ beat }) => new Tokenizer(text, await this.#readTokens(beat)));
    this.#warm = new Loading(async () => {
      await Promise.all([...this.#remote.map((stage) => stage.warm()), rows?.warm()]);
      return true;
    });
    this.metrics.gauge("edge_requests_waiting", () => this.#queue.waiting);
    this.metrics.gauge("edge_requests_running", () => this.#queue.busy);
    this.routes = [
      { method: "POST", path: "/v1/chat/completions", answer: (request, _, context) => this.#answer(request, context, true) },
      { method: "POST", path: "/v1/completions", answer: (request, _, context) => this.#answer(request, context, false) },
      { method: "GET", path: "/v1/models", answer: () => Promise.resolve(this.#models()) },
    ];
  }

  ready(): boolean {
    return this.#engine.ready && this.#tokenizer.ready && (this.#warm.ready || this.decoder.worked);
  }

  async load(env: Env): Promise<void> {
    await Promise.all([this.#tokenizer.start(), this.#engine.load(env), this.#warm.start()]);
  }

  async #answer(request: Request, context: ExecutionContext, chat: boolean): Promise<Response> {
    const tokenizer = await this.#tokenizer.whole();
    const read = chat ? readChat : readCompletion;
    const asked = await this.#arriving.run(
      async () => read(await readObject(request), this.#plan, this.#text, tokenizer),
      request.signal,
    );
    const dialect = new Dialect(chat, this.#plan.model, tokenizer, asked.task.chances);
    const { signal } = request;
    if (!asked.stream) return json(await this.#queue.run((place) => this.#write(asked, dialect, tokenizer, place, signal), signal));
    // Before the stream begins, so that a full queue is still told by the status.
    const place = await this.#queue.enter(signal);
    return eventStream(context, async (send) => {
      try {
        await this.#stream(asked, dialect, tokenizer, place, signal, send);
      } finally {
        place.release();
      }
    });
  }

  async #write(asked: Asked, dialect: Dialect, tokenizer: Tokenizer, place: Place, signal: AbortSignal): Promise<object> {
    const parts: Part[] = [];
    const ending = await this.#run(asked, tokenizer, place, signal, async (part) => void parts.push(part));
    return dialect.whole(parts, asked.task.prompt.length, ending);
  }

  async #stream(asked: Asked, dialect: Dialect, tokenizer: Tokenizer, place: Place, signal: AbortSignal, send: Send): Promise<void> {
    const opening = dialect.opening();
    if (opening !== null) await send(opening);
    const ending = await this.#run(asked, tokenizer, place, signal, (part) => send(dialect.part(part)));
    await send(dialect.closing(ending));
    if (asked.usage) await send(dialect.usage(asked.task.prompt.length, ending));
    await send("[DONE]");
  }

  async #run(asked: Asked, tokenizer: Tokenizer, place: Place, signal: AbortSignal, take: (part: Part) => Promise<void>): Promise<Ending> {
    const beat = (): void => {
      if (signal.aborted) throw new Problem(499, "The caller went away.", { code: "cancelled" });
      place.beat();
    };
    const parts = generate(this.decoder, tokenizer, new Set(this.#text.ends), asked.task, beat);
    try {
      for (;;) {
        const { done, value } = await parts.next();
        if (done) {
          this.#count(asked, value);
          return value;
        }
        await take(value);
      }
    } finally {
      // Whatever ended it, the conversation is closed: its slot must not stay taken.
      await parts.return(undefined as never);
    }
  }

  #count(asked: Asked, ending: Ending): void {
    this.metrics.add("edge_tokens_total", { kind: "prompt" }, asked.task.prompt.length - ending.reused);
    this.metrics.add("edge_tokens_total", { kind: "reused" }, ending.reused);
    this.metrics.add("edge_tokens_total", { kind: "completion" }, ending.completion);
  }

  #models(): Response {
    const model = { id: this.#plan.model, object: "model", owned_by: "edge", context_length: this.#plan.context };
    return json({ object: "list", data: [model] });
  }

  async #readTokens(beat: () => void): Promise<ArrayBuffer> {
    const { tokens } = this.#text;
    const buffer = new ArrayBuffer(tokens.reduce((sum, { bytes }) => sum + bytes, 0));
    await readBlob(this.#env, tokens, { buffer }, 0, beat);
    return buffer;
  }
}
