import { type Caller, type Rule, isOwners, ownAlone } from "./access";
import type { Field, Stored } from "./fields";
import type { Hook } from "./hooks";
import { type Condition, condition, quote } from "./sql";

/** A reference to another row, under the key `{name}_id`. */
export interface Reference {
  readonly to: string;
  readonly required: boolean;
  readonly onDelete: "restrict" | "cascade" | "set null";
}

/** A field that is worked out by the database whenever a row is read. */
export interface Computed {
  readonly sql: string;
  readonly decode: (value: Stored) => unknown;
}

/** A stored thing: its columns, its rules and where it is found. */
export interface Entity {
  readonly name: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly references: Readonly<Record<string, Reference>>;
  readonly computed: Readonly<Record<string, Computed>>;
  readonly read: Rule;
  readonly write: Rule;
  /** Who may create rows, where it is not whoever may write them. */
  readonly create?: Rule;
  readonly timestamps: boolean;
  readonly softDelete: boolean;
  /** The condition of a text search, where the entity has one. */
  readonly search?: (text: string, entity: Entity) => Condition;
  /** Columns within which every uniqueness holds, where there are any. */
  readonly uniqueWithin?: readonly string[];
  /** What takes part in the changes of its rows. */
  readonly hooks?: readonly Hook[];
  /** What else limits the rows that a caller may know of. */
  readonly limits?: readonly ((caller: Caller, entity: Entity) => readonly Condition[])[];
  /** What limits the users that a caller may name in its rows and actions. */
  readonly people?: (caller: Caller) => readonly Condition[];
}

export type Row = Record<string, Stored>;

export const isOwned = (entity: Entity): boolean =>
  isOwners(entity.read) || isOwners(entity.write);

/** What an answer is made of; it follows from the entity, so it is worked out once. */
interface Shape {
  readonly columns: string;
  readonly parts: readonly (readonly [name: string, decode: (value: Stored) => unknown])[];
}

const shapes = new WeakMap<Entity, Shape>();
const asStored = (value: Stored): unknown => value;

function shapeOf(entity: Entity): Shape {
  const known = shapes.get(entity);
  if (known !== undefined) return known;
  const fields = Object.entries(entity.fields);
  const computed = Object.entries(entity.computed);
  const plain = [
    ...Object.keys(entity.references),
    ...(isOwned(entity) ? ["owner_id"] : []),
    ...(entity.timestamps ? ["created_at", "updated_at"] : []),
  ];
  const stored = ["id", ...fields.map(([name]) => name), ...plain];
  const shape: Shape = {
    columns: [...stored.map(quote), ...computed.map(([name, c]) => `${c.sql} AS ${quote(name)}`)].join(", "),
    parts: [
      ["id", asStored] as const,
      ...fields.filter(([, field]) => !field.writeOnly).map(([name, field]) => [name, field.decode] as const),
      ...computed.map(([name, c]) => [name, c.decode] as const),
      ...plain.map((name) => [name, asStored] as const),
    ],
  };
  shapes.set(entity, shape);
  return shape;
}

/** The columns of an answer, in their order. */
export const selected = (entity: Entity): string => shapeOf(entity).columns;

/** A row as the service answers it. */
export function toJson(entity: Entity, row: Row): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, decode] of shapeOf(entity).parts) out[name] = decode(row[name] ?? null);
  return out;
}

/** What limits the rows of an entity that this caller may know of. */
export function visible(entity: Entity, caller: Caller): Condition[] {
  const conditions: Condition[] = [];
  if (entity.softDelete) conditions.push(condition('"deleted_at" IS NULL'));
  if (ownAlone(entity.read, caller)) {
    conditions.push(condition('"owner_id" = ?', caller.user?.id ?? ""));
  }
  for (const limit of entity.limits ?? []) conditions.push(...limit(caller, entity));
  return conditions;
}
