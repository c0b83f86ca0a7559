import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { type Caller, admit } from "./access";
import { cell, line } from "./csv";
import { type Entity, type Row, selected, toJson, visible } from "./entity";
import { route } from "./http";
import { parseListQuery } from "./list";
import { Problem } from "./problem";
import { quote, where } from "./sql";

export type Format = "csv" | "ndjson";

export const MEDIA: Readonly<Record<Format, string>> = { csv: "text/csv", ndjson: "application/x-ndjson" };

const MOST_ROWS = 1000;
const FIRST_ROWS = 100;
/** Pages are made about this long, so that long rows take no more memory than short ones. */
const PAGE_CHARACTERS = 1024 * 1024;

const bad = (path: string, message: string): Problem =>
  new Problem(400, `The parameter ${path} ${message}.`, [{ path, message }]);

/** The format that a request asks for; without one the first. */
export function formatOf(url: URL, formats: readonly [Format, ...Format[]]): Format {
  const [asked, ...more] = url.searchParams.getAll("format");
  if (more.length > 0) throw bad("format", "is given more than once");
  const format = asked === undefined ? formats[0] : formats.find((name) => name === asked);
  if (format === undefined) throw bad("format", `must be one of ${formats.join(", ")}`);
  return format;
}

/** `GET /api/{entities}/export`: every row of the list that this caller may see, page after page. */
export function exporting(app: Hono<AppEnv>, entity: Entity, formats: readonly [Format, ...Format[]]): void {
  route(app, `/api/${entity.path}/export`, {
    GET: async (c) => {
      const caller = await admit(c, entity.read);
      const url = new URL(c.req.url);
      const format = formatOf(url, formats);
      for (const name of ["limit", "cursor"]) {
        if (url.searchParams.has(name)) throw bad(name, "is not known here: an export has no pages");
      }
      url.searchParams.delete("format");
      const pages = texts(c, entity, caller, url, format);
      // What is wrong with the request shows with the first page, while there still is a status to answer with.
      const first = await pages.next();
      return c.body(streamed(first, pages), 200, {
        "content-type": `${MEDIA[format]}; charset=utf-8${format === "csv" ? "; header=present" : ""}`,
        "content-disposition": `attachment; filename="${entity.path}.${format}"`,
      });
    },
  });
}

function streamed(first: IteratorResult<string>, pages: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: IteratorResult<string> | undefined = first;
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const page: IteratorResult<string> = next ?? (await pages.next());
      next = undefined;
      if (page.done === true) controller.close();
      else controller.enqueue(encoder.encode(page.value));
    },
    cancel: async () => {
      await pages.return(undefined);
    },
  });
}

async function* texts(c: Context<AppEnv>, entity: Entity, caller: Caller, url: URL, format: Format): AsyncGenerator<string> {
  // A row that is not there has the same keys.
  const keys = Object.keys(toJson(entity, {}));
  let head = format === "csv" ? line(keys) : "";
  for (let limit = FIRST_ROWS; ; ) {
    const query = parseListQuery(entity, url.href);
    const filter = where([...visible(entity, caller), ...query.conditions]);
    const { results } = await c.env.DB.prepare(
      `SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql} ORDER BY ${query.order} LIMIT ?`,
    )
      .bind(...filter.values, limit)
      .all<Row>();
    const page = results.map((row) => text(entity, toJson(entity, row), format)).join("");
    yield head + page;
    head = "";
    const last = results.at(-1);
    if (last === undefined || results.length < limit) return;
    url.searchParams.set("cursor", query.cursorAfter(last));
    limit = Math.max(1, Math.min(MOST_ROWS, Math.floor((PAGE_CHARACTERS * results.length) / page.length)));
  }
}

const text = (entity: Entity, row: Readonly<Record<string, unknown>>, format: Format): string =>
  format === "csv" ? line(Object.entries(row).map(([name, value]) => cell(entity, name, value))) : `${JSON.stringify(row)}\n`;
