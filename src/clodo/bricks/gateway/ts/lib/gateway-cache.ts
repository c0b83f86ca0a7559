// Answers kept for a while, so that the server behind is not asked again.

/** When a kept answer left the server behind, and for how many seconds since then it may be given: `1700000000000 30`. */
const STORED = "x-gateway-stored";
/** What that server said of caches, while the cache here is told how long it keeps the answer. */
const SAID = "x-gateway-said";
/** An answer that says any of it is for one caller or one moment. */
const PERSONAL = /no-store|private|no-cache/i;
const HARMLESS_VARY = /^\s*(accept-encoding\s*)?$/i;
/** How long an answer is good, in the order in which they count for caches of many callers (RFC 9111, 5.2.2.10). */
const LIFETIMES = [/(?:^|,)\s*s-maxage\b(?:\s*=\s*"?([^",\s]*))?/gi, /(?:^|,)\s*max-age\b(?:\s*=\s*"?([^",\s]*))?/gi];

const open = (): Promise<Cache> => caches.open("gateway");

/**
 * Answers may name the gateway's own host, which they are told, and speak of their caller: each host and each `holder` has
 * its own. Those for everybody have an empty one.
 */
export const cacheKey = (origin: string, holder: string, target: URL): string =>
  `https://gateway.invalid/${[origin, holder, target.href].map(encodeURIComponent).join("/")}`;

/** What is kept under a key, with its age and, in `Cache-Status`, how many seconds are left. */
export async function cached(key: string): Promise<Response | undefined> {
  const found = await (await open()).match(key);
  if (found === undefined) return undefined;
  const headers = new Headers(found.headers);
  const [since = 0, lifetime = 0] = (headers.get(STORED) ?? "").split(" ").map(Number);
  const age = Math.max(0, Math.floor((Date.now() - since) / 1000));
  if (age >= lifetime) return undefined;
  headers.set("cache-control", headers.get(SAID) ?? `max-age=${lifetime}`);
  for (const name of [STORED, SAID, "cf-cache-status"]) headers.delete(name);
  headers.set("age", String(age));
  headers.set("cache-status", `gateway; hit; ttl=${lifetime - age}`);
  return new Response(found.body, { status: found.status, headers });
}

/** Whether an answer may be given again: what is for one moment, or what the server behind wants kept by callers alone, may not. */
export const isShareable = ({ status, headers }: Response): boolean =>
  status === 200 &&
  !headers.has("set-cookie") &&
  !PERSONAL.test(headers.get("cache-control") ?? headers.get("pragma") ?? "") &&
  HARMLESS_VARY.test(headers.get("vary") ?? "");

/** For how many seconds from now an answer may be given again: `most` at most, and no longer than the server behind says; 0 for not at all. */
export const secondsToKeep = (response: Response, most: number): number =>
  isShareable(response)
    ? Math.max(0, Math.min(most, secondsGood(response.headers) - wholeSeconds(response.headers.get("age"))))
    : 0;

/** For how many seconds an answer is good from its start, by what the server behind says of it. */
function secondsGood(headers: Headers): number {
  const said = headers.get("cache-control") ?? "";
  for (const directive of LIFETIMES) {
    const found = [...said.matchAll(directive)].map(([, value]) => wholeSeconds(value));
    if (found.length > 0) return Math.min(...found);
  }
  const expires = headers.get("expires");
  if (expires === null) return Infinity;
  // What is no date has passed (RFC 9111, 5.3).
  const end = Date.parse(expires) - (Date.parse(headers.get("date") ?? "") || Date.now());
  return Math.floor(end / 1000) || 0;
}

/** What is no number of seconds makes no answer last. */
const wholeSeconds = (text: string | null | undefined): number => (/^\d+$/.test(text ?? "") ? Number(text) : 0);

/** The headers of an answer that is kept here for one holder, and by nothing between here and there. */
export function unkept(given: Headers): Headers {
  const headers = new Headers(given);
  headers.set("cache-control", "no-store");
  headers.delete("expires");
  return headers;
}

/** Keeps an answer for so many seconds. */
export async function keep(key: string, response: Response, seconds: number): Promise<void> {
  const headers = new Headers(response.headers);
  const said = headers.get("cache-control");
  const age = wholeSeconds(headers.get("age"));
  headers.set("cache-control", `max-age=${seconds}`);
  headers.set(STORED, `${Date.now() - age * 1000} ${age + seconds}`);
  if (said === null) headers.delete(SAID);
  else headers.set(SAID, said);
  for (const name of ["expires", "age"]) headers.delete(name);
  await (await open()).put(key, new Response(response.body, { status: 200, headers }));
}
