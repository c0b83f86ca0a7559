import type { Context } from "hono";
import { entityByName } from "../entities";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import type { Entity } from "./entity";
import type { Beside, Touched } from "./hooks";
import { formerly, jsonObject } from "./sql";

/** The row that lets triggers write into `_touched`: other transactions leave it alone. */
const OPEN = `INSERT INTO "_touched" ("entity", "id") VALUES ('', '')`;

/** What a transaction needs around its statements, so that the rows which they change beside the one that it is about are told of. */
export interface Watch {
  readonly ahead: readonly D1PreparedStatement[];
  /** Behind the statements. The last of them gives the rows. */
  readonly along: readonly D1PreparedStatement[];
  /** When all is stored; takes what the last statement gave. */
  readonly after: (rows: D1Result<unknown> | undefined) => Promise<void>;
}

const NONE: Watch = { ahead: [], along: [], after: async () => undefined };

/** What `_touched` tells of a row at the end. */
type Told = Omit<Touched, "was"> & { readonly entity: string; readonly past: string | null };

/** SQL that gives what hooks remember of a row, as JSON. */
function past(entities: readonly Entity[]): string {
  const each = entities.flatMap((entity) => {
    const names = new Set((entity.hooks ?? []).flatMap((hook) => hook.remembers ?? []));
    return names.size === 0 ? [] : [`WHEN '${entity.name}' THEN ${jsonObject([...names].map((name) => [name, formerly(name)]))}`];
  });
  return each.length === 0 ? "NULL" : `CASE WHEN "was" IS NOT NULL THEN CASE "entity" ${each.join(" ")} END END`;
}

/** Watches over rows of some entities. `own` is the row that the transaction is about, which is told of without this. */
export function watch(c: Context<AppEnv>, names: readonly string[], caller: Caller, own?: { readonly entity: { readonly name: string }; readonly id: string }): Watch {
  const all: Beside[] = names.flatMap((name) => {
    const entity = entityByName(name);
    return entity === undefined ? [] : [{ entity, caller, hides: (other) => entityByName(other)?.softDelete === true }];
  });
  if (all.length === 0) return NONE;
  const closed = own === undefined ? [] : [c.env.DB.prepare('DELETE FROM "_touched" WHERE "entity" = ? AND "id" = ?').bind(own.entity.name, own.id)];
  const told = all.flatMap((beside) => (beside.entity.hooks ?? []).flatMap((hook) => hook.beside?.(c, beside) ?? []));
  return {
    ahead: [c.env.DB.prepare(OPEN)],
    along: [...closed, ...told, c.env.DB.prepare(`DELETE FROM "_touched" RETURNING "entity", "id", "was" IS NOT NULL AS "known", ${past(all.map(({ entity }) => entity))} AS "past"`)],
    after: async (rows) => {
      const touched = (rows?.results ?? []) as Told[];
      for (const beside of all) {
        const its = touched
          .filter(({ entity }) => entity === beside.entity.name)
          .map(({ id, known, past }) => ({ id, known, was: past === null ? {} : (JSON.parse(past) as Touched["was"]) }));
        if (its.length === 0) continue;
        for (const hook of beside.entity.hooks ?? []) await hook.afterBeside?.(c, beside, its);
      }
    },
  };
}
