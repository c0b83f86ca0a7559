import type { Constants } from "./constants";
import { whole } from "./constants";
import type { Access, Blueprint, Entity, Field } from "./values";

const WITHOUT_ENTITIES = ["auth-service", "api-gateway", "static-site", "generic"];
const SEARCHABLE = ["text", "longtext", "email", "url", "enum", "list"];

/**
 * The paths of the parts of a blueprint that are wrong (`book.isbn`, "" for the service itself); warnings are not among them.
 * What no description leads to (expressions, patterns, bounds of dates, parts of bricks) is not looked for, nor are routes
 * that clash: without bricks the plan gives each its own.
 */
export function faults(b: Blueprint, constants: Constants): ReadonlySet<string> {
  return new Set([
    ...serviceFaults(b, constants),
    ...(b.users === undefined ? [] : userFaults(b.users.fields, constants)),
    ...b.entities.flatMap((e) => [...entityFaults(b, e, constants)]),
    ...cycleFaults(b),
  ]);
}

function* serviceFaults(b: Blueprint, constants: Constants): Iterable<string> {
  if (b.entities.length === 0 && !WITHOUT_ENTITIES.includes(b.type)) yield "";
  yield* nameFaults(b.name, "", constants);
  if (hasDuplicates(b.entities.map(({ name }) => name))) yield "";
  const rules: [string, Access | undefined][] = [["", b.read], ["", b.write]];
  for (const e of b.entities) rules.push([e.name, e.read], [e.name, e.write], [e.name, e.create]);
  for (const [path, access] of rules) {
    if (access !== undefined && isImpossible(b, access)) yield path;
  }
  if (b.read.who === "owner" || b.write.who === "owner") yield "";
}

/** Whether a rule asks for something that the service does not have. */
function isImpossible(b: Blueprint, { who, roles }: Access): boolean {
  if (b.users === undefined) return ["user", "owner", "role"].includes(who);
  const known = ["admin", "user", ...b.users.roles];
  return roles.some((role) => !known.includes(role));
}

function* nameFaults(name: string, path: string, { tables }: Constants): Iterable<string> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name) || tables.objectKeys.includes(name) || name.includes("__")) yield path;
}

function* userFaults(fields: readonly Field[], constants: Constants): Iterable<string> {
  if (hasDuplicates(fields.map(({ name }) => name))) yield "user";
  for (const f of fields) {
    const path = `user.${f.name}`;
    yield* nameFaults(f.name, path, constants);
    if (constants.tables.userKeys.includes(f.name)) yield path;
    if (isFaulty(f, constants)) yield path;
    if (f.unique && f.readOnly && f.default !== undefined) yield path;
  }
  if (fields.length + 6 > constants.tables.mostColumns) yield "user";
}

function* entityFaults(b: Blueprint, e: Entity, constants: Constants): Iterable<string> {
  const { tables } = constants;
  yield* nameFaults(e.name, e.name, constants);
  if (tables.routeNames.includes(e.name) || tables.tableNames.includes(e.name) || e.name.startsWith("sqlite_")) yield e.name;
  if (e.name === "user" && b.users !== undefined) yield e.name;
  yield* memberFaults(b, e, constants);
  yield* targetFaults(b, e);
  for (const f of e.fields) if (isFaulty(f, constants)) yield `${e.name}.${f.name}`;
  const known = new Set([...e.fields, ...e.references].map(({ name }) => name));
  for (const group of e.unique) if (hasDuplicates(group) || group.some((name) => !known.has(name))) yield e.name;
  if (hasDuplicates(e.search)) yield e.name;
  for (const name of e.search) {
    const f = e.fields.find((field) => field.name === name);
    if (f === undefined) yield e.name;
    else if (!SEARCHABLE.includes(f.type) || f.writeOnly) yield `${e.name}.${name}`;
  }
  const [read, write, create] = [e.read ?? b.read, e.write ?? b.write, e.create];
  if (read.who === "owner" && write.who !== "owner") yield e.name;
  if (create !== undefined && (create.who === "owner" || (create.who !== "user" && [read, write].some(({ who }) => who === "owner")))) yield e.name;
}

/** The keys that the rows of an entity have of themselves. */
function rowKeys(b: Blueprint, e: Entity): string[] {
  const owned = [e.read ?? b.read, e.write ?? b.write].some(({ who }) => who === "owner");
  return ["id", "created_at", "updated_at", ...(owned ? ["owner_id"] : []), ...(e.softDelete ? ["deleted_at"] : [])];
}

function* memberFaults(b: Blueprint, e: Entity, constants: Constants): Iterable<string> {
  const fields = e.fields.map(({ name }) => name);
  const references = e.references.map(({ name }) => name);
  const names = [...fields, ...references, ...e.links.map(({ name }) => name)];
  if (hasDuplicates(names)) yield e.name;
  for (const name of names) {
    const path = `${e.name}.${name}`;
    yield* nameFaults(name, path, constants);
    if (constants.tables.listParameters.includes(name)) yield path;
  }
  const reserved = rowKeys(b, e);
  for (const name of fields) if (reserved.includes(name) && !references.includes(name)) yield `${e.name}.${name}`;
  for (const name of references) {
    if (reserved.includes(`${name}_id`)) yield `${e.name}.${name}`;
    if (fields.includes(`${name}_id`)) yield `${e.name}.${name}_id`;
  }
  if (fields.length + references.length + reserved.length > constants.tables.mostColumns) yield e.name;
}

function* targetFaults(b: Blueprint, e: Entity): Iterable<string> {
  const known = [...b.entities.map(({ name }) => name), ...(b.users === undefined ? [] : ["user"])];
  for (const { name, target } of [...e.references, ...e.links]) if (!known.includes(target)) yield `${e.name}.${name}`;
  for (const { name, target } of e.links) if (target === "user" && b.users !== undefined) yield `${e.name}.${name}`;
  const linked = [
    ...e.links.map(({ target }) => target),
    ...b.entities.flatMap((x) => x.links.filter(({ target }) => target === e.name).map(() => x.name)),
  ].filter((target) => target !== e.name);
  if (hasDuplicates(linked)) yield e.name;
  for (const r of e.references) if (r.required && r.onDelete === "set null") yield `${e.name}.${r.name}`;
}

/** Whether a field by itself is wrong. */
function isFaulty(f: Field, constants: Constants): boolean {
  if (f.type === "enum" && f.values.length === 0) return true;
  if (hasDuplicates(f.values) || f.values.some((v) => v.trim() === "" || [...v].length > 100)) return true;
  const broken = hasBrokenBounds(f, constants);
  if (broken) return true;
  if (f.default !== undefined) {
    if (f.type === "enum" && !(typeof f.default === "string" && f.values.includes(f.default))) return true;
    if (!constants.isValid(f, f.default) || !constants.isWithin(f, f.default)) return true;
  }
  if (f.unique && ["json", "list", "boolean"].includes(f.type)) return true;
  if (f.hashed && (f.type !== "text" || f.unique || f.default !== undefined)) return true;
  if (f.readOnly && f.writeOnly) return true;
  return f.readOnly && f.required && f.default === undefined;
}

function hasBrokenBounds(f: Field, constants: Constants): boolean {
  const bounds = [f.minimum, f.maximum].filter((bound) => bound !== undefined);
  if (bounds.length === 0) return false;
  const { number, textual } = constants.traits(f.type);
  for (const { value, exclusive } of bounds) {
    if (number) {
      if (f.type === "integer" && !constants.isNumber("integer", value)) return true;
      if (!constants.isNumber("decimal", value)) return true;
    } else if (!textual || exclusive || !value.isWhole || value.compare(whole(0)) < 0) return true;
  }
  return constants.isEmpty(f);
}

/** Where rows need each other in a ring, so that none could be made. */
function cycleFaults(b: Blueprint): string[] {
  const needs = new Map(b.entities.map((e) => [e.name, e.references.filter(({ required }) => required)]));
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) found.push(name);
    if (trail.includes(name) || done.has(name)) return;
    for (const { target } of needs.get(name) ?? []) walk(target, [...trail, name]);
    done.add(name);
  };
  for (const e of b.entities) walk(e.name, []);
  return found;
}

const hasDuplicates = (names: readonly string[]): boolean => new Set(names).size < names.length;
