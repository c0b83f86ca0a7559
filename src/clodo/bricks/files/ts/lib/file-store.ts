import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import type { Entity, Row } from "./entity";
import type { Stored } from "./fields";
import type { Limit } from "./file-body";
import type { Hook } from "./hooks";

type Ctx = Context<AppEnv>;

/** What a field holds, and where it is found. */
export interface FileRules extends Limit {
  readonly field: string;
  /** The last segment of its path. */
  readonly path: string;
  /** The types that it takes; any where there are none. */
  readonly types?: readonly string[];
  /** Whether its files are images, whose bytes are looked at and which browsers may show. */
  readonly image: boolean;
}

/** What a row tells of its file. */
export interface FileData {
  readonly name: string;
  readonly content_type: string;
  readonly size: number;
  readonly uploaded_at: string;
  /** Each upload has another one. */
  readonly version: string;
}

/** What a row tells of its file, if it has one. */
export function fileData(row: Row, rules: FileRules): FileData | null {
  const stored: Stored = row[rules.field] ?? null;
  return stored === null ? null : (JSON.parse(String(stored)) as FileData);
}

/**
 * The key of an object. Each upload has one of its own, so that a row and its object always belong together, whatever
 * happens at once. The triggers of the first migration make the same key.
 */
export const objectKey = (entity: Entity, id: string, rules: FileRules, version: string): string =>
  `${entity.name}/${id}/${rules.field}/${version}`;

/** No upload takes this long. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;
/** As many objects as R2 deletes at once. */
const MOST_AT_ONCE = 1000;
/** After so many times that many the rest waits for the next sweep. */
const MOST_SWEPT = 20;

/**
 * Notes an object before it is stored. The trigger of the row takes the note away when the row has it; where that never
 * comes to pass, the object is known and goes.
 */
export async function announce(c: Ctx, key: string): Promise<void> {
  await c.env.DB.prepare('INSERT INTO "_unused_files" ("key", "begun") VALUES (?, ?)')
    .bind(key, new Date().toISOString())
    .run();
}

/** That an upload is still awaited: one that took too long has been given up. */
export const AWAITED = 'EXISTS (SELECT 1 FROM "_unused_files" WHERE "key" = ? AND "begun" IS NOT NULL)';

/** Gives up an upload. */
export async function abandon(c: Ctx, key: string): Promise<void> {
  try {
    await c.env.DB.prepare('UPDATE "_unused_files" SET "begun" = NULL WHERE "key" = ?').bind(key).run();
  } catch (error) {
    console.error(error);
  }
  await sweep(c);
}

/**
 * Deletes the objects that no row holds any more: the triggers note them in the very transaction in which a row loses
 * them. Where this fails the notes stay, and the next change of any file does it.
 */
export const sweep = (c: Ctx): Promise<void> => sweepFiles(c.env);

export async function sweepFiles(env: Env): Promise<void> {
  try {
    for (let i = 0; i < MOST_SWEPT; i++) if ((await sweepSome(env)) < MOST_AT_ONCE) return;
  } catch (error) {
    console.error(error);
  }
}

/** Gives the number of objects that it found. */
async function sweepSome(env: Env): Promise<number> {
  const overdue = new Date(Date.now() - ABANDONED_MS).toISOString();
  // From here on no upload that took too long can end well.
  const { results } = await env.DB.prepare(
    'UPDATE "_unused_files" SET "begun" = NULL WHERE "key" IN ' +
      '(SELECT "key" FROM "_unused_files" WHERE "begun" IS NULL OR "begun" < ? LIMIT ?) RETURNING "key"',
  )
    .bind(overdue, MOST_AT_ONCE)
    .all<{ key: string }>();
  const keys = results.map(({ key }) => key);
  if (keys.length === 0) return 0;
  await env.FILES.delete(keys);
  await env.DB.prepare('DELETE FROM "_unused_files" WHERE "key" IN (SELECT "value" FROM json_each(?))')
    .bind(JSON.stringify(keys))
    .run();
  return keys.length;
}

/** Requests that have swept: all rows that a request deletes go at once, and once is enough for their files. */
const swept = new WeakSet<Ctx>();

/** Lets files go when their rows are gone. */
export const fileHook: Hook = {
  after: async (c, change) => {
    if (change.after !== null || swept.has(c)) return;
    swept.add(c);
    await sweep(c);
  },
  // All of them are gone at once. Schedules sweep when all is done that is to be done at a time.
  afterBeside: async (c, { caller }) => {
    if (caller.clock === true || swept.has(c)) return;
    swept.add(c);
    await sweep(c);
  },
};
