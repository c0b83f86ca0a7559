// What OpenAI's clients send, read into tasks.
import { chatTokens, type Message } from "./chat";
import { readForm } from "./formats";
import type { Task } from "./generate";
import { invalid, refuseUnknown } from "./parameters";
import type { Plan, TextPlan } from "./plan_types";
import type { Tokenizer } from "./tokenizer";
import { Problem } from "./shared/problems";

/** A body as it came: any field may hold anything. */
interface Body {
  readonly messages?: unknown;
  readonly prompt?: unknown;
  readonly stop?: unknown;
  readonly stream_options?: unknown;
  readonly response_format?: unknown;
  readonly grammar?: unknown;
  readonly max_completion_tokens?: unknown;
  readonly [name: string]: unknown;
}

/** A request as it is understood. */
export interface Request {
  readonly task: Task;
  readonly stream: boolean;
  /** Whether a stream ends with the usage. */
  readonly usage: boolean;
}

const STOPS = 8;
/** Whoever waits has its stop words here, and each token is held against them. */
const STOP_LENGTH = 1000;
const TOP_K = 40;
const MESSAGES = 256;

/** A request for `/v1/chat/completions`. */
export function readChat(body: Body, plan: Plan, text: TextPlan, tokenizer: Tokenizer): Request {
  if (text.chat === null) {
    throw new Problem(400, `${text.noChat ?? ""} Use /v1/completions.`.trim(), { code: "no_chat_template" });
  }
  refuseUnknown(body, true);
  const prompt = chatTokens(text.chat, tokenizer, readMessages(body.messages));
  const most = (body.max_completion_tokens ?? null) === null ? "max_tokens" : "max_completion_tokens";
  return readRest(body, plan, prompt, "messages", most, readFlag(body, "logprobs"));
}

/** A request for `/v1/completions`. */
export function readCompletion(body: Body, plan: Plan, text: TextPlan, tokenizer: Tokenizer): Request {
  refuseUnknown(body, false);
  const prompt = readPrompt(body.prompt, tokenizer);
  const begun = text.begin !== null && prompt[0] !== text.begin ? [text.begin, ...prompt] : prompt;
  if (begun.length === 0) throw invalid("prompt", "The prompt is empty.");
  return readRest(body, plan, begun, "prompt", "max_tokens", false);
}

function readRest(body: Body, plan: Plan, prompt: readonly number[], source: string, limit: string, chances: boolean): Request {
  const room = plan.context - prompt.length;
  if (room < 1) {
    const detail = `The prompt has ${prompt.length} tokens, and the context of ${plan.context} has to hold it and the answer.`;
    throw invalid(source, detail, "context_length_exceeded");
  }
  return {
    stream: readFlag(body, "stream"),
    usage: readStreamOptions(body.stream_options),
    task: {
      prompt,
      most: Math.min(room, readNumber(body, limit, room, 1, Number.MAX_SAFE_INTEGER, true)),
      stops: readStops(body.stop),
      endless: readFlag(body, "ignore_eos"),
      chances,
      grammar: readForm(body),
      sampling: {
        temperature: readNumber(body, "temperature", 1, 0, 2),
        topP: readNumber(body, "top_p", 1, 0, 1),
        topK: readNumber(body, "top_k", TOP_K, 0, 1_000_000, true),
        seed: readNumber(body, "seed", randomSeed(), -(2 ** 53), 2 ** 53, true),
        presencePenalty: readNumber(body, "presence_penalty", 0, -2, 2),
        frequencyPenalty: readNumber(body, "frequency_penalty", 0, -2, 2),
      },
    },
  };
}

const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] as number;

/** Whether a stream ends with the usage. The padding that OpenAI adds (`include_obfuscation`) is never there. */
function readStreamOptions(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "object" || Array.isArray(value)) throw invalid("stream_options", "stream_options must be an object.");
  const { include_usage: usage, include_obfuscation: _, ...others } = value as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw invalid("stream_options", `stream_options has ${JSON.stringify(unknown.slice(0, 80))}, which is not known here.`, "unknown_parameter");
  if (usage !== undefined && usage !== null && typeof usage !== "boolean") throw invalid("stream_options", "include_usage must be true or false.");
  return usage === true;
}

function readNumber(body: Body, name: string, otherwise: number, least: number, most: number, whole = false): number {
  const value = body[name];
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== "number" || !Number.isFinite(value) || value < least || value > most || (whole && !Number.isInteger(value))) {
    const range = most >= Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw invalid(name, `${name} must be a ${whole ? "whole " : ""}number ${range}.`);
  }
  return value;
}

function readFlag(body: Body, name: string): boolean {
  const value = body[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw invalid(name, `${name} must be true or false.`);
  return value;
}

function readStops(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const stops: unknown[] = Array.isArray(value) ? value : [value];
  if (stops.length > STOPS || !stops.every((stop) => typeof stop === "string" && stop !== "" && stop.length <= STOP_LENGTH)) {
    throw invalid("stop", `stop must be a text or up to ${STOPS} texts of 1 to ${STOP_LENGTH} characters.`);
  }
  return stops as string[];
}

function readPrompt(value: unknown, tokenizer: Tokenizer): number[] {
  const prompt: unknown = Array.isArray(value) && value.length === 1 && typeof value[0] !== "number" ? value[0] : value;
  if (typeof prompt === "string") return tokenizer.encode(prompt);
  const isToken = (token: unknown): boolean => Number.isInteger(token) && (token as number) >= 0 && (token as number) < tokenizer.count;
  if (Array.isArray(prompt) && prompt.every(isToken)) return prompt as number[];
  throw invalid("prompt", "The prompt must be one text, or one list of tokens of this model.");
}

function readMessages(value: unknown): Message[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MESSAGES) {
    throw invalid("messages", `messages must be a list of 1 to ${MESSAGES} messages.`);
  }
  return value.map((message: unknown, i) => readMessage(message, `messages[${i}]`));
}

/** What a message may have besides: no template here says a name, and what an answer brought may be sent back as it came. */
const UNREAD = ["name", "annotations", "reasoning_content"];

const isNothing = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);

function readMessage(value: unknown, at: string): Message {
  if (typeof value !== "object" || value === null) throw invalid(at, `${at} must be an object.`);
  const { role: given, content, ...others } = value as Record<string, unknown>;
  const refused = Object.keys(others).find((name) => !(UNREAD.includes(name) || isNothing(others[name])));
  if (refused !== undefined) {
    const name = refused.slice(0, 80);
    throw invalid(`${at}.${name}`, `${at}.${name} is not supported here.`, "unsupported");
  }
  const role = given === "developer" ? "system" : given;
  if (role !== "system" && role !== "user" && role !== "assistant") {
    throw invalid(`${at}.role`, "A role must be system, developer, user or assistant.");
  }
  return { role, content: readContent(content, `${at}.content`) };
}

function readContent(content: unknown, at: string): string {
  if (typeof content === "string") return content;
  const texts = Array.isArray(content) ? content.map((part: { readonly type?: unknown; readonly text?: unknown } | null) => (part?.type === "text" ? part.text : undefined)) : [];
  if (texts.length === 0 || !texts.every((text) => typeof text === "string")) throw invalid(at, "Content must be text.");
  return texts.join("");
}
