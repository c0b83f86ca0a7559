import type { Caller } from "./access";
import { type Entity, isOwned } from "./entity";
import type { Stored } from "./fields";
import type { Beside, Change, Hook } from "./hooks";
import { jsonObject, quote } from "./sql";

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

function byOf({ user, key, clock }: Caller): string {
  if (user !== undefined) return "user";
  return key === true ? "key" : clock === true ? "schedule" : "public";
}

/** The columns that a change touches, without those that follow from it, and without secret ones that are as empty as they were. */
function touched({ entity, before, after }: Change, skipped: readonly string[]): string[] {
  const stored = [...Object.keys(entity.fields), ...Object.keys(entity.references)];
  const isEmpty = (row: Readonly<Record<string, Stored>> | null, name: string): boolean => (row?.[name] ?? null) === null;
  return (before === null || after === null ? stored : Object.keys(after)).filter(
    (name) => !skipped.includes(name) && !(entity.fields[name]?.writeOnly && isEmpty(before, name) && isEmpty(after, name)),
  );
}

/** Writes down each change of a row, in its transaction: what the row was in front of all that is done to it, and what it is behind that.
 * `skipped` are columns that say nothing of it; where tenants are kept apart, `tenant` is the column of a row that names its own. */
export function audited(skipped: readonly string[], tenant?: string): Hook {
  const [whose, own] = tenant === undefined ? ["", ""] : [', "tenant_id"', `, "r".${quote(tenant)}`];
  const insert = `INSERT INTO "_audit" ("id", "at", "entity", "row_id", "action", "by", "user_id", "before", "after"${whose})`;
  const entryOf = (change: Change): (string | null)[] => {
    const { entity, id, caller } = change;
    return [entity.name, id, actionOf(change), byOf(caller), caller.user?.id ?? null];
  };
  return {
    ahead: (c, change) => {
      const { entity, id, before, after } = change;
      if (before === null) return [];
      const names = touched(change, skipped);
      // The row as it is in this very transaction; where it is gone by now nothing is changed, nor written down.
      const there = entity.softDelete ? ` AND "r"."deleted_at" IS ${actionOf(change) === "restore" ? "NOT NULL" : "NULL"}` : "";
      const from = `FROM ${quote(entity.name)} AS "r" WHERE "r"."id" = ?${there}`;
      const was = asJson(entity, names);
      if (after !== null) {
        const aside = `INSERT OR IGNORE INTO "_audit_before" ("row_id", "before") SELECT "r"."id", ${was} ${from}`;
        return [c.env.DB.prepare(aside).bind(JSON.stringify(names), id)];
      }
      const select = `SELECT ${NEXT}, ${NOW}, ?, ?, ?, ?, ?, ${was}, NULL${own} ${from}`;
      return [c.env.DB.prepare(`${insert} ${select}`).bind(...entryOf(change), JSON.stringify(names), id)];
    },
    along: (c, change) => {
      const { entity, id, before, after } = change;
      if (after === null) return [];
      const names = touched(change, skipped);
      const was = before === null ? "NULL" : '"b"."before"';
      const aside = before === null ? "" : ' JOIN "_audit_before" AS "b" ON "b"."row_id" = "r"."id"';
      const select = `SELECT ${NEXT}, ${NOW}, ?, ?, ?, ?, ?, ${was}, ${asJson(entity, names)}${own} FROM ${quote(entity.name)} AS "r"${aside} WHERE "r"."id" = ?`;
      const entry = c.env.DB.prepare(`${insert} ${select}`).bind(...entryOf(change), JSON.stringify(names), id);
      return before === null ? [entry] : [entry, c.env.DB.prepare('DELETE FROM "_audit_before" WHERE "row_id" = ?').bind(id)];
    },
    beside: (c, beside) => {
      const { entity, caller } = beside;
      const names = [...Object.keys(entity.fields), ...Object.keys(entity.references)].filter((name) => !skipped.includes(name));
      const columns = JSON.stringify(names);
      const insert = `INSERT INTO "_audit" ("id", "at", "entity", "row_id", "action", "by", "user_id", "before", "after"${whose})`;
      const own = tenant === undefined ? "" : `, coalesce(json_extract("now", '$."${tenant}"'), json_extract("was", '$."${tenant}"'))`;
      return [
        c.env.DB.prepare(`${insert} SELECT ${numbered}, ${NOW}, ?, "id", "action", ?, ?, "before", "after"${own} FROM (${entriesBeside(beside)})`).bind(
          entity.name,
          byOf(caller),
          caller.user?.id ?? null,
          columns,
          columns,
        ),
      ];
    },
  };
}

/** The numbers of several entries of one statement. */
const numbered = `printf('%012d', (SELECT coalesce(max(rowid), 0) FROM "_audit") + row_number() OVER (ORDER BY "number"))`;

/** What is written down of rows that others change: of one that is changed, the columns that are not as they were. Binds the columns, twice. */
function entriesBeside({ entity, hides }: Beside): string {
  const table = quote(entity.name);
  const stored = [...Object.keys(entity.fields), ...Object.keys(entity.references), ...(isOwned(entity) ? ["owner_id"] : [])];
  const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  const now = jsonObject(["id", ...stored].map((name) => [name, quote(name)]));
  const rows =
    `SELECT "number", "id", "was", (SELECT ${now} FROM ${table} WHERE "id" = "_touched"."id"${shown}) AS "now" ` +
    `FROM "_touched" WHERE "entity" = ${literal(entity.name)}`;
  const action = `CASE WHEN "was" IS NULL THEN 'create' WHEN "now" IS NULL THEN 'delete' ELSE 'update' END`;
  const [before, after] = [valueOf(entity, "was"), valueOf(entity, "now")];
  const changed = `"was" IS NULL OR "now" IS NULL OR (${plain("was")} IS NOT ${plain("now")}${emptied(entity, hides)})`;
  const told = (value: string, other: string): string =>
    `CASE WHEN "${other}" IS NOT NULL THEN (SELECT json_group_object("k"."value", ${value}) FROM json_each(?) AS "k" WHERE ${changed}) END`;
  return (
    `SELECT * FROM (SELECT "number", "id", "was", "now", ${action} AS "action", ${told(before, "was")} AS "before", ${told(after, "now")} AS "after" ` +
    `FROM (${rows}) WHERE "was" IS NOT NULL OR "now" IS NOT NULL) WHERE "action" <> 'update' OR "after" <> '{}'`
  );
}

/** The column `k` of a row as JSON. */
const plain = (row: "was" | "now"): string => `json_extract("${row}", '$."' || "k"."value" || '"')`;

/** The same as it is written down: nothing of what is secret, and of a long text the beginning. */
function valueOf(entity: Entity, row: "was" | "now"): string {
  const secret = Object.entries(entity.fields).flatMap(([name, field]) => (field.writeOnly ? [literal(name)] : []));
  const kept = `CASE WHEN typeof(${plain(row)}) = 'text' AND length(${plain(row)}) > ${MAX_KEPT} THEN substr(${plain(row)}, 1, ${MAX_KEPT}) ELSE ${plain(row)} END`;
  return secret.length === 0 ? kept : `CASE WHEN "k"."value" IN (${secret.join(", ")}) THEN NULL ELSE ${kept} END`;
}

/** That a reference was not emptied with the row that it named: a trigger has written that down. */
function emptied(entity: Entity, hides: Beside["hides"]): string {
  const each = Object.entries(entity.references).filter(([, reference]) => reference.onDelete === "set null");
  return each
    .map(([key, { to }]) => {
      const there = hides(to) ? ' AND "p"."deleted_at" IS NULL' : "";
      return (
        ` AND NOT ("k"."value" = ${literal(key)} AND ${plain("now")} IS NULL AND ` +
        `NOT EXISTS (SELECT 1 FROM ${quote(to)} AS "p" WHERE "p"."id" = ${plain("was")}${there}))`
      );
    })
    .join("");
}

/** Columns of the row `r` as one JSON object, no values of secret ones; their names are bound. (Functions of SQL take few arguments in D1.) */
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
