import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { entityByName } from "../entities";
import { type Rule, admit, allows } from "./access";
import { MAX_KEPT } from "./audit";
import type { Entity } from "./entity";
import { type Stored, choice, datetime, text } from "./fields";
import { route } from "./http";
import { notFound } from "./problem";
import { listRows } from "./rows";
import { condition, quote } from "./sql";

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
    by: choice(["user", "key", "public", "cascade"]),
    user_id: text(),
  },
  references: {},
  computed: { changes: { sql: 'json_array("entity", json("before"), json("after"))', decode: differences } },
  read: "key",
  write: "key",
  timestamps: false,
  softDelete: false,
});

/** `GET /api/audit`, and `GET /api/{entities}/:id/audit`; each entity has its rule of who may read there. */
export function audits(app: Hono<AppEnv>, rules: readonly (readonly [entity: Entity, read: Rule])[]): void {
  const entry = entryOf(rules.map(([entity]) => entity.name));

  route(app, "/api/audit", {
    GET: async (c) => {
      const caller = await admit(c, "public");
      const open = rules.filter(([, rule]) => allows(rule, caller)).map(([entity]) => entity.name);
      if (open.length === 0) await admit(c, rules[0]?.[1] ?? "key");
      const theirs = condition('"entity" IN (SELECT "value" FROM json_each(?))', JSON.stringify(open));
      return listRows(c, entry, caller, [theirs]);
    },
  });

  for (const [entity, rule] of rules) {
    route(app, `/api/${entity.path}/:id/audit`, {
      GET: async (c) => {
        const caller = await admit(c, rule);
        const id = c.req.param("id") ?? "";
        if (!(await isKnown(c, entity, id))) throw notFound();
        return listRows(c, entry, caller, [condition('"entity" = ? AND "row_id" = ?', entity.name, id)]);
      },
    });
  }
}

/** Whether there is such a row, or was one. */
async function isKnown(c: Context<AppEnv>, entity: Entity, id: string): Promise<boolean> {
  const found = await c.env.DB.prepare(
    `SELECT EXISTS (SELECT 1 FROM "_audit" WHERE "entity" = ? AND "row_id" = ?) OR EXISTS (SELECT 1 FROM ${quote(entity.name)} WHERE "id" = ?) AS "known"`,
  )
    .bind(entity.name, id, id)
    .first<{ known: number }>();
  return found?.known === 1;
}
