import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../env";
import type { Change, Hook } from "./hooks";
import { uuidv7 } from "./id";
import { Problem } from "./problem";
import { quote } from "./sql";

/** What the trigger of the view `_stale` says. */
const REFUSAL = "the row has another version";

/** The requests whose If-Match was looked at. */
const judged = new WeakSet<Context<AppEnv>>();

const stale = (): Problem =>
  new Problem(412, "The row has changed since: read it again, and send its ETag in If-Match.");

/**
 * The versions that a header names; `"*"` stands for any. An ETag is a version and a mark of the answer; the version
 * alone is good too. `W/` is passed over: proxies that compress add it, and the version tells all the same.
 */
function named(header: string): readonly string[] | "*" {
  if (header.trim() === "*") return "*";
  return [...header.matchAll(/"([^"]*)"/g)].map(([, tag]) => tag?.split(".")[0] ?? "");
}

/** Whether the request asks for a change of this very row, or for an action on it. */
function concerns(c: Context<AppEnv>, { entity, id }: Change): boolean {
  const own = `/api/${entity.path}/${id}`;
  return c.req.path === own || c.req.path.startsWith(`${own}/`);
}

function judge(c: Context<AppEnv>, required: boolean, version: unknown): void {
  judged.add(c);
  const header = c.req.header("if-match");
  if (header === undefined) {
    // Actions and files of a row, below its path, may name a version; they need not.
    if (!required || !/^\/api\/[^/]+\/[^/]+$/.test(c.req.path)) return;
    throw new Problem(428, "Send the ETag of the row that you change in If-Match.");
  }
  const wanted = named(header);
  if (wanted !== "*" && !wanted.includes(String(version))) throw stale();
}

/** Gives each state of a row a version of its own, and holds changes to the version that they name. */
export function versions({ required }: { readonly required: boolean }): Hook {
  return {
    check: (c, change) => {
      if (change.before !== null && concerns(c, change)) judge(c, required, change.before["version"]);
      if (change.after !== null) change.after["version"] = uuidv7();
    },
    // Another change may come between the look at the row and this one: the transaction looks once more.
    ahead: (c, change) => {
      const wanted = named(c.req.header("if-match") ?? "*");
      if (wanted === "*" || change.before === null || !concerns(c, change)) return [];
      const current = `SELECT 1 FROM ${quote(change.entity.name)} WHERE "id" = ? AND "version" IN (SELECT "value" FROM json_each(?))`;
      const refuse = c.env.DB.prepare(`INSERT INTO "_stale" SELECT 1 WHERE NOT EXISTS (${current})`);
      return [refuse.bind(change.id, JSON.stringify(wanted))];
    },
    refused: (error) => {
      if (error instanceof Error && error.message.includes(REFUSAL)) throw stale();
    },
  };
}

/** Where an answer with one row has it from: the path of its entity. */
function entityPath(c: Context<AppEnv>): string | undefined {
  const path = (c.res.status === 201 ? c.res.headers.get("location") : null) ?? c.req.path;
  const match = /^\/api\/([^/]+)\/[^/]+(\/[^/]+)?$/.exec(path);
  // Below a row, actions and uploads answer with the row.
  return match?.[2] === undefined || c.req.method === "POST" || c.req.method === "PUT" ? match?.[1] : undefined;
}

async function markOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest, 0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sameTag(header: string, tag: string): boolean {
  return header.trim() === "*" || [...header.matchAll(/"[^"]*"/g)].some(([given]) => given === tag);
}

/**
 * Answers with one row get an ETag, and `If-None-Match` its 304. `rows` are the paths of entities with
 * versions, and whether a change must name one. The mark in the tag tells answers apart that differ
 * though their row is the same: fields that are worked out of other rows.
 */
export function etags(rows: Readonly<Record<string, boolean>>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    await next();
    const path = c.res.status === 200 || c.res.status === 201 ? entityPath(c) : undefined;
    if (path === undefined || !Object.hasOwn(rows, path)) return;
    if (!c.res.headers.get("content-type")?.startsWith("application/json")) return;
    const text = await c.res.clone().text();
    const row = JSON.parse(text) as { readonly version?: unknown };
    if (typeof row.version !== "string") return;
    // A body without a field changes nothing, so that no hook has seen it.
    if (c.req.method === "PATCH" && !judged.has(c)) judge(c, rows[path] ?? false, row.version);
    const tag = `"${row.version}.${await markOf(text)}"`;
    c.res.headers.set("etag", tag);
    const known = c.req.method === "GET" || c.req.method === "HEAD" ? c.req.header("if-none-match") : undefined;
    if (known !== undefined && sameTag(known, tag)) c.res = new Response(null, { status: 304, headers: { etag: tag } });
  };
}
