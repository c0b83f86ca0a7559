import { Problem } from "./problem";

/** A request with its body as it came. */
export interface Signed {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface Named {
  /** The same for every time that an event is sent. */
  readonly id: string;
  readonly type: string | null;
}

/** How one kind of sender signs and names its events. */
export interface Sender {
  signed(request: Signed, secret: string): Promise<boolean>;
  named(request: Signed, content: Readonly<Record<string, unknown>>): Promise<Named>;
}

const TOLERANCE_SECONDS = 300;
/** A sender signs with a few secrets at most, while it goes from one to the next. */
const MAX_SIGNATURES = 8;
const MAX_NAME = 255;

const encoder = new TextEncoder();

const fromHex = (text: string): Uint8Array | undefined =>
  /^[0-9a-f]{64}$/i.test(text)
    ? Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    : undefined;

const fromBase64 = (text: string): Uint8Array | undefined =>
  /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0
    ? Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    : undefined;

const toHex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Whether one of the marks is that of the text before the body and the body. Compares in constant time. */
async function authentic(
  secret: Uint8Array,
  prefix: string,
  body: Uint8Array,
  marks: readonly (Uint8Array | undefined)[],
): Promise<boolean> {
  if (secret.byteLength === 0) return false;
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const front = encoder.encode(prefix);
  const message = new Uint8Array(front.byteLength + body.byteLength);
  message.set(front);
  message.set(body, front.byteLength);
  for (const mark of marks.slice(0, MAX_SIGNATURES)) {
    if (mark !== undefined && (await crypto.subtle.verify("HMAC", key, mark, message))) return true;
  }
  return false;
}

/** Whether a moment, in seconds, is about now: what was signed long ago may have been overheard. */
const fresh = (moment: string): boolean =>
  /^\d{1,12}$/.test(moment) && Math.abs(Date.now() / 1000 - Number(moment)) <= TOLERANCE_SECONDS;

/** Whether a text can be stored and found again. */
const storable = (text: string): boolean => text.length <= MAX_NAME && text.isWellFormed() && !text.includes("\u0000");

const typeOf = (value: unknown): string | null => (typeof value === "string" && storable(value) ? value : null);

const hashOf = async (body: Uint8Array): Promise<string> => toHex(await crypto.subtle.digest("SHA-256", body));

/** The id in a body. Numbers that JSON.parse cannot tell apart would make two events one: those are known by the whole body. */
async function idIn(body: Uint8Array, value: unknown, path: string): Promise<string> {
  if (typeof value !== "number") return idOf(value, path);
  return Number.isSafeInteger(value) ? String(value) : hashOf(body);
}

function idOf(id: unknown, path: string): string {
  if (typeof id === "string" && id !== "" && storable(id)) return id;
  throw new Problem(422, "The event has no id.", [{ path, message: `must be a text of at most ${MAX_NAME} characters` }]);
}

/** `Stripe-Signature: t=…,v1=…`. */
export const stripeSender: Sender = {
  signed: async ({ headers, body }, secret) => {
    const parts = (headers.get("stripe-signature") ?? "").split(",").map((part) => part.trim().split("="));
    const moment = parts.find(([name]) => name === "t")?.[1] ?? "";
    const marks = parts.filter(([name]) => name === "v1").map(([, mark]) => fromHex(mark ?? ""));
    return fresh(moment) && authentic(encoder.encode(secret), `${moment}.`, body, marks);
  },
  named: async ({ body }, content) => ({ id: await idIn(body, content["id"], "id"), type: typeOf(content["type"]) }),
};

/** `X-Hub-Signature-256: sha256=…`; the id and the type of an event stand in headers. */
export const githubSender: Sender = {
  signed: async ({ headers, body }, secret) => {
    const [kind, mark] = (headers.get("x-hub-signature-256") ?? "").split("=");
    return kind === "sha256" && authentic(encoder.encode(secret), "", body, [fromHex(mark ?? "")]);
  },
  named: async ({ headers }) => ({
    id: idOf(headers.get("x-github-delivery"), "X-GitHub-Delivery"),
    type: typeOf(headers.get("x-github-event")),
  }),
};

/** Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`. Another service of Clodo's sends so. */
export const standardSender: Sender = {
  signed: async ({ headers, body }, secret) => {
    const [id, moment] = [headers.get("webhook-id") ?? "", headers.get("webhook-timestamp") ?? ""];
    const marks = (headers.get("webhook-signature") ?? "")
      .split(" ")
      .flatMap((mark) => (mark.startsWith("v1,") ? [fromBase64(mark.slice(3))] : []));
    const key = fromBase64(secret.replace(/^whsec_/, "")) ?? encoder.encode(secret);
    return id !== "" && fresh(moment) && authentic(key, `${id}.${moment}.`, body, marks);
  },
  named: async ({ headers }, content) => ({
    id: idOf(headers.get("webhook-id"), "webhook-id"),
    type: typeOf(content["type"]),
  }),
};

/** What a plain sender knows its events by: a header, or a field of the body. */
export type Known = { readonly header: string } | { readonly field: string };

/**
 * HMAC-SHA256 of the body in a header, in hexadecimal (`sha256=` may stand before it) or base64. Unless it is said what
 * an event is known by, that is the body as a whole: an `id` in it may be that of what the event is about, and a header is not signed.
 */
export const hmacSender = (header: string, known?: Known): Sender => ({
  signed: async ({ headers, body }, secret) => {
    const mark = (headers.get(header) ?? "").replace(/^sha256=/, "");
    return authentic(encoder.encode(secret), "", body, [fromHex(mark) ?? fromBase64(mark)]);
  },
  named: async ({ headers, body }, content) => ({ id: await idBy(known, headers, body, content), type: typeOf(content["type"]) }),
});

async function idBy(
  known: Known | undefined,
  headers: Headers,
  body: Uint8Array,
  content: Readonly<Record<string, unknown>>,
): Promise<string> {
  if (known === undefined) return hashOf(body);
  if ("header" in known) return idOf(headers.get(known.header), known.header);
  return idIn(body, Object.hasOwn(content, known.field) ? content[known.field] : undefined, known.field);
}
