import { EmailMessage } from "cloudflare:email";
import type { Env } from "../env";
import { mime } from "./mime";

/** A mail on its way: what it is about, as JSON. */
export interface Mail extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly to: string;
}

const ANSWER_MS = 5000;

/** Hands mails to Cloudflare's mail binding, and tells whether it took them. */
export function senderOf(env: Env): ((mail: Mail) => Promise<boolean>) | undefined {
  return async (mail) => {
    try {
      const raw = mime({ id: mail.id, from: env.MAIL_FROM, to: mail.to, ...letter(env, mail) });
      const late = scheduler.wait(ANSWER_MS).then(() => Promise.reject(new Error("no answer in time")));
      await Promise.race([env.MAIL.send(new EmailMessage(env.MAIL_FROM, mail.to, raw)), late]);
      return true;
    } catch (error) {
      // Its message may tell an address; its name does not.
      console.error(`The mail binding did not take a mail: ${error instanceof Error ? error.name : "unknown"}`);
      return false;
    }
  };
}

const WORDS = {
  confirm: ["Confirm your address", "Somebody, likely you, gave this address."],
  reset: ["Set another password", "Somebody, likely you, asked for another password. If it was not you, leave this mail alone."],
} as const;

/** What a mail says: a token with a word on what it is for, or a notice with the row or report that it is about. */
function letter(env: Env, mail: Mail): { subject: string; text: string } {
  if (mail["purpose"] === "confirm" || mail["purpose"] === "reset") {
    const [subject, why] = WORDS[mail["purpose"]];
    const token = String(mail["token"]);
    const link = env.MAIL_LINK.replaceAll("{purpose}", mail["purpose"]).replaceAll("{token}", encodeURIComponent(token));
    return { subject, text: `${why}\n\n${link === "" ? token : link}\n\nGood until ${String(mail["expires_at"])}.\n` };
  }
  const told = mail["report"] ?? mail["data"];
  const rows = Array.isArray(told) ? told : told === null || told === undefined ? [] : [told];
  return { subject: String(mail["subject"]), text: [String(mail["subject"]), ...rows.map(lines)].join("\n\n") + "\n" };
}

const lines = (row: unknown): string =>
  Object.entries(row as object)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("\n");
