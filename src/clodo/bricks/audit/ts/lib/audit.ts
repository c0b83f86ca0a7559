import type { Caller } from "./access";
import type { Entity } from "./entity";
import type { Stored } from "./fields";
import type { Change, Hook } from "./hooks";
import { quote } from "./sql";

/** Of longer values only the beginning is kept: D1 holds rows of at most 2 MB. */
export const MAX_KEPT = 10_000;

/** Entries are counted, and the count has no gaps. The transaction counts, so that the order is that of the changes. */
const NEXT = `(SELECT printf('%012d', coalesce(max(rowid), 0) + 1) FROM "_audit")`;
const NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function actionOf({ before, after }: Change): string {
  if (before === null) return "create";
  if (after === null) return "delete";
  return Object.hasOwn(after, "deleted_at") ? "restore" : "update";
}

const byOf = ({ user, key }: Caller): string => (user !== undefined ? "user" : key === true ? "key" : "public");

/** The columns that a change touches, without those that follow from it, and of secret ones no value. */
function touched({ entity, after }: Change, skipped: readonly string[]): [string, Stored][] {
  const columns = after ?? Object.fromEntries([...Object.keys(entity.fields), ...Object.keys(entity.references)].map((name) => [name, null]));
  return Object.entries(columns)
    .filter(([name]) => !skipped.includes(name))
    .map(([name, value]) => [name, entity.fields[name]?.writeOnly ? null : cut(value)]);
}

const cut = (value: Stored): Stored => (typeof value === "string" ? value.slice(0, MAX_KEPT) : value);

/** Writes down each change of a row, in its transaction. `skipped` are columns that say nothing of it; where tenants are kept
 * apart, `tenant` is the column of a row that names its own. */
export function audited(skipped: readonly string[], tenant?: string): Hook {
  const whose = tenant === undefined ? "" : ', "tenant_id"';
  return {
    ahead: (c, change) => {
      const { entity, id, caller, before, after } = change;
      const action = actionOf(change);
      const columns = touched(change, skipped);
      const given = after === null ? null : JSON.stringify(Object.fromEntries(columns));
      const entry = [entity.name, id, action, byOf(caller), caller.user?.id ?? null];
      const insert = `INSERT INTO "_audit" ("id", "at", "entity", "row_id", "action", "by", "user_id", "before", "after"${whose})`;
      if (before === null) {
        const made = tenant === undefined ? [] : [after?.[tenant] ?? null];
        const values = `(${NEXT}, ${NOW}, ?, ?, ?, ?, ?, NULL, ?${tenant === undefined ? "" : ", ?"})`;
        return [c.env.DB.prepare(`${insert} VALUES ${values}`).bind(...entry, given, ...made)];
      }
      // The row as it is in this very transaction; where it is gone by now nothing is changed, nor written down.
      const names = columns.map(([name]) => name);
      const there = entity.softDelete ? ` AND "r"."deleted_at" IS ${action === "restore" ? "NOT NULL" : "NULL"}` : "";
      const own = tenant === undefined ? "" : `, "r".${quote(tenant)}`;
      const select = `SELECT ${NEXT}, ${NOW}, ?, ?, ?, ?, ?, ${asJson(entity, names)}, ?${own} FROM ${quote(entity.name)} AS "r" WHERE "r"."id" = ?${there}`;
      return [c.env.DB.prepare(`${insert} ${select}`).bind(...entry, JSON.stringify(names), given, id)];
    },
  };
}

/** Columns of the row `r` as one JSON object; their names are bound. (Functions of SQL take few arguments in D1.) */
function asJson(entity: Entity, names: readonly string[]): string {
  const cases = names
    .filter((name) => !entity.fields[name]?.writeOnly)
    .map((name) => {
      const column = `"r".${quote(name)}`;
      return `WHEN ${literal(name)} THEN CASE WHEN length(${column}) > ${MAX_KEPT} THEN substr(${column}, 1, ${MAX_KEPT}) ELSE ${column} END`;
    });
  const value = cases.length === 0 ? "NULL" : `CASE "k"."value" ${cases.join(" ")} END`;
  return `(SELECT json_group_object("k"."value", ${value}) FROM json_each(?) AS "k")`;
}
