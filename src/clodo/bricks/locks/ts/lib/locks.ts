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
  const refusing = (c: Context<AppEnv>, { entity, id, caller }: Linked, verb: Verb | undefined): D1PreparedStatement[] => {
    const holds = (lock: Lock): boolean => lock.verb === verb && !(lock.free !== undefined && allows(lock.free, caller));
    return all.filter(holds).map(({ view, sql }) => {
      const kept = `SELECT 1 FROM ${quote(entity.name)} AS "t" WHERE "t"."id" = ? AND NOT coalesce(${sql}, 0)`;
      return c.env.DB.prepare(`INSERT INTO ${quote(view)} SELECT 1 WHERE EXISTS (${kept})`).bind(id);
    });
  };
  return {
    ahead: (c, change) => {
      const verb = asked(c, change);
      if (isFree(change, free)) return [];
      return refusing(c, change, verb);
    },
    // What a row is linked with is part of it.
    linking: (c, linked) => refusing(c, linked, "change"),
    refused: (error) => {
      const lock = all.find(({ view }) => error instanceof Error && error.message.includes(`refused by ${view}.`));
      if (lock !== undefined) throw new Problem(409, lock.detail);
    },
  };
}

/** Whether nothing changes but such fields, and what the service itself notes of a change. */
const isFree = ({ after, before }: Change, free: readonly string[]): boolean =>
  after !== null && Object.entries(after).every(([name, value]) => free.includes(name) || name === "updated_at" || name === "version" || before?.[name] === value);
