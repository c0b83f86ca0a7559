import type { Context } from "hono";
import type { AppEnv, Env } from "../env";
import { uuidv7 } from "./id";
import { type Mail, senderOf } from "./sender";
import { hashSecret, mark, randomSecret } from "./token";

/** What a mail is for. */
export type Purpose = "confirm" | "reset";

const LIFETIME_MILLISECONDS: Readonly<Record<Purpose, number>> = {
  confirm: 24 * 60 * 60 * 1000,
  reset: 60 * 60 * 1000,
};
/** Nobody gets more than one mail of a kind in this time, however often it is asked for. */
const PAUSE_MILLISECONDS = 60 * 1000;
const PAUSES = [0, 1000, 5000];
const CLAIM_MILLISECONDS = 60 * 1000;
const MOST_AT_ONCE = 20;

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
      'INSERT INTO "user__outbox" ("id", "purpose", "recipient", "token", "created_at", "expires_at") SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM "user__token" WHERE "hash" = ?7)',
      uuidv7(), purpose, address, token, moment, expires, hash,
    ),
  ];
}

interface Post {
  readonly id: string;
  readonly purpose: Purpose;
  readonly recipient: string;
  readonly token: string;
  readonly expires_at: string;
}

/** Sends what is in the outbox behind the answer, where there is a sender. */
export function deliverSoon(c: Context<AppEnv>): void {
  c.executionCtx.waitUntil(deliver(c.env));
}

async function deliver(env: Env): Promise<void> {
  const [db, send] = [env.DB, senderOf(env)];
  if (send === undefined) return;
  for (let count = 0; count < MOST_AT_ONCE; count += 1) {
    const mail = await claim(db);
    if (mail === null || !(await sent(send, mail))) return;
    // A token that is on its way is kept as its hash alone.
    await db
      .prepare('UPDATE "user__outbox" SET "sent_at" = ?, "token" = NULL WHERE "id" = ?')
      .bind(new Date().toISOString(), mail.id)
      .run();
  }
}

/** The oldest mail that nobody is sending just now. */
async function claim(db: D1Database): Promise<Post | null> {
  const now = Date.now();
  const moment = new Date(now).toISOString();
  return db
    .prepare(
      'UPDATE "user__outbox" SET "claimed_at" = ?1 WHERE "id" = (SELECT "id" FROM "user__outbox" WHERE "sent_at" IS NULL AND "expires_at" > ?1 AND ("claimed_at" IS NULL OR "claimed_at" <= ?2) ORDER BY "id" LIMIT 1) RETURNING "id", "purpose", "recipient", "token", "expires_at"',
    )
    .bind(moment, new Date(now - CLAIM_MILLISECONDS).toISOString())
    .first<Post>();
}

/** Whether the sender took a mail. What it does not take stays, and goes with the next one. */
async function sent(send: (mail: Mail) => Promise<boolean>, { recipient, ...post }: Post): Promise<boolean> {
  for (const pause of PAUSES) {
    await scheduler.wait(pause);
    if (await send({ ...post, to: recipient })) return true;
  }
  console.error(`The mail ${post.id} could not be handed over.`);
  return false;
}
