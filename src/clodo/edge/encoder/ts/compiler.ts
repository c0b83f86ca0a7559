import type { Characters } from "./characters";
import { faults } from "./checks";
import { choices, chosen, listed } from "./choices";
import { type Constants, whole } from "./constants";
import { creation, creatorsOf, letsAdd, saysWhoCreates } from "./creators";
import { isUnique } from "./cue_lines";
import { Names, type Pen } from "./cue_names";
import { completed, rolesOf } from "./cues";
import { Draft, type DraftCue, type DraftEntity, type DraftField, type DraftRelation, type DraftValue, Evidence } from "./draft";
import type { Naming } from "./naming";
import type { Numbers } from "./numbers";
import type { Span } from "./reading";
import type { Secrecy } from "./secrecy";
import { similarity } from "./similarity";
import { isStoreless, typeOf } from "./storeless";
import type { CompilerTables } from "./tables";
import type { Verbs } from "./verbs";
import { withWishes } from "./wishes";
import {
  type Access,
  accessText,
  type Blueprint,
  type Bound,
  type Constant,
  type Entity,
  type Field,
  type Link,
  type OnDelete,
  OWNER,
  plainField,
  type Reference,
  USER,
  type Users,
  type Who,
} from "./values";

const MOST_LETTERS = 60;
const NOW = ["now", "today", "current", "creation"];
const DEFAULTS = ["def", "enumdef"];
const AMOUNTS = ["min", "max", "xmin", "xmax"];
const SEARCHABLE = ["text", "longtext", "email", "url", "enum", "list"];

/** What compiling needs beside the draft. */
export interface Tools {
  readonly tables: CompilerTables;
  readonly characters: Characters;
  readonly naming: Naming;
  readonly numbers: Numbers;
  readonly constants: Constants;
  readonly secrecy: Secrecy;
  readonly verbs: Verbs;
}

export interface Compiled {
  /** Undefined where nothing was understood to store. */
  readonly blueprint: Blueprint | undefined;
  /** Its canonical text, with what cues add to it. */
  readonly text: string | undefined;
  /** What the draft held and the blueprint does not. */
  readonly left: readonly Span[];
}

/** What things of a draft are called in its blueprint, and what compiling decides of a value. */
export interface Terms {
  entity(name: string): string;
  field(name: string): string;
  reference(name: string, owned: boolean): string;
  /** The field with one more value, or undefined where the value does not fit it. */
  applied(f: Field, value: DraftValue): Field | undefined;
}

/** By what terms drafts are compiled. */
export function termsOf(tools: Tools): Terms {
  return new Compiler(new Draft(), new Map(), tools).terms;
}

/** What the things of a text are called in its blueprint. */
export function namesOf(blueprint: Blueprint, text: string, tools: Tools, files: readonly string[] = []): Names {
  const { entity, field } = termsOf(tools);
  return new Names(blueprint, entity, field, tools.naming, false, text, files);
}

/** The blueprint of a draft: what the text left unsaid is completed, what cannot stand is set aside. */
export function compileDraft(stated: Draft, tools: Tools): Compiled {
  const draft = completed(stated, tools.tables, tools);
  const bare = bareEntities(draft, tools.tables);
  // Users of whom nothing is told are users all the same, and what else the text names is in other services.
  const isStored = (name: string): boolean => /^\p{L}/u.test(name) && !bare.has(name);
  const kept = new Map(isStoreless(draft, tools.tables.storeless) ? [] : [...draft.entities].filter(([n]) => isStored(n)));
  if (kept.size === 0 && typeOf(draft, false, tools.tables.storeless) === "data-service") return { blueprint: undefined, text: undefined, left: [] };
  const compiler = new Compiler(draft, kept, tools);
  const { blueprint, relaxed } = withoutFaults(compiler.blueprint(), tools.constants);
  const known = new Set(compiler.left.map(([start, end]) => `${start} ${end}`));
  compiler.left.push(...compiler.rulesOf(relaxed).filter(([start, end]) => !known.has(`${start} ${end}`)));
  if (blueprint === undefined) return { blueprint, text: undefined, left: compiler.left };
  const rest = Object.assign(draft.copied(), { cues: draft.cues.filter((cue) => !compiler.said.has(cue)) });
  const wished = withWishes(blueprint, rest, compiler.names(blueprint), compiler.pen, tools.tables.files);
  const left = [...compiler.left, ...wished.left];
  if (blueprint.type === "api-gateway" && blueprint.entities.length === 0 && !wished.hasRoutes) return { blueprint: undefined, text: undefined, left };
  return { blueprint: wished.blueprint, text: wished.text, left };
}

/** Entities of which the text says nothing to store, beside others of which it does: mostly people who use the service. */
export function bareEntities(draft: Draft, tables: CompilerTables): ReadonlySet<string> {
  const entities = [...draft.entities.values()];
  const told = new Set(entities.filter(({ fields }) => fields.size > 0).map(({ name }) => name));
  if (told.size === 0 && isStoreless(draft, tables.storeless)) return new Set(entities.map(({ name }) => name).filter((name) => name !== "user"));
  if (told.size === 0) return new Set();
  for (const { source, target } of draft.relations) {
    if (source !== target) told.add(source).add(target);
  }
  for (const cue of draft.cues) if (cue.kind === "tenants") for (const f of cue.slots.get("of") ?? []) told.add(f.entity);
  for (const e of entities) for (const f of e.fields.values()) if (f.target !== "") told.add(f.target);
  return new Set(entities.map(({ name }) => name).filter((name) => !told.has(name) && name !== "user"));
}

/** The field that is taken for granted of a thing of which the text names none. */
export function heldBy(e: DraftEntity, { held }: CompilerTables): Field | undefined {
  const found = e.fields.size === 0 ? held[e.name] : undefined;
  return found === undefined ? undefined : { ...plainField(found[0], found[1], []), required: true };
}

class Compiler {
  readonly left: Span[] = [];
  /** Cues that the entities say already. */
  readonly said = new Set<DraftCue>();
  readonly #draft: Draft;
  readonly #tools: Tools;
  readonly #kept: ReadonlyMap<string, DraftEntity>;
  readonly #names: ReadonlyMap<string, string>;
  readonly #hasUsers: boolean;
  readonly #profile: DraftEntity | undefined;
  readonly #creators: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(draft: Draft, kept: ReadonlyMap<string, DraftEntity>, tools: Tools) {
    this.#draft = draft;
    this.#tools = tools;
    this.#hasUsers = needsUsers(draft, kept, tools);
    this.#names = new Map([...kept.keys()].map((n) => [n, this.#entityName(n)]));
    this.#kept = new Map([...kept].filter(([n]) => !(n === "user" && this.#hasUsers)));
    this.#profile = this.#hasUsers ? kept.get("user") : undefined;
    this.#creators = creatorsOf(draft, tools.verbs);
  }

  /** The words of the rules of fields, given as `entity.field` of the blueprint. */
  rulesOf(paths: ReadonlySet<string>): Span[] {
    const told = [...this.#kept.values()].map((e) => [this.#names.get(e.name) ?? e.name, e] as const);
    if (this.#profile !== undefined) told.push(["user", this.#profile]);
    return told.flatMap(([name, e]) =>
      [...e.fields.values()]
        .filter((f) => paths.has(`${name}.${this.#fieldName(f.name)}`))
        .flatMap((f) => f.values.filter(({ role }) => role !== "enum").flatMap(({ evidence }) => [...evidence.spans])),
    );
  }

  /** What things of the draft are called in its blueprint. */
  names(blueprint: Blueprint): Names {
    const entityName = (name: string): string => this.#names.get(name) ?? name;
    const { cues, entities, text } = this.#draft;
    const isApart = cues.some(({ kind }) => kind === "tenants");
    const kinds = this.#tools.tables.files;
    const files = [...entities.values()].flatMap((e) => [...e.fields.values()].filter((f) => kinds.includes(f.type)).map((f) => `${e.name} ${f.name}`));
    return new Names(blueprint, entityName, (name) => this.#fieldName(name), this.#tools.naming, isApart, text, files);
  }

  get terms(): Terms {
    return {
      entity: (name) => this.#entityName(name),
      field: (name) => this.#fieldName(name),
      reference: (name, owned) => this.#referenceName(name, owned),
      applied: (f, value) => this.#applied(f, value),
    };
  }

  get pen(): Pen {
    return { ...this.#tools, tables: this.#tools.tables.cues };
  }

  blueprint(): Blueprint {
    const { tables } = this.#tools;
    const type = typeOf(this.#draft, this.#kept.size > 0, tables.storeless);
    // Where nothing is stored, routes say themselves whom they let in, and pages are open to all.
    const isOpen = this.#kept.size === 0 && ["api-gateway", "static-site"].includes(type);
    if (isOpen && type === "static-site" && !["none", "unstated"].includes(this.#draft.access)) this.left.push(...this.#draft.accessEvidence.spans);
    const [reading, writing] = (isOpen ? undefined : tables.access[this.#draft.access]) ?? ["public", "public"];
    let [read, write] = [accessOf(reading), accessOf(writing)];
    if (this.#draft.access === "unstated" && [...this.#kept.values()].some(({ flags }) => flags.has("own"))) {
      [read, write] = [USER, USER];
    }
    const entities = [...this.#kept.values()].map((e) => this.#entity(e, [read, write]));
    const made: Blueprint = {
      name: this.#name(type),
      type,
      title: this.#draft.name,
      read,
      write,
      users: this.#hasUsers ? this.#users(entities) : undefined,
      entities: withoutCycles(entities),
    };
    this.#hearCreators(made);
    return made;
  }

  /** Cues that say who adds rows are said by the entities; the words of those whom no rule lets add them are left over. */
  #hearCreators(b: Blueprint): void {
    for (const cue of this.#draft.cues.filter((one) => saysWhoCreates(one, this.#tools.verbs))) {
      this.said.add(cue);
      const areLet = (cue.slots.get("of") ?? []).every(({ entity }) => {
        const e = b.entities.find(({ name }) => name === (this.#names.get(entity) ?? entity));
        return e !== undefined && (cue.slots.get("by") ?? []).every(({ role }) => role === "" || letsAdd(e.create ?? e.write ?? b.write, role));
      });
      if (!areLet) this.left.push(...cue.evidence.spans.slice(0, 1));
    }
  }

  #name(type: string): string {
    const { name, entities } = this.#draft;
    const [first = ""] = this.#kept.size > 0 ? this.#kept.keys() : entities.keys();
    const called = this.#kept.size === 0 && this.#profile === undefined ? this.#tools.tables.storeless.called[type] : undefined;
    const made = /[a-zA-Z]/.test(name) ? this.#tools.naming.words(name).join("_") : (called ?? `${first}_service`);
    return this.#tools.characters.strip([...made.replace(/^[^a-z]+/, "")].slice(0, 40).join(""), "_") || "service";
  }

  #users(entities: readonly Entity[]): Users {
    const roles = [...rolesOf(this.#draft, this.#tools.tables, this.#tools.verbs), ...entities.flatMap(({ read, write, create }) => [read, write, create].flatMap((access) => access?.roles ?? []))];
    const taken = ["email", "password", "role", "token", "user", ...this.#tools.constants.tables.rowKeys];
    const profile = this.#profile;
    const fields: Field[] = [];
    for (const d of profile?.fields.values() ?? []) {
      const made = profile === undefined || this.#refers(d) ? undefined : this.#field(d, profile);
      const short = made !== undefined && made.unique && !this.#isPlentiful(made);
      // Users refer to nothing.
      if (short || this.#refers(d)) this.left.push(...d.evidence.spans);
      if (made?.name === "token" || made?.name === "user") this.left.push(...d.evidence.spans);
      else if (made?.name === "role") this.left.push(...d.values.flatMap(({ evidence }) => evidence.spans));
      if (made !== undefined && !taken.includes(made.name)) fields.push({ ...made, unique: made.unique && !short });
    }
    this.#leaveRelations();
    const unique = profile === undefined ? [] : this.#together(profile, fields);
    if (profile !== undefined) this.#leaveLines(profile);
    return {
      fields,
      roles: [...new Set(roles.filter((role) => role !== "admin" && role !== "user"))],
      unique,
    };
  }

  /** What is unique together of users; the words of other groups are not understood, unless they say what holds anyway. */
  #together(e: DraftEntity, fields: readonly Field[]): readonly (readonly string[])[] {
    const alone = new Set([...fields.filter(({ unique }) => unique).map(({ name }) => name), "email"]);
    const known = new Map(fields.filter(joins).map((f) => [f.name, f]));
    const isPlentiful = (name: string): boolean => {
      const f = known.get(name);
      return f !== undefined && this.#isPlentiful(f);
    };
    const groups = this.#groups(e, new Set(known.keys())).filter((group) => group.some(isPlentiful));
    const keyOf = (group: readonly string[]): string => [...new Set(group)].sort().join();
    const said = new Set(groups.map(keyOf));
    for (const group of e.together) {
      const names = group.map((m) => this.#fieldName(m));
      if (said.has(keyOf(names)) || names.some((name) => alone.has(name))) continue;
      this.left.push(...group.flatMap((m) => e.fields.get(m)?.evidence.spans ?? []));
    }
    return groups;
  }

  /**
   * Users are searched only where they are listed, which no description says; they are not deleted, and no rule says who reads or
   * changes them: the words for it are not understood.
   */
  #leaveLines(e: DraftEntity): void {
    for (const f of e.fields.values()) if (f.flags.has("search")) this.left.push(...f.evidence.spans);
    const rules = ["read", "write"].flatMap((verb) => Object.keys(this.#tools.tables.who).map((n) => `${verb}-${n}`));
    if (["softdelete", ...rules].some((flag) => e.flags.has(flag)) || e.readRoles.length + e.writeRoles.length > 0) {
      this.left.push(...e.evidence.spans.slice(0, 1));
    }
  }

  #refers({ type, target }: DraftField): boolean {
    return type === "ref" && this.#names.has(target);
  }

  /** Whether many users can each have a value of their own. */
  #isPlentiful({ type, minimum, maximum }: Field): boolean {
    const { constants } = this.#tools;
    if (constants.traits(type).number && minimum !== undefined && maximum !== undefined) {
      return maximum.value.plus(minimum.value.negated()).compare(whole(constants.tables.many)) > 0;
    }
    return type !== "enum" && type !== "boolean";
  }

  /** Users belong to nothing and are linked with nothing: the words for the other side are not understood. */
  #leaveRelations(): void {
    for (const { source, target, kind, evidence } of this.#draft.relations) {
      if (source === "user") this.left.push(...evidence.spans.slice(-1));
      else if (target === "user" && kind === "many") this.left.push(...evidence.spans.slice(0, 1));
    }
  }

  #entity(e: DraftEntity, service: readonly [read: Access, write: Access]): Entity {
    const [references, links] = this.#relations(e);
    const keys = new Set([...references.flatMap(({ name }) => [name, `${name}_id`]), ...links.map(({ name }) => name)]);
    const fields = new Map<string, Field>();
    for (const draft of e.fields.values()) {
      if (this.#refers(draft)) continue;
      const made = this.#field(draft, e);
      if (made !== undefined && !keys.has(made.name) && !fields.has(made.name)) fields.set(made.name, made);
    }
    const held = heldBy(e, this.#tools.tables);
    if (held !== undefined && references.length > 0) fields.set(held.name, held);
    const names = new Map([...e.fields.keys()].map((raw) => [this.#fieldName(raw), raw]));
    const search = [...names].filter(([n, raw]) => isSearchable(e.fields.get(raw), fields.get(n))).map(([n]) => n);
    const { read, write, create } = this.#access(e, service);
    const known = new Set([...fields.values()].filter(({ hashed }) => !hashed).map(({ name }) => name).concat(references.map(({ name }) => name)));
    return {
      name: this.#names.get(e.name) ?? e.name,
      fields: [...fields.values()],
      references,
      links,
      unique: this.#groups(e, known),
      search,
      read,
      write,
      create: creation(this.#creators.get(e.name) ?? [], read ?? service[0], write ?? service[1], create),
      softDelete: e.flags.has("softdelete"),
    };
  }

  /** What is unique together of the known fields and references, each group once. */
  #groups(e: DraftEntity, known: ReadonlySet<string>): readonly (readonly string[])[] {
    const groups = [...e.together.map((group) => [...new Set(group.map((m) => this.#fieldName(m)))]), ...this.#once(e, known)];
    const unique = new Map<string, readonly string[]>();
    for (const group of groups) {
      const key = [...group].sort().join();
      if (group.length > 1 && group.every((name) => known.has(name)) && !unique.has(key)) unique.set(key, group);
    }
    return [...unique.values()];
  }

  /** What is unique together since only one row is allowed for each: "one rating per film and critic". */
  #once(e: DraftEntity, known: ReadonlySet<string>): readonly string[][] {
    const found: string[][] = [];
    for (const cue of this.#draft.cues.filter((one) => isUnique(one, this.pen))) {
      const of = cue.slots.get("of") ?? [];
      const per = cue.slots.get("per") ?? [];
      const names = per.filter((f) => f.field === "" || f.entity === e.name).map((f) => this.#fieldName(f.field === "" ? f.entity : f.field));
      if (of.length !== 1 || of[0]?.entity !== e.name || names.length !== per.length || !names.every((name) => known.has(name))) continue;
      this.said.add(cue);
      found.push([...new Set(names)]);
    }
    return found;
  }

  /** Who reads, writes and creates rows, where it is not the rule of the service. */
  #access(e: DraftEntity, service: readonly [read: Access, write: Access]): Pick<Entity, "read" | "write" | "create"> {
    const [readers, writers] = [[...new Set(e.readRoles)], [...new Set(e.writeRoles)]];
    // Whoever changes a row of somebody else must see it.
    if (e.flags.has("own")) return { read: ownerOr(readers), write: ownerOr(writers.filter((role) => readers.includes(role))), create: undefined };
    const of = (verb: string): Access | undefined => {
      const who = Object.entries(this.#tools.tables.who).find(([n]) => e.flags.has(`${verb}-${n}`))?.[1];
      return who === undefined ? undefined : accessOf(who);
    };
    const read = readers.length > 0 ? ofRoles(readers) : of("read");
    if (e.flags.has("own-write")) return { read, write: ownerOr(writers), create: undefined };
    const write = writers.length > 0 ? ofRoles(writers) : undefined;
    const adds = of("write");
    if (adds === undefined) return { read, write, create: undefined };
    // Whom the text lets write one thing beside a narrower rule adds rows; those change them whom that rule lets.
    const [reading, writing] = [read ?? service[0], service[1]];
    const rest = write ?? (this.#narrowness(reading) > this.#narrowness(writing) ? reading : writing);
    if (this.#narrowness(rest) <= this.#narrowness(adds)) return { read, write: adds, create: undefined };
    return { read, write: accessText(rest) === accessText(writing) ? undefined : rest, create: adds };
  }

  /** The higher, the fewer a rule lets in. */
  #narrowness({ who }: Access): number {
    return this.#tools.tables.narrowness[who] ?? 0;
  }

  #relations(e: DraftEntity): readonly [Reference[], Link[]] {
    const references = new Map<string, Reference>();
    const links = new Map<string, Link>();
    for (const f of e.fields.values()) {
      if (f.type !== "ref" || !this.#names.has(f.target)) continue;
      const flags = new Set([...f.referenceFlags, ...["required", "optional"].filter((flag) => f.flags.has(flag))]);
      if (f.flags.has("unique")) flags.add("one");
      const name = this.#referenceName(f.name, isOwned(e));
      references.set(name, this.#reference(name, f.target, flags, f.target === e.name));
    }
    for (const r of this.#draft.relations) {
      const known = this.#names.has(r.target) && (this.#kept.has(r.target) || r.target === "user");
      if (r.source !== e.name || !known || !this.#kept.has(r.source)) continue;
      const same = r.target === r.source;
      const target = this.#names.get(r.target) ?? r.target;
      if (r.kind === "belongs") this.#addReference(references, r, same);
      else if (this.#kept.has(r.target)) {
        const name = same ? "related" : target;
        links.set(name, { name, target });
      }
    }
    for (const f of e.fields.values()) {
      // "Payments (amount, tenant)", where tenants are an entity: a row of it is meant, not a text.
      if (f.type !== "text" || !this.#kept.has(f.name) || f.name === e.name || f.values.length > 0) continue;
      const flags = new Set(["required", "optional"].filter((flag) => f.flags.has(flag)));
      this.#addReference(references, { source: e.name, target: f.name, kind: "belongs", flags, evidence: new Evidence() }, false);
    }
    for (const name of references.keys()) links.delete(name);
    return [[...references.values()], [...links.values()]];
  }

  #addReference(references: Map<string, Reference>, r: DraftRelation, same: boolean): void {
    const target = this.#names.get(r.target) ?? r.target;
    // A named reference says it already.
    if ([...references.values()].some((x) => x.target === target)) return;
    const source = this.#kept.get(r.source);
    const name = same ? "parent" : this.#referenceName(target, source !== undefined && isOwned(source));
    if (!references.has(name)) references.set(name, this.#reference(name, r.target, r.flags, same));
  }

  #reference(name: string, target: string, flags: ReadonlySet<string>, same: boolean): Reference {
    let onDelete: OnDelete = "restrict";
    if (flags.has("cascade")) onDelete = "cascade";
    else if (flags.has("setnull") && !flags.has("required")) onDelete = "set null";
    return {
      name,
      target: this.#names.get(target) ?? target,
      required: !same && !flags.has("optional") && onDelete !== "set null",
      unique: flags.has("one"),
      onDelete,
    };
  }

  #field(d: DraftField, e: DraftEntity): Field | undefined {
    const name = this.#fieldName(d.name);
    const { rowKeys } = this.#tools.constants.tables;
    if (rowKeys.includes(name) || (name === "password" && this.#hasUsers) || name === "") return undefined;
    if (this.#tools.tables.files.includes(d.type)) return undefined;
    const allowed = d.values.filter(({ role }) => role === "enum" || role === "enumdef");
    const values = choices(listed(allowed, this.#tools.characters).map(({ words }) => words), this.#tools.characters);
    let type = d.type === "ref" ? "text" : (this.#tools.tables.types[d.type] ?? d.type);
    if (type === "enum" && values.length < 2) type = "text";
    if (type !== "enum" && values.length >= 2) type = "enum";
    // Whatever a text says of secrets, it hardly ever means that everybody is to read them.
    const beside = [...e.fields.keys()].map((n) => this.#fieldName(n));
    const { secrecy } = this.#tools;
    const secret = secrecy.isSecret(name, type, beside);
    const hashed = secrecy.isPassword(name, type, beside) && !["list", "json"].includes(type);
    const numeric = hashed && this.#tools.constants.traits(type).number;
    const readOnly = d.flags.has("read_only") && !secret;
    let made: Field = {
      ...plainField(name, hashed ? "text" : type, type === "enum" ? values : []),
      required: d.flags.has("required") && !readOnly,
      unique: d.flags.has("unique") && !["boolean", "json", "list"].includes(type) && !hashed,
      readOnly,
      writeOnly: secret || (!readOnly && d.flags.has("write_only")),
      hashed,
    };
    for (const value of d.values) {
      // A secret that everybody gets is none, and bounds of a number are no lengths.
      const meaningless = (secret && DEFAULTS.includes(value.role)) || (numeric && AMOUNTS.includes(value.role));
      const changed = meaningless ? undefined : this.#applied(made, value);
      if (changed === undefined) this.left.push(...value.evidence.spans);
      else made = changed;
    }
    return made;
  }

  /** The field with one more value, or undefined where the value does not fit it. */
  #applied(f: Field, { role, words }: DraftValue): Field | undefined {
    if (DEFAULTS.includes(role)) {
      const found = this.#default(f, words);
      return found === undefined ? undefined : { ...f, default: found };
    }
    if (role === "enum") return f.type === "enum" ? f : undefined;
    const amount = this.#tools.numbers.read(words);
    if (amount === undefined) return undefined;
    const { number, textual } = this.#tools.constants.traits(f.type);
    let bound: Bound;
    if (number) bound = { value: amount, exclusive: role.startsWith("x") };
    else if (textual && amount.isWhole && amount.digits >= 0n) {
      // "under 80 characters" is at most 79 of them.
      const value = amount.plus(whole(role === "xmin" ? 1 : role === "xmax" ? -1 : 0));
      bound = { value: value.digits > 0n ? value : whole(0), exclusive: false };
    } else return undefined;
    const minimum = ["min", "xmin", "minlen", "len"].includes(role) ? bound : f.minimum;
    const maximum = ["max", "xmax", "maxlen", "len"].includes(role) ? bound : f.maximum;
    if (minimum !== undefined && maximum !== undefined && minimum.value.compare(maximum.value) > 0) return undefined;
    return { ...f, minimum, maximum };
  }

  #default(f: Field, surface: string): Constant | undefined {
    const { characters, constants, naming, numbers } = this.#tools;
    if (f.type === "enum") return chosen(f.values, surface, characters);
    let found: Constant | undefined = characters.strip(surface, "\"'“”‘’ ");
    const { number, temporal } = constants.traits(f.type);
    if (number) found = numbers.read(surface);
    else if (f.type === "boolean") found = this.#truth(surface, f.name);
    else if (temporal && naming.words(surface).some((word) => NOW.includes(word))) found = "now";
    return found !== undefined && constants.isValid(f, found) ? found : undefined;
  }

  /** Whether a yes/no field is said to be true: by yes or no, by the field's own word, by its opposite. */
  #truth(surface: string, name: string): boolean | undefined {
    const { tables, naming, characters } = this.#tools;
    const lower = surface.toLowerCase();
    const said = new Set([...naming.words(surface), ...(lower.match(/[a-z0-9]+/g) ?? [])]);
    const own = new Set(name.split("_").filter((word) => [...word].length > 2));
    const says = (words: Iterable<string>): boolean => [...words].some((word) => said.has(word));
    if (says(tables.false.filter((word) => !own.has(word))) || characters.pattern("n[’']t\\b").test(lower)) return false;
    if (says(own)) return true;
    const opposites = new Map(Object.entries(tables.opposites));
    if (says([...own].map((word) => opposites.get(word) ?? ""))) return false;
    if ([...said].some((word) => word.startsWith("un") && own.has(word.slice(2)))) return false;
    if (says(tables.true)) return true;
    return [...said].some((word) => similarity(word, "false") > 0.74) ? false : undefined;
  }

  #entityName(name: string): string {
    const safe = name.replace(/[^a-z0-9_]/g, "").slice(0, MOST_LETTERS);
    const { objectKeys, routeNames } = this.#tools.constants.tables;
    return [...objectKeys, ...routeNames].includes(safe) ? `${safe}_entry` : safe;
  }

  #fieldName(name: string): string {
    const { objectKeys, listParameters } = this.#tools.constants.tables;
    const safe = name.replace(/[^a-z0-9_]/g, "").replace(/^[^a-z]+/, "").slice(0, MOST_LETTERS);
    return [...objectKeys, ...listParameters].includes(safe) ? `${safe}_value` : safe;
  }

  #referenceName(name: string, owned: boolean): string {
    const parts = this.#fieldName(name.replace(/_id$/, "")).split("_");
    const last = parts.pop() ?? "";
    const made = [...parts, this.#tools.naming.singular(last)].join("_");
    // Rows that belong to a user have an `owner_id` of their own.
    return owned && made === "owner" ? "owner_record" : made;
  }
}

function needsUsers(draft: Draft, kept: ReadonlyMap<string, DraftEntity>, { tables, verbs }: Tools): boolean {
  const owned = ["own", "own-write", "read-login", "write-login"];
  return (
    ["login", "login-write"].includes(draft.access) ||
    draft.serviceType === "auth-service" ||
    rolesOf(draft, tables, verbs).length > 0 ||
    draft.cues.some(({ kind }) => tables.needUsers.includes(kind)) ||
    [...kept.values()].some((e) => owned.some((flag) => e.flags.has(flag)) || e.readRoles.length + e.writeRoles.length > 0)
  );
}

const accessOf = (who: string): Access => ({ who: who as Who, roles: [] });

const ofRoles = (roles: readonly string[]): Access => ({ who: "role", roles });

const ownerOr = (roles: readonly string[]): Access => ({ ...OWNER, roles });

const isOwned = ({ flags }: DraftEntity): boolean => flags.has("own") || flags.has("own-write");

/** Whether a field of users can be unique with others. */
const joins = ({ hashed, unique, readOnly, type }: Field): boolean => !(hashed || unique || readOnly) && type !== "json" && type !== "list";

const isSearchable = (d: DraftField | undefined, f: Field | undefined): boolean =>
  d !== undefined && f !== undefined && d.flags.has("search") && !f.writeOnly && SEARCHABLE.includes(f.type);

/** Each required reference that would close a cycle becomes optional. */
function withoutCycles(entities: readonly Entity[]): Entity[] {
  const needs = new Map(entities.map(({ name }) => [name, new Set<string>()]));
  return entities.map((e) => ({
    ...e,
    references: e.references.map((r) => {
      const required = r.required && !reaches(needs, r.target, e.name);
      if (required) needs.get(e.name)?.add(r.target);
      return { ...r, required };
    }),
  }));
}

function reaches(needs: ReadonlyMap<string, ReadonlySet<string>>, start: string, goal: string): boolean {
  const seen = new Set<string>();
  const pending = [start];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === goal) return true;
    if (!seen.has(name)) pending.push(...(needs.get(name) ?? []));
    seen.add(name);
  }
  return false;
}

/**
 * The blueprint without the field rules that the checks object to, or undefined where they still object: asked about, never
 * guessed.
 */
function withoutFaults(
  blueprint: Blueprint,
  constants: Constants,
): { readonly blueprint: Blueprint | undefined; readonly relaxed: ReadonlySet<string> } {
  let b = blueprint;
  const lost = new Set<string>();
  for (let round = 0; round < 2; round += 1) {
    const faulty = faults(b, constants);
    if (faulty.size === 0) return { blueprint: b, relaxed: lost };
    for (const path of faulty) lost.add(path);
    const relaxed = (fields: readonly Field[], path: string): Field[] =>
      fields.map((f) =>
        faulty.has(`${path}.${f.name}`)
          ? { ...plainField(f.name, f.type, f.values), required: f.required && !f.readOnly, writeOnly: f.writeOnly && !f.readOnly, hashed: f.hashed }
          : f,
      );
    b = {
      ...b,
      entities: b.entities.map((e) => ({ ...e, fields: relaxed(e.fields, e.name) })),
      users: b.users === undefined ? undefined : { ...b.users, fields: relaxed(b.users.fields, "user") },
    };
  }
  return { blueprint: undefined, relaxed: lost };
}
