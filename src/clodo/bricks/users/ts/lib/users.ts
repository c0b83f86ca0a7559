import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { admit } from "./access";
import { checkBody } from "./body";
import { type Field, email, normalAddress } from "./fields";
import { readJsonObject, route } from "./http";
import { uuidv7 } from "./id";
import { hashPassword, verifyPassword } from "./password";
import { Problem } from "./problem";
import { insertSql, quote, uniqueConflict } from "./sql";
import { issueToken } from "./token";

type Row = Record<string, string | number | null>;

const PASSWORD = z.string().check(
  z.minLength(8),
  z.maxLength(200),
  z.refine<string>((text) => text.isWellFormed(), "must be well-formed text"),
);

/** Registration, login and the caller's own account. `profile` are fields beside e-mail and password. */
export function users(app: Hono<AppEnv>, profile: Readonly<Record<string, Field>>): void {
  const columns = ["id", "email", "role", ...Object.keys(profile), "created_at", "updated_at"];
  const select = `SELECT ${columns.map(quote).join(", ")} FROM "user"`;

  const toJson = (row: Row): Record<string, unknown> =>
    Object.fromEntries(
      columns
        .filter((name) => !profile[name]?.writeOnly)
        .map((name) => [name, profile[name]?.decode(row[name] ?? null) ?? row[name] ?? null]),
    );

  const answer = async (c: Context<AppEnv>, row: Row, status: 200 | 201) =>
    c.json({ user: toJson(row), token: await issueToken(c, row["id"] as string) }, status);

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
      const admin = c.env.ADMIN_EMAIL ? normalAddress(c.env.ADMIN_EMAIL.trim()) : undefined;
      const id = uuidv7();
      const now = new Date().toISOString();
      const row: Row = {
        id,
        password_hash: await hashPassword(password as string),
        role: values["email"] === admin ? "admin" : "user",
        ...values,
        created_at: now,
        updated_at: now,
      };
      await c.env.DB.prepare(insertSql("user", Object.keys(row)))
        .bind(...Object.values(row))
        .run()
        .catch(uniqueConflict);
      return answer(c, await byId(c, id), 201);
    },
  });

  route(app, "/api/auth/login", {
    POST: async (c) => {
      const body = await readJsonObject(c);
      const given = checkBody({ email: email({ required: true }) }, { email: body["email"] }, [
        ["password", z.string(), body["password"]],
      ]);
      const found = await c.env.DB.prepare('SELECT "id", "password_hash" FROM "user" WHERE "email" = ?')
        .bind(given["email"] ?? null)
        .first<{ id: string; password_hash: string }>();
      const right = await verifyPassword(body["password"] as string, found?.password_hash ?? null);
      if (!right || found === null) {
        throw new Problem(401, "E-mail or password is wrong.", [], {
          "www-authenticate": 'Bearer realm="api"',
        });
      }
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
