import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import { type Caller, admit } from "./access";
import type { Hook } from "./hooks";
import { isToldOnce, readBounded } from "./http";
import { uuidv7 } from "./id";
import { Problem } from "./problem";

type Ctx = Context<AppEnv>;

const KEPT_MS = 24 * 60 * 60 * 1000;
/** A request that has neither ended nor changed a thing by then has come to grief: its key is free. */
const ABANDONED_MS = 60 * 1000;
const CLEARED_AT_ONCE = 50;
const MAX_ANSWER = 256 * 1024;
const KEPT_HEADERS = ["content-type", "location", "etag"];

/** A key in the hands of one request. */
interface Claim {
  readonly caller: string;
  readonly key: string;
  readonly id: string;
  noted: boolean;
}

interface Entry {
  readonly claim: string;
  readonly fingerprint: string;
  readonly at: number;
  readonly done: number;
  readonly status: number | null;
  readonly headers: string | null;
  readonly body: string | null;
}

const claims = new WeakMap<Ctx, Claim>();

/** Notes with the change itself that the request was carried out, whatever becomes of its answer. */
export const noted: Hook = {
  along: (c) => {
    const claim = claims.get(c);
    if (claim === undefined || claim.noted) return [];
    // All changes of one transaction are asked for in one go, and one note is enough for them.
    claim.noted = true;
    queueMicrotask(() => (claim.noted = false));
    return [
      // Whoever took the key over carries the request out: this one came too late.
      c.env.DB.prepare(`INSERT INTO "_overtaken" SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM "_idempotency" WHERE ${MINE})`).bind(...owned(claim)),
      c.env.DB.prepare(`UPDATE "_idempotency" SET "done" = 1 WHERE ${MINE}`).bind(...owned(claim)),
    ];
  },
  refused: (error) => {
    if (error instanceof Error && error.message.includes(OVERTAKEN)) {
      throw new Problem(409, "This took so long that the same request, sent again, was carried out in its place.");
    }
  },
};

/** What the trigger of the view `_overtaken` says. */
const OVERTAKEN = "another request has the key";

const MINE = '"caller" = ? AND "key" = ? AND "claim" = ?';
const owned = ({ caller, key, id }: Claim): string[] => [caller, key, id];

function keyOf(c: Ctx): string | undefined {
  const given = c.req.header("idempotency-key");
  if (given === undefined || (c.req.method !== "POST" && c.req.method !== "PATCH")) return undefined;
  // Answers of these hold tokens, and some of their bodies passwords: nothing of them is kept.
  if (!c.req.path.startsWith("/api/") || c.req.path.startsWith("/api/auth/")) return undefined;
  const key = given.replace(/^"(.*)"$/, "$1");
  if (/^[!-~]{1,255}$/.test(key)) return key;
  throw new Problem(400, "An Idempotency-Key has 1 to 255 visible ASCII characters.");
}

function nameOf({ user, key, tenant }: Caller): string {
  if (user !== undefined) return `user ${user.id}${tenant ? ` of ${tenant}` : ""}`;
  return key === true ? "key" : "public";
}

async function fingerprintOf(c: Ctx, body: Uint8Array): Promise<string> {
  const head = JSON.stringify([c.req.method, c.req.url, c.req.header("content-type"), c.req.header("if-match")]);
  const start = new TextEncoder().encode(head);
  const all = new Uint8Array(start.byteLength + body.byteLength);
  all.set(start);
  all.set(body, start.byteLength);
  const digest = await crypto.subtle.digest("SHA-256", all);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Takes the key where it is free; in any case gives what stands under it. */
async function take(c: Ctx, claim: Claim, fingerprint: string): Promise<Entry | undefined> {
  const now = Date.now();
  const db = c.env.DB;
  const [, , found] = await db.batch<Entry>([
    db
      .prepare('DELETE FROM "_idempotency" WHERE rowid IN (SELECT rowid FROM "_idempotency" WHERE "at" < ? LIMIT ?)')
      .bind(now - KEPT_MS, CLEARED_AT_ONCE),
    db
      .prepare(
        `INSERT INTO "_idempotency" ("caller", "key", "claim", "fingerprint", "at", "done") VALUES (?, ?, ?, ?, ?, 0)
         ON CONFLICT ("caller", "key") DO UPDATE SET "claim" = excluded."claim", "fingerprint" = excluded."fingerprint",
           "at" = excluded."at", "done" = 0, "status" = NULL, "headers" = NULL, "body" = NULL
         WHERE "at" < ? OR ("status" IS NULL AND "done" = 0 AND "at" < ?)`,
      )
      .bind(...owned(claim), fingerprint, now, now - KEPT_MS, now - ABANDONED_MS),
    db.prepare('SELECT * FROM "_idempotency" WHERE "caller" = ? AND "key" = ?').bind(claim.caller, claim.key),
  ]);
  return found?.results[0];
}

/** Keeps the answer; of one with a secret that is told once no more than that it was given. What was refused is forgotten instead, so that it can be mended and sent again. */
async function keep(c: Ctx, claim: Claim, answer: Response): Promise<void> {
  const isSecret = isToldOnce(c);
  const isJson = !isSecret && answer.headers.get("content-type")?.includes("json") === true;
  const text = answer.body === null ? "" : isJson ? await answer.text() : undefined;
  const body = text !== undefined && text.length <= MAX_ANSWER ? text : null;
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const db = c.env.DB;
  const statements = [
    db
      .prepare(`UPDATE "_idempotency" SET "status" = ?, "headers" = ?, "body" = ? WHERE ${MINE}`)
      .bind(answer.status, isSecret ? null : JSON.stringify(headers), body, ...owned(claim)),
  ];
  if (answer.status >= 400) {
    statements.unshift(db.prepare(`DELETE FROM "_idempotency" WHERE ${MINE} AND "done" = 0`).bind(...owned(claim)));
  }
  await db.batch(statements);
}

/** The first answer once more, or why there is none. */
function again(entry: Entry, fingerprint: string): Response {
  if (entry.fingerprint !== fingerprint) throw new Problem(422, "This Idempotency-Key stands for another request.");
  if (entry.status === null) {
    if (entry.done === 1 && Date.now() - entry.at > ABANDONED_MS) {
      throw new Problem(409, "The request with this Idempotency-Key was carried out, but its answer is lost.");
    }
    throw new Problem(409, "The first request with this Idempotency-Key still runs.", [], { "retry-after": "1" });
  }
  if (entry.headers === null) {
    const why = "its answer held a secret that is told only once";
    throw new Problem(409, `The request with this Idempotency-Key was carried out; ${why}, and is not kept.`);
  }
  if (entry.body === null) {
    throw new Problem(409, "The request with this Idempotency-Key was carried out; its answer is too large to be kept.");
  }
  const headers = new Headers(JSON.parse(entry.headers ?? "[]") as [string, string][]);
  headers.set("idempotent-replayed", "true");
  return new Response(entry.body === "" ? null : entry.body, { status: entry.status, headers });
}

/** Whoever sends a request does not have to wait for the answer: it is worked out and kept all the same. */
function outlive(c: Ctx, work: Promise<void>): Promise<void> {
  try {
    c.executionCtx.waitUntil(work.catch(() => undefined));
  } catch {
    // Called without a runtime around it, in a test.
  }
  return work;
}

/**
 * Carries out a request with an `Idempotency-Key` once. `anyone` says whether callers without a
 * credential can change anything: else their keys would only fill the table.
 */
export function idempotency(anyone: boolean): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = keyOf(c);
    if (key === undefined) return next();
    const caller = nameOf(await admit(c, "public"));
    if (caller === "public" && !anyone) return next();
    const body = await readBounded(c);
    const fingerprint = await fingerprintOf(c, body);
    const claim: Claim = { caller, key, id: uuidv7(), noted: false };
    const entry = await take(c, claim, fingerprint);
    if (entry?.claim !== claim.id) return entry === undefined ? next() : again(entry, fingerprint);
    claims.set(c, claim);
    c.req.raw = new Request(c.req.raw, { body });
    const work = async () => {
      await next();
      await keep(c, claim, c.res.clone()).catch((error: unknown) => console.error(error));
    };
    await outlive(c, work());
    return undefined;
  };
}
