import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { type Caller, bearerToken } from "./access";
import { checkBody } from "./body";
import { datetime, text } from "./fields";
import { readJsonObject, route } from "./http";
import { uuidv7 } from "./id";
import { Problem, notFound } from "./problem";
import { hashSecret, randomSecret, sameText } from "./token";
import { admitInPerson, takePart } from "./users";

/** A front that tells what it is and finds its row, then the secret. */
const KEY = /^(key_[0-9a-f]{16})_[\w-]{43}$/;
const MOST_KEYS = 100;
/** How often it is noted that a key is in use. */
const NOTED_MILLISECONDS = 60 * 1000;

const SHOWN = '"id", "name", "prefix", "created_at", "expires_at", "last_used_at"';
const BODY = { name: text({ required: true, maxLength: 100 }), expires_at: datetime() };

/** Keys of users: each makes, lists and revokes their own. */
export function userKeys(app: Hono<AppEnv>): void {
  takePart(app, {
    // Whoever had the account in hands that are not the owner's may have made keys.
    secured: (c, userId, kept) =>
      kept === undefined ? [c.env.DB.prepare('DELETE FROM "user__key" WHERE "user_id" = ?').bind(userId)] : [],
  });

  route(app, "/api/auth/keys", {
    GET: async (c) => {
      const user = await admitInPerson(c);
      const { results } = await c.env.DB.prepare(
        `SELECT ${SHOWN} FROM "user__key" WHERE "user_id" = ? ORDER BY "id" DESC`,
      )
        .bind(user.id)
        .all();
      return c.json({ items: results });
    },
    POST: async (c) => c.json(await create(c, (await admitInPerson(c)).id), 201),
  });

  route(app, "/api/auth/keys/:id", {
    DELETE: async (c) => {
      const user = await admitInPerson(c);
      const { meta } = await c.env.DB.prepare('DELETE FROM "user__key" WHERE "id" = ? AND "user_id" = ?')
        .bind(c.req.param("id") ?? "", user.id)
        .run();
      if (meta.changes === 0) throw notFound();
      return c.body(null, 204);
    },
  });
}

async function create(c: Context<AppEnv>, userId: string): Promise<Record<string, unknown>> {
  const values = checkBody(BODY, await readJsonObject(c));
  const now = new Date().toISOString();
  const expires = values["expires_at"] ?? null;
  if (expires !== null && expires <= now) {
    throw new Problem(422, "The body has invalid fields.", [{ path: "expires_at", message: "must be in the future" }]);
  }
  const mark = crypto.getRandomValues(new Uint8Array(8));
  const prefix = `key_${Array.from(mark, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const key = `${prefix}_${randomSecret()}`;
  const made = await c.env.DB.prepare(
    `INSERT INTO "user__key" ("id", "user_id", "name", "prefix", "hash", "created_at", "expires_at") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE (SELECT COUNT(*) FROM "user__key" WHERE "user_id" = ?2) < ?8 RETURNING ${SHOWN}`,
  )
    .bind(uuidv7(), userId, values["name"] ?? null, prefix, await hashSecret(key), now, expires, MOST_KEYS)
    .first();
  if (made === null) throw new Problem(409, `An account has at most ${MOST_KEYS} keys: revoke one first.`);
  return { ...made, key };
}

interface Found {
  readonly id: string;
  readonly hash: string;
  readonly last_used_at: string | null;
  readonly user_id: string;
  readonly role: string;
}

/** The user of a key, in `X-API-Key` or as a bearer token. */
export async function keyUser(c: Context<AppEnv>): Promise<Caller | undefined> {
  const given = c.req.header("x-api-key") ?? bearerToken(c) ?? "";
  const prefix = KEY.exec(given)?.[1];
  if (prefix === undefined) return undefined;
  const now = new Date();
  const found = await c.env.DB.prepare(
    'SELECT k."id", k."hash", k."last_used_at", k."user_id", u."role" FROM "user__key" AS k JOIN "user" AS u ON u."id" = k."user_id" WHERE k."prefix" = ? AND (k."expires_at" IS NULL OR k."expires_at" > ?)',
  )
    .bind(prefix, now.toISOString())
    .first<Found>();
  if (found === null || !sameText(await hashSecret(given), found.hash)) return undefined;
  if (now.getTime() - Date.parse(found.last_used_at ?? "1970-01-01") > NOTED_MILLISECONDS) {
    await c.env.DB.prepare('UPDATE "user__key" SET "last_used_at" = ? WHERE "id" = ?')
      .bind(now.toISOString(), found.id)
      .run();
  }
  return { user: { id: found.user_id, role: found.role, byKey: true } };
}
