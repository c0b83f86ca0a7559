import type { Env } from "../env";

/** A mail on its way: what it is about, as JSON. */
export interface Mail extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly to: string;
}

const ANSWER_MS = 5000;

/** Hands mails to the webhook, and tells whether it took them; `undefined` where there is none. */
export function senderOf(env: Env): ((mail: Mail) => Promise<boolean>) | undefined {
  if (!env.MAIL_WEBHOOK_URL) return undefined;
  const sender = new URL(env.MAIL_WEBHOOK_URL);
  const local = sender.hostname === "localhost" || sender.hostname === "127.0.0.1";
  if (sender.protocol !== "https:" && !local) throw new Error("MAIL_WEBHOOK_URL does not begin with https://");
  return async (mail) => {
    const answer = await fetch(sender, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(mail),
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  };
}
