import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { AppEnv } from "../env";
import { type Caller, admit } from "./access";
import { checkBody } from "./body";
import { type Entity, toJson } from "./entity";
import { choice, email } from "./fields";
import { readJsonObject, route, tellOnce } from "./http";
import { uuidv7 } from "./id";
import { Problem, notFound } from "./problem";
import { readRow } from "./rows";
import { expectOwner, roleIn } from "./tenants";
import { hashSecret, randomSecret } from "./token";

type Ctx = Context<AppEnv>;

const DAYS = 7;
const MOST_INVITATIONS = 100;

const role = { role: choice(["owner", "member"], { required: true, default: "member" }) };

const MEMBER = `SELECT "user_id", "email", m."role", m."created_at" FROM "tenants__member" m JOIN "user" u ON u."id" = "user_id"`;
const INVITATION = 'SELECT "id", "email", "role", "created_at", "expires_at" FROM "tenants__invitation"';

/** Who belongs to a tenant, and who is asked to: `/api/{tenants}/:id/members`, `…/invitations`, `/api/{tenants}/join`. */
export function members(app: Hono<AppEnv>, tenant: Entity): void {
  const base = `/api/${tenant.path}`;

  /** The tenant in the path and its member who asks. Nobody else knows of it. */
  const enter = async (c: Ctx): Promise<[string, Caller]> => {
    const caller = await admit(c, "user");
    const id = c.req.param("id") ?? "";
    await readRow(c, tenant, caller, id);
    return [id, caller];
  };

  const enterAsOwner = async (c: Ctx): Promise<[string, Caller]> => {
    const [id, caller] = await enter(c);
    await expectOwner(c, id, caller);
    return [id, caller];
  };

  // Before `/:id`, which would take the word for an id.
  route(app, `${base}/join`, { POST: async (c) => join(c, tenant, await admit(c, "user")) });

  route(app, `${base}/:id/members`, {
    GET: async (c) => listMembers(c, (await enter(c))[0]),
  });

  route(app, `${base}/:id/members/:user`, {
    PATCH: async (c) => {
      const [id] = await enterAsOwner(c);
      const user = await memberInPath(c, id);
      const values = checkBody(role, await readJsonObject(c), [], "change");
      if (typeof values["role"] === "string") await changeRole(c, id, user, values["role"]);
      return c.json(await c.env.DB.prepare(`${MEMBER} WHERE "tenant_id" = ? AND "user_id" = ?`).bind(id, user).first());
    },
    DELETE: async (c) => {
      const [id, caller] = await enter(c);
      // Everyone may leave.
      if (c.req.param("user") !== caller.user?.id) await expectOwner(c, id, caller);
      const user = await memberInPath(c, id);
      const gone = await c.env.DB.prepare(`DELETE FROM "tenants__member" WHERE "tenant_id" = ?1 AND "user_id" = ?2 AND ${ANOTHER_OWNER}`)
        .bind(id, user)
        .run();
      if (gone.meta.changes === 0) throw lastOwner();
      return c.body(null, 204);
    },
  });

  route(app, `${base}/:id/invitations`, {
    GET: async (c) => {
      const [id] = await enterAsOwner(c);
      const select = `${INVITATION} WHERE "tenant_id" = ? AND "expires_at" > ? ORDER BY "id"`;
      const { results } = await c.env.DB.prepare(select).bind(id, new Date().toISOString()).all();
      return c.json({ items: results });
    },
    POST: async (c) => {
      const [id, caller] = await enterAsOwner(c);
      return invite(c, id, caller.user?.id ?? "");
    },
  });

  route(app, `${base}/:id/invitations/:invitation`, {
    DELETE: async (c) => {
      const [id] = await enterAsOwner(c);
      const gone = await c.env.DB.prepare('DELETE FROM "tenants__invitation" WHERE "tenant_id" = ? AND "id" = ?')
        .bind(id, c.req.param("invitation") ?? "")
        .run();
      if (gone.meta.changes === 0) throw notFound();
      return c.body(null, 204);
    },
  });
}

const lastOwner = (): Problem => new Problem(409, "The last owner has to stay: make someone else an owner first.");

/** Holds where the member is no owner, or not the only one. It stands in the statement itself: two owners may leave at once. */
const ANOTHER_OWNER =
  `("role" <> 'owner' OR EXISTS (SELECT 1 FROM "tenants__member" o WHERE o."tenant_id" = ?1 AND o."user_id" <> ?2 AND o."role" = 'owner'))`;

async function memberInPath(c: Ctx, tenant: string): Promise<string> {
  const user = c.req.param("user") ?? "";
  if ((await roleIn(c, tenant, user)) === undefined) throw notFound();
  return user;
}

async function changeRole(c: Ctx, tenant: string, user: string, to: string): Promise<void> {
  const guard = to === "owner" ? "1" : ANOTHER_OWNER;
  const done = await c.env.DB.prepare(`UPDATE "tenants__member" SET "role" = ?3 WHERE "tenant_id" = ?1 AND "user_id" = ?2 AND ${guard}`)
    .bind(tenant, user, to)
    .run();
  if (done.meta.changes === 0) throw lastOwner();
}

const MOST_MEMBERS = 100;

/** A page of members, in the order of their ids; the cursor is the last of them. */
async function listMembers(c: Ctx, tenant: string): Promise<Response> {
  const limit = Number(c.req.query("limit") ?? "20");
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_MEMBERS) {
    const message = `must be a number from 1 to ${MOST_MEMBERS}`;
    throw new Problem(400, `The parameter limit ${message}.`, [{ path: "limit", message }]);
  }
  const select = `${MEMBER} WHERE "tenant_id" = ? AND "user_id" > ? ORDER BY "user_id" LIMIT ?`;
  const { results } = await c.env.DB.prepare(select)
    .bind(tenant, c.req.query("cursor") ?? "", limit + 1)
    .all<{ user_id: string }>();
  const page = results.slice(0, limit);
  return c.json({ items: page, next_cursor: results.length > limit ? (page.at(-1)?.user_id ?? null) : null });
}

/** Makes an invitation. Its token is told this once; whoever has it and the address can join. */
async function invite(c: Ctx, tenant: string, by: string): Promise<Response> {
  const values = checkBody({ email: email({ required: true }), ...role }, await readJsonObject(c));
  const now = Date.now();
  const token = randomSecret();
  const row = {
    id: uuidv7(),
    email: values["email"] ?? "",
    role: values["role"] ?? "",
    created_at: new Date(now).toISOString(),
    expires_at: new Date(now + DAYS * 24 * 60 * 60 * 1000).toISOString(),
  };
  const known = 'SELECT 1 FROM "tenants__member" JOIN "user" u ON u."id" = "user_id" WHERE "tenant_id" = ? AND u."email" = ?';
  if ((await c.env.DB.prepare(known).bind(tenant, row.email).first()) !== null) {
    throw new Problem(409, "This is a member already.", [{ path: "email", message: "is a member already" }]);
  }
  const [, stored] = await c.env.DB.batch([
    c.env.DB.prepare('DELETE FROM "tenants__invitation" WHERE "tenant_id" = ? AND ("expires_at" <= ? OR "email" = ?)').bind(
      tenant,
      row.created_at,
      row.email,
    ),
    c.env.DB.prepare(
      'INSERT INTO "tenants__invitation" ("id", "tenant_id", "email", "role", "token_hash", "invited_by", "created_at", "expires_at") ' +
        'SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE (SELECT count(*) FROM "tenants__invitation" WHERE "tenant_id" = ?2) < ?9',
    ).bind(row.id, tenant, row.email, row.role, await hashSecret(token), by, row.created_at, row.expires_at, MOST_INVITATIONS),
  ]);
  if (stored?.meta.changes === 0) throw new Problem(409, `There are ${MOST_INVITATIONS} open invitations already.`);
  return tellOnce(c, { ...row, token });
}

/** Turns an invitation into a membership, once. Only the address that was invited can use it. */
async function join(c: Ctx, tenant: Entity, caller: Caller): Promise<Response> {
  const { token, ...rest } = await readJsonObject(c);
  checkBody({}, rest, [["token", z.string().check(z.minLength(1), z.maxLength(200)), token]]);
  const [hash, user, now] = [await hashSecret(token as string), caller.user?.id ?? "", new Date().toISOString()];
  const mine = '"token_hash" = ?1 AND "expires_at" > ?3 AND "email" = (SELECT "email" FROM "user" WHERE "id" = ?2)';
  const [joined] = await c.env.DB.batch<{ id: string }>([
    c.env.DB.prepare(`SELECT "tenant_id" AS "id" FROM "tenants__invitation" WHERE ${mine}`).bind(hash, user, now),
    c.env.DB.prepare(
      'INSERT INTO "tenants__member" ("tenant_id", "user_id", "role", "created_at") ' +
        `SELECT "tenant_id", ?2, "role", ?3 FROM "tenants__invitation" WHERE ${mine} ON CONFLICT DO NOTHING`,
    ).bind(hash, user, now),
    c.env.DB.prepare(`DELETE FROM "tenants__invitation" WHERE ${mine}`).bind(hash, user, now),
  ]);
  const id = joined?.results[0]?.id;
  if (id === undefined) throw new Problem(404, "There is no such invitation, or it is not yours, or its time is over.");
  return c.json(toJson(tenant, await readRow(c, tenant, caller, id)));
}
