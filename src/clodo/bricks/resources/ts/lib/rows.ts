import type { Context } from "hono";
import type { AppEnv } from "../env";
import { type Caller, admit, allows, ownAlone } from "./access";
import { type Mode, checkBody } from "./body";
import { type Entity, type Row, isOwned, selected, toJson, visible } from "./entity";
import type { Stored } from "./fields";
import { readJsonObject } from "./http";
import { type Change, after, carryOut, check, refused } from "./hooks";
import { uuidv7 } from "./id";
import { parseListQuery } from "./list";
import { type FieldError, Problem, notFound } from "./problem";
import { entityByName } from "../entities";
import {
  type Condition,
  condition,
  insertSql,
  brokenBounds,
  isCheckFailure,
  isForeignKeyFailure,
  quote,
  uniqueConflict,
  where,
} from "./sql";

type Ctx = Context<AppEnv>;

/** One page of the rows that this caller may know of and that meet the conditions. */
export async function listRows(
  c: Ctx,
  entity: Entity,
  caller: Caller,
  conditions: readonly Condition[] = [],
): Promise<Response> {
  const query = parseListQuery(entity, c.req.url);
  const filter = where([...visible(entity, caller), ...conditions, ...query.conditions]);
  const { results } = await c.env.DB.prepare(
    `SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql} ORDER BY ${query.order} LIMIT ?`,
  )
    .bind(...filter.values, query.limit + 1)
    .all<Row>();
  const page = results.slice(0, query.limit);
  const last = page.at(-1);
  const more = results.length > query.limit && last !== undefined;
  return c.json({
    items: page.map((row) => toJson(entity, row)),
    next_cursor: more ? query.cursorAfter(last) : null,
  });
}

/** The row of that id, or a 404 where there is none that this caller may know of. */
export async function readRow(c: Ctx, entity: Entity, caller: Caller, id: string): Promise<Row> {
  const filter = where([condition('"id" = ?', id), ...visible(entity, caller)]);
  const row = await c.env.DB.prepare(
    `SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql}`,
  )
    .bind(...filter.values)
    .first<Row>();
  if (row === null) throw notFound();
  return row;
}

/** The row of that id, where this caller may change it. Whoever may not read a row cannot change it
 * either: the answer would tell what it holds. */
export async function writableRow(c: Ctx, entity: Entity, id: string): Promise<[Row, Caller]> {
  const caller = await admit(c, entity.write);
  if (!allows(entity.read, caller)) throw notFound();
  const row = await readRow(c, entity, caller, id);
  if (ownAlone(entity.write, caller) && row["owner_id"] !== caller.user?.id) {
    throw new Problem(403, "Only the owner may change this.");
  }
  return [row, caller];
}

export async function createRow(
  c: Ctx,
  entity: Entity,
  caller: Caller,
  fixed: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const change = creation(entity, caller, await checkedValues(c, entity, caller, "create", fixed));
  const { id, after: row } = change;
  await check(c, [change]);
  const columns = Object.keys(row);
  const statement = c.env.DB.prepare(
    `${insertSql(entity.name, columns)} RETURNING ${selected(entity)}`,
  ).bind(...Object.values(row));
  const stored = (await carryOut(c, change, statement).catch(conflict(entity))) ?? {};
  await after(c, change, stored);
  return c.json(toJson(entity, stored), 201, { location: `/api/${entity.path}/${id}` });
}

/** A row to be stored: what the body says, and what the service adds to it. */
export function creation(
  entity: Entity,
  caller: Caller,
  values: Readonly<Record<string, Stored>>,
): Change & { readonly after: Record<string, Stored> } {
  const now = new Date().toISOString();
  const id = uuidv7();
  const row: Record<string, Stored> = {
    id,
    ...values,
    ...(isOwned(entity) ? { owner_id: caller.user?.id ?? null } : {}),
    ...(entity.timestamps ? { created_at: now, updated_at: now } : {}),
  };
  return { entity, id, caller, before: null, after: row };
}

export async function updateRow(c: Ctx, entity: Entity, id: string, mode: Mode): Promise<Response> {
  const [before, caller] = await writableRow(c, entity, id);
  const values = await checkedValues(c, entity, caller, mode, {});
  if (Object.keys(values).length === 0) return c.json(toJson(entity, before));
  if (entity.timestamps) values["updated_at"] = new Date().toISOString();
  const change: Change = { entity, id, caller, before, after: values };
  await check(c, [change]);
  const columns = Object.keys(values);
  const filter = where([condition('"id" = ?', id), ...visible(entity, caller)]);
  const statement = c.env.DB.prepare(
    `UPDATE ${quote(entity.name)} SET ${columns.map((name) => `${quote(name)} = ?`).join(", ")}${filter.sql} RETURNING ${selected(entity)}`,
  ).bind(...Object.values(values), ...filter.values);
  const stored = await carryOut(c, change, statement).catch(conflict(entity));
  if (stored === null) throw notFound();
  await after(c, change, stored);
  return c.json(toJson(entity, stored));
}

/** Turns what the database refuses into a problem that tells why. */
export const conflict = (entity: Entity) => (error: unknown): never => {
  refused(entity, error);
  if (isForeignKeyFailure(error)) throw new Problem(422, "A row that this one refers to is gone.");
  if (isCheckFailure(error)) throw new Problem(422, brokenBounds(error));
  return uniqueConflict(error);
};

/** The body's stored values, its references looked up. `fixed` references come from the path. */
async function checkedValues(
  c: Ctx,
  entity: Entity,
  caller: Caller,
  mode: Mode,
  fixed: Readonly<Record<string, string>>,
): Promise<Record<string, Stored>> {
  const { values, references, errors } = checkedFields(entity, await readJsonObject(c), mode, fixed);
  errors.push(...(await missingRows(c, entity, caller, references)));
  if (errors.length > 0) throw new Problem(422, "The body has invalid fields.", errors);
  return { ...values, ...references };
}

/** What a body gives before anything is looked up: stored values, the rows it refers to, its faults. */
export interface CheckedFields {
  readonly values: Record<string, Stored>;
  readonly references: Record<string, Stored>;
  readonly errors: FieldError[];
}

export function checkedFields(
  entity: Entity,
  body: Readonly<Record<string, unknown>>,
  mode: Mode,
  fixed: Readonly<Record<string, string>> = {},
): CheckedFields {
  const fields: Record<string, unknown> = { ...body };
  const errors: FieldError[] = [];
  const references: Record<string, Stored> = {};
  for (const [key, reference] of Object.entries(entity.references)) {
    const given = Object.hasOwn(body, key) ? body[key] : undefined;
    delete fields[key];
    const path = fixed[key];
    if (path !== undefined && (given === undefined || given === path)) references[key] = path;
    else if (path !== undefined) errors.push({ path: key, message: "comes from the path" });
    else if (typeof given === "string") references[key] = given;
    else if (given === undefined && mode === "change") continue;
    else if ((given ?? null) === null && !reference.required) references[key] = null;
    else errors.push({ path: key, message: referenceFault(given) });
  }
  const values = collected(errors, () => checkBody(entity.fields, fields, [], mode));
  return { values, references, errors };
}

function referenceFault(given: unknown): string {
  if (given === undefined) return "is required";
  return given === null ? "must not be null" : "must be an id";
}

/** Runs a check and keeps the faults that it finds, so that they are told with the others. */
function collected(
  errors: FieldError[],
  run: () => Record<string, Stored>,
): Record<string, Stored> {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    errors.push(...error.errors);
    return {};
  }
}

/** What limits the rows, or users, that rows of an entity may refer to. */
export function nameable(entity: Entity, to: string, caller: Caller): readonly Condition[] {
  const target = entityByName(to);
  return target === undefined ? (entity.people?.(caller) ?? []) : visible(target, caller);
}

/** One round trip for all references: which of them name a row that this caller cannot refer to. */
export async function missingRows(
  c: Ctx,
  entity: Entity,
  caller: Caller,
  references: Readonly<Record<string, Stored>>,
): Promise<FieldError[]> {
  const wanted = Object.entries(references).filter(([, id]) => id !== null);
  if (wanted.length === 0) return [];
  const statements = wanted.map(([key, id]) => {
    const name = entity.references[key]?.to ?? "";
    const filter = where([condition('"id" = ?', id), ...nameable(entity, name, caller)]);
    return c.env.DB.prepare(`SELECT 1 FROM ${quote(name)}${filter.sql}`).bind(...filter.values);
  });
  const found = await c.env.DB.batch(statements);
  return wanted
    .filter((_, index) => found[index]?.results.length === 0)
    .map(([path]) => ({ path, message: "refers to a row that does not exist" }));
}
