import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { Problem } from "./problem";

/** What a model is asked: what to do, the text that it is about, and the JSON Schema of its answer, where that is JSON. */
export interface Question {
  readonly system: string;
  readonly text: string;
  readonly schema?: object;
  readonly tokens: number;
}

/** A provider that was asked in vain, and why. */
export interface Tried {
  readonly provider: string;
  readonly reason: Reason;
}

/** An answer that was checked, and who gave it. */
export interface Answered<Value> {
  readonly value: Value;
  readonly by: { readonly model: string; readonly provider: string; readonly tried: readonly Tried[] };
}

type Reason =
  | "not-set-up" | "privacy" | "circuit-open" | "too-long" | "unavailable" | "timeout" | "refused" | "invalid-answer";

const STATUS: Readonly<Record<Reason, number>> = {
  "not-set-up": 503, privacy: 503, "circuit-open": 503, "too-long": 422, unavailable: 502, timeout: 504, refused: 502, "invalid-answer": 502,
};

const DETAIL: Readonly<Record<Reason, string>> = {
  "not-set-up": "No model is bound to this service.",
  privacy: "The privacy policy of this service does not let its model be asked.",
  "circuit-open": "The model failed several times in a row. Try again later.",
  "too-long": "The text is too long for the model.",
  unavailable: "The model cannot be reached.",
  timeout: "The model did not answer in time.",
  refused: "The model refused the request.",
  "invalid-answer": "The model gave an answer that does not hold up.",
};

class Failure extends Error {
  constructor(readonly reason: Reason, readonly wait = 0) {
    super(reason);
  }
}

/** Thrown by whoever checks an answer that does not hold up. */
export class Unsound extends Failure {
  constructor() {
    super("invalid-answer");
  }
}

interface Reply {
  readonly model: string;
  readonly content: unknown;
}

type Provider = (env: Env, question: Question, signal: AbortSignal) => Promise<Reply>;

const PROVIDERS: Readonly<Record<string, Provider>> = { edge, "workers-ai": workersAi, openai };

const MOST_BYTES = 256 * 1024;
/** A provider that fails so often in a row is left alone for a while. Each isolate counts for itself. */
const MOST_FAILURES = 3;
const PAUSE_MILLISECONDS = 30_000;
const RETRY_MILLISECONDS = 200;

const health = new Map<string, { failures: number; until: number }>();

/**
 * Asks the providers of ASSISTANT_PROVIDERS in their order, until one gives an answer that `check` takes. Whatever a model
 * says is only data: `check` makes of it what it should be, or throws `Unsound`.
 */
export async function ask<Value>(
  c: Context<AppEnv>,
  question: Question,
  check: (answer: unknown) => Value,
): Promise<Answered<Value>> {
  const end = Date.now() + seconds(c.env) * 1000;
  const tried: Tried[] = [];
  let last = new Failure("not-set-up");
  for (const provider of c.env.ASSISTANT_PROVIDERS.split(",").map((name) => name.trim())) {
    try {
      const { model, content } = await guarded(c.env, provider, question, end);
      return { value: check(content), by: { model, provider, tried } };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      last = error;
      tried.push({ provider, reason: error.reason });
    }
  }
  const { reason, wait } = last;
  throw new Problem(STATUS[reason], DETAIL[reason], [], wait > 0 ? { "retry-after": String(wait) } : {});
}

const seconds = (env: Env): number => {
  const given = Number(env.ASSISTANT_SECONDS);
  return given > 0 && given <= 300 ? given : 20;
};

/** One provider behind its circuit breaker; what may pass is tried a second time. */
async function guarded(env: Env, name: string, question: Question, end: number): Promise<Reply> {
  const provider = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (provider === undefined) throw new Failure("not-set-up");
  const state = health.get(name) ?? { failures: 0, until: 0 };
  health.set(name, state);
  const now = Date.now();
  if (now < state.until) throw new Failure("circuit-open", Math.ceil((state.until - now) / 1000));
  // The next one is the trial: until it has ended, the others stay away.
  if (state.failures >= MOST_FAILURES) state.until = now + PAUSE_MILLISECONDS;
  for (let retry = false; ; retry = true) {
    try {
      const reply = await inTime(end, (signal) => provider(env, question, signal));
      health.delete(name);
      return reply;
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure("unavailable");
      if (failure.reason === "unavailable" && !retry && Date.now() + RETRY_MILLISECONDS < end) {
        await scheduler.wait(RETRY_MILLISECONDS);
        continue;
      }
      if (failure.reason === "unavailable" || failure.reason === "timeout") {
        state.failures += 1;
        if (state.failures >= MOST_FAILURES) state.until = Date.now() + PAUSE_MILLISECONDS;
      } else {
        health.delete(name);
      }
      throw failure;
    }
  }
}

async function inTime<Value>(end: number, run: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const left = end - Date.now();
  if (left <= 0) throw new Failure("timeout");
  const controller = new AbortController();
  let timer: number | null = null;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Failure("timeout"));
      controller.abort();
    }, left);
  });
  try {
    return await Promise.race([run(controller.signal), over]);
  } finally {
    clearTimeout(timer);
  }
}

/** A model in a Worker of your own, over the service binding MODEL: nothing leaves your Workers. */
async function edge(env: Env, question: Question, signal: AbortSignal): Promise<Reply> {
  if (env.MODEL === undefined) throw new Failure("not-set-up");
  const model = env.MODEL;
  const send = (request: Request): Promise<Response> => model.fetch(request);
  return chat(send, "https://model/v1", env.ASSISTANT_EDGE_KEY, "default", question, signal);
}

/** Any endpoint that speaks OpenAI's chat completions. Unless the policy is open, it must be on this machine. */
async function openai(env: Env, question: Question, signal: AbortSignal): Promise<Reply> {
  if (!URL.canParse(env.ASSISTANT_OPENAI_URL)) throw new Failure("not-set-up");
  const { hostname, protocol } = new URL(env.ASSISTANT_OPENAI_URL);
  const local = hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
  if (!local && env.ASSISTANT_PRIVACY !== "open") throw new Failure("privacy");
  if (!local && protocol !== "https:") throw new Failure("not-set-up");
  const base = env.ASSISTANT_OPENAI_URL.replace(/\/+$/, "");
  return chat((request) => fetch(request), base, env.ASSISTANT_OPENAI_KEY, env.ASSISTANT_OPENAI_MODEL || "default", question, signal);
}

/** Workers AI, over the binding AI. It is no Worker of yours, so the policy must be open. */
async function workersAi(env: Env, question: Question): Promise<Reply> {
  if (env.AI === undefined || !env.ASSISTANT_WORKERS_AI_MODEL) throw new Failure("not-set-up");
  if (env.ASSISTANT_PRIVACY !== "open") throw new Failure("privacy");
  const answer = await env.AI.run(env.ASSISTANT_WORKERS_AI_MODEL, {
    messages: messagesOf(question),
    max_tokens: question.tokens,
    temperature: 0,
    ...(question.schema === undefined ? {} : { response_format: { type: "json_schema", json_schema: question.schema } }),
  }).catch((error: unknown) => {
    // The binding tells in words alone what was wrong: 3006 is a request that is too large.
    throw new Failure(/\b(3006|context)\b/i.test(String(error)) ? "too-long" : "unavailable");
  });
  const found = answer as { response?: unknown; choices?: unknown } | null;
  const content = found?.response ?? contentOf(found);
  if (content === undefined || content === null) throw new Failure("invalid-answer");
  return { model: env.ASSISTANT_WORKERS_AI_MODEL, content };
}

/** Endpoints that take no JSON Schema: there the instructions have to do, and the check. */
const schemaless = new Set<string>();

const messagesOf = ({ system, text }: Question) => [
  { role: "system", content: system },
  { role: "user", content: text },
];

async function chat(
  send: (request: Request) => Promise<Response>,
  base: string,
  key: string | undefined,
  model: string,
  question: Question,
  signal: AbortSignal,
): Promise<Reply> {
  const response = await send(
    new Request(`${base}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) },
      body: JSON.stringify({
        model,
        messages: messagesOf(question),
        max_tokens: question.tokens,
        temperature: 0,
        ...(question.schema === undefined || schemaless.has(base)
          ? {}
          : { response_format: { type: "json_schema", json_schema: { name: "answer", schema: question.schema } } }),
      }),
      // Nobody knows where a redirect leads.
      redirect: "manual",
      signal,
    }),
  );
  const text = await bounded(response);
  if (response.status === 413 || (response.status === 400 && /context_length_exceeded|exceed_context_size/.test(text))) {
    throw new Failure("too-long");
  }
  if (response.status === 429 || response.status >= 500) throw new Failure("unavailable");
  if (response.status === 400 && text.includes("response_format") && !schemaless.has(base)) {
    schemaless.add(base);
    return chat(send, base, key, model, question, signal);
  }
  if (response.status !== 200) throw new Failure("refused");
  const answer = parsed(text) as { model?: unknown } | null;
  const content = contentOf(answer);
  if (typeof content !== "string") throw new Failure("invalid-answer");
  const name = answer?.model;
  return { model: typeof name === "string" && /^[\w@/.:+-]{1,100}$/.test(name) ? name : model, content };
}

function contentOf(answer: unknown): unknown {
  const choices = (answer as { choices?: unknown } | null)?.choices;
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return (first as { message?: { content?: unknown } } | null | undefined)?.message?.content;
}

/** The text of an answer that is not endless. */
async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).byteLength;
    if (size > MOST_BYTES) throw new Failure("invalid-answer");
    text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure("invalid-answer");
  }
}

/** The JSON object that a model wrote, out of the fence that it may have put around it. */
export function objectOf(content: unknown): Record<string, unknown> {
  const value =
    typeof content === "string" ? parsed(content.trim().replace(/^```(?:json)?\s*\n([\s\S]*?)\n?```$/, "$1")) : content;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unsound();
  return value as Record<string, unknown>;
}

/** The text that a model wrote: at most so many characters, and none that only terminals understand. */
export function textOf(content: unknown, most: number): string {
  if (typeof content !== "string" || content.length > most) throw new Unsound();
  const text = content.trim();
  if (text === "" || !text.isWellFormed() || /[^\P{Cc}\n\t]/u.test(text)) throw new Unsound();
  return text;
}
