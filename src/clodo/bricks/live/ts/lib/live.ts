import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { type Caller, admit } from "./access";
import { type Entity, type Row, isOwned, selected, toJson, visible } from "./entity";
import type { Hook } from "./hooks";
import { route } from "./http";
import { Problem } from "./problem";
import { condition, formerly, jsonObject, quote, where } from "./sql";

/** Changes that are kept. Whoever was away for longer is told to begin anew. */
const KEPT = 10_000;
const MOST_SECONDS = 60;
const HEARTBEAT_MS = 15_000;
/** Between two looks for changes: soon after one, then ever later. */
const SOON_MS = 250;
const LATER_MS = 2000;
/** A stream ends before the fifty queries that Cloudflare's smallest plan allows to one request. */
const MOST_QUERIES = 44;
const AT_ONCE = 100;
/** What is kept of a row as it was tells who could see it. Long texts do not. */
const LONGEST = 200;

/** Writes each change down, in the transaction that it belongs to. */
export const live: Hook = {
  along: (c, { entity, id, before, after }) => [
    c.env.DB.prepare('INSERT INTO "_live" ("entity", "id", "was") VALUES (?, ?, ?)').bind(
      entity.name,
      id,
      // A row that comes back was hidden from everybody.
      before === null || after?.["deleted_at"] === null ? null : JSON.stringify(traces(entity, before)),
    ),
    forgotten(c),
  ],
  beside: (c, { entity }) => {
    const short = (value: string): string => `CASE WHEN typeof(${value}) = 'text' AND length(${value}) > ${LONGEST} THEN NULL ELSE ${value} END`;
    const was = jsonObject(tracedColumns(entity).map((name) => [name, short(formerly(name))]));
    return [
      c.env.DB.prepare(
        `INSERT INTO "_live" ("entity", "id", "was") SELECT "entity", "id", CASE WHEN "was" IS NOT NULL THEN ${was} END ` +
          'FROM "_touched" WHERE "entity" = ? ORDER BY "number"',
      ).bind(entity.name),
      forgotten(c),
    ];
  },
};

const forgotten = (c: Context<AppEnv>): D1PreparedStatement =>
  c.env.DB.prepare(`DELETE FROM "_live" WHERE "number" <= (SELECT max("number") FROM "_live") - ${KEPT}`);

const tracedColumns = (entity: Entity): string[] => [
  "id",
  ...Object.entries(entity.fields).flatMap(([name, field]) => (field.comparable && !field.writeOnly ? [name] : [])),
  ...Object.keys(entity.references),
  ...(isOwned(entity) ? ["owner_id"] : []),
  ...(entity.timestamps ? ["created_at", "updated_at"] : []),
];

const traces = (entity: Entity, row: Row): Row =>
  Object.fromEntries(
    tracedColumns(entity).map((name) => {
      const value = row[name] ?? null;
      return [name, typeof value === "string" && value.length > LONGEST ? null : value];
    }),
  );

/** `GET /api/{entities}/events`: the changes of the rows that this caller may see, as server-sent events. */
export function events(app: Hono<AppEnv>, entity: Entity): void {
  route(app, `/api/${entity.path}/events`, {
    GET: async (c) => {
      const caller = await admit(c, entity.read);
      const seconds = secondsOf(new URL(c.req.url));
      const last = lastEvent(c.req.header("last-event-id"));
      // Refuses whoever knows of no rows here (no member of the tenant, say) while there is an answer to refuse with.
      visible(entity, caller);
      const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
      if (c.req.method === "HEAD") return new Response(null, { headers });
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const stream = new Stream(c, entity, caller, writable.getWriter());
      await stream.begin(last);
      // Whoever listens may go at any time; nothing else is left to do then.
      void stream.run(seconds).catch(() => undefined);
      return new Response(readable, { headers });
    },
  });
}

const bad = (path: string, message: string): Problem => new Problem(400, `${path} ${message}.`, [{ path, message }]);

function secondsOf({ searchParams }: URL): number {
  for (const [name] of searchParams) if (name !== "wait") throw bad(name, "is not known here");
  const [given, ...more] = searchParams.getAll("wait");
  if (given === undefined) return MOST_SECONDS;
  if (more.length > 0 || !/^\d{1,2}$/.test(given) || Number(given) > MOST_SECONDS) {
    throw bad("wait", `must be one number from 0 to ${MOST_SECONDS}`);
  }
  return Number(given);
}

function lastEvent(header: string | undefined): number | undefined {
  if (header === undefined || header === "") return undefined;
  if (!/^\d{1,15}$/.test(header)) throw bad("Last-Event-ID", "is none that this stream gave out");
  return Number(header);
}

interface Noted {
  readonly number: number;
  readonly id: string;
  readonly was: string | null;
}

class Stream {
  private last = 0;
  private first = "";
  private queries = 0;
  private isClosed = false;

  constructor(
    private readonly c: Context<AppEnv>,
    private readonly entity: Entity,
    private readonly caller: Caller,
    private readonly writer: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    const closed = (): void => {
      this.isClosed = true;
    };
    writer.closed.then(closed, closed);
  }

  /** Finds the place in the table of changes where the stream begins. */
  async begin(last: number | undefined): Promise<void> {
    const [ends] = await this.query<{ oldest: number | null; newest: number | null }>(
      `SELECT min("number") AS "oldest", (SELECT "seq" FROM "sqlite_sequence" WHERE "name" = '_live') AS "newest" FROM "_live"`,
    );
    const newest = ends?.newest ?? 0;
    const isMissed = last !== undefined && (last > newest || last < (ends?.oldest ?? newest + 1) - 1);
    this.last = last === undefined || isMissed ? newest : last;
    this.first = `retry: 1000\n${message(this.last, isMissed ? "reset" : "ready", {})}`;
  }

  async run(seconds: number): Promise<void> {
    const end = Date.now() + seconds * 1000;
    let pause = SOON_MS;
    let spoken = Date.now();
    await this.write(this.first);
    for (;;) {
      const news = await this.news();
      if (news !== undefined) {
        pause = SOON_MS;
        if (news !== "") await this.write(news);
        spoken = Date.now();
        if (this.queries < MOST_QUERIES) continue;
      }
      const left = end - Date.now();
      if (left <= 0 || this.queries >= MOST_QUERIES || this.isClosed) break;
      if (Date.now() - spoken >= HEARTBEAT_MS) {
        await this.write(`: heartbeat\nid: ${this.last}\n\n`);
        spoken = Date.now();
      }
      await scheduler.wait(Math.min(pause, left));
      pause = Math.min(pause * 1.5, LATER_MS);
    }
    await this.writer.close();
  }

  /** The next changes as messages; `undefined` where nothing has changed. */
  private async news(): Promise<string | undefined> {
    const { entity } = this;
    const noted = await this.query<Noted>(
      `SELECT "number", "id", "was" FROM "_live" WHERE "entity" = ? AND "number" > ? ORDER BY "number" LIMIT ${AT_ONCE}`,
      entity.name,
      this.last,
    );
    if (noted.length === 0) return undefined;
    const rows = new Map((await this.rowsNow(noted)).map((row) => [row["id"], row]));
    const seen = await this.seenBefore(noted);
    const messages = noted.map(({ number, id }) => {
      const row = rows.get(id);
      if (row !== undefined) return message(number, seen.has(number) ? "updated" : "created", toJson(entity, row));
      return seen.has(number) ? message(number, "deleted", { id }) : "";
    });
    this.last = noted.at(-1)?.number ?? this.last;
    return messages.join("");
  }

  /** The changed rows that the caller may see, as they are now. */
  private rowsNow(noted: readonly Noted[]): Promise<Row[]> {
    const { entity } = this;
    const ids = condition('"id" IN (SELECT "value" FROM json_each(?))', JSON.stringify(noted.map(({ id }) => id)));
    const filter = where([ids, ...visible(entity, this.caller)]);
    return this.query<Row>(`SELECT ${selected(entity)} FROM ${quote(entity.name)}${filter.sql}`, ...filter.values);
  }

  /** The numbers of the changes of rows that the caller could see before. */
  private async seenBefore(noted: readonly Noted[]): Promise<Set<number>> {
    const { entity } = this;
    const numbers = noted.filter(({ was }) => was !== null).map(({ number }) => number);
    if (numbers.length === 0) return new Set();
    // Rules of reading are asked of the row as it was, in a table of the entity's name that holds only such rows.
    const columns = tracedColumns(entity).map((name) => `json_extract("was", '$."${name}"') AS ${quote(name)}`);
    if (entity.softDelete) columns.push('NULL AS "deleted_at"');
    const rows =
      `SELECT "number" AS " number", ${columns.join(", ")} FROM "_live" WHERE "number" IN (SELECT "value" FROM json_each(?))`;
    const filter = where(visible(entity, this.caller));
    const found = await this.query<{ " number": number }>(
      `SELECT " number" FROM (${rows}) AS ${quote(entity.name)}${filter.sql}`,
      JSON.stringify(numbers),
      ...filter.values,
    );
    return new Set(found.map((row) => row[" number"]));
  }

  private async query<Result>(sql: string, ...values: (string | number | null)[]): Promise<Result[]> {
    this.queries += 1;
    const { results } = await this.c.env.DB.prepare(sql).bind(...values).all<Result>();
    return results;
  }

  private write(text: string): Promise<void> {
    return this.writer.write(new TextEncoder().encode(text));
  }
}

const message = (number: number, kind: string, data: unknown): string =>
  `id: ${number}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
