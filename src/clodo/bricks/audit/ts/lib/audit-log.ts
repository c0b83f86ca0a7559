import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { entityByName } from "../entities";
import { type Caller, type Rule, admit, allows } from "./access";
import { MAX_KEPT } from "./audit";
import { type Entity, visible } from "./entity";
import { type Stored, choice, datetime, text } from "./fields";
import { route } from "./http";
import { notFound } from "./problem";
import { listRows } from "./rows";
import { type Condition, condition, quote, where } from "./sql";

type Columns = Readonly<Record<string, Stored>>;

interface Difference {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What an entry tells of its columns: those that changed, as answers show their values. */
function differences(value: Stored): Difference[] {
  const [name, before, after] = JSON.parse(String(value)) as [string, Columns | null, Columns | null];
  const entity = entityByName(name);
  const found: Difference[] = [];
  for (const field of Object.keys(after ?? before ?? {})) {
    if (entity?.fields[field]?.writeOnly) {
      found.push({ field });
      continue;
    }
    const [was, is] = [before?.[field] ?? null, after?.[field] ?? null];
    const whole = String(is ?? "").length < MAX_KEPT;
    if (was !== is || !whole) found.push({ field, before: shown(entity, field, was), after: shown(entity, field, is) });
  }
  return found;
}

function shown(entity: Entity | undefined, name: string, value: Stored): unknown {
  try {
    return value === null ? null : (entity?.fields[name]?.decode(value) ?? value);
  } catch {
    return value; // JSON of which only the beginning was kept
  }
}

const entryOf = (names: readonly string[]): Entity => ({
  name: "_audit",
  path: "audit",
  fields: {
    at: datetime(),
    entity: choice(names as [string, ...string[]]),
    row_id: text(),
    action: choice(["create", "update", "delete", "restore"]),
    by: choice(["user", "key", "public", "schedule", "cascade"]),
    user_id: text(),
  },
  references: {},
  computed: { changes: { sql: 'json_array("entity", json("before"), json("after"))', decode: differences } },
  read: "key",
  write: "key",
  timestamps: false,
  softDelete: false,
});

/** An audited entity, who may read its entries, and the column that names the tenant of a row, where there is one. */
type Audited = readonly [entity: Entity, read: Rule, tenant?: string];

/** The tenant of a request about rows of an entity; refuses one that names none of the caller's. */
function tenantFor(entity: Entity, caller: Caller): string {
  visible(entity, caller);
  return caller.tenant ?? "";
}

/** `GET /api/audit`, and `GET /api/{entities}/:id/audit`; each entity has its rule of who may read there. */
export function audits(app: Hono<AppEnv>, rules: readonly Audited[]): void {
  const entry = entryOf(rules.map(([entity]) => entity.name));

  route(app, "/api/audit", {
    GET: async (c) => {
      const caller = await admit(c, "public");
      const open = rules.filter(([, rule]) => allows(rule, caller));
      if (open.length === 0) await admit(c, rules[0]?.[1] ?? "key");
      return listRows(c, entry, caller, [entriesOf(open, caller)]);
    },
  });

  for (const audited of rules) {
    const [entity, rule] = audited;
    route(app, `/api/${entity.path}/:id/audit`, {
      GET: async (c) => {
        const caller = await admit(c, rule);
        const id = c.req.param("id") ?? "";
        const theirs = entriesOf([audited], caller);
        if (!(await isKnown(c, audited, theirs, caller, id))) throw notFound();
        return listRows(c, entry, caller, [theirs, condition('"row_id" = ?', id)]);
      },
    });
  }
}

/** The entries of some entities that a caller may know of: of rows of tenants, those of the caller's own. */
function entriesOf(open: readonly Audited[], caller: Caller): Condition {
  const names = (found: readonly Audited[]): string => JSON.stringify(found.map(([entity]) => entity.name));
  const among = '"entity" IN (SELECT "value" FROM json_each(?))';
  const whole = open.filter(([, , tenant]) => tenant === undefined);
  const apart = open.filter(([, , tenant]) => tenant !== undefined);
  const first = apart[0]?.[0];
  if (first === undefined) return condition(among, names(whole));
  return condition(`(${among} OR (${among} AND "tenant_id" = ?))`, names(whole), names(apart), tenantFor(first, caller));
}

/** Whether there is such a row, or was one, for all that a caller may know. */
async function isKnown(c: Context<AppEnv>, audited: Audited, theirs: Condition, caller: Caller, id: string): Promise<boolean> {
  const [entity, , tenant] = audited;
  const own = tenant === undefined ? [] : [condition(`${quote(tenant)} = ?`, caller.tenant ?? "")];
  const there = where([condition('"id" = ?', id), ...own]);
  const was = where([theirs, condition('"row_id" = ?', id)]);
  const found = await c.env.DB.prepare(
    `SELECT EXISTS (SELECT 1 FROM "_audit"${was.sql}) OR EXISTS (SELECT 1 FROM ${quote(entity.name)}${there.sql}) AS "known"`,
  )
    .bind(...was.values, ...there.values)
    .first<{ known: number }>();
  return found?.known === 1;
}
