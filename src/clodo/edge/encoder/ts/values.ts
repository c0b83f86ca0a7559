import type { Decimal } from "./decimal";

/** A blueprint as values, as `clodo.blueprint.values` has it, in as far as descriptions lead to it. */
export interface Blueprint {
  readonly name: string;
  readonly type: string;
  readonly title: string;
  readonly read: Access;
  readonly write: Access;
  readonly users: Users | undefined;
  readonly entities: readonly Entity[];
}

export type Who = "public" | "key" | "user" | "owner" | "role";

/** Who may do something; `roles` is for the kind `role`, any of which may. */
export interface Access {
  readonly who: Who;
  readonly roles: readonly string[];
}

export const PUBLIC: Access = { who: "public", roles: [] };
export const USER: Access = { who: "user", roles: [] };
export const OWNER: Access = { who: "owner", roles: [] };

export function accessText({ who, roles }: Access): string {
  const named = `role ${roles.join(", ")}`;
  if (who === "role") return named;
  return roles.length > 0 ? `${who} or ${named}` : who;
}

export type Constant = Decimal | boolean | string;

export interface Bound {
  readonly value: Decimal;
  readonly exclusive: boolean;
}

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
  readonly required: boolean;
  readonly unique: boolean;
  readonly default: Constant | undefined;
  readonly minimum: Bound | undefined;
  readonly maximum: Bound | undefined;
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
  /** Only a salted hash is stored; what is hashed is write-only. */
  readonly hashed: boolean;
}

export type OnDelete = "restrict" | "cascade" | "set null";

export interface Reference {
  readonly name: string;
  readonly target: string;
  readonly required: boolean;
  readonly unique: boolean;
  readonly onDelete: OnDelete;
}

export interface Link {
  readonly name: string;
  readonly target: string;
}

export interface Entity {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly references: readonly Reference[];
  readonly links: readonly Link[];
  readonly unique: readonly (readonly string[])[];
  readonly search: readonly string[];
  readonly read: Access | undefined;
  readonly write: Access | undefined;
  readonly create: Access | undefined;
  readonly softDelete: boolean;
}

export interface Users {
  readonly fields: readonly Field[];
  readonly roles: readonly string[];
  readonly unique: readonly (readonly string[])[];
}

/** A field of which nothing but the type is said. */
export function plainField(name: string, type: string, values: readonly string[] = []): Field {
  return {
    name,
    type,
    values,
    required: false,
    unique: false,
    default: undefined,
    minimum: undefined,
    maximum: undefined,
    readOnly: false,
    writeOnly: false,
    hashed: false,
  };
}

/** What stands in a blueprint's blocks besides its own lines: the line of a field, and further ones, indented. */
export interface Additions {
  field(e: Entity, f: Field): string;
  fields(e: Entity): readonly string[];
  /** What is said of rights beside `read`, `write` and `create`. */
  rights(e: Entity): readonly string[];
  entity(e: Entity): readonly string[];
  users(): readonly string[];
}

/** The lines of the canonical text. */
export function blueprintLines(b: Blueprint, more: Additions): string[] {
  const lines = [`service ${b.name}${b.title === "" ? "" : ` ${quote(b.title)}`}`];
  if (b.type !== "data-service") lines.push(`type ${b.type}`);
  if (b.read.who !== "public" || b.write.who !== "public") {
    lines.push(`read ${accessText(b.read)}`, `write ${accessText(b.write)}`);
  }
  if (b.users !== undefined) {
    lines.push("", "users {");
    if (b.users.roles.length > 0) lines.push(`  roles ${b.users.roles.join(", ")}`);
    lines.push(...b.users.fields.map((f) => `  ${fieldLine(f)}`), ...b.users.unique.map((group) => `  unique (${group.join(", ")})`));
    lines.push(...more.users(), "}");
  }
  for (const entity of b.entities) lines.push("", ...entityLines(entity, more));
  return lines;
}

function entityLines(e: Entity, more: Additions): string[] {
  const lines = [
    ...e.references.map(referenceLine),
    ...e.links.map(({ name, target }) => `${name}: <-> ${target}`),
    ...e.unique.map((group) => `unique (${group.join(", ")})`),
  ];
  if (e.search.length > 0) lines.push(`search ${e.search.join(", ")}`);
  if (e.read !== undefined) lines.push(`read ${accessText(e.read)}`);
  if (e.write !== undefined) lines.push(`write ${accessText(e.write)}`);
  if (e.create !== undefined) lines.push(`create ${accessText(e.create)}`);
  lines.push(...more.rights(e));
  if (e.softDelete) lines.push("soft delete");
  const fields = e.fields.map((f) => `  ${more.field(e, f)}`);
  return [`entity ${e.name} {`, ...fields, ...more.fields(e), ...lines.map((line) => `  ${line}`), ...more.entity(e), "}"];
}

/** One field as its line, without indentation. */
export function fieldLine(f: Field): string {
  const type = f.type === "enum" ? `enum(${f.values.map((v) => constantText(v, true)).join(", ")})` : f.type;
  const parts = [`${f.name}: ${type}`];
  if (f.required) parts.push("required");
  if (f.unique) parts.push("unique");
  if (f.default !== undefined) {
    const bare = f.type === "enum" || (f.default === "now" && ["date", "datetime", "time"].includes(f.type));
    parts.push(`default ${constantText(f.default, bare)}`);
  }
  if (f.minimum !== undefined) parts.push(`${f.minimum.exclusive ? "above" : "min"} ${f.minimum.value.toString()}`);
  if (f.maximum !== undefined) parts.push(`${f.maximum.exclusive ? "below" : "max"} ${f.maximum.value.toString()}`);
  if (f.readOnly) parts.push("read-only");
  if (f.writeOnly) parts.push(f.hashed ? "hashed" : "write-only");
  return parts.join(" ");
}

function referenceLine(r: Reference): string {
  const parts = [`${r.name}: -> ${r.target}`];
  if (r.required) parts.push("required");
  if (r.unique) parts.push("unique");
  if (r.onDelete !== "restrict") parts.push(`on delete ${r.onDelete}`);
  return parts.join(" ");
}

function constantText(value: Constant, bare: boolean): string {
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value !== "string") return value.toString();
  return bare && /^[a-z][a-z0-9_]*$/.test(value) && value !== "true" && value !== "false" ? value : quote(value);
}

/** A text as a string literal of the language. */
export const quote = (text: string): string => JSON.stringify(text);
