import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { type User, admit } from "./access";
import { checkBody } from "./body";
import { type Field, email, normalAddress } from "./fields";
import { readJsonObject, route } from "./http";
import { uuidv7 } from "./id";
import { PASSWORD, hashPassword, verifyPassword } from "./password";
import { Problem } from "./problem";
import { insertSql, quote, uniqueConflict } from "./sql";
import { issueToken } from "./token";

type Row = Record<string, string | number | null>;

/** An account, as far as others take part in what happens to it. */
export interface Account {
  readonly id: string;
  readonly email: string;
}

/** What takes part in what happens to accounts: sessions, mail, limits. */
export interface AccountHook {
  /** Whether an address counts as that of its account only once it is confirmed. */
  readonly confirms?: boolean;
  /** Before a password is looked at; refuses with a `Problem`. */
  readonly attempt?: (c: Context<AppEnv>, address: string) => Promise<void>;
  /** When the password was right. */
  readonly succeeded?: (c: Context<AppEnv>, address: string) => Promise<void>;
  /** Statements of the transaction that stores a new account. */
  readonly registered?: (c: Context<AppEnv>, account: Account) => Promise<readonly D1PreparedStatement[]>;
  /** After registration or login: further keys of the answer; `token` takes the place of the plain one. */
  readonly entered?: (c: Context<AppEnv>, account: Account) => Promise<Readonly<Record<string, unknown>>>;
  /** Statements that end what the old password opened; only the session `kept` goes on. Without one the
   * account may have been in other hands. */
  readonly secured?: (c: Context<AppEnv>, userId: string, kept?: string) => readonly D1PreparedStatement[];
  /** After a logout. */
  readonly left?: (c: Context<AppEnv>) => void;
}

const taking = new WeakMap<Hono<AppEnv>, AccountHook[]>();

/** What takes part in the accounts of a service. */
export const hooksOf = (app: Hono<AppEnv>): readonly AccountHook[] => taking.get(app) ?? [];

export function takePart(app: Hono<AppEnv>, hook: AccountHook): void {
  taking.set(app, [...hooksOf(app), hook]);
}

/** The address whose account has the role `admin`. */
export const adminAddress = (c: Context<AppEnv>): string | undefined =>
  c.env.ADMIN_EMAIL ? normalAddress(c.env.ADMIN_EMAIL.trim()) : undefined;

/** The user who calls, with a login of their own: what manages an account is not for its keys. */
export async function admitInPerson(c: Context<AppEnv>): Promise<User> {
  const { user } = await admit(c, "user");
  if (user === undefined || user.byKey) throw new Problem(403, "A key may not do this: log in.");
  return user;
}

/**
 * Registration, login and the caller's own account. `profile` are fields beside e-mail and password; `prepare` changes their
 * values before they are stored.
 */
export function users(
  app: Hono<AppEnv>,
  profile: Readonly<Record<string, Field>>,
  prepare?: (values: Row) => Promise<void>,
): void {
  const columns = ["id", "email", "role", ...Object.keys(profile), "created_at", "updated_at"];
  const select = `SELECT ${columns.map(quote).join(", ")} FROM "user"`;

  const toJson = (row: Row): Record<string, unknown> =>
    Object.fromEntries(
      columns
        .filter((name) => !profile[name]?.writeOnly)
        .map((name) => [name, profile[name]?.decode(row[name] ?? null) ?? row[name] ?? null]),
    );

  const answer = async (c: Context<AppEnv>, row: Row, status: 200 | 201) => {
    const account = { id: row["id"] as string, email: row["email"] as string };
    const more: Record<string, unknown> = {};
    for (const hook of hooksOf(app)) Object.assign(more, await hook.entered?.(c, account));
    const token = more["token"] ?? (await issueToken(c, account.id));
    return c.json({ user: toJson(row), token, ...more }, status);
  };

  const byId = async (c: Context<AppEnv>, id: string): Promise<Row> => {
    const row = await c.env.DB.prepare(`${select} WHERE "id" = ?`).bind(id).first<Row>();
    if (row === null) throw new Problem(404, "There is nothing here.");
    return row;
  };

  route(app, "/api/auth/register", {
    POST: async (c) => {
      const { email: address, password, ...rest } = await readJsonObject(c);
      const values = checkBody(
        { ...profile, email: email({ required: true }) },
        { ...rest, email: address },
        [["password", PASSWORD, password]],
      );
      await prepare?.(values);
      const isAdmin = values["email"] === adminAddress(c) && !hooksOf(app).some((hook) => hook.confirms);
      const id = uuidv7();
      const now = new Date().toISOString();
      const row: Row = {
        id,
        password_hash: await hashPassword(password as string),
        role: isAdmin ? "admin" : "user",
        ...values,
        created_at: now,
        updated_at: now,
      };
      const insert = c.env.DB.prepare(insertSql("user", Object.keys(row))).bind(...Object.values(row));
      const account = { id, email: row["email"] as string };
      const along = await Promise.all(hooksOf(app).map(async (hook) => (await hook.registered?.(c, account)) ?? []));
      await c.env.DB.batch([insert, ...along.flat()]).catch(uniqueConflict);
      return answer(c, await byId(c, id), 201);
    },
  });

  route(app, "/api/auth/login", {
    POST: async (c) => {
      const body = await readJsonObject(c);
      const given = checkBody({ email: email({ required: true }) }, { email: body["email"] }, [
        ["password", z.string(), body["password"]],
      ]);
      const address = given["email"] as string;
      for (const hook of hooksOf(app)) await hook.attempt?.(c, address);
      const found = await c.env.DB.prepare('SELECT "id", "password_hash" FROM "user" WHERE "email" = ?')
        .bind(address)
        .first<{ id: string; password_hash: string }>();
      const right = await verifyPassword(body["password"] as string, found?.password_hash ?? null);
      if (!right || found === null) {
        throw new Problem(401, "E-mail or password is wrong.", [], {
          "www-authenticate": 'Bearer realm="api"',
        });
      }
      for (const hook of hooksOf(app)) await hook.succeeded?.(c, address);
      return answer(c, await byId(c, found.id), 200);
    },
  });

  route(app, "/api/auth/me", {
    GET: async (c) => {
      const caller = await admit(c, "user");
      return c.json(toJson(await byId(c, caller.user?.id ?? "")));
    },
  });
}
