import type { Context, Handler, Hono } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppEnv, Env } from "../env";
import { type Caller, type Rule, admit } from "./access";
import { adopt } from "./custom-hooks";
import type { Columns, Cron, Worked } from "./custom-rows";
import { type Method, refuseMethod } from "./http";

/** The names of the entities. */
export type Name = keyof Columns;

/** A row as it is answered, with what is never answered too. */
export type RowOf<E extends Name> = Columns[E] & Worked[E];

/** What own code may set: not what the service itself keeps. */
export type Settable<E extends Name> = Partial<Omit<Columns[E], "id" | "owner_id" | "created_at" | "updated_at">>;

type Result<T> = T | Promise<T>;

/** Where own code runs: the request, who is calling, and the bindings of the Worker. */
export interface Scene {
  readonly c: Context<AppEnv>;
  readonly caller: Caller;
  readonly env: Env;
}

/**
 * What takes part in the changes of an entity's rows, whatever brings them about. What stands before a change may refuse
 * it by throwing a `Problem`, and gives back values that it sets. What stands after it
 * runs when the change is stored: an error is logged, and the change stays.
 */
export interface Hooks<E extends Name> {
  readonly beforeCreate?: (draft: Columns[E], scene: Scene) => Result<Settable<E> | void>;
  readonly afterCreate?: (row: RowOf<E>, scene: Scene) => Result<void>;
  /** `changes` are the fields that change. */
  readonly beforeUpdate?: (changes: Partial<Columns[E]>, row: RowOf<E>, scene: Scene) => Result<Settable<E> | void>;
  readonly afterUpdate?: (row: RowOf<E>, before: RowOf<E>, scene: Scene) => Result<void>;
  readonly beforeDelete?: (row: RowOf<E>, scene: Scene) => Result<void>;
  readonly afterDelete?: (row: RowOf<E>, scene: Scene) => Result<void>;
}

/** A path of own code, and who may call it. */
export interface Route {
  readonly access: Exclude<Rule, "owner" | object> | { readonly roles: readonly string[] };
  readonly answer: (scene: Scene) => Result<Response>;
}

/** All own code of a service. */
export interface Custom {
  readonly hooks?: { readonly [E in Name]?: Hooks<E> };
  /** By method and path: `"GET /api/books/:id/label"`. A path that is generated too is answered by own code alone. */
  readonly routes?: { readonly [path in `${Method} /${string}`]: Route };
  readonly scheduled?: { readonly [line in Cron]?: (env: Env, context: ExecutionContext) => Result<void> };
}

export const define = (custom: Custom): Custom => custom;

/** Makes the hooks known to the entities, and answers the routes. */
export function ownRoutes(app: Hono<AppEnv>, { hooks, routes }: Custom): void {
  adopt(hooks ?? {});
  const paths = new Map<string, Partial<Record<Method, Handler<AppEnv>>>>();
  for (const [key, { access, answer }] of Object.entries(routes ?? {})) {
    const [method, path] = key.split(" ", 2) as [Method, string];
    const handler: Handler<AppEnv> = async (c) => answer({ c, caller: await admit(c, access), env: c.env });
    paths.set(path, { ...paths.get(path), [method]: handler });
  }
  for (const [path, handlers] of paths) {
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
    // What it does not answer is left to the service, where that has the path too.
    app.all(path, (c, next) => (isElsewhere(c) ? next() : refuseMethod(Object.keys(handlers) as Method[])));
  }
}

/** Whether a route behind the one that runs has this very path. */
const isElsewhere = (c: Context<AppEnv>): boolean =>
  matchedRoutes(c).slice(c.req.routeIndex + 1).some(({ path }) => path !== "*" && path !== "/*");

/** The handler of cron. Times that own code does nothing at belong to others. */
export const ownWork =
  ({ scheduled }: Custom) =>
  async ({ cron }: ScheduledController, env: Env, context: ExecutionContext): Promise<void> => {
    const work = new Map(Object.entries<((env: Env, context: ExecutionContext) => Result<void>) | undefined>(scheduled ?? {}));
    await work.get(cron)?.(env, context);
  };
