import type { Caller, Rule } from "./access";
import type { Field, Stored } from "./fields";
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
  readonly timestamps: boolean;
  readonly softDelete: boolean;
  /** The condition of a text search, where the entity has one. */
  readonly search?: (text: string, entity: Entity) => Condition;
}

export type Row = Record<string, Stored>;

export const isOwned = (entity: Entity): boolean =>
  entity.read === "owner" || entity.write === "owner";

/** The columns of an answer, in their order. */
export function selected(entity: Entity): string {
  const stored = [
    "id",
    ...Object.keys(entity.fields),
    ...Object.keys(entity.references),
    ...(isOwned(entity) ? ["owner_id"] : []),
    ...(entity.timestamps ? ["created_at", "updated_at"] : []),
  ];
  const computed = Object.entries(entity.computed).map(([name, c]) => `${c.sql} AS ${quote(name)}`);
  return [...stored.map(quote), ...computed].join(", ");
}

/** A row as the service answers it. */
export function toJson(entity: Entity, row: Row): Record<string, unknown> {
  const out: Record<string, unknown> = { id: row["id"] };
  for (const [name, field] of Object.entries(entity.fields)) {
    if (!field.writeOnly) out[name] = field.decode(row[name] ?? null);
  }
  for (const [name, computed] of Object.entries(entity.computed)) {
    out[name] = computed.decode(row[name] ?? null);
  }
  for (const key of Object.keys(entity.references)) out[key] = row[key] ?? null;
  if (isOwned(entity)) out["owner_id"] = row["owner_id"];
  if (entity.timestamps) {
    out["created_at"] = row["created_at"];
    out["updated_at"] = row["updated_at"];
  }
  return out;
}

/** What limits the rows of an entity that this caller may know of. */
export function visible(entity: Entity, caller: Caller): Condition[] {
  const conditions: Condition[] = [];
  if (entity.softDelete) conditions.push(condition('"deleted_at" IS NULL'));
  if (entity.read === "owner") {
    conditions.push(condition('"owner_id" = ?', caller.user?.id ?? ""));
  }
  return conditions;
}
