import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Entity, Row } from "./entity";
import { type FileData, type FileRules, fileData, objectKey } from "./file-store";
import { disposition } from "./file-types";
import { Problem, notFound } from "./problem";

type Ctx = Context<AppEnv>;

/** Finds the row whose file is asked for, or refuses. */
export type Finder = (c: Ctx) => Promise<Row>;

/** A file may be replaced between reading its row and its object. */
const TRIES = 3;

export async function download(c: Ctx, entity: Entity, rules: FileRules, find: Finder): Promise<Response> {
  for (let i = 0; i < TRIES; i++) {
    const row = await find(c);
    const file = fileData(row, rules);
    if (file === null) break;
    const answer = await served(c, objectKey(entity, String(row["id"]), rules, file.version), file, rules);
    if (answer !== undefined) return answer;
  }
  throw notFound();
}

/** The answer for a file, or `undefined` where its object is gone. */
async function served(c: Ctx, key: string, file: FileData, rules: FileRules): Promise<Response | undefined> {
  const tag = `"${file.version}"`;
  // What is stored may be kept, and is asked for each time: rights and files change.
  const headers = new Headers({ etag: tag, "cache-control": "private, no-cache" });
  if (isKnown(c.req.header("if-none-match"), tag)) return new Response(null, { status: 304, headers });
  headers.set("content-type", file.content_type);
  headers.set("content-disposition", disposition(rules.image ? "inline" : "attachment", file.name));
  // Should a browser take it for a page all the same, that page can do nothing.
  headers.set("content-security-policy", "default-src 'none'; sandbox");
  headers.set("accept-ranges", "bytes");
  const part = rangeOf(c, file.size, tag);
  headers.set("content-length", String(part?.length ?? file.size));
  if (part !== undefined) {
    headers.set("content-range", `bytes ${part.offset}-${part.offset + part.length - 1}/${file.size}`);
  }
  const status = part === undefined ? 200 : 206;
  if (c.req.method === "HEAD") return new Response(null, { status, headers });
  const object = await c.env.FILES.get(key, part === undefined ? {} : { range: part });
  return object === null ? undefined : new Response(object.body, { status, headers });
}

/** Whether the caller has that version: `If-None-Match` compares weakly. */
const isKnown = (header: string | undefined, tag: string): boolean =>
  header !== undefined && header.split(",").some((one) => ["*", tag].includes(one.trim().replace(/^W\//, "")));

interface Part {
  readonly offset: number;
  readonly length: number;
}

/** The part that is asked for; the whole for several parts, for a range that makes no sense, or of another version. */
function rangeOf(c: Ctx, size: number, tag: string): Part | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(c.req.header("range")?.trim() ?? "");
  if (match === null || c.req.method !== "GET" || (c.req.header("if-range") ?? tag) !== tag) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (offset > end) {
    throw new Problem(416, "The file has no such part.", [], { "content-range": `bytes */${size}` });
  }
  return { offset, length: end - offset + 1 };
}
