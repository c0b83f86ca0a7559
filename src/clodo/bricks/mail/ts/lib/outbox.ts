import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { uuidv7 } from "./id";
import { type Outbox, type Waiting, sendDue } from "./outgoing";
import { hashSecret, mark, randomSecret } from "./token";

/** What a mail is for. */
export type Purpose = "confirm" | "reset";

const LIFETIME_MILLISECONDS: Readonly<Record<Purpose, number>> = {
  confirm: 24 * 60 * 60 * 1000,
  reset: 60 * 60 * 1000,
};
/** Nobody gets more than one mail of a kind in this time, however often it is asked for. */
const PAUSE_MILLISECONDS = 60 * 1000;
/** Before what was not taken at once is tried again behind the same answer. */
const PAUSES = [1000, 5000];
/** A request of Cloudflare's smallest plan has fifty queries, and each mail takes two. */
const MOST_AT_ONCE = 18;

/**
 * Statements that give the account of an address a fresh token and put the mail with it into the outbox. They are the
 * same, and write as much at first, whether there is such an account or not. `meets` is a further condition.
 */
export async function mailToken(
  c: Context<AppEnv>,
  purpose: Purpose,
  address: string,
  meets = "TRUE",
): Promise<D1PreparedStatement[]> {
  const token = randomSecret();
  const hash = await hashSecret(token);
  const who = await mark(c, `mail ${purpose}`, address);
  const now = Date.now();
  const moment = new Date(now).toISOString();
  const expires = new Date(now + LIFETIME_MILLISECONDS[purpose]).toISOString();
  const sql = (text: string, ...values: (string | number)[]) => c.env.DB.prepare(text).bind(...values);
  return [
    sql('DELETE FROM "user__asked" WHERE "at" <= ?', now - PAUSE_MILLISECONDS),
    sql('INSERT OR IGNORE INTO "user__asked" ("who", "by", "at") VALUES (?, ?, ?)', who, hash, now),
    sql('DELETE FROM "user__token" WHERE "expires_at" <= ?', moment),
    sql('DELETE FROM "user__outbox" WHERE "expires_at" <= ?', moment),
    // Tokens from before stay good: else whoever asks for mail again and again would make void what a user just got.
    sql(
      `INSERT INTO "user__token" ("hash", "user_id", "purpose", "expires_at") SELECT ?1, "id", ?2, ?4 FROM "user" WHERE EXISTS (SELECT 1 FROM "user__asked" WHERE "by" = ?1) AND "email" = ?3 AND ${meets}`,
      hash, purpose, address, expires,
    ),
    sql(
      'INSERT INTO "user__outbox" ("id", "purpose", "recipient", "token", "created_at", "expires_at", "next_attempt_at") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?5 WHERE EXISTS (SELECT 1 FROM "user__token" WHERE "hash" = ?7)',
      uuidv7(), purpose, address, token, moment, expires, hash,
    ),
  ];
}

interface Post extends Waiting {
  readonly purpose: Purpose;
  readonly recipient: string;
  readonly token: string;
  readonly expires_at: string;
}

const outbox: Outbox<Post> = {
  table: "user__outbox",
  columns: ["purpose", "recipient", "token", "expires_at"],
  open: '"expires_at" > ?1',
  // A token that is on its way is kept as its hash alone.
  cleared: '"token" = NULL',
  pauses: PAUSES,
  mail: async (_, { id, purpose, recipient, token, expires_at }) => ({ id, purpose, to: recipient, token, expires_at }),
};

/** Sends what is in the outbox behind the answer, where there is a sender. */
export function deliverSoon(c: Context<AppEnv>): void {
  c.executionCtx.waitUntil(deliver(c.env));
}

/** What is not taken is tried again soon, and what is not taken then goes with a later mail. */
async function deliver(env: Env): Promise<void> {
  let left = MOST_AT_ONCE;
  for (const pause of [0, ...PAUSES]) {
    await scheduler.wait(pause);
    const { tried, refused } = await sendDue(env, outbox, left);
    left -= tried;
    if (refused === 0 || left === 0) return;
  }
}
