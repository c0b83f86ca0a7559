import type { Hono } from "hono";
import type { AppEnv, Env } from "../env";
import { type Rule, admit, allows } from "./access";
import { type Entity, visible } from "./entity";
import type { Stored } from "./fields";
import { route } from "./http";
import { parseListQuery } from "./list";
import { Problem } from "./problem";
import { type Condition, condition, quote, where } from "./sql";

/** Groups beyond this are left out, and the answer says so. */
const MOST_GROUPS = 1000;

/** A column of a report: its key and its SQL over the rows of a group. */
export interface Column {
  readonly key: string;
  readonly sql: string;
  readonly decode?: (value: Stored) => unknown;
}

/** Rows counted and summed up. The first `grouped` columns are what rows are grouped by. */
export interface Report {
  readonly path: string;
  readonly read: Rule;
  readonly where?: string;
  readonly columns: readonly Column[];
  readonly grouped: number;
  /** The filters of callers who may not read the rows: with others, a report would tell of single rows. */
  readonly filters?: readonly string[];
}

/** `GET /api/reports/{path}`: takes the filters that lists of the entity take, from callers who may read those lists, and counts only
 * rows that this caller may see. */
export function report(app: Hono<AppEnv>, entity: Entity, r: Report): void {
  route(app, `/api/reports/${r.path}`, {
    GET: async (c) => {
      const caller = await admit(c, r.read);
      const url = new URL(c.req.url);
      for (const name of ["limit", "cursor", "sort"]) {
        if (url.searchParams.has(name)) {
          throw new Problem(400, `A report has no ${name}.`, [{ path: name, message: "is not for reports" }]);
        }
      }
      if (!allows(entity.read, caller)) {
        for (const name of url.searchParams.keys()) {
          if (!r.filters?.includes(name)) {
            throw new Problem(400, `The parameter ${name} is for those who may read the rows.`, [{ path: name, message: "is for those who may read the rows" }]);
          }
        }
      }
      return c.json(await figures(c.env, entity, r, [...visible(entity, caller), ...parseListQuery(entity, url.href).conditions]));
    },
  });
}

/** What a report answers; `conditions` limit the rows that count. */
export async function figures(
  env: Env,
  entity: Entity,
  r: Report,
  conditions: readonly Condition[] = entity.softDelete ? [condition('"deleted_at" IS NULL')] : [],
): Promise<{ items: readonly Record<string, unknown>[]; complete: boolean }> {
  const columns = r.columns.map((column) => `${column.sql} AS ${quote(column.key)}`).join(", ");
  const places = r.columns.slice(0, r.grouped).map((_, index) => index + 1).join(", ");
  const grouping = places === "" ? "" : ` GROUP BY ${places} ORDER BY ${places}`;
  const filter = where([...conditions, ...(r.where === undefined ? [] : [condition(r.where)])]);
  const { results } = await env.DB.prepare(
    `SELECT ${columns} FROM ${quote(entity.name)}${filter.sql}${grouping} LIMIT ${MOST_GROUPS + 1}`,
  )
    .bind(...filter.values)
    .all<Record<string, Stored>>();
  const items = results.slice(0, MOST_GROUPS).map((row) =>
    Object.fromEntries(r.columns.map(({ key, decode }) => [key, decode === undefined ? row[key] : decode(row[key] ?? null)])),
  );
  return { items, complete: results.length <= MOST_GROUPS };
}

/** Amounts of money have two decimals; sums of them are kept from the dust of binary fractions. */
export const cents = (value: Stored): unknown => (value === null ? null : Math.round((value as number) * 100) / 100);

export const yes = (value: Stored): unknown => (value === null ? null : value === 1);
