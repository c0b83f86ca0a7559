import { bitOf, HISTORY_WEEKS, hourOf, type History } from "./policy";

const TABLE = 'CREATE TABLE IF NOT EXISTS "arrival" ("hour" INTEGER PRIMARY KEY, "windows" INTEGER NOT NULL)';
const NOTE = 'INSERT INTO "arrival" VALUES (?1, ?2) ON CONFLICT ("hour") DO UPDATE SET "windows" = "windows" | ?2';
const WEEK_HOURS = 168;

/** The windows that this isolate has written, of the hour it last wrote for: one write for all requests of a window. */
let written = { hour: 0, windows: 0 };

/** Notes that a request came. Bits are added in the database, so that isolates do not overwrite each other. */
export async function note(database: D1Database, time: number): Promise<void> {
  const hour = hourOf(time);
  const bit = bitOf(time);
  if (written.hour === hour && (written.windows & bit) !== 0) return;
  written = { hour, windows: (written.hour === hour ? written.windows : 0) | bit };
  await database.batch([database.prepare(TABLE), database.prepare(NOTE).bind(hour, bit)]);
}

/** What is known before `now`. What is too old to count is forgotten. */
export async function history(database: D1Database, now: number): Promise<History> {
  const oldest = hourOf(now) - HISTORY_WEEKS * WEEK_HOURS;
  const [, , found] = await database.batch<{ hour: number; windows: number }>([
    database.prepare(TABLE),
    database.prepare('DELETE FROM "arrival" WHERE "hour" < ?').bind(oldest),
    database.prepare('SELECT "hour", "windows" FROM "arrival"'),
  ]);
  return new Map(found?.results.map(({ hour, windows }) => [hour, windows]));
}
