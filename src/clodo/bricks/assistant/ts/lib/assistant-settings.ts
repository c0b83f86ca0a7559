import { env as variables } from "cloudflare:workers";
import type { Env } from "../env";
import { Problem } from "./problem";

/** What may leave for models that are neither Workers of your own nor on this machine. */
export type Privacy = "local-only" | "redacted" | "open";

/** The variables ASSISTANT_*, read. */
export interface Settings {
  readonly providers: readonly string[];
  readonly privacy: Privacy;
  /** Below this confidence the next provider is asked; null: whatever holds up is taken. */
  readonly confidence: number | null;
  /** For one answer, all providers together. */
  readonly seconds: number;
  /** The longest text that a model is shown. */
  readonly characters: number;
}

const POLICIES: Readonly<Record<string, Privacy>> = {
  "": "local-only",
  "local-only": "local-only",
  redacted: "redacted",
  redact: "redacted",
  open: "open",
};

/** The settings of this service. A value that makes no sense is a problem at once, before any provider is asked. */
export function settingsOf(env: Env): Settings {
  return {
    providers: textOf(env.ASSISTANT_PROVIDERS).split(",").map((name) => name.trim()),
    privacy: policyOf(env),
    confidence: numberOf(env, "ASSISTANT_CONFIDENCE", "a number from 0 to 1, or empty", (value) => value >= 0 && value <= 1),
    seconds: numberOf(env, "ASSISTANT_SECONDS", "a number above 0, and at most 300", (value) => value > 0 && value <= 300) ?? 20,
    characters: numberOf(env, "ASSISTANT_CHARACTERS", "a whole number from 1", (value) => Number.isInteger(value) && value >= 1) ?? 12_000,
  };
}

/** Variables of wrangler.jsonc may be numbers, and those of a binding that was forgotten are not there. */
const textOf = (value: unknown): string => String(value ?? "").trim();

function policyOf(env: Env): Privacy {
  const name = textOf(env.ASSISTANT_PRIVACY);
  const policy = Object.hasOwn(POLICIES, name) ? POLICIES[name] : undefined;
  if (policy === undefined) throw wrong("ASSISTANT_PRIVACY", "local-only, redacted or open");
  return policy;
}

type Numeric = "ASSISTANT_CONFIDENCE" | "ASSISTANT_SECONDS" | "ASSISTANT_CHARACTERS";

function numberOf(env: Env, name: Numeric, wanted: string, fits: (value: number) => boolean): number | null {
  const text = textOf(env[name]);
  if (text === "") return null;
  if (!/^\d*\.?\d+$/.test(text) || !fits(Number(text))) throw wrong(name, wanted);
  return Number(text);
}

const wrong = (name: string, wanted: string): Problem => new Problem(500, `The variable ${name} must be ${wanted}.`);

// A wrong value is told when the Worker starts, and not only to whoever asks first.
try {
  settingsOf(variables as unknown as Env);
} catch (error) {
  console.error(error instanceof Problem ? error.detail : error);
}
