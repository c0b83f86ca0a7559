import type { Context } from "hono";
import { entityByName } from "../entities";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import type { Beside, Touched } from "./hooks";

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
    along: [...closed, ...told, c.env.DB.prepare('DELETE FROM "_touched" RETURNING "entity", "id", "was" IS NOT NULL AS "known"')],
    after: async (rows) => {
      const touched = (rows?.results ?? []) as (Touched & { readonly entity: string })[];
      for (const beside of all) {
        const its = touched.filter(({ entity }) => entity === beside.entity.name);
        if (its.length === 0) continue;
        for (const hook of beside.entity.hooks ?? []) await hook.afterBeside?.(c, beside, its);
      }
    },
  };
}
