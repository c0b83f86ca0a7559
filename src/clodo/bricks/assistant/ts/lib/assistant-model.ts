import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { Failure, type Question, type Reason, type Reply } from "./assistant-answers";
import { PROVIDERS } from "./assistant-providers";
import { type Settings, settingsOf } from "./assistant-settings";
import { Problem } from "./problem";

/** Why an answer that holds up is not the last word while there is another provider to ask. */
type Doubt = "low-confidence" | "cut-off";

/** A provider that did not do, why, and how sure it was where that is known. */
interface Tried {
  readonly provider: string;
  readonly reason: Reason | Doubt;
  readonly confidence: number | null;
}

/** An answer that was checked, who gave it, how sure it was (null: the provider does not tell), and who was asked in vain. */
export interface Answered<Value> {
  readonly value: Value;
  readonly by: { readonly model: string; readonly provider: string; readonly confidence: number | null; readonly tried: readonly Tried[] };
}

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

/** A provider that fails so often in a row is left alone for a while. Each isolate counts for itself. */
const MOST_FAILURES = 3;
const PAUSE_MILLISECONDS = 30_000;
const RETRY_MILLISECONDS = 200;

const health = new Map<string, { failures: number; until: number }>();

/** An answer that holds up, though its provider is in doubt. */
interface Usable<Value> {
  readonly value: Value;
  readonly provider: string;
  readonly place: number;
  readonly reply: Reply;
}

/**
 * Asks the providers of ASSISTANT_PROVIDERS in their order, until one gives an answer that `check` takes and that leaves no
 * doubt; where all leave some, the best of them counts. Whatever a model says is only data: `check` makes of it what it
 * should be, or throws `Unsound`.
 */
export async function ask<Value>(
  c: Context<AppEnv>,
  question: Question,
  check: (answer: unknown) => Value,
): Promise<Answered<Value>> {
  const settings = settingsOf(c.env);
  const end = Date.now() + settings.seconds * 1000;
  const tried: Tried[] = [];
  const usable: Usable<Value>[] = [];
  let last = new Failure("not-set-up");
  for (const [place, provider] of settings.providers.entries()) {
    try {
      // Whoever is silent leaves their share to those who come after.
      const share = (end - Date.now()) / (settings.providers.length - place);
      const reply = await guarded(c.env, settings, provider, question, Date.now() + share);
      const answer = { value: check(reply.content), provider, place, reply };
      const doubt = doubtOf(reply, settings.confidence);
      if (doubt === null) return answered(answer, tried);
      usable.push(answer);
      tried.push({ provider, reason: doubt, confidence: rounded(reply.confidence) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      last = error;
      tried.push({ provider, reason: error.reason, confidence: null });
    }
  }
  if (usable.length > 0) {
    const best = usable.reduce((a, b) => (isBetter(a.reply, b.reply) ? a : b));
    // Nobody was asked after the last one: it was not asked in vain.
    return answered(best, best.place === settings.providers.length - 1 ? tried.slice(0, -1) : tried);
  }
  const { reason, wait } = last;
  throw new Problem(STATUS[reason], DETAIL[reason], [], wait > 0 ? { "retry-after": String(wait) } : {});
}

function doubtOf({ whole, confidence }: Reply, least: number | null): Doubt | null {
  if (!whole) return "cut-off";
  // A provider that tells no probabilities has done with an answer that holds up.
  return least !== null && confidence !== null && confidence < least ? "low-confidence" : null;
}

/** Whether one answer is better than another that came later. */
function isBetter(one: Reply, later: Reply): boolean {
  if (one.whole !== later.whole) return one.whole;
  return (one.confidence ?? 0) > (later.confidence ?? 0);
}

function answered<Value>({ value, provider, reply }: Usable<Value>, tried: readonly Tried[]): Answered<Value> {
  return { value, by: { model: reply.model, provider, confidence: rounded(reply.confidence), tried } };
}

const rounded = (confidence: number | null): number | null => (confidence === null ? null : Math.round(confidence * 1000) / 1000);

/** One provider behind its circuit breaker; what may pass is tried a second time. */
async function guarded(env: Env, settings: Settings, name: string, question: Question, end: number): Promise<Reply> {
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
      const reply = await inTime(end, (signal) => provider(env, settings, question, signal));
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
