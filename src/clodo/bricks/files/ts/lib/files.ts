import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { type Caller, admit } from "./access";
import { type Entity, type Row, selected, toJson, visible } from "./entity";
import type { Stored } from "./fields";
import { Body, put, tooLarge } from "./file-body";
import { type Finder, download } from "./file-download";
import { AWAITED, type FileData, type FileRules, abandon, announce, objectKey, sweep } from "./file-store";
import { HEAD_BYTES, beginsAs, fileName, isForm, mediaType } from "./file-types";
import { type Change, after, carryOut, check } from "./hooks";
import { route } from "./http";
import { uuidv7 } from "./id";
import { Problem, notFound } from "./problem";
import { conflict, readRow, writableRow } from "./rows";
import { type Condition, condition, quote, where } from "./sql";

type Ctx = Context<AppEnv>;

export const idOf = (c: Ctx): string => c.req.param("id") ?? "";

/** The routes of a file: `PUT`, `GET` and `DELETE /api/{entities}/:id/{field}`. */
export function files(app: Hono<AppEnv>, entity: Entity, rules: FileRules, find = byRule(entity)): void {
  route(app, `/api/${entity.path}/:id/${rules.path}`, {
    PUT: (c) => upload(c, entity, rules, idOf(c)),
    GET: (c) => download(c, entity, rules, find),
    DELETE: (c) => remove(c, entity, rules, idOf(c)),
  });
}

/** Whoever may read the row may read its file. */
const byRule =
  (entity: Entity): Finder =>
  async (c) =>
    readRow(c, entity, await admit(c, entity.read), idOf(c));

async function upload(c: Ctx, entity: Entity, rules: FileRules, id: string): Promise<Response> {
  const [before, caller] = await writableRow(c, entity, id);
  const length = c.req.header("content-length");
  const body = new Body(c.req.raw.body, length === undefined ? undefined : Number(length));
  try {
    const [type, head] = await accepted(c, rules, body);
    const version = uuidv7();
    const key = objectKey(entity, id, rules, version);
    await announce(c, key);
    try {
      const size = await put(c.env.FILES, key, head, body, rules, { contentType: type });
      const file = JSON.stringify(describe(c, rules, type, size, version));
      const row = await changeRow(c, entity, caller, before, { [rules.field]: file }, [condition(AWAITED, key)]);
      await sweep(c);
      return c.json(toJson(entity, row), (before[rules.field] ?? null) === null ? 201 : 200);
    } catch (error) {
      await abandon(c, key);
      throw error;
    }
  } catch (error) {
    await body.drain();
    throw error;
  }
}

/** The type and the first bytes of an upload, once its headers and these bytes are as they should be. */
async function accepted(c: Ctx, rules: FileRules, body: Body): Promise<[type: string, head: Uint8Array]> {
  const type = mediaType(c.req.header("content-type"));
  if (type === undefined) throw new Problem(415, "Say the type of the file in Content-Type.");
  if (isForm(type)) throw new Problem(415, "Send the file itself as the body, not a form.");
  if (rules.types !== undefined && !rules.types.includes(type)) {
    throw new Problem(415, `This takes ${rules.types.join(", ")}.`);
  }
  if ((c.req.header("content-encoding") ?? "identity").toLowerCase() !== "identity") {
    throw new Problem(415, "Send the file without a Content-Encoding.");
  }
  if (body.length !== undefined && body.length > rules.max) throw tooLarge(rules);
  const head = await body.take(HEAD_BYTES);
  if (head.byteLength === 0) throw new Problem(422, "The body is empty.");
  if (rules.image && !beginsAs(type, head)) throw new Problem(415, `The body is no ${type}.`);
  return [type, head];
}

function describe(c: Ctx, rules: FileRules, type: string, size: number, version: string): FileData {
  const plain = rules.image ? `${rules.field}.${type.replace("image/", "")}` : rules.field;
  const name = fileName(c.req.header("content-disposition") ?? "") ?? plain;
  return { name, content_type: type, size, uploaded_at: new Date().toISOString(), version };
}

async function remove(c: Ctx, entity: Entity, rules: FileRules, id: string): Promise<Response> {
  const [before, caller] = await writableRow(c, entity, id);
  if ((before[rules.field] ?? null) !== null) {
    await changeRow(c, entity, caller, before, { [rules.field]: null });
    await sweep(c);
  }
  return c.body(null, 204);
}

/** Stores another file of a row as every change of a row is stored: with its hooks, in one transaction. */
async function changeRow(
  c: Ctx,
  entity: Entity,
  caller: Caller,
  before: Row,
  file: Record<string, Stored>,
  conditions: readonly Condition[] = [],
): Promise<Row> {
  const id = String(before["id"]);
  const values = { ...file, ...(entity.timestamps ? { updated_at: new Date().toISOString() } : {}) };
  const change: Change = { entity, id, caller, before, after: values };
  await check(c, [change]);
  const filter = where([condition('"id" = ?', id), ...visible(entity, caller), ...conditions]);
  const sets = Object.keys(values).map((name) => `${quote(name)} = ?`);
  const statement = c.env.DB.prepare(
    `UPDATE ${quote(entity.name)} SET ${sets.join(", ")}${filter.sql} RETURNING ${selected(entity)}`,
  ).bind(...Object.values(values), ...filter.values);
  const stored = await carryOut(c, change, statement).catch(conflict(entity));
  if (stored === null) throw notFound();
  await after(c, change, stored);
  return stored;
}
