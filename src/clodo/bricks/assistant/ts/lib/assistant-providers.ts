import type { Env } from "../env";
import { Failure, type Question, type Reply, bounded, chosen, objectOf, parsed } from "./assistant-answers";
import { Redaction } from "./assistant-redaction";
import type { Settings } from "./assistant-settings";

/** One way to a model. */
export type Provider = (env: Env, settings: Settings, question: Question, signal: AbortSignal) => Promise<Reply>;

/** The ways to a model, by the names that ASSISTANT_PROVIDERS has for them. */
export const PROVIDERS: Readonly<Record<string, Provider>> = { edge, "workers-ai": workersAi, openai };

/** A model in a Worker of your own, over the service binding MODEL: nothing leaves your Workers. */
async function edge(env: Env, settings: Settings, question: Question, signal: AbortSignal): Promise<Reply> {
  if (env.MODEL === undefined) throw new Failure("not-set-up");
  const model = env.MODEL;
  const send = (request: Request): Promise<Response> => model.fetch(request);
  return chat({ send, base: "https://model/v1", key: env.ASSISTANT_EDGE_KEY, model: "default" }, settings, question, signal);
}

/** Any endpoint that speaks OpenAI's chat completions. One that is not on this machine is shown what the policy lets out. */
async function openai(env: Env, settings: Settings, question: Question, signal: AbortSignal): Promise<Reply> {
  if (!URL.canParse(env.ASSISTANT_OPENAI_URL)) throw new Failure("not-set-up");
  const { hostname, protocol } = new URL(env.ASSISTANT_OPENAI_URL);
  const endpoint: Endpoint = {
    send: (request) => fetch(request),
    base: env.ASSISTANT_OPENAI_URL.replace(/\/+$/, ""),
    key: env.ASSISTANT_OPENAI_KEY,
    model: env.ASSISTANT_OPENAI_MODEL || "default",
  };
  if (hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]") return chat(endpoint, settings, question, signal);
  return abroad(settings, question, (shown) => {
    if (protocol !== "https:") throw new Failure("not-set-up");
    return chat(endpoint, settings, shown, signal);
  });
}

/** Workers AI, over the binding AI. It is no Worker of yours, so the policy decides what it is shown. */
async function workersAi(env: Env, settings: Settings, question: Question): Promise<Reply> {
  if (env.AI === undefined || !env.ASSISTANT_WORKERS_AI_MODEL) throw new Failure("not-set-up");
  const { AI: binding, ASSISTANT_WORKERS_AI_MODEL: model } = env;
  return abroad(settings, question, async (shown) => {
    const answer = await binding
      .run(model, {
        messages: messagesOf(shown),
        max_tokens: shown.tokens,
        temperature: 0,
        ...(shown.schema === undefined ? {} : { response_format: { type: "json_schema", json_schema: shown.schema } }),
      })
      .catch((error: unknown) => {
        // The binding tells in words alone what was wrong: 3006 is a request that is too large.
        throw new Failure(/\b(3006|context)\b/i.test(String(error)) ? "too-long" : "unavailable");
      });
    const said = chosen(answer);
    const content = (answer as { response?: unknown } | null)?.response ?? said.content;
    if (content === undefined || content === null) throw new Failure("invalid-answer");
    return { ...said, model, content: contentFor(shown, content) };
  });
}

/** Asks somebody else's model: never under `local-only`, and under `redacted` with placeholders, which its answer gives back. */
async function abroad(settings: Settings, question: Question, run: (shown: Question) => Promise<Reply>): Promise<Reply> {
  if (settings.privacy === "open") return run(question);
  if (settings.privacy === "local-only") throw new Failure("privacy");
  const redaction = new Redaction(question.text);
  const reply = await run({ ...question, text: redaction.text });
  return { ...reply, content: redaction.restored(reply.content) };
}

interface Endpoint {
  readonly send: (request: Request) => Promise<Response>;
  readonly base: string;
  readonly key: string | undefined;
  readonly model: string;
}

/** What endpoints have refused, by their addresses: a JSON Schema (the instructions have to do then, and the check), probabilities. */
const refused = new Map<string, Set<string>>();

const TOO_LONG = /context[ _](?:length|size|window)|max_new_tokens|less than \d+ tokens/i;

const messagesOf = ({ system, text }: Question) => [
  { role: "system", content: system },
  { role: "user", content: text },
];

const contentFor = (question: Question, content: unknown): unknown => (question.schema === undefined ? content : objectOf(content));

/** What is asked for beside the answer, without what the endpoint has refused. */
function optionsOf(base: string, settings: Settings, { schema }: Question): Record<string, unknown> {
  const wanted = {
    ...(schema === undefined ? {} : { response_format: { type: "json_schema", json_schema: { name: "answer", schema } } }),
    ...(settings.confidence === null ? {} : { logprobs: true }),
  };
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => !refused.get(base)?.has(name)));
}

async function chat(endpoint: Endpoint, settings: Settings, question: Question, signal: AbortSignal): Promise<Reply> {
  const { send, base, key, model } = endpoint;
  const options = optionsOf(base, settings, question);
  const response = await send(
    new Request(`${base}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) },
      body: JSON.stringify({ model, messages: messagesOf(question), max_tokens: question.tokens, temperature: 0, ...options }),
      // Nobody knows where a redirect leads.
      redirect: "manual",
      signal,
    }),
  );
  const text = await bounded(response);
  const unfit = response.status === 400 || response.status === 422;
  if (response.status === 413 || (unfit && TOO_LONG.test(text))) throw new Failure("too-long");
  if (response.status === 429 || response.status >= 500) throw new Failure("unavailable");
  const named = unfit ? Object.keys(options).filter((name) => text.includes(name)) : [];
  if (named.length > 0) {
    refused.set(base, new Set([...(refused.get(base) ?? []), ...named]));
    return chat(endpoint, settings, question, signal);
  }
  if (response.status !== 200) throw new Failure("refused");
  const answer = parsed(text) as { model?: unknown } | null;
  const said = chosen(answer);
  if (typeof said.content !== "string") throw new Failure("invalid-answer");
  const name = answer?.model;
  return {
    ...said,
    model: typeof name === "string" && /^[\w@/.:+-]{1,100}$/.test(name) ? name : model,
    content: contentFor(question, said.content),
  };
}
