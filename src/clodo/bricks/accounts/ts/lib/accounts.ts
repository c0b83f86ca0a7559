import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { type Caller, type Rule, admit } from "./access";
import { checkBody } from "./body";
import { type Entity, type Row, selected, toJson } from "./entity";
import { type Field, choice, email } from "./fields";
import { readJsonObject, route } from "./http";
import { PASSWORD, hashPassword, verifyPassword } from "./password";
import { Problem } from "./problem";
import { listRows, readRow } from "./rows";
import { admitInPerson, hooksOf } from "./users";

const invalid = (path: string, message: string): Problem =>
  new Problem(422, "The body has invalid fields.", [{ path, message }]);

/** `PUT /api/auth/password`: another password for whoever knows the present one; the other sessions end. */
export function changePassword(app: Hono<AppEnv>): void {
  route(app, "/api/auth/password", {
    PUT: async (c) => {
      const user = await admitInPerson(c);
      const { current_password: current, password, ...rest } = await readJsonObject(c);
      checkBody({}, rest, [
        ["current_password", z.string(), current],
        ["password", PASSWORD, password],
      ]);
      const account = await c.env.DB.prepare('SELECT "email", "password_hash" FROM "user" WHERE "id" = ?')
        .bind(user.id)
        .first<{ email: string; password_hash: string }>();
      const address = account?.email ?? "";
      for (const hook of hooksOf(app)) await hook.attempt?.(c, address);
      const stored = account?.password_hash ?? null;
      if (!(await verifyPassword(current as string, stored))) throw invalid("current_password", "is wrong");
      for (const hook of hooksOf(app)) await hook.succeeded?.(c, address);
      const ends = hooksOf(app).flatMap((hook) => hook.secured?.(c, user.id, user.session ?? "") ?? []);
      const [changed] = await c.env.DB.batch([
        c.env.DB.prepare(
          'UPDATE "user" SET "password_hash" = ?, "updated_at" = ? WHERE "id" = ? AND "password_hash" = ?',
        ).bind(await hashPassword(password as string), new Date().toISOString(), user.id, stored),
        ...ends,
      ]);
      if (changed?.meta.changes === 0) throw new Problem(409, "Another request has changed the password.");
      return c.body(null, 204);
    },
  });
}

const ADMIN: Rule = { roles: ["admin"] };

async function administrator(c: Context<AppEnv>): Promise<Caller> {
  await admitInPerson(c);
  return admit(c, ADMIN);
}

/**
 * Lists of users and their roles, for administrators. `profile` are fields beside e-mail and password, `search` what stands
 * behind `?q=` where users are searched.
 */
export function manageRoles(
  app: Hono<AppEnv>,
  roles: readonly [string, ...string[]],
  profile: Readonly<Record<string, Field>>,
  search?: Entity["search"],
): void {
  const role = choice(roles, { required: true });
  const users: Entity = {
    name: "user",
    path: "users",
    fields: { email: email({ required: true }), role, ...profile },
    references: {},
    computed: {},
    read: ADMIN,
    write: ADMIN,
    timestamps: true,
    softDelete: false,
    ...(search === undefined ? {} : { search }),
  };

  const read = async (c: Context<AppEnv>, caller: Caller): Promise<Response> =>
    c.json(toJson(users, await readRow(c, users, caller, c.req.param("id") ?? "")));

  route(app, "/api/users", { GET: async (c) => listRows(c, users, await administrator(c)) });

  route(app, "/api/users/:id", {
    GET: async (c) => read(c, await administrator(c)),
    PATCH: async (c) => {
      const caller = await administrator(c);
      const given = checkBody({ role }, await readJsonObject(c), [], "change")["role"];
      const before = await readRow(c, users, caller, c.req.param("id") ?? "");
      if (given === undefined) return c.json(toJson(users, before));
      // In one statement, so that of two administrators who dismiss each other one remains.
      const row = await c.env.DB.prepare(
        `UPDATE "user" SET "role" = ?1, "updated_at" = ?2 WHERE "id" = ?3 AND ("role" <> 'admin' OR ?1 = 'admin' OR (SELECT COUNT(*) FROM "user" WHERE "role" = 'admin') > 1) RETURNING ${selected(users)}`,
      )
        .bind(given, new Date().toISOString(), before["id"] ?? "")
        .first<Row>();
      if (row === null) throw new Problem(409, "This is the last administrator: make another one first.");
      return c.json(toJson(users, row));
    },
  });
}
