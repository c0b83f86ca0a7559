import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Authenticator, Caller } from "./access";
import type { Entity } from "./entity";
import type { Hook } from "./hooks";
import { Problem } from "./problem";
import { type Condition, condition, quote, uniqueConflict } from "./sql";

export type TenantRole = "owner" | "member";

/** The header by which a request says which tenant it is about. */
const HEADER = "X-Tenant-Id";

const shown = (tenant: Entity): string => (tenant.softDelete ? ' AND "deleted_at" IS NULL' : "");

/** Finds out the tenant of a request: the one that it names, where its user is a member. It comes behind all that
 * find the user. */
export const chosenTenant =
  (tenant: Entity): Authenticator =>
  async (c, known) => {
    const id = c.req.header(HEADER);
    if (id === undefined || known.user === undefined) return undefined;
    const found = await c.env.DB.prepare(
      `SELECT 1 FROM "tenants__member" JOIN ${quote(tenant.name)} t ON t."id" = "tenant_id" WHERE "tenant_id" = ? AND "user_id" = ?${shown(tenant)}`,
    )
      .bind(id, known.user.id)
      .first();
    return { tenant: found === null ? null : id };
  };

/** The tenant that a request is about. Whether another one exists is not told. */
function tenantOf(caller: Caller): string {
  if (caller.tenant === null) throw new Problem(403, `You are no member of what ${HEADER} names.`);
  if (caller.tenant !== undefined) return caller.tenant;
  const message = "is needed: it names whose rows this is about";
  throw new Problem(400, `The header ${HEADER} ${message}.`, [{ path: HEADER, message }]);
}

/** Limits rows to those of the tenant. */
export const inTenant =
  (key: string) =>
  (caller: Caller): readonly Condition[] => [condition(`${quote(key)} = ?`, tenantOf(caller))];

/** Limits the tenants themselves to those that the caller is a member of. */
export const ofMember = (caller: Caller): readonly Condition[] => [
  condition('"id" IN (SELECT "tenant_id" FROM "tenants__member" WHERE "user_id" = ?)', caller.user?.id ?? ""),
];

/** Limits users to the members of the tenant of the request. */
export const ofTenant = (caller: Caller): readonly Condition[] => [
  condition('"id" IN (SELECT "user_id" FROM "tenants__member" WHERE "tenant_id" = ?)', tenantOf(caller)),
];

/** Gives new rows to the tenant of the request. */
export const tenantRows = (key: string): Hook => ({
  check: (_c, change) => {
    if (change.after !== null && change.before === null) change.after[key] = tenantOf(change.caller);
  },
  // That uniqueness holds within a tenant is nothing that a caller has to do with.
  refused: (error) => {
    const text = error instanceof Error ? error.message : "";
    const column = new RegExp(`\\b\\w+\\.${key}, `);
    if (text.includes("UNIQUE constraint failed") && column.test(text)) uniqueConflict(new Error(text.replace(column, "")));
  },
});

/** What a user is in a tenant. */
export async function roleIn(c: Context<AppEnv>, tenant: string, user: string): Promise<TenantRole | undefined> {
  const row = await c.env.DB.prepare('SELECT "role" FROM "tenants__member" WHERE "tenant_id" = ? AND "user_id" = ?')
    .bind(tenant, user)
    .first<{ role: TenantRole }>();
  return row?.role;
}

/** Refuses whoever is no owner of a tenant. */
export async function expectOwner(c: Context<AppEnv>, tenant: string, caller: Caller): Promise<void> {
  const role = await roleIn(c, tenant, caller.user?.id ?? "");
  if (role !== "owner") throw new Problem(403, "Only an owner may do this.");
}

/** Whoever makes a tenant owns it; only owners change it. */
export const tenantItself: Hook = {
  check: async (c, { id, caller, before }) => {
    if (before !== null) await expectOwner(c, id, caller);
  },
  along: (c, { id, caller, before }) => (before === null ? [joining(c, id, caller.user?.id ?? "", "owner")] : []),
};

function joining(c: Context<AppEnv>, tenant: string, user: string, role: TenantRole): D1PreparedStatement {
  return c.env.DB.prepare(
    'INSERT INTO "tenants__member" ("tenant_id", "user_id", "role", "created_at") VALUES (?, ?, ?, ?)',
  ).bind(tenant, user, role, new Date().toISOString());
}
