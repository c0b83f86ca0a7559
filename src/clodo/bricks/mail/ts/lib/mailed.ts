import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { checkBody } from "./body";
import { email } from "./fields";
import { readJsonObject, route } from "./http";
import { type Purpose, deliverSoon, mailToken } from "./outbox";
import { PASSWORD, hashPassword } from "./password";
import { Problem } from "./problem";
import { hashSecret } from "./token";
import { type Account, adminAddress, admitInPerson, hooksOf, takePart } from "./users";

const TOKEN = z.string().check(z.maxLength(200));
const UNCONFIRMED = '"email_confirmed" = 0';
/** Of a token: its account has shown that its address is its own. */
const SHOWN = `NOT EXISTS (SELECT 1 FROM "user" u WHERE u."id" = "user_id" AND ${UNCONFIRMED})`;
/** The account that a token was mailed to, as long as it is good. */
const OWNER = '(SELECT "user_id" FROM "user__token" WHERE "hash" = ? AND "purpose" = ? AND "expires_at" > ?)';

/** Anyone can register the address that runs the service and have a mail sent there: whoever confirms it must know the account's password
 * too, or set it by a reset. */
const BY_ITSELF = '("email" IS NOT ? OR "id" = ?)';
/** The role of that address comes when it is confirmed, not before; whoever lost it does not get it again. */
const CONFIRMED =
  `"role" = CASE WHEN ${UNCONFIRMED} AND "email" = ? THEN 'admin' ELSE "role" END, "email_confirmed" = 1`;

const badToken = (): Problem =>
  new Problem(422, "The body has invalid fields.", [{ path: "token", message: "is not valid, or no longer" }]);

const accepted = (c: Context<AppEnv>): Response => {
  deliverSoon(c);
  return c.body(null, 202);
};

/** `POST /api/auth/confirm`: an account shows with a mailed token that its address is its own. */
export function confirmEmail(app: Hono<AppEnv>): void {
  takePart(app, {
    confirms: true,
    registered: (c, account) => mailToken(c, "confirm", account.email, UNCONFIRMED),
    entered: async (c) => {
      deliverSoon(c);
      return {};
    },
  });

  route(app, "/api/auth/confirm/request", {
    POST: async (c) => {
      const user = await admitInPerson(c);
      const found = await c.env.DB.prepare('SELECT "email" FROM "user" WHERE "id" = ?').bind(user.id).first<Account>();
      await c.env.DB.batch(await mailToken(c, "confirm", found?.email ?? "", UNCONFIRMED));
      return accepted(c);
    },
  });

  route(app, "/api/auth/confirm", {
    POST: async (c) => {
      const { token, ...rest } = await readJsonObject(c);
      checkBody({}, rest, [["token", TOKEN, token]]);
      const hash = await hashSecret(token as string);
      const { user } = await admit(c, "public");
      const now = new Date().toISOString();
      const admin = adminAddress(c) ?? null;
      const [changed] = await c.env.DB.batch([
        c.env.DB.prepare(`UPDATE "user" SET ${CONFIRMED}, "updated_at" = ? WHERE "id" = ${OWNER} AND ${BY_ITSELF} RETURNING "id"`)
          .bind(admin, now, hash, "confirm", now, admin, user?.byKey === true ? "" : (user?.id ?? "")),
        c.env.DB.prepare(`DELETE FROM "user__token" WHERE "purpose" = ? AND "user_id" = ${OWNER} AND ${SHOWN}`)
          .bind("confirm", hash, "confirm", now),
      ]);
      if (changed?.results.length === 1) return c.body(null, 204);
      if ((await ownerOf(c, hash, "confirm")) === null) throw badToken();
      throw new Problem(403, "This address is the administrator's: confirm it while you are logged in with it.");
    },
  });
}

/** `POST /api/auth/reset`: another password with a mailed token, which whoever knows an address may have sent
 * there. `confirms` says whether accounts tell that their address is their own. */
export function resetPassword(app: Hono<AppEnv>, confirms: boolean): void {
  takePart(app, {
    secured: (c, userId) => [
      c.env.DB.prepare('DELETE FROM "user__token" WHERE "user_id" = ? AND "purpose" = ?').bind(userId, "reset"),
    ],
  });

  route(app, "/api/auth/reset/request", {
    POST: async (c) => {
      const values = checkBody({ email: email({ required: true }) }, await readJsonObject(c));
      await c.env.DB.batch(await mailToken(c, "reset", values["email"] as string));
      return accepted(c);
    },
  });

  route(app, "/api/auth/reset", {
    POST: async (c) => {
      const { token, password, ...rest } = await readJsonObject(c);
      checkBody({}, rest, [["token", TOKEN, token], ["password", PASSWORD, password]]);
      const hash = await hashSecret(token as string);
      const account = await ownerOf(c, hash, "reset");
      if (account === null) throw badToken();
      const now = new Date().toISOString();
      const columns = `"password_hash" = ?, "updated_at" = ?${confirms ? `, ${CONFIRMED}` : ""}`;
      const admin = confirms ? [adminAddress(c) ?? null] : [];
      const ends = hooksOf(app).flatMap((hook) => hook.secured?.(c, account.id) ?? []);
      const [changed] = await c.env.DB.batch([
        c.env.DB.prepare(`UPDATE "user" SET ${columns} WHERE "id" = ${OWNER} RETURNING "id"`)
          .bind(await hashPassword(password as string), now, ...admin, hash, "reset", now),
        ...ends,
      ]);
      // Of two requests with one token the first took it.
      if (changed?.results.length !== 1) throw badToken();
      for (const hook of hooksOf(app)) await hook.succeeded?.(c, account.email);
      return c.body(null, 204);
    },
  });
}

const ownerOf = (c: Context<AppEnv>, hash: string, purpose: Purpose): Promise<Account | null> =>
  c.env.DB.prepare(`SELECT "id", "email" FROM "user" WHERE "id" = ${OWNER}`)
    .bind(hash, purpose, new Date().toISOString())
    .first<Account>();
