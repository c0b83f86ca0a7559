import type { Env } from "../env";
import { Problem } from "./problem";

const encoder = new TextEncoder();

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

async function hmac(secret: Uint8Array, text: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}

/** The secret of a subscription. It follows from the key of the service, so that no database holds it. */
async function secretOf(env: Env, webhookId: string): Promise<Uint8Array> {
  if (!env.WEBHOOK_KEY) throw new Problem(500, "The secret WEBHOOK_KEY is not set.");
  return hmac(encoder.encode(env.WEBHOOK_KEY), `webhook ${webhookId}`);
}

/** The secret as the subscriber keeps it. */
export const shownSecret = async (env: Env, webhookId: string): Promise<string> =>
  `whsec_${base64(await secretOf(env, webhookId))}`;

/** The headers of one attempt, after the scheme of Standard Webhooks. */
export async function signedHeaders(
  env: Env,
  webhookId: string,
  eventId: string,
  body: string,
): Promise<Record<string, string>> {
  const timestamp = Math.floor(Date.now() / 1000);
  const mark = await hmac(await secretOf(env, webhookId), `${eventId}.${timestamp}.${body}`);
  return {
    "webhook-id": eventId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": `v1,${base64(mark)}`,
  };
}
