import type { Env } from "../env";
import { type Mail, senderOf } from "./sender";
import { quote } from "./sql";

/** So long a mail is left to whoever took it; if its Worker dies, another takes over then. */
const LEASE_MS = 60_000;
/** A request of Cloudflare's smallest plan has fifty queries, and each mail takes two. */
const MOST_AT_ONCE = 20;
/** Twice as long each time: a minute, two, and so on, for a day altogether. */
const PAUSE_MS = 60_000;
const MOST_ATTEMPTS = 11;

/** A mail that waits in a table. */
export interface Waiting {
  readonly id: string;
  readonly attempts: number;
}

/** A table of mails, with the columns `id`, `attempts`, `next_attempt_at` and `sent_at`. */
export interface Outbox<Post extends Waiting> {
  readonly table: string;
  /** The columns that a mail is made of. */
  readonly columns: readonly string[];
  /** A condition over the moment `?1`, without which a mail is not sent any more. */
  readonly open?: string;
  /** What is set of a mail that is sent, beside the moment. */
  readonly cleared?: string;
  /** The first pauses, where they are shorter than a minute. */
  readonly pauses?: readonly number[];
  /** The mail as the sender gets it; `undefined` where nobody is meant. */
  mail(env: Env, post: Post): Promise<Mail | undefined>;
}

/** What came of sending: how many mails were tried, and how many of them were not taken. */
export interface Sent {
  readonly tried: number;
  readonly refused: number;
}

const iso = (moment: number): string => new Date(moment).toISOString();

/** Sends what is due, each mail once: one that is not taken waits for its next attempt and holds up no other. */
export async function sendDue<Post extends Waiting>(env: Env, outbox: Outbox<Post>, most = MOST_AT_ONCE): Promise<Sent> {
  const give = senderOf(env);
  let [tried, refused] = [0, 0];
  while (give !== undefined && tried < most) {
    const post = await claim(env, outbox);
    if (post === null) break;
    tried += 1;
    const mail = await outbox.mail(env, post);
    const taken = mail === undefined || (await give(mail));
    if (!taken) refused += 1;
    await note(env, outbox, post, taken);
  }
  return { tried, refused };
}

/** A mail that is due and that nobody is sending just now: first those that were never tried, so that no flood of bad ones stands before them. */
async function claim<Post extends Waiting>(env: Env, { table, columns, open }: Outbox<Post>): Promise<Post | null> {
  const now = Date.now();
  const names = ["id", "attempts", ...columns].map(quote).join(", ");
  const due = ['"sent_at" IS NULL', '"next_attempt_at" <= ?1', ...(open === undefined ? [] : [open])].join(" AND ");
  const first = `SELECT "id" FROM ${quote(table)} WHERE ${due} ORDER BY min("attempts", 1), "next_attempt_at", "id" LIMIT 1`;
  return env.DB.prepare(
    `UPDATE ${quote(table)} SET "attempts" = "attempts" + 1, "next_attempt_at" = ?2 WHERE "id" = (${first}) RETURNING ${names}`,
  )
    .bind(iso(now), iso(now + LEASE_MS))
    .first<Post>();
}

async function note<Post extends Waiting>(env: Env, outbox: Outbox<Post>, { id, attempts }: Post, taken: boolean): Promise<void> {
  const { table, cleared, pauses = [] } = outbox;
  if (!taken) console.error(`The mail ${id} could not be handed over.`);
  const pause = pauses[attempts - 1] ?? PAUSE_MS * 2 ** (attempts - pauses.length - 1);
  const next = taken || attempts >= MOST_ATTEMPTS ? null : iso(Date.now() + pause);
  const also = taken && cleared !== undefined ? `, ${cleared}` : "";
  await env.DB.prepare(`UPDATE ${quote(table)} SET "sent_at" = ?, "next_attempt_at" = ?${also} WHERE "id" = ?`)
    .bind(taken ? iso(Date.now()) : null, next, id)
    .run();
}
