/** Answers kept for a while, so that the server behind is not asked again. */
const STORED = "x-gateway-stored";
/** An answer that says any of it is for one caller or one moment. */
const PERSONAL = /no-store|private|no-cache/i;
const HARMLESS_VARY = /^\s*(accept-encoding\s*)?$/i;

const open = (): Promise<Cache> => caches.open("gateway");

/**
 * Answers may name the gateway's own host, which they are told, and speak of their caller: each host and each `holder` has
 * its own. Those for everybody have an empty one.
 */
export const cacheKey = (origin: string, holder: string, target: URL): string =>
  `https://gateway.invalid/${[origin, holder, target.href].map(encodeURIComponent).join("/")}`;

/** What is kept under a key. */
export async function cached(key: string): Promise<Response | undefined> {
  const found = await (await open()).match(key);
  if (found === undefined) return undefined;
  const headers = new Headers(found.headers);
  const age = Math.max(0, Math.floor((Date.now() - Number(headers.get(STORED))) / 1000));
  for (const name of [STORED, "cf-cache-status"]) headers.delete(name);
  headers.set("age", String(age));
  headers.set("cache-status", "gateway; hit");
  return new Response(found.body, { status: found.status, headers });
}

/** Whether an answer may be given again: what is for one moment, or what the server behind wants kept by callers alone, may not. */
export const isShareable = (response: Response): boolean =>
  response.status === 200 &&
  !response.headers.has("set-cookie") &&
  !PERSONAL.test(response.headers.get("cache-control") ?? "") &&
  HARMLESS_VARY.test(response.headers.get("vary") ?? "");

/** The headers of an answer that is kept here for one holder, and by nothing between here and there. */
export function unkept(given: Headers): Headers {
  const headers = new Headers(given);
  headers.set("cache-control", "no-store");
  headers.delete("expires");
  return headers;
}

/** Keeps an answer. */
export async function keep(key: string, response: Response, seconds: number): Promise<void> {
  const headers = new Headers(response.headers);
  headers.set("cache-control", `max-age=${seconds}`);
  headers.set(STORED, String(Date.now()));
  headers.delete("expires");
  await (await open()).put(key, new Response(response.body, { status: 200, headers }));
}
