import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { uuidv7 } from "./id";
import { networkOf } from "./network";
import { Problem } from "./problem";
import { mark } from "./token";
import { takePart } from "./users";

/** So many times as many attempts may fail from one address on all accounts, and on one account from all addresses. */
const LOOSER = 10;

/** What attempts are counted for, as marks: neither account nor address is kept. */
type Counts = readonly (readonly [who: string, most: number])[];

/** The attempts of requests that have not ended, to be taken back where the password is right. */
const made = new WeakMap<Context<AppEnv>, string>();

/**
 * So many attempts on one account from one address may fail within `seconds`, and more on one account from anywhere and from one
 * address on any. Each attempt takes its places before the password is looked at, so that attempts at once are counted too; a
 * right password gives them back, and clears those of the account from the address.
 */
export function loginLimit(app: Hono<AppEnv>, attempts: number, seconds: number): void {
  takePart(app, {
    attempt: async (c, address) => {
      const counts = JSON.stringify(await countsOf(c, address, attempts));
      const id = uuidv7();
      const now = Date.now();
      const since = now - seconds * 1000;
      const db = c.env.DB;
      const [, taken, first] = await db.batch<{ at: number | null }>([
        db.prepare('DELETE FROM "user__attempt" WHERE "at" <= ?').bind(since),
        db
          .prepare(
            `INSERT INTO "user__attempt" ("id", "who", "at") SELECT ?1 || '/' || "key", ${WHO}, ?2 FROM json_each(?3) WHERE NOT EXISTS (SELECT 1 FROM json_each(?3) WHERE ${COUNT} >= ${MOST})`,
          )
          .bind(id, now, counts),
        db
          .prepare(
            `SELECT MAX((SELECT MIN("at") FROM "user__attempt" WHERE "who" = ${WHO})) AS "at" FROM json_each(?) WHERE ${COUNT} >= ${MOST}`,
          )
          .bind(counts),
      ]);
      made.set(c, id);
      if (taken?.meta.changes !== 0) return;
      const wait = Math.max(1, Math.ceil(((first?.results[0]?.at ?? now) - since) / 1000));
      throw new Problem(429, "Too many attempts to log in.", [], { "retry-after": String(wait) });
    },
    succeeded: async (c, address) => {
      const [pair] = await countsOf(c, address, attempts);
      const forget = c.env.DB.prepare('DELETE FROM "user__attempt" WHERE "who" = ?').bind(pair?.[0] ?? "");
      const mine = JSON.stringify([0, 1, 2].map((key) => `${made.get(c) ?? ""}/${key}`));
      const back = c.env.DB.prepare('DELETE FROM "user__attempt" WHERE "id" IN (SELECT "value" FROM json_each(?))').bind(mine);
      await c.env.DB.batch([forget, back]);
    },
  });
}

const WHO = `json_extract("value", '$[0]')`;
const MOST = `json_extract("value", '$[1]')`;
const COUNT = `(SELECT COUNT(*) FROM "user__attempt" WHERE "who" = ${WHO})`;

/** The account from where the request comes from, which stands first, the account and where it comes from. */
async function countsOf(c: Context<AppEnv>, address: string, attempts: number): Promise<Counts> {
  const from = networkOf(c.req.header("cf-connecting-ip") ?? "");
  const marked = async (text: string, most: number) => [await mark(c, "attempt", text), most] as const;
  const alone = [marked(`account ${address}`, attempts * LOOSER)];
  // Without an address, which Cloudflare always gives, all would be one.
  if (from !== "") alone.push(marked(`from ${from}`, attempts * LOOSER));
  return Promise.all([marked(`${from} ${address}`, attempts), ...alone]);
}
