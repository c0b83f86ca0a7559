import type { Context, Hono } from "hono";
import type { AppEnv } from "../env";
import { entities } from "../entities";
import { type Caller, type Rule, admit, allows, ownAlone } from "./access";
import { type Entity, type Reference, type Row, selected, toJson } from "./entity";
import type { Field, Stored } from "./fields";
import { type Change, after, ahead, along, check, refused } from "./hooks";
import { readGivenObject, route } from "./http";
import { uuidv7 } from "./id";
import { Problem, notFound } from "./problem";
import { checkedFields, conflict, missingRows, readRow } from "./rows";
import { isForeignKeyFailure, quote } from "./sql";
import { watch } from "./touched";

/** SQL over the parameters of an action, by number: the row's id, the caller's, the moment, the day, what the body
 * gives, and ids for new rows. `uses` of them are bound. */
export interface Statement {
  readonly sql: string;
  readonly uses: number;
}

/** Something that can be done with a row, if its guards hold. */
export interface Action {
  readonly path: string;
  readonly by: Rule;
  readonly fields: Readonly<Record<string, Field>>;
  readonly references: Readonly<Record<string, Reference>>;
  /** What is said where a guard does not hold, in the order of the guards. */
  readonly refusals: readonly string[];
  /** Fails unless the row is there and every guard holds. */
  readonly assertion: Statement;
  /** Tells of each guard whether it holds, and nothing where there is no such row. */
  readonly explanation: Statement;
  readonly effects: readonly Statement[];
  readonly newRows: number;
  /** The entities of whose rows the effects change others, where that is told. */
  readonly touches?: readonly string[];
}

type Values = readonly Stored[];

const bound = (c: Context<AppEnv>, { sql, uses }: Statement, values: Values): D1PreparedStatement =>
  c.env.DB.prepare(sql).bind(...values.slice(0, uses));

/** `POST /api/{entities}/:id/{path}`: guards and effects are one transaction, so calls at the same time cannot get past a guard. */
export function action(app: Hono<AppEnv>, entity: Entity, a: Action): void {
  route(app, `/api/${entity.path}/:id/${a.path}`, {
    POST: async (c) => {
      const caller = await admit(c, a.by);
      const before = await actionable(c, entity, a, caller, c.req.param("id") ?? "");
      const change = { entity, id: String(before["id"]), caller, before, after: {} };
      const values = valuesOf(change, await parameters(c, entity, a, caller));
      return c.json(toJson(entity, await carriedOut(c, a, change, values)));
    },
  });
}

/** The row of that id, where this caller may call an action on it. */
export async function actionable(c: Context<AppEnv>, entity: Entity, a: Action, caller: Caller, id: string): Promise<Row> {
  if (!allows(entity.read, caller)) throw notFound();
  const row = await readRow(c, entity, caller, id);
  if (ownAlone(a.by, caller) && row["owner_id"] !== caller.user?.id) throw new Problem(403, "Only the owner may do this.");
  return row;
}

/** What the statements of an action bind now. */
export function valuesOf({ id, caller }: Change, parameters: Values): Values {
  const now = new Date().toISOString();
  return [id, caller.user?.id ?? null, now, now.slice(0, 10), ...parameters];
}

/** What they bind behind that: of the body, and ids for the rows that are made. */
const withIds = (a: Action, given: Values): Values => [...given, ...Array.from({ length: a.newRows }, () => uuidv7())];

/** The stored values of the body, in the order of the parameters, and ids for new rows. A body may be left out where nothing is required. */
export async function parameters(c: Context<AppEnv>, entity: Entity, a: Action, caller: Caller): Promise<Values> {
  const body = await readGivenObject(c);
  const shape: Entity = { ...entity, fields: a.fields, references: a.references };
  const { values, references, errors } = checkedFields(shape, body, "create");
  errors.push(...(await missingRows(c, shape, caller, references)));
  if (errors.length > 0) throw new Problem(422, "The body has invalid fields.", errors);
  return withIds(a, inOrder(a, values, references));
}

type Stores = Readonly<Record<string, Stored>>;

const inOrder = (a: Action, values: Stores, references: Stores): Values => [
  ...Object.keys(a.fields).map((name) => values[name] ?? null),
  ...Object.keys(a.references).map((key) => references[key] ?? null),
];

/** Carries an action out in one transaction, with statements of others in `front`. */
export async function carriedOut(
  c: Context<AppEnv>,
  a: Action,
  change: Change,
  values: Values,
  front: readonly D1PreparedStatement[] = [],
): Promise<Row> {
  const { entity, id } = change;
  await check(c, [change]);
  const others = watch(c, a.touches ?? [], change.caller, change);
  const shown = entity.softDelete ? ' AND "deleted_at" IS NULL' : "";
  const statements = [
    ...front,
    ...ahead(c, [change]),
    ...others.ahead,
    asserted(c, a, values),
    ...a.effects.map((effect) => bound(c, effect, values)),
    ...set(c, change),
    ...along(c, [change]),
    ...others.along,
    c.env.DB.prepare(`SELECT ${selected(entity)} FROM ${quote(entity.name)} WHERE "id" = ?${shown}`).bind(id),
  ];
  const done = await c.env.DB.batch<Row>(statements).catch((error: unknown) => refusal(c, a, entity, values, error));
  await others.after(done.at(-2));
  // Of a row that the action took along, what it was is told.
  const row = done.at(-1)?.results[0] ?? change.before ?? {};
  await after(c, change, row);
  return row;
}

/** The guards, as a statement that fails unless the row is there and all of them hold. */
export const asserted = (c: Context<AppEnv>, a: Action, values: Values): D1PreparedStatement =>
  bound(c, a.assertion, values);

/** The columns that hooks have set on the way. */
function set(c: Context<AppEnv>, { entity, id, after }: Change): D1PreparedStatement[] {
  const columns = Object.keys(after ?? {});
  if (columns.length === 0) return [];
  const changes = columns.map((name) => `${quote(name)} = ?`).join(", ");
  return [c.env.DB.prepare(`UPDATE ${quote(entity.name)} SET ${changes} WHERE "id" = ?`).bind(...Object.values(after ?? {}), id)];
}

/** What is said where every guard holds again by the time that it is asked why. */
export const CHANGED = "Something changed at the same moment; try again.";

/** What is said where a row that another one would refer to is not there by then. */
const GONE = "A row that this refers to is gone.";

const deletes = ({ sql }: Statement): boolean => sql.startsWith("DELETE ");

/** Tells why nothing was done. */
export async function refusal(c: Context<AppEnv>, a: Action, entity: Entity, values: Values, error: unknown): Promise<never> {
  for (const one of entities) refused(one, error);
  if (isForeignKeyFailure(error)) throw new Problem(409, a.effects.some(deletes) ? "Other rows refer to one that would go." : GONE);
  if (error instanceof Error && error.message.includes("NOT NULL constraint failed")) {
    throw new Problem(409, "A value that is required would be missing.");
  }
  if (!(error instanceof Error) || !error.message.includes("malformed JSON")) return conflict(entity)(error);
  const held = await bound(c, a.explanation, values).first<Row>();
  if (held === null) throw notFound();
  const broken = a.refusals.find((_, index) => held[`g${index}`] !== 1);
  throw new Problem(409, broken ?? CHANGED);
}

/** Carries an action out on a row that nobody calls it on: at a time of the schedule. */
export async function carryOutAlone(c: Context<AppEnv>, entity: Entity, a: Action, before: Row): Promise<void> {
  const { values, references } = checkedFields({ ...entity, fields: a.fields, references: a.references }, {}, "create");
  const change: Change = { entity, id: String(before["id"]), caller: { clock: true }, before, after: {} };
  await carriedOut(c, a, change, valuesOf(change, withIds(a, inOrder(a, values, references))));
}
