import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { checkBody } from "./body";
import type { Entity, Row } from "./entity";
import { integer } from "./fields";
import { type FileRules, fileData } from "./file-store";
import { files, idOf } from "./files";
import { readGivenObject, route } from "./http";
import { Problem, notFound } from "./problem";
import { readRow } from "./rows";
import { condition, quote, where } from "./sql";

type Ctx = Context<AppEnv>;

const MAX_SECONDS = 24 * 60 * 60;
const LIFETIME = { expires_in: integer({ required: true, min: 1, max: MAX_SECONDS, default: 600 }) };

/** The routes of a file that only signed links serve, and `POST …/{field}/link`, which gives one. */
export function privateFiles(app: Hono<AppEnv>, entity: Entity, rules: FileRules): void {
  files(app, entity, rules, (c) => linked(c, entity, rules));
  route(app, `/api/${entity.path}/:id/${rules.path}/link`, { POST: (c) => link(c, entity, rules) });
}

/** A link for whoever may read the row. It opens this version of the file to anyone who has it, until it expires. */
async function link(c: Ctx, entity: Entity, rules: FileRules): Promise<Response> {
  const row = await readRow(c, entity, await admit(c, entity.read), idOf(c));
  const file = fileData(row, rules);
  if (file === null) throw notFound();
  const { expires_in } = checkBody(LIFETIME, await readGivenObject(c));
  const expires = Math.floor(Date.now() / 1000) + Number(expires_in);
  const path = pathOf(entity, String(row["id"]), rules);
  const digest = await crypto.subtle.sign("HMAC", await signingKey(c), message(path, file.version, String(expires)));
  const url = new URL(path, c.req.url);
  url.search = new URLSearchParams({ version: file.version, expires: String(expires), signature: hex(digest) }).toString();
  return c.json({ url: url.href, expires_at: new Date(expires * 1000).toISOString() });
}

/** The row that a link leads to. Nothing is looked up for links that are not ours; who comes without is told only what they may know. */
async function linked(c: Ctx, entity: Entity, rules: FileRules): Promise<Row> {
  const { version, expires, signature } = c.req.query();
  if (signature === undefined) {
    await readRow(c, entity, await admit(c, entity.read), idOf(c));
    throw new Problem(403, `This file is served by a signed link; POST …/${rules.path}/link gives one.`);
  }
  const path = pathOf(entity, idOf(c), rules);
  if (!inTime(expires ?? "") || !(await isSigned(c, signature, message(path, version ?? "", expires ?? "")))) {
    throw new Problem(403, "The link is not valid, or not any more.");
  }
  const filter = where([
    condition('"id" = ?', idOf(c)),
    ...(entity.softDelete ? [condition('"deleted_at" IS NULL')] : []),
  ]);
  const row = await c.env.DB.prepare(`SELECT "id", ${quote(rules.field)} FROM ${quote(entity.name)}${filter.sql}`)
    .bind(...filter.values)
    .first<Row>();
  if (row === null || fileData(row, rules)?.version !== version) throw notFound();
  return row;
}

const pathOf = (entity: Entity, id: string, rules: FileRules): string =>
  `/api/${entity.path}/${id}/${rules.path}`;

const message = (path: string, version: string, expires: string): Uint8Array =>
  new TextEncoder().encode([path, version, expires].join("\n"));

/** Whether a link is still good, and no better than any that this service gives. */
function inTime(expires: string): boolean {
  const left = /^\d{1,12}$/.test(expires) ? Number(expires) - Date.now() / 1000 : 0;
  return left > 0 && left <= MAX_SECONDS;
}

/** Compares in constant time, as WebCrypto does. */
async function isSigned(c: Ctx, signature: string, data: Uint8Array): Promise<boolean> {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false;
  const digest = Uint8Array.from(signature.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify("HMAC", await signingKey(c), digest, data);
}

async function signingKey(c: Ctx): Promise<CryptoKey> {
  if (!c.env.FILES_SECRET) throw new Problem(500, "The secret FILES_SECRET is not set.");
  const secret = new TextEncoder().encode(c.env.FILES_SECRET);
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

const hex = (digest: ArrayBuffer): string =>
  Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
