import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { asBody } from "./bulk";
import { type Cell, cellValue, records } from "./csv";
import { type Entity, isOwned } from "./entity";
import { type Format, MEDIA, formatOf } from "./export";
import { MAX_BODY_BYTES, route } from "./http";
import { type Entry, blame, checkedEntries, insertAll, storeAll, told } from "./insertion";
import { type FieldError, Problem } from "./problem";

const MOST_BYTES = 10 * 1024 * 1024;
const MOST_ROWS = 10_000;

type Body = Record<string, unknown>;
/** A row of the file: its number, and its body or what is wrong with it. */
type Numbered = readonly [number: number, body: Body | string];

/** `POST /api/{entities}/import`: rows of a file, each checked as a body that creates one. */
export function importing(app: Hono<AppEnv>, entity: Entity, formats: readonly [Format, ...Format[]]): void {
  route(app, `/api/${entity.path}/import`, {
    POST: async (c) => {
      const caller = await admit(c, entity.write);
      const url = new URL(c.req.url);
      const mode = modeOf(url);
      const format = formatOf(url, formats);
      expectType(c, format);
      const rows: Numbered[] = [];
      const read = format === "csv" ? csvRows : jsonRows;
      for await (const row of read(entity, texts(c.req.raw.body))) {
        rows.push(row);
        if (rows.length > MOST_ROWS) throw new Problem(413, `The file has more than ${MOST_ROWS} rows.`);
      }
      const entries = await checkedEntries(c, entity, caller, rows);
      if (mode === "all") await storeAll(c, entity, entries);
      else await storeSome(c, entity, entries, { left: MOST_BATCHES, isBegun: false });
      const failed = entries.filter(({ faults }) => faults.length > 0).length;
      return c.json({ created: entries.length - failed, failed, errors: toldFirst(entries) });
    },
  });
}

function modeOf(url: URL): "all" | "partial" {
  const seen = new Set<string>();
  for (const name of url.searchParams.keys()) {
    const message = name !== "format" && name !== "mode" ? "is not known here" : seen.has(name) ? "is given more than once" : "";
    if (message !== "") throw new Problem(400, `The parameter ${name} ${message}.`, [{ path: name, message }]);
    seen.add(name);
  }
  const mode = url.searchParams.get("mode") ?? "all";
  if (mode === "all" || mode === "partial") return mode;
  const message = "must be one of all, partial";
  throw new Problem(400, `The parameter mode ${message}.`, [{ path: "mode", message }]);
}

function expectType(c: Context<AppEnv>, format: Format): void {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  const known = type === MEDIA[format] || (format === "ndjson" && type === "application/ndjson");
  if (!known) throw new Problem(415, `Send the body as ${MEDIA[format]}.`);
}

/** The text of a body, piece by piece. One that is too large is read on for a while, so that the 413 arrives. */
async function* texts(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new Problem(400, "The body is not valid UTF-8.");
    }
  };
  const reader = body.getReader();
  let size = 0;
  for (let part = await reader.read(); !part.done && size <= 2 * MOST_BYTES; part = await reader.read()) {
    size += part.value.byteLength;
    if (size <= MOST_BYTES) yield decode(part.value);
  }
  if (size > MOST_BYTES) throw new Problem(413, `The body is larger than ${MOST_BYTES / 1024 / 1024} MiB.`);
  yield decode();
}

/** Keys of a row that an export has and the service sets itself: an import passes over them. */
function ownKeys(entity: Entity): Set<string> {
  const readOnly = Object.entries(entity.fields).filter(([, field]) => field.readOnly);
  return new Set([
    "id",
    ...readOnly.map(([name]) => name),
    ...Object.keys(entity.computed),
    ...(isOwned(entity) ? ["owner_id"] : []),
    ...(entity.timestamps ? ["created_at", "updated_at"] : []),
  ]);
}

async function* csvRows(entity: Entity, source: AsyncIterable<string>): AsyncGenerator<Numbered> {
  const own = ownKeys(entity);
  let columns: string[] | undefined;
  let number = 0;
  for await (const cells of records(source)) {
    if (columns === undefined) {
      columns = header(entity, cells, own);
      continue;
    }
    number += 1;
    yield [number, csvBody(entity, columns, cells, own)];
  }
  if (columns === undefined) throw new Problem(422, "The file has no header.");
}

function header(entity: Entity, cells: readonly Cell[], own: ReadonlySet<string>): string[] {
  const names = cells.map(({ text }) => text.trim());
  const known = (name: string): boolean =>
    own.has(name) || Object.hasOwn(entity.fields, name) || Object.hasOwn(entity.references, name);
  const errors = names.flatMap((name, index) => {
    if (!known(name)) return [{ path: name.slice(0, 100), message: "is not a column of this import" }];
    return names.indexOf(name) === index ? [] : [{ path: name, message: "is there twice" }];
  });
  if (errors.length > 0) throw new Problem(422, "The header has columns that cannot be imported.", errors.slice(0, 50));
  return names;
}

function csvBody(entity: Entity, columns: readonly string[], cells: readonly Cell[], own: ReadonlySet<string>): Body | string {
  if (cells.length !== columns.length) return `has ${cells.length} cells, and the header has ${columns.length}`;
  const body: Body = {};
  for (const [index, name] of columns.entries()) {
    const value = own.has(name) ? undefined : cellValue(entity, name, cells[index] ?? { text: "", quoted: false });
    if (value !== undefined) body[name] = value;
  }
  return body;
}

async function* jsonRows(entity: Entity, source: AsyncIterable<string>): AsyncGenerator<Numbered> {
  const own = ownKeys(entity);
  let number = 0;
  for await (const some of lines(source)) {
    for (const text of some) {
      number += 1;
      if (text.trim() !== "") yield [number, jsonBody(text, own)];
    }
  }
}

function jsonBody(text: string, own: ReadonlySet<string>): Body | string {
  let body: Body | string;
  try {
    body = asBody(JSON.parse(text));
  } catch {
    return "is not valid JSON";
  }
  if (typeof body === "string") return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !own.has(name)));
}

/** The lines of a text, as many at once as have come: a step for each would take long where most are empty. */
async function* lines(source: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "";
  for await (const piece of source) {
    const parts = (rest + piece).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_BODY_BYTES) throw new Problem(413, "A line is longer than 1 MiB.");
    yield parts;
  }
  yield [rest];
}

/** What one request may ask of the database to find rows that it refuses: Cloudflare allows a thousand queries to one. */
const MOST_BATCHES = 200;
const NOT_TRIED = "was not tried: the rows in front took too many attempts; neither were those behind it. Send them again";
const UNKNOWN = "may be stored or not: something went wrong on our side";

interface Storing {
  left: number;
  /** Whether something is stored, so that the request is not to fail any more. */
  isBegun: boolean;
}

/** Stores the rows that can be, and notes of the others why they cannot: in their order, so that what was not tried is at the end. */
async function storeSome(c: Context<AppEnv>, entity: Entity, entries: readonly Entry[], storing: Storing): Promise<void> {
  const sound = entries.filter(({ faults }) => faults.length === 0);
  if (storing.left <= 0) return fail(sound, NOT_TRIED, 503);
  try {
    storing.left -= 1;
    await insertAll(c, entity, sound);
    storing.isBegun = true;
  } catch (error) {
    if (!(error instanceof Problem)) {
      giveUp(storing, error);
      return fail(sound, UNKNOWN, 500);
    }
    await blame(c, entity, sound, error).catch((broken: unknown) => giveUp(storing, broken));
    if (sound.some(({ faults }) => faults.length > 0)) return storeSome(c, entity, sound, storing);
    if (sound.length === 1) return fail(sound, error.detail, error.status);
    // Whose fault it is shows in ever smaller parts.
    const middle = Math.ceil(sound.length / 2);
    await storeSome(c, entity, sound.slice(0, middle), storing);
    await storeSome(c, entity, sound.slice(middle), storing);
  }
}

/** Where the database gives out, say, and something is stored already, that is told all the same. */
function giveUp(storing: Storing, error: unknown): void {
  if (!storing.isBegun) throw error;
  console.error(error);
  storing.left = 0;
}

function fail(entries: readonly Entry[], message: string, status: number): void {
  for (const { faults } of entries) faults.push({ path: "", message, status });
}

/** The faults in the order of the rows; where some were not tried, the first of them is told before all: all behind it are to be sent again. */
function toldFirst(entries: readonly Entry[]): FieldError[] {
  const isUntried = ({ faults }: Entry): boolean => faults.some(({ status }) => status === 503);
  const first = entries.find(isUntried);
  return told([...(first === undefined ? [] : [first]), ...entries.filter((entry) => !isUntried(entry))]);
}
