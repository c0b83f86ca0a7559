import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import { among, prepare } from "./deletion";
import { type Entity, type Row, selected } from "./entity";
import type { Stored } from "./fields";
import { type Change, afterAll, ahead, along, check } from "./hooks";
import { type FieldError, Problem } from "./problem";
import { type CheckedFields, checkedFields, conflict, creation, nameable } from "./rows";
import { condition, quote, where } from "./sql";

type Ctx = Context<AppEnv>;
type Body = Readonly<Record<string, unknown>>;

/** A body on its way to a row, with its number in the request and what is wrong with it. */
export interface Entry {
  readonly number: number;
  readonly faults: Fault[];
  change?: Change;
}

export interface Fault extends FieldError {
  readonly status: number;
}

/** D1 takes texts of up to 2 MB; a character has three bytes at most. */
const MOST_CHARACTERS = 600_000;
const MOST_TOLD = 50;

/** Checks bodies as each of them would be checked alone. What is no object comes with its fault. */
export async function checkedEntries(
  c: Ctx,
  entity: Entity,
  caller: Caller,
  bodies: readonly (readonly [number: number, body: Body | string])[],
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const given: [Entry, CheckedFields][] = [];
  for (const [number, body] of bodies) {
    const entry: Entry = { number, faults: [] };
    entries.push(entry);
    if (typeof body === "string") entry.faults.push({ path: "", message: body, status: 422 });
    else given.push([entry, checkedFields(entity, body, "create")]);
  }
  await lookUp(c, entity, caller, given.map(([, fields]) => fields));
  for (const [entry, { values, references, errors }] of given) {
    entry.faults.push(...errors.map((error) => ({ ...error, status: 422 })));
    if (errors.length > 0) continue;
    entry.change = creation(entity, caller, { ...values, ...references });
    await check(c, [entry.change]).catch((error: unknown) => refuse(entry, error));
  }
  return entries;
}

function refuse(entry: Entry, error: unknown): void {
  // A refusal of the request as a whole is no fault of a row.
  if (!(error instanceof Problem) || (error.status !== 409 && error.status !== 422)) throw error;
  const errors = error.errors.length > 0 ? error.errors : [{ path: "", message: error.detail }];
  entry.faults.push(...errors.map((one) => ({ ...one, status: error.status })));
}

/** Finds the references that name no row which this caller can refer to: one query for each reference. */
async function lookUp(c: Ctx, entity: Entity, caller: Caller, rows: readonly CheckedFields[]): Promise<void> {
  for (const [key, reference] of Object.entries(entity.references)) {
    const wanted = new Set(rows.flatMap(({ references }) => references[key] ?? []).map(String));
    if (wanted.size === 0) continue;
    const filter = where([among('"id"', wanted), ...nameable(entity, reference.to, caller)]);
    const select = condition(`SELECT "id" FROM ${quote(reference.to)}${filter.sql}`, ...filter.values);
    const { results } = await prepare(c, select).all<{ id: string }>();
    const found = new Set<Stored>(results.map((row) => row.id));
    for (const { references, errors } of rows) {
      const id = references[key] ?? null;
      if (id !== null && !found.has(id)) errors.push({ path: key, message: "refers to a row that does not exist" });
    }
  }
}

/** Stores all rows or none, and gives them in their order. */
export async function insertAll(c: Ctx, entity: Entity, entries: readonly Entry[]): Promise<Row[]> {
  const changes = entries.flatMap(({ change }) => change ?? []);
  if (changes.length === 0) return [];
  const statements = chunks(changes).map((chunk) => insertion(c, entity, chunk));
  const before = ahead(c, changes);
  const done = await c.env.DB.batch<Row>([...before, ...statements, ...along(c, changes)]).catch(conflict(entity));
  const results = done.slice(before.length, before.length + statements.length);
  const rows = new Map(results.flatMap((result) => result.results.map((row) => [row["id"], row])));
  const stored = changes.map(({ id }) => rows.get(id) ?? {});
  await afterAll(c, changes.map((change, index) => [change, stored[index] ?? {}]));
  return stored;
}

/** One statement for many rows: they are bound as JSON, since D1 binds at most 100 values. */
function insertion(c: Ctx, entity: Entity, rows: readonly string[]): D1PreparedStatement {
  const columns = Object.keys(JSON.parse(rows[0] ?? "{}") as object);
  const values = columns.map((name) => `"value" ->> ${path(name)}`);
  return c.env.DB.prepare(
    `INSERT INTO ${quote(entity.name)} (${columns.map(quote).join(", ")}) SELECT ${values.join(", ")} FROM json_each(?) WHERE 1 RETURNING ${selected(entity)}`,
  ).bind(`[${rows.join(",")}]`);
}

/** A key of ours as a path of SQLite's. */
const path = (name: string): string => `'$."${name}"'`;

/** Rows as JSON, in parts that D1 takes and whose rows have the same columns. */
function chunks(changes: readonly Change[]): string[][] {
  const out: string[][] = [];
  let [size, columns] = [0, ""];
  for (const { after: row } of changes) {
    const text = JSON.stringify(row);
    const keys = JSON.stringify(Object.keys(row ?? {}));
    if (out.length === 0 || keys !== columns || size + text.length > MOST_CHARACTERS) {
      out.push([]);
      [size, columns] = [0, keys];
    }
    out.at(-1)?.push(text);
    size += text.length;
  }
  return out;
}

/** Which rows a broken uniqueness is about: those whose values another row has, in the table or earlier in the request. */
export async function blame(c: Ctx, entity: Entity, entries: readonly Entry[], problem: Problem): Promise<void> {
  const named = problem.errors.map((error) => error.path);
  const columns = [...new Set([...(entity.uniqueWithin ?? []), ...named])];
  const isColumn = (name: string): boolean => name in (entries.find((e) => e.change)?.change?.after ?? {});
  if (problem.status !== 409 || named.length === 0 || !columns.every(isColumn)) return;
  const keys = entries.map(({ change }) => columns.map((name) => change?.after?.[name] ?? null));
  const taken = await takenKeys(c, entity, columns, keys);
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const key = keys[index] ?? [];
    const text = JSON.stringify(key);
    if (entry.change === undefined || key.includes(null)) continue;
    if (taken.has(index) || seen.has(text)) {
      entry.faults.push(...named.map((path) => ({ path, message: "is taken", status: 409 })));
    }
    seen.add(text);
  }
}

async function takenKeys(c: Ctx, entity: Entity, columns: readonly string[], keys: readonly Stored[][]): Promise<Set<number>> {
  const same = columns.map((name, i) => `t.${quote(name)} = j."value" ->> ${i}`).join(" AND ");
  const shown = entity.softDelete ? ' AND t."deleted_at" IS NULL' : "";
  const sql = `SELECT j."key" AS "at" FROM json_each(?) j WHERE EXISTS (SELECT 1 FROM ${quote(entity.name)} t WHERE ${same}${shown})`;
  const { results } = await c.env.DB.prepare(sql).bind(JSON.stringify(keys)).all<{ at: number }>();
  return new Set(results.map((row) => row.at));
}

/** The faults as an answer tells them, `{row}.{path}` each, the first fifty. */
export const told = (entries: readonly Entry[]): FieldError[] =>
  entries
    .flatMap(({ number, faults }) =>
      faults.map(({ path: at, message }) => ({ path: at === "" ? `${number}` : `${number}.${at}`, message })),
    )
    .slice(0, MOST_TOLD);

/** Refuses a request of which some rows have faults. */
export function refuseFaulty(entries: readonly Entry[]): void {
  const faulty = entries.filter(({ faults }) => faults.length > 0);
  if (faulty.length === 0) return;
  const status = faulty.some(({ faults }) => faults.some((fault) => fault.status === 422)) ? 422 : 409;
  const rows = entries.length === 1 ? "1 row" : `${entries.length} rows`;
  throw new Problem(status, `Nothing is stored: ${faulty.length} of ${rows} cannot be.`, told(entries));
}

/** Stores all rows or none; the answer to a conflict names the rows that it is about. */
export async function storeAll(c: Ctx, entity: Entity, entries: readonly Entry[]): Promise<Row[]> {
  refuseFaulty(entries);
  try {
    return await insertAll(c, entity, entries);
  } catch (error) {
    if (error instanceof Problem) await blame(c, entity, entries, error);
    refuseFaulty(entries);
    throw error;
  }
}
