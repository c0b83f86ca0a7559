import { type Entity, type Row, isOwned } from "./entity";
import { type Stored, datetime } from "./fields";
import { Problem } from "./problem";
import { type Condition, condition, quote } from "./sql";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** What a list request asks for. One row more than `limit` is read, to know whether a page follows. */
export interface ListQuery {
  readonly conditions: readonly Condition[];
  readonly order: string;
  readonly limit: number;
  cursorAfter(row: Row): string;
}

const bad = (path: string, message: string): Problem =>
  new Problem(400, `The parameter ${path} ${message}.`, [{ path, message }]);

/** D1 binds at most 100 values in a statement; the rest is for the cursor and for who is asking. */
const MAX_FILTERS = 60;

/** A column that lists can be filtered by and sorted by. */
interface Column {
  readonly ranged: boolean;
  readonly numeric?: true;
  parse(text: string): Stored | undefined;
}

const plain: Column = { ranged: false, parse: (text) => text };
const moment: Column = datetime();

const known = new WeakMap<Entity, Map<string, Column>>();

/** What a list can be filtered and sorted by; it follows from the entity, so it is worked out once. */
function columnsOf(entity: Entity): Map<string, Column> {
  const found = known.get(entity) ?? allColumns(entity);
  known.set(entity, found);
  return found;
}

function allColumns(entity: Entity): Map<string, Column> {
  const columns = new Map<string, Column>([["id", plain]]);
  for (const [name, field] of Object.entries(entity.fields)) {
    if (field.comparable && !field.writeOnly) columns.set(name, field);
  }
  for (const key of Object.keys(entity.references)) columns.set(key, plain);
  if (isOwned(entity)) columns.set("owner_id", plain);
  if (entity.timestamps) for (const name of ["created_at", "updated_at"]) columns.set(name, moment);
  return columns;
}

/** Reads the parameters in the address of a request. */
export function parseListQuery(entity: Entity, address: string): ListQuery {
  const { pathname, given } = partsOf(address);
  const parameters = new Map(given);
  const columns = columnsOf(entity);
  const conditions: Condition[] = [];
  if (parameters.size < given.length) throw bad(repeated(given), "is given more than once");
  for (const [name, value] of given) {
    if (name === "limit" || name === "cursor" || name === "sort") continue;
    if (conditions.length >= MAX_FILTERS) throw bad(name, `is one filter too many: a list takes ${MAX_FILTERS}`);
    conditions.push(filter(entity, columns, name, value));
  }
  const sort = parseSort(columns, parameters.get("sort"));
  const scope = scopeOf(pathname, given);
  const cursor = parameters.get("cursor");
  if (cursor !== undefined) conditions.push(after(sort, decodeCursor(cursor, sort, columns.get(sort.column) ?? plain, scope)));
  const direction = sort.descending ? "DESC" : "ASC";
  return {
    conditions,
    order: sort.column === "id" ? `"id" ${direction}` : `${quote(sort.column)} ${direction}, "id" ${direction}`,
    limit: parseLimit(parameters.get("limit")),
    cursorAfter: (row) => encodeCursor([sort.name, scope, row[sort.column] ?? null, row["id"] as string]),
  };
}

type Parameter = readonly [name: string, value: string];

/** The path of an address, and its parameters in their order: a list is asked for far too often to make a `URL` of each. */
function partsOf(address: string): { readonly pathname: string; readonly given: readonly Parameter[] } {
  const start = address.indexOf("/", address.indexOf("//") + 2);
  const end = address.indexOf("?");
  if (end < 0) return { pathname: address.slice(start), given: [] };
  return { pathname: address.slice(start, end), given: [...new URLSearchParams(address.slice(end + 1))] };
}

const repeated = (given: readonly Parameter[]): string =>
  given.find(([name], i) => given.findIndex(([other]) => other === name) < i)?.[0] ?? "";

function filter(entity: Entity, columns: Map<string, Column>, name: string, value: string): Condition {
  if (name === "q" && entity.search !== undefined) {
    if (value.includes("\u0000")) throw bad(name, "makes no sense");
    return entity.search(value, entity);
  }
  const exact = columns.get(name);
  if (exact !== undefined) return compare(exact, name, name, "=", value);
  const match = /^(.+)_(min|max)$/.exec(name);
  const column = match === null ? undefined : columns.get(match[1] ?? "");
  if (match === null || column === undefined || !column.ranged) throw bad(name, "is not known here");
  return compare(column, match[1] ?? "", name, match[2] === "min" ? ">=" : "<=", value);
}

function compare(column: Column, name: string, parameter: string, operator: string, value: string): Condition {
  const parsed = column.parse(value);
  if (parsed === undefined) throw bad(parameter, "has a value that makes no sense");
  return condition(`${quote(name)} ${operator} ?`, parsed);
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw bad("limit", `must be a number from 1 to ${MAX_LIMIT}`);
  return limit;
}

interface Sort {
  readonly name: string;
  readonly column: string;
  readonly descending: boolean;
}

function parseSort(columns: Map<string, Column>, text: string | undefined): Sort {
  const name = text ?? "id";
  const descending = name.startsWith("-");
  const column = descending ? name.slice(1) : name;
  if (!columns.has(column)) throw bad("sort", "does not name a field that can be sorted by");
  return { name, column, descending };
}

type Cursor = readonly [sort: string, scope: string, value: Stored, id: string];

/** A short mark of the path and the filters: a cursor is only good for the list that it came from. */
function scopeOf(pathname: string, given: readonly Parameter[]): string {
  const rest = given.filter(([name]) => name !== "cursor" && name !== "limit");
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify([pathname, rest.sort()])) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash.toString(36);
}

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

function encodeCursor(cursor: Cursor): string {
  const base64 = btoa(JSON.stringify(cursor).replace(/[\u0080-\uffff]/g, escaped));
  return base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeCursor(text: string, sort: Sort, column: Column, scope: string): Cursor {
  const broken = bad("cursor", "is not one that this list gave out");
  let value: unknown;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    value = JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
  } catch {
    throw broken;
  }
  if (!Array.isArray(value) || value.length !== 4) throw broken;
  const [name, mark, last, id] = value as unknown[];
  if (name !== sort.name || mark !== scope || typeof id !== "string") throw broken;
  if (last !== null && typeof last !== (column.numeric ? "number" : "string")) throw broken;
  return [name, mark, last as Stored, id];
}

/** The rows behind a cursor. SQLite puts nulls before all other values. */
function after(sort: Sort, [, , value, id]: Cursor): Condition {
  const column = quote(sort.column);
  const beyond = sort.descending ? "<" : ">";
  if (sort.column === "id") return condition(`"id" ${beyond} ?`, id);
  if (value === null) {
    return sort.descending
      ? condition(`${column} IS NULL AND "id" < ?`, id)
      : condition(`(${column} IS NULL AND "id" > ?) OR ${column} IS NOT NULL`, id);
  }
  const next = `${column} ${beyond} ? OR (${column} = ? AND "id" ${beyond} ?)`;
  return condition(sort.descending ? `${next} OR ${column} IS NULL` : next, value, value, id);
}
