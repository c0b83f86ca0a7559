/** What a model is asked: what to do, the text that it is about, and the JSON Schema of its answer, where that is JSON. */
export interface Question {
  readonly system: string;
  readonly text: string;
  readonly schema?: object;
  readonly tokens: number;
}

/** What a model said: a text, or the object that was asked for. */
export interface Reply {
  readonly model: string;
  readonly content: unknown;
  /** The geometric mean of the probabilities of its tokens; null where the provider tells none. */
  readonly confidence: number | null;
  /** Whether it came to its end within the tokens that it had. */
  readonly whole: boolean;
}

/** Why a provider gave no answer. */
export type Reason =
  | "not-set-up" | "privacy" | "circuit-open" | "too-long" | "unavailable" | "timeout" | "refused" | "invalid-answer";

export class Failure extends Error {
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

const MOST_BYTES = 256 * 1024;

/** The text of an answer that is not endless. */
export async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).byteLength;
    if (size > MOST_BYTES) throw new Unsound();
    text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Unsound();
  }
}

/** The first choice of an answer of OpenAI's shape, or what a model put there instead. */
interface Choice {
  readonly message?: { readonly content?: unknown } | null;
  readonly finish_reason?: unknown;
  readonly logprobs?: { readonly content?: unknown } | null;
}

/** What an answer of OpenAI's shape says. */
export function chosen(answer: unknown): Omit<Reply, "model"> {
  const choices = (answer as { choices?: unknown } | null)?.choices;
  const first = (Array.isArray(choices) ? choices[0] : undefined) as Choice | null | undefined;
  return { content: first?.message?.content, confidence: confidenceOf(first?.logprobs?.content), whole: first?.finish_reason !== "length" };
}

function confidenceOf(tokens: unknown): number | null {
  if (!Array.isArray(tokens)) return null;
  const logs = tokens.map((token) => (token as { logprob?: unknown } | null)?.logprob).filter((log) => log !== undefined && log !== null);
  if (logs.length === 0 || !logs.every((log) => typeof log === "number")) return null;
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return Number.isNaN(mean) ? null : Math.exp(Math.min(0, mean));
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
