import type { Context } from "hono";
import type { AppEnv } from "../env";
import { type Rule, allows } from "./access";
import type { Change, Hook, Linked } from "./hooks";
import { Problem } from "./problem";
import { quote } from "./sql";

type Verb = "change" | "delete";

/** What a stored row, under the name `t`, must meet, what is said where it does not, the view that then refuses, and who is not held up. */
export interface Lock {
  readonly verb: Verb;
  readonly view: string;
  readonly sql: string;
  readonly detail: string;
  readonly free?: Rule;
}

/** Columns with the values that they are to have. */
type Changed = readonly (readonly [name: string, value: unknown])[];

/** What a request asks of this very row. Actions, schedules and deletions of other rows that take it along have rules of their own. */
function asked(c: Context<AppEnv>, { entity, id, before }: Change): Verb | undefined {
  const own = `/api/${entity.path}/${id}`;
  const { method, path } = c.req;
  if (before === null || !["PATCH", "PUT", "DELETE"].includes(method)) return undefined;
  if (path === own) return method === "DELETE" ? "delete" : "change";
  return path.startsWith(`${own}/`) ? "change" : undefined;
}

/** Keeps rows as they are while they do not meet a condition. `free` are fields that go on changing. */
export function locks(all: readonly Lock[], free: readonly string[]): Hook {
  // In the transaction of the change: the row as it is now decides, not as it was when it was read.
  const refusing = (c: Context<AppEnv>, { entity, id, caller }: Linked, verb: Verb | undefined, changed: Changed = []): D1PreparedStatement[] => {
    const holds = (lock: Lock): boolean => lock.verb === verb && !(lock.free !== undefined && allows(lock.free, caller));
    // A value that is given again changes nothing only where the row still holds it.
    const [names, values] = [changed.map(([name]) => `"t".${quote(name)}`).join(", "), changed.map(() => "?").join(", ")];
    const other = changed.length === 0 ? "" : ` AND (${names}) IS NOT (${values})`;
    return all.filter(holds).map(({ view, sql }) => {
      const kept = `SELECT 1 FROM ${quote(entity.name)} AS "t" WHERE "t"."id" = ? AND NOT coalesce(${sql}, 0)${other}`;
      return c.env.DB.prepare(`INSERT INTO ${quote(view)} SELECT 1 WHERE EXISTS (${kept})`).bind(id, ...changed.map(([, value]) => value));
    });
  };
  return {
    ahead: (c, change) => {
      const changed = change.after === null ? [] : heldUp(change.after, free);
      return change.after !== null && changed.length === 0 ? [] : refusing(c, change, asked(c, change), changed);
    },
    // What a row is linked with is part of it.
    linking: (c, linked) => refusing(c, linked, "change"),
    refused: (error) => {
      const lock = all.find(({ view }) => error instanceof Error && error.message.includes(`refused by ${view}.`));
      if (lock !== undefined) throw new Problem(409, lock.detail);
    },
  };
}

/** What a change sets beside such fields and what the service itself notes. */
const heldUp = (after: NonNullable<Change["after"]>, free: readonly string[]): Changed =>
  Object.entries(after).filter(([name]) => !free.includes(name) && name !== "updated_at" && name !== "version");
