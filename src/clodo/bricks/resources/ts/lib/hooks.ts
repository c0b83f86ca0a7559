import type { Context } from "hono";
import type { AppEnv } from "../env";
import type { Caller } from "./access";
import type { Entity, Row } from "./entity";
import type { Stored } from "./fields";

/** What happens to one row. `before` is null where it is created, `after` where it goes. */
export interface Change {
  readonly entity: Entity;
  readonly id: string;
  readonly caller: Caller;
  readonly before: Row | null;
  /** The columns that are stored; of a row that is changed only those that change. */
  readonly after: Record<string, Stored> | null;
}

/** The rows of an entity that statements of a transaction change beside the row that it is about: what actions and schedules do to others.
 * They stand in the table `_touched`, each as it was (`was`, as JSON; null where there was none), until the transaction ends. */
export interface Beside {
  readonly entity: Entity;
  readonly caller: Caller;
  /** Whether rows of an entity can be hidden, which are gone for callers then. */
  readonly hides: (name: string) => boolean;
}

/** One of these rows; `known`: it was there before. */
export interface Touched {
  readonly id: string;
  readonly known: number;
  /** The columns that hooks remember, as they were; none where the row was not there. */
  readonly was: Readonly<Record<string, Stored>>;
}

/** A row that a request links with others, or unlinks. */
export type Linked = Pick<Change, "entity" | "id" | "caller">;

/** What takes part in the changes of an entity's rows. */
export interface Hook {
  /** Before anything is stored: may refuse with a `Problem`, and may set columns of `after`. */
  readonly check?: (c: Context<AppEnv>, change: Change) => void | Promise<void>;
  /** Statements in front of the change and in its transaction: they find the row as it was, and where one fails nothing is stored. */
  readonly ahead?: (c: Context<AppEnv>, change: Change) => readonly D1PreparedStatement[];
  /** Statements that are carried out together with the change, or not at all. */
  readonly along?: (c: Context<AppEnv>, change: Change) => readonly D1PreparedStatement[];
  /** When the change is stored; `row` is the row as it is now, or as it was where it is gone. */
  readonly after?: (c: Context<AppEnv>, change: Change, row: Row) => void | Promise<void>;
  /** What `along` is for such rows: statements over all of them, behind the last change. */
  readonly beside?: (c: Context<AppEnv>, beside: Beside) => readonly D1PreparedStatement[];
  /** Columns of such rows, of which `afterBeside` is told what they were. */
  readonly remembers?: readonly string[];
  /** What `after` is for such rows; there are some. */
  readonly afterBeside?: (c: Context<AppEnv>, beside: Beside, rows: readonly Touched[]) => void | Promise<void>;
  /** Statements in front of linking the row with another, or unlinking it: where one fails neither happens. Asked of the side that declares the link. */
  readonly linking?: (c: Context<AppEnv>, linked: Linked) => readonly D1PreparedStatement[];
  /** Turns a refusal of the database into a `Problem` and throws it, where it knows the refusal. */
  readonly refused?: (error: unknown) => void;
  /** In the place of `along`, for all rows of the entity that one request changes, where a statement can do many. */
  readonly alongAll?: (c: Context<AppEnv>, changes: readonly Change[]) => readonly D1PreparedStatement[];
  /** In the place of `after`, for all of them: what asks the database asks once. */
  readonly afterAll?: (c: Context<AppEnv>, stored: readonly Done[]) => void | Promise<void>;
}

/** A change that is stored, with the row that `after` gets. */
export type Done = readonly [change: Change, row: Row];

export async function check(c: Context<AppEnv>, changes: readonly Change[]): Promise<void> {
  for (const change of changes) {
    for (const hook of change.entity.hooks ?? []) await hook.check?.(c, change);
  }
}

export const ahead = (c: Context<AppEnv>, changes: readonly Change[]): D1PreparedStatement[] =>
  changes.flatMap((change) => (change.entity.hooks ?? []).flatMap((hook) => hook.ahead?.(c, change) ?? []));

export const linking = (c: Context<AppEnv>, linked: Linked): D1PreparedStatement[] =>
  (linked.entity.hooks ?? []).flatMap((hook) => hook.linking?.(c, linked) ?? []);

export const along = (c: Context<AppEnv>, changes: readonly Change[]): D1PreparedStatement[] =>
  [...Map.groupBy(changes, (change) => change.entity)].flatMap(([entity, its]) =>
    (entity.hooks ?? []).flatMap((hook) => hook.alongAll?.(c, its) ?? its.flatMap((change) => hook.along?.(c, change) ?? [])),
  );

export const after = (c: Context<AppEnv>, change: Change, row: Row): Promise<void> => afterAll(c, [[change, row]]);

/** What the hooks do behind changes that were stored together. */
export async function afterAll(c: Context<AppEnv>, stored: readonly Done[]): Promise<void> {
  for (const [entity, its] of Map.groupBy(stored, ([change]) => change.entity)) {
    for (const hook of entity.hooks ?? []) {
      if (hook.afterAll !== undefined) await hook.afterAll(c, its);
      else for (const [change, row] of its) await hook.after?.(c, change, row);
    }
  }
}

export function refused(entity: Entity, error: unknown): void {
  for (const hook of entity.hooks ?? []) hook.refused?.(error);
}

/** Stores a change with all that goes along, and gives the row that `statement` returns. */
export async function carryOut(
  c: Context<AppEnv>,
  change: Change,
  statement: D1PreparedStatement,
): Promise<Row | null> {
  const [before, others] = [ahead(c, [change]), along(c, [change])];
  if (before.length + others.length === 0) return statement.first<Row>();
  const done = await c.env.DB.batch<Row>([...before, statement, ...others]);
  return done[before.length]?.results[0] ?? null;
}
