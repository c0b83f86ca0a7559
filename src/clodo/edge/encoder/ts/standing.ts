import { chosen } from "./choices";
import { type Compiled, type Terms, termsOf, type Tools } from "./compiler";
import type { MarkedSpan } from "./coverage";
import { Decimal } from "./decimal";
import { type Draft, type DraftCue, DraftEntity, DraftField, type DraftRelation, type DraftValue, Evidence } from "./draft";
import { periodOf } from "./periods";
import type { Span } from "./reading";
import { type Blueprint, type Entity, type Field, fieldLine, type Reference, type Users } from "./values";

/** The draft without what its blueprint lacks; where there is none nothing stands. Nothing rests on words that compiling left over. */
export function standing(draft: Draft, { blueprint, text = "", left }: Compiled, tools: Tools): Draft {
  if (blueprint === undefined) {
    const nothing = { entities: new Map(), relations: [], cues: [], access: "unstated", accessEvidence: new Evidence(), roles: [], name: "" };
    return Object.assign(draft.copied(), nothing);
  }
  return new Standing(draft, blueprint, text, left, tools).draft();
}

export const marked = (spans: readonly Span[], role: string): MarkedSpan[] => spans.map(([start, end]) => ({ start, end, role }));

/** What the words of a draft were taken for. */
export function taken(draft: Draft): MarkedSpan[] {
  const found: MarkedSpan[] = [];
  for (const e of draft.entities.values()) {
    found.push(...marked(e.evidence.spans, "entity"));
    for (const f of e.fields.values()) {
      found.push(...marked(f.evidence.spans, "field"), ...f.values.flatMap((v) => marked(v.evidence.spans, "value")));
    }
  }
  // Its own words come first, then those of values that it goes by.
  found.push(...draft.cues.flatMap((cue) => marked(cue.evidence.spans, "cue")));
  found.push(...marked(draft.unsupported, "unsupported"), ...marked(draft.roles, "role"));
  found.push(...marked(draft.accessEvidence.spans, "access"));
  const at = draft.name === "" ? -1 : draft.text.indexOf(draft.name);
  if (at >= 0) found.push({ start: at, end: at + draft.name.length, role: "name" });
  return found;
}

const NUMBER = /(?<![A-Za-z0-9_.])[0-9]+(?:\.[0-9]+)?/g;
/** What every account has besides its fields. */
const OF_ACCOUNTS = ["email", "password", "role"];
const DELETION = new Map([["cascade", "cascade"], ["setnull", "set null"], ["restrict", "restrict"]]);

class Standing {
  readonly #said: Draft;
  readonly #blueprint: Blueprint;
  readonly #left: readonly Span[];
  readonly #tools: Tools;
  readonly #terms: Terms;
  /** The numbers of the blueprint. */
  readonly #numbers: ReadonlySet<string>;
  readonly #cues: readonly DraftCue[];

  constructor(draft: Draft, blueprint: Blueprint, text: string, left: readonly Span[], tools: Tools) {
    this.#said = draft;
    this.#blueprint = blueprint;
    this.#left = left;
    this.#tools = tools;
    this.#terms = termsOf(tools);
    this.#numbers = new Set([...text.matchAll(NUMBER)].map(([numeral]) => Decimal.parse(numeral).toString()));
    const stands = draft.cues.filter(({ evidence: { spans } }) => spans[0] !== undefined && !isAmong(spans[0], left));
    this.#cues = stands.map((cue) => ({ ...cue, evidence: this.#resting(cue.evidence, this.#lost(cue)) }));
  }

  draft(): Draft {
    const entities = new Map<string, DraftEntity>();
    for (const [name, e] of this.#said.entities) {
      const holder = this.#holder(e.name);
      if (holder !== undefined) entities.set(name, this.#entity(e, holder));
    }
    const relations = this.#said.relations.filter(({ source }) => entities.has(source)).flatMap((r) => this.#relation(r));
    const known = this.#said.access === "unstated" ? this.#roles() : undefined;
    const { naming } = this.#tools;
    const isKnown = (role: Span): boolean => known?.has(naming.entity(this.#said.text.slice(...role))) ?? true;
    const roles = this.#said.roles.filter((role) => !isAmong(role, this.#left) && isKnown(role));
    return Object.assign(this.#said.copied(), { entities, relations, cues: this.#cues, accessEvidence: this.#resting(this.#said.accessEvidence), roles });
  }

  #resting({ confidence, spans }: Evidence, gone: readonly Span[] = []): Evidence {
    const made = new Evidence(confidence);
    made.spans = spans.filter((s) => !isAmong(s, this.#left) && !isAmong(s, gone));
    return made;
  }

  #holder(name: string): Entity | Users | undefined {
    const called = this.#terms.entity(name);
    return this.#blueprint.entities.find((e) => e.name === called) ?? (name === "user" ? this.#blueprint.users : undefined);
  }

  #entity(e: DraftEntity, holder: Entity | Users): DraftEntity {
    const made = new DraftEntity(e.name, this.#resting(e.evidence), e);
    if (!isEntity(holder) || !holder.softDelete) made.flags.delete("softdelete");
    made.fields.clear();
    for (const [name, f] of e.fields) {
      const kept = this.#field(f, holder);
      if (kept !== undefined) made.fields.set(name, kept);
    }
    return made;
  }

  #field(f: DraftField, holder: Entity | Users): DraftField | undefined {
    const name = this.#terms.field(f.name);
    const stored = holder.fields.find((x) => x.name === name);
    const names = [name, this.#terms.reference(f.name, false), this.#terms.reference(f.name, true)];
    const reference = isEntity(holder) ? holder.references.find((r) => names.includes(r.name)) : undefined;
    if (stored === undefined && reference === undefined && !this.#isKept(f, name, holder)) return undefined;
    const made = Object.assign(new DraftField(f.name, f.type), { target: f.target, evidence: this.#resting(f.evidence) });
    const values = f.values.filter((v) => this.#has(v, f, stored, name));
    made.values.push(...values.map((v) => ({ ...v, evidence: this.#resting(v.evidence) })));
    made.steps.push(...f.steps);
    flagsOf(f, name, stored, reference, holder).forEach((flag) => made.flags.add(flag));
    deletionOf(f.referenceFlags, reference).forEach((flag) => made.referenceFlags.add(flag));
    return made;
  }

  /** Whether a field is kept, if not as a field or reference of its own. */
  #isKept(f: DraftField, name: string, holder: Entity | Users): boolean {
    const { rowKeys } = this.#tools.constants.tables;
    if (!isEntity(holder)) return [...OF_ACCOUNTS, ...rowKeys].includes(name);
    const isBrought = name === "slug" && this.#cues.some(({ kind }) => kind === "slug");
    const isOfAccounts = name === "password" && this.#blueprint.users !== undefined;
    return this.#isFile(f) || rowKeys.includes(name) || isBrought || isOfAccounts || holder.links.some((link) => link.name === name);
  }

  #isFile({ type }: DraftField): boolean {
    return this.#tools.tables.files.includes(type);
  }

  #has(v: DraftValue, f: DraftField, stored: Field | undefined, name: string): boolean {
    const { characters, constants, numbers } = this.#tools;
    if (stored !== undefined) {
      // What a field says already changes nothing when it is said again.
      const again = this.#terms.applied(stored, v);
      const isChosen = !["enum", "enumdef"].includes(v.role) || chosen(stored.values, v.words, characters) !== undefined;
      return again !== undefined && fieldLine(again) === fieldLine(stored) && isChosen;
    }
    if (!this.#isFile(f)) return constants.tables.rowKeys.includes(name);
    const [first] = f.values.filter(isSize);
    const size = isSize(v) ? numbers.read(v.words)?.toString() : undefined;
    return size !== undefined && this.#numbers.has(size) && first !== undefined && numbers.read(first.words)?.toString() === size;
  }

  #relation(r: DraftRelation): DraftRelation[] {
    const holder = this.#holder(r.source);
    if (holder === undefined || !isEntity(holder)) return [];
    const target = this.#terms.entity(r.target);
    const reference = holder.references.find((x) => x.target === target);
    const isLinked = holder.links.some((link) => link.target === target);
    if (reference === undefined && !isLinked && !this.#cues.some(({ kind }) => kind === "tenants")) return [];
    const flags = deletionOf(r.flags, reference);
    if (reference?.unique !== true) flags.delete("one");
    return [{ ...r, flags, evidence: this.#resting(r.evidence) }];
  }

  /** The numbers of a wish that its line does not have. */
  #lost(cue: DraftCue): Span[] {
    const fillers = [...cue.slots.values()].flat().filter(({ words, field }) => words !== "" && field === "");
    return fillers.flatMap(({ words, at }) => (at === undefined || at === null || this.#isWritten(words, cue) ? [] : [at]));
  }

  /** Whether the blueprint has the number of some words of a wish, be it in another unit; one may go without saying. */
  #isWritten(words: string, cue: DraftCue): boolean {
    const value = this.#tools.numbers.read(words);
    if (value === undefined || value.compare(ONE) <= 0) return true;
    const pen = { ...this.#tools, tables: this.#tools.tables.cues };
    const units = new Set([cue.words, ...[...cue.slots.values()].flat().map((f) => f.words)].map((said) => periodOf(said, pen)));
    const others = [...units].flatMap((unit) => (this.#tools.tables.lengths[unit] ?? []).map((many) => value.times(new Decimal(BigInt(many)))));
    // Days of a number of hours, of which the last counts whole.
    if (units.has("hour") && value.isWhole) others.push(new Decimal((value.units(Math.min(0, value.exponent)) / 10n ** BigInt(Math.max(0, -value.exponent)) + 23n) / 24n));
    return [value, new Decimal(value.digits, value.exponent - 3), ...others].some((number) => this.#numbers.has(number.toString()));
  }

  /** What the blueprint calls kinds of user. */
  #roles(): Set<string> {
    const { users, entities } = this.#blueprint;
    const told = entities.flatMap(({ read, write, create }) => [read, write, create].flatMap((access) => access?.roles ?? []));
    const taken = this.#cues.flatMap(({ slots }) => [...slots.values()].flat().map(({ role }) => role));
    return new Set(["user", "admin", ...(users?.roles ?? []), ...told, ...taken]);
  }
}

const ONE = new Decimal(1n);

const isAmong = ([start, end]: Span, spans: readonly Span[]): boolean => spans.some(([a, b]) => a === start && b === end);

const isEntity = (holder: Entity | Users): holder is Entity => "references" in holder;

const isSize = ({ role }: DraftValue): boolean => role === "max" || role === "xmax";

/** The flags of a field that its column has; of what has no column of its own they are so anyway. */
function flagsOf(f: DraftField, name: string, made: Field | undefined, reference: Reference | undefined, holder: Entity | Users): Set<string> {
  const flags = new Set(f.flags);
  const stored = made ?? reference;
  if (stored === undefined) return flags;
  const isGrouped = holder.unique.some((group) => group.includes(name) || group.includes(stored.name));
  if (!stored.unique && !isGrouped) flags.delete("unique");
  if (!stored.required && made?.readOnly !== true) flags.delete("required");
  if (!isEntity(holder) || !holder.search.includes(name)) flags.delete("search");
  return flags;
}

/** The flags without what is said otherwise of rows that lose the one they refer to. */
function deletionOf(flags: ReadonlySet<string>, reference: Reference | undefined): Set<string> {
  return new Set([...flags].filter((flag) => !DELETION.has(flag) || reference?.onDelete === DELETION.get(flag)));
}
