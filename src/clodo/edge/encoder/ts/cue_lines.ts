import { type Age, toldAge } from "./ages";
import type { Member } from "./blocks";
import { chosen } from "./choices";
import { areToldApart, type Figure, figureText, guards, type Part } from "./bounds";
import { type Names, type Pen, Unsaid, unsaid } from "./cue_names";
import { deleters, isLike, saysWhoDeletes } from "./deleters";
import { Decimal } from "./decimal";
import { type DraftCue, Evidence, type Filler } from "./draft";
import { Givens } from "./givens";
import { FIGURE_SIGNS, type OnOthers, Others } from "./others";
import { toldAt } from "./lengths";
import { freeOfLock, hasOutcome } from "./locks";
import { Nearby } from "./nearby";
import { periodOf, unitOf } from "./periods";
import { countedBy, isLength, limited, rate, WRITES, writesOf } from "./rates";
import { receivers } from "./receivers";
import { inDays, isMoment, type Outcome, passed, type Run, running, unticked } from "./schedules";
import { constantOf, isNumber, isTrue } from "./states";
import { comparison, numberFor, type StepNumbers, stepNumbers } from "./step_numbers";
import { isKeptOff, knownTakers, offTheirs, takers } from "./takers";
import { times, usualTime } from "./times";
import { isUpload, withUploads } from "./uploads";
import { type Access, accessText, type Blueprint, type Entity, type Field, quote, type Reference } from "./values";

/** Where lines go besides entities. */
export const SERVICE = "";
export const USERS = "users";

/** A line or block of the language, where it stands, and the name of its construct. */
export interface Line {
  readonly where: string;
  readonly construct: string;
  readonly text: string;
}

/**
 * What a cue comes to: lines, fields that are computed (`entity.field` → expression), fields that a line brings itself, and lines of
 * blocks of the service that several cues make together.
 */
export interface Lines {
  readonly lines: Line[];
  readonly computed: Map<string, string>;
  readonly brought: Set<string>;
  readonly blocks: readonly Member[];
}

export const noLines = (): Lines => ({ lines: [], computed: new Map(), brought: new Set(), blocks: [] });

/**
 * What a cue comes to; throws `Unsaid` where the text leaves open what a line would need. `apart`: it is a step that its outcome
 * tells from another of the same verb; `runs`: the actions that are run where it is a schedule; `age`: the length of time that it speaks
 * of, where more than its slots may tell it.
 */
export function linesOf(
  cue: DraftCue,
  names: Names,
  pen: Pen,
  apart: boolean,
  runs: readonly Run[] = [],
  age: () => Age | undefined = () => toldAge(cue, names.text, pen),
): Lines {
  return isUpload(cue, names, pen) ? noLines() : new Writer(withUploads(cue, names, pen), names, pen, apart, runs, age).written();
}

/** How long sessions last where a line says nothing of it. */
const USUAL_DAYS = "30";
const SIGNS: Readonly<Record<string, string>> = { times: " * ", added: " + " };
const DAYS: Readonly<Record<string, bigint>> = { day: 1n, week: 7n, month: 30n };

/** The number in the slot `n` of a cue. */
export function amount(cue: DraftCue, pen: Pen): Decimal | undefined {
  const found = numbered(cue, pen);
  return found === undefined ? undefined : pen.numbers.read(found.words);
}

/** What that number is said with. */
function numbered(cue: DraftCue, { numbers }: Pen): Filler | undefined {
  return (cue.slots.get("n") ?? []).find(({ words }) => numbers.read(words) !== undefined);
}

/** How many rows a rule allows, where that is a number: one where it names none (once, not twice, only one). */
function allowed(cue: DraftCue, pen: Pen): Decimal | undefined {
  const limited = (cue.slots.get("n") ?? []).some(({ field }) => field !== "");
  const wantsNumber = pen.naming.words(cue.words).some((word) => pen.tables.bounds.includes(word));
  return amount(cue, pen) ?? (limited || wantsNumber ? undefined : new Decimal(1n));
}

/** Whether a rule for so many rows allows one, at any time and in whatever state: things that are unique together. */
export function isUnique(cue: DraftCue, pen: Pen): boolean {
  const slot = (name: string): readonly Filler[] => cue.slots.get(name) ?? [];
  const always = slot("when").length === 0 && slot("unless").length === 0 && slot("per").every(({ entity }) => entity !== "");
  return cue.kind === "at-most" && always && slot("per").length > 1 && allowed(cue, pen)?.toString() === "1";
}

export const isOwned = (b: Blueprint, e: Entity): boolean => [e.read ?? b.read, e.write ?? b.write].some(({ who }) => who === "owner");

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

class Writer {
  readonly #cue: DraftCue;
  readonly #names: Names;
  readonly #pen: Pen;
  readonly #apart: boolean;
  readonly #runs: readonly Run[];
  /** The length of time that it speaks of. */
  readonly #age: () => Age | undefined;
  readonly #givens: Givens;
  /** The parameter for a figure that is given with a step. */
  #figure = "";
  /** What it says of other rows, once it is worked out. */
  #said: OnOthers | undefined;
  readonly #out = noLines();

  constructor(cue: DraftCue, names: Names, pen: Pen, apart: boolean, runs: readonly Run[], age: () => Age | undefined, givens?: Givens) {
    this.#cue = cue;
    this.#names = names;
    this.#pen = pen;
    this.#apart = apart;
    this.#runs = runs;
    this.#age = age;
    this.#givens = givens ?? new Givens(pen);
  }

  get #isStep(): boolean {
    return this.#pen.tables.steps.includes(this.#cue.kind);
  }

  written(): Lines {
    const { kind } = this.#cue;
    const { plain, once } = this.#pen.tables;
    const single = Object.hasOwn(once, kind) ? once[kind] : undefined;
    if (single !== undefined) this.#say(single[0], single[2], single[1]);
    else if (Object.hasOwn(plain, kind)) for (const e of this.#entities()) this.#say(e.name, plain[kind]?.[1] ?? kind, plain[kind]?.[0] ?? kind);
    else this.#write(kind);
    return this.#out;
  }

  #write(kind: string): void {
    switch (kind) {
      case "overlap":
        return this.#overlap();
      case "at-most":
        return this.#atMost();
      case "above":
      case "at-least":
        return this.#compared();
      case "action":
      case "job":
        return this.#action();
      case "every":
        return this.#every();
      case "expire":
        return this.#expire();
      case "count":
      case "sum":
      case "average":
      case "highest":
      case "lowest":
        return this.#report();
      case "times":
      case "added":
      case "less":
        return this.#computed();
      case "total-of":
      case "number-of":
        return this.#gathered();
      case "export":
      case "import":
        return this.#transferred();
      case "bulk":
        for (const e of this.#entities()) this.#say(e.name, "bulk", `bulk create ${(this.#amount() ?? new Decimal(100n)).toString()}`);
        return;
      case "audit":
        return this.#audit();
      case "slug":
      case "markdown":
        return this.#fromField();
      case "summary":
        return this.#summary();
      case "classify":
        return this.#classify();
      case "cache":
        return this.#cache();
      case "limit-user":
      case "limit-address":
      case "limit-key":
        return this.#limit();
      case "login-limit":
        return this.#loginLimit();
      case "cors":
        return this.#cors();
      case "sessions":
        return this.#sessions();
      case "notify":
        return this.#notify();
      case "tenants":
        return this.#say(SERVICE, "tenants", `tenants ${this.#entity().name}`);
      default:
        if (kind.startsWith("webhook")) this.#webhook();
        else if (kind.startsWith("incoming-")) this.#incoming();
        else unsaid();
    }
  }

  #slot(name: string): readonly Filler[] {
    return this.#cue.slots.get(name) ?? [];
  }

  #slots(...names: readonly string[]): Filler[] {
    return names.flatMap((name) => this.#slot(name));
  }

  #say(where: string, construct: string, text: string): void {
    this.#out.lines.push({ where, construct, text });
  }

  /** The one entity that the cue is about. */
  #entity(): Entity {
    return this.#names.about(this.#cue);
  }

  /** Those that it names, else all. */
  #entities(): readonly Entity[] {
    const named = unique(this.#slot("of").filter(({ entity }) => entity !== "").map((f) => this.#names.entity(f)));
    const found = named.length > 0 ? named : this.#names.blueprint.entities;
    return found.length > 0 ? found : unsaid();
  }

  #amount(): Decimal | undefined {
    return amount(this.#cue, this.#pen);
  }

  /** The unit of time of its slot `per`, else of the cue's own words; empty where there is none. */
  #unit(): string {
    return unitOf(this.#cue, this.#pen);
  }

  /** A field as it is named from the rows of an entity, where a parameter may have its name. */
  #seen(e: Entity, filler: Filler): string {
    const path = this.#names.seenFrom(e, filler);
    return this.#givens.has(path.split(".")[0] ?? "") ? `this.${path}` : path;
  }

  #others(e: Entity): Others {
    return new Others(this.#names, e, this.#pen);
  }

  /** What a slot says of the row itself, and not of others that refer to it. */
  #ofRow(e: Entity, name: string): readonly Filler[] {
    const others = this.#others(e);
    return this.#slot(name).filter((f) => !this.#isStep || !(others.areMeant(f) || isKeptOff(f, this.#pen.tables)));
  }

  /** What `when` and `unless`, `below` and `over` say of a row; empty where they say nothing. */
  #condition(e: Entity): string {
    return [...this.#statesOfRow(e), ...this.#figuresOfRow(e).map(figureText)].join(" and ");
  }

  #statesOfRow(e: Entity): string[] {
    return [...this.#states(e, this.#ofRow(e, "when"), true), ...this.#states(e, this.#ofRow(e, "unless"), false)];
  }

  /** What `below` and `over` say of numbers of a row: as against a number of the text, else against each other. */
  #figuresOfRow(e: Entity): Figure[] {
    const [most, isStrict] = this.#measure();
    const under = this.#ofRow(e, "below");
    const above = this.#late().length > 0 ? [] : this.#ofRow(e, "over");
    if ([...under, ...above].some((f) => !isNumber(this.#names.field(f)[1]))) unsaid();
    const seen = (f: Filler): string => this.#seen(e, f);
    const [lesser, greater] = [under[0], above[0]];
    if (lesser !== undefined && greater !== undefined && under.length + above.length === 2 && (most === undefined || !isStrict)) {
      return seen(lesser) === seen(greater) ? unsaid() : [{ left: seen(lesser), sign: "<", right: seen(greater) }];
    }
    if (most === undefined) return under.length + above.length === 0 || this.#isPairWithOthers(e) ? [] : unsaid();
    const sign = (wanted: string, name: string): string => (isStrict ? this.#sign(wanted, name) : `${wanted}=`);
    const figures = (fillers: readonly Filler[], wanted: string, name: string): Figure[] =>
      fillers.map((f) => ({ left: seen(f), sign: sign(wanted, name), right: this.#number(name, most) }));
    return [...figures(under, "<", "below"), ...figures(above, ">", "over")];
  }

  /**
   * What figures are compared with, where that is one number, and whether it is said in the text: as much as is given with a step may
   * be as much as there is.
   */
  #measure(): readonly [most: Decimal | string | undefined, isStrict: boolean] {
    if (!this.#isStep) return [this.#amount(), true];
    const { compared } = this.#numbers;
    if (compared !== undefined) return [compared, true];
    return [this.#figure === "" ? undefined : this.#figure, false];
  }

  /** How a figure is compared with the number of the text, `<` or `>`: or as much, where the words around the number say so. */
  #sign(wanted: string, name: string): string {
    const said = this.#saidSign(name);
    return said.startsWith(wanted) ? said : wanted;
  }

  /** The words of the number that figures of a slot are compared with. */
  #saidNumber(name: string): Filler | undefined {
    return this.#isStep ? numberFor(this.#cue, this.#numbers, name, this.#names.text, this.#pen) : numbered(this.#cue, this.#pen);
  }

  /** The number of a slot: `most`, where there is one for all. */
  #number(name: string, most: Decimal | string): Decimal | string {
    const said = this.#saidNumber(name);
    return (said === undefined ? undefined : this.#pen.numbers.read(said.words)) ?? most;
  }

  /** What the words around the number of a slot compare with it by; empty where there are no such words. */
  #saidSign(name: string): string {
    const measure = this.#saidNumber(name);
    return measure === undefined ? "" : comparison(this.#names.text, measure, this.#pen);
  }

  /** What a step says of other rows than its own. */
  get #onOthers(): OnOthers {
    this.#said ??= this.#isStep ? this.#others(this.#entity()).said(this.#cue) : { states: [], below: [], over: [] };
    return this.#said;
  }

  /** Whether a figure of other rows is compared with one of the row, and no number of the text with either. */
  #isPairWithOthers(e: Entity): boolean {
    const { below, over } = this.#onOthers;
    if (below.length + over.length === 0 || this.#numbers.compared !== undefined) return false;
    return below.length + this.#ofRow(e, "below").length === 1 && over.length + this.#ofRow(e, "over").length === 1;
  }

  /** What a step says of figures of other rows. */
  #figuresOfOthers(e: Entity): Figure[] {
    const { below, over } = this.#onOthers;
    if (this.#isPairWithOthers(e)) {
      const side = ([figure]: readonly string[], name: string): string => figure ?? this.#ofRow(e, name).map((f) => this.#seen(e, f))[0] ?? unsaid();
      const [lesser, greater] = [side(below, "below"), side(over, "over")];
      if (lesser === greater) unsaid();
      return [below.length > 0 ? { left: lesser, sign: "<=", right: greater } : { left: greater, sign: ">=", right: lesser }];
    }
    const [most] = this.#measure();
    const figures = [["below", below], ["over", over]] as const;
    return figures.flatMap(([name, all]) =>
      all.map((left): Figure => {
        const right = this.#number(name, most ?? unsaid());
        const sign = this.#saidSign(name);
        return { left, sign: FIGURE_SIGNS[name].find((one) => one === sign) ?? FIGURE_SIGNS[name][0], right };
      }),
    );
  }

  /** What this cue and further ones say of a step. */
  get #allSaid(): readonly Writer[] {
    return [this, ...(this.#cue.further ?? []).map((cue) => new Writer(cue, this.#names, this.#pen, false, [], () => toldAge(cue, this.#names.text, this.#pen), this.#givens))];
  }

  get #isKeptOff(): boolean {
    return this.#allSaid.some((writer) => writer.#slot("unless").some((f) => isKeptOff(f, this.#pen.tables)));
  }

  /** The conditions of a step, each by itself, with all that further cues say of it. */
  #guards(e: Entity): string[] {
    const { tables, verbs } = this.#pen;
    const all = this.#allSaid;
    const isOdd = (f: Filler): boolean => f.role !== "" && !isKeptOff(f, tables);
    if (all.some((writer) => writer.#slot("when").some(({ role }) => role !== "") || writer.#slot("unless").some(isOdd))) unsaid();
    const parts = all.map((writer) => writer.#part(e));
    const told = areToldApart(parts)
      ? guards(parts, tables.takers.maker)
      : all.flatMap((writer) => [writer.#ofItsRow(e), ...writer.#onOthers.states, ...writer.#figuresOfOthers(e).map(figureText)]);
    const off = this.#isKeptOff ? [offTheirs(isOwned(this.#names.blueprint, e), e, this.#cue.words, verbs)] : [];
    return unique([...told, ...all.map((writer) => writer.#early(e)), ...off]).filter((condition) => condition !== "");
  }

  #ofItsRow(e: Entity): string {
    return [this.#condition(e), ...this.#measured(e).map(figureText)].filter((part) => part !== "").join(" and ");
  }

  /** What this cue says of who takes a step, and under which conditions. */
  #part(e: Entity): Part {
    return {
      roles: unique(this.#slot("by").map(({ role }) => role)),
      states: [...this.#statesOfRow(e), ...this.#onOthers.states],
      figures: [...this.#figuresOfRow(e), ...this.#measured(e), ...this.#figuresOfOthers(e)],
    };
  }

  /** Who takes a step; undefined where that is whoever may write the row. */
  #who(e: Entity): Access | undefined {
    const isAmong = this.#slot("by").length === 0 && areToldApart(this.#allSaid.map((writer) => writer.#part(e)));
    return knownTakers(takers(this.#cue, this.#pen.tables), e.write ?? this.#names.blueprint.write, isAmong, this.#isKeptOff);
  }

  #where(e: Entity): string {
    const condition = this.#condition(e);
    return condition === "" ? "" : ` where ${condition}`;
  }

  #states(e: Entity, fillers: readonly Filler[], wanted: boolean): string[] {
    const out: string[] = [];
    const values = new Map<string, string[]>();
    for (const filler of fillers) {
      if (filler.entity === "" || (filler.field === "" && !this.#isStep)) unsaid();
      const file = this.#isStep ? this.#names.file(filler) : undefined;
      if (file !== undefined) {
        if (filler.words !== "" || this.#names.entity(filler) !== e) unsaid();
        out.push(`${file} is ${wanted ? "not " : ""}empty`);
        continue;
      }
      if (filler.field === "" || (this.#isStep && this.#names.reference(filler) !== undefined)) {
        // What a row refers to is there or not.
        const way = filler.field === "" ? this.#names.way(e, this.#names.target(filler)) : this.#seen(e, filler);
        out.push(`${way} is ${wanted ? "not " : ""}empty`);
        continue;
      }
      const path = this.#seen(e, filler);
      const f = this.#names.field(filler)[1];
      if (f.writeOnly) unsaid();
      if (f.type === "boolean") out.push(isTrue(filler, this.#pen) === wanted ? path : `not ${path}`);
      else if (filler.words === "") out.push(`${path} is ${wanted ? "not " : ""}empty`);
      else values.set(path, unique([...(values.get(path) ?? []), constantOf(f, filler.words, this.#pen)]));
    }
    for (const [path, found] of values) {
      if (found.length > 1) out.push(`${wanted ? "" : "not "}${path} in (${found.join(", ")})`);
      else out.push(`${path} ${wanted ? "=" : "!="} ${found[0] ?? ""}`);
    }
    return out;
  }

  #overlap(): void {
    const e = this.#entity();
    let ends = this.#slots("from", "to").map((f) => this.#names.field(f)[1].name);
    if (ends.length !== 2) ends = rangeOf(e);
    const per = unique(this.#slot("per").map((f) => this.#countedBy(e, f)));
    const by = per.length > 0 ? ` per ${per.join(", ")}` : "";
    this.#say(e.name, "no_overlap", `no overlap (${ends.join(", ")})${by}${this.#where(e)}`);
  }

  #atMost(): void {
    const e = this.#entity();
    const isPeriod = (f: Filler): boolean => f.entity === "" && f.role === "";
    const per = unique(this.#slot("per").filter((f) => !isPeriod(f)).map((f) => this.#countedBy(e, f)));
    const periods = this.#slot("per").filter(isPeriod).map((f) => this.#inPeriod(e, f));
    const limit = this.#slot("n").find(({ field }) => field !== "");
    const most = allowed(this.#cue, this.#pen);
    if (most === undefined && limit !== undefined && per.length > 0 && periods.length === 0 && !per.includes("owner")) {
      // As many as a field of what they belong to says.
      const alike = [...per.map((way) => `${way} = this.${way}`), this.#condition(e)].filter((part) => part !== "");
      return this.#say(e.name, "check_rule", `check count(${e.name} where ${alike.join(" and ")}) <= ${this.#names.seenFrom(e, limit)}`);
    }
    if (most === undefined || per.length + periods.length === 0) unsaid();
    const whose = per.length > 0 ? [per.join(", ")] : [];
    const within = periods.map(([unit, moment]) => [...whose, `${unit} of ${moment}`]);
    for (const by of within.length > 0 ? within : [whose]) {
      this.#say(e.name, "at_most", `at most ${most?.toString() ?? ""} per ${by.join(" per ")}${this.#where(e)}`);
    }
  }

  /** A period of the text, and the field that tells in which one a row lies. */
  #inPeriod(e: Entity, filler: Filler): readonly [period: string, moment: string] {
    const period = periodOf(filler.words, this.#pen);
    if (!this.#pen.tables.periods.includes(period)) unsaid();
    const moment = e.fields.find((f) => isMoment(f) && (period !== "hour" || f.type === "datetime"));
    return [period, moment?.name ?? "created_at"];
  }

  /** A field or a reference of an entity, or whoever made the row. */
  #countedBy(e: Entity, filler: Filler): string {
    if (filler.role !== "") return "owner";
    const path = filler.field !== "" ? this.#names.seenFrom(e, filler) : this.#names.way(e, this.#names.target(filler));
    return path.includes(".") ? unsaid() : path;
  }

  /** A condition on two fields, of an entity that has both, or refers to the other, or to both. */
  #compared(): void {
    const own = this.#itself();
    if (own !== undefined) return this.#say(own[0].name, "check_rule", `check ${own[1]} != this`);
    const ends = this.#slots("from", "to").filter(({ field }) => field !== "");
    if (ends.length !== 2) unsaid();
    for (const e of [...ends.map((f) => this.#names.entity(f)), ...this.#names.blueprint.entities]) {
      const sides = attempt(() => ends.map((f) => this.#names.seenFrom(e, f)));
      if (sides === undefined) continue;
      const order = this.#order(ends);
      // What refers to nothing is not the same.
      const isFree = order === "!=" && sides.every((side) => e.references.some(({ name, required }) => name === side && !required));
      this.#say(e.name, "check_rule", `check ${isFree ? `${sides[0] ?? ""} is empty or ` : ""}${sides.join(` ${order} `)}`);
      return;
    }
    unsaid();
  }

  /** The reference of an entity to its own kind that is not to name the row itself; undefined where the cue says no such thing. */
  #itself(): readonly [Entity, string] | undefined {
    const ends = this.#slots("from", "to");
    const [first, second] = ends;
    if (this.#cue.kind !== "above" || first === undefined || ends.length !== 2 || first.entity === "" || first.entity !== second?.entity) return undefined;
    const fields = ends.filter(({ field }) => field !== "");
    if (fields.length === 2) return undefined;
    const e = this.#names.entity(first);
    const [named] = fields;
    const way = named === undefined ? this.#names.way(e, e.name) : this.#names.reference(named)?.[1];
    return e.references.some(({ name, target }) => name === way && target === e.name) ? [e, way ?? ""] : unsaid();
  }

  /** How two fields are compared: of rows that are referred to none is the greater, so they are to be others. */
  #order(ends: readonly Filler[]): string {
    if (this.#cue.kind !== "above") return ">=";
    return ends.every((f) => this.#names.reference(f) !== undefined) ? "!=" : ">";
  }

  /** Whether a step leads to where it starts, and so is none. */
  #stays(): boolean {
    const named = (slot: string): string[] =>
      this.#slot(slot)
        .filter((f) => f.field !== "" && !this.#isGiven(f))
        .map(({ entity, field, words }) => `${entity}.${field}:${words.toLowerCase()}`);
    const before = named("when");
    return named("set").some((after) => before.includes(after));
  }

  /** The outcome of a step of which the text names none: the state that is called like it, else a tick (`cancelled`). */
  #ticked(e: Entity): string[] {
    const said = this.#after();
    if (said === "") return [];
    for (const f of e.fields) {
      const state = f.type === "enum" ? chosen(f.values, said, this.#pen.characters) : undefined;
      if (state !== undefined) return [`${f.name} = ${quote(state)}`];
    }
    const known = e.fields.find(({ name }) => name === said);
    if ((known !== undefined && known.type !== "boolean") || e.references.some(({ name }) => name === said)) return [];
    if (known === undefined) {
      const { verbs } = this.#pen;
      if (!verbs.isSaid(this.#cue.words) || verbs.isRule(this.#cue.words, this.#isConditional())) return [];
      this.#say(e.name, "field", `${said}: boolean default false`);
    }
    return [`${said} = true`];
  }

  /** What a row is after the step, in the text's own word where that says it already; empty where the words are no verb. */
  #after(): string {
    const { naming, verbs } = this.#pen;
    const [typed = "", ...others] = naming.words(this.#cue.words).map((word) => verbs.mended(word));
    const own = others.length === 0 && typed.endsWith("ed") && !verbs.isIrregular(verbs.step(this.#cue.words));
    return own ? typed : verbs.participle(this.#cue.words);
  }

  /** Whether a step has a condition, and nobody who alone takes it. */
  #isConditional(): boolean {
    return this.#slot("by").length === 0 && this.#slots("when", "unless", "from").some(({ role }) => role === "");
  }

  /** Whether a verb that can be a step is none: it has a condition, and rows have no state that is called like it. */
  #mustBeLock(e: Entity): boolean {
    const said = this.#after();
    const stands = e.fields.some((f) => f.name === said || (f.type === "enum" && chosen(f.values, said, this.#pen.characters) !== undefined));
    return this.#isConditional() && !stands;
  }

  get #numbers(): StepNumbers {
    return stepNumbers(this.#cue, this.#pen);
  }

  /** How often a step may be taken, or rows may be changed or deleted, by one of those who may. */
  #limited(e: Entity, kinds: readonly string[], who: Access | undefined): void {
    const { often } = this.#numbers;
    if (often === undefined) return;
    const { text, blueprint } = this.#names;
    if (comparison(text, often, this.#pen).startsWith(">") || isLength(text, often, this.#slot("per"), this.#pen) || kinds.length === 0) unsaid();
    const many = rate(this.#pen.numbers.read(often.words), this.#unit());
    this.#say(e.name, "write_limit", `limit ${kinds.join(", ")} ${many} per ${countedBy(who ?? e.write ?? blueprint.write)}`);
  }

  /** What a number of the step says of the only figure of its row that it can mean, where no field of the text is compared with it. */
  #measured(e: Entity): Figure[] {
    const [spare, ...others] = this.#numbers.spare;
    if (spare === undefined) return [];
    const value = this.#pen.numbers.read(spare.words) ?? unsaid();
    const sign = comparison(this.#names.text, spare, this.#pen);
    if (others.length > 0 || sign === "" || this.#slots("below", "over").length > 0) unsaid();
    return [{ left: onlyNumber(e), sign, right: value }];
  }

  /** Whether whoever takes the step gives what a filler of `set` names: a field without a value, be it one that refers to a row. */
  #isGiven(filler: Filler): boolean {
    if (filler.words !== "" || filler.entity === "" || this.#names.file(filler) !== undefined) return false;
    return filler.field === "" || this.#names.reference(filler) !== undefined || this.#names.field(filler)[1].type !== "boolean";
  }

  /** The assignments of `plus` and `minus`. */
  #raised(e: Entity, made: readonly string[]): string[] {
    const told = ([["plus", "+"], ["minus", "-"]] as const).flatMap(([name, sign]) => this.#slot(name).map((filler) => [filler, sign] as const));
    if (told.some(([filler]) => !isNumber(this.#names.field(filler)[1]))) unsaid();
    const [first] = told;
    const amount = first === undefined ? "" : this.#byHowMuch(e, this.#names.field(first[0])[1], made);
    return told.map(([filler, sign]) => `${this.#names.seenFrom(e, filler)} = ${this.#seen(e, filler)} ${sign} ${amount}`);
  }

  /** What a step adds or takes off: a number, another field, or what is given with it, else one. */
  #byHowMuch(e: Entity, counted: Field, made: readonly string[]): string {
    const field = this.#slot("n").find((f) => f.field !== "");
    const { given, counted: many } = this.#numbers;
    let name = "";
    if (field !== undefined) {
      const [entity, f] = this.#names.field(field);
      if (!isNumber(f)) unsaid();
      if (!made.includes(entity.name) && !this.#givenMembers(e).some(([of, m]) => of === entity && m === f)) return this.#seen(e, field);
      name = this.#givens.member(entity, f);
    } else if (given !== undefined) {
      name = this.#figure = this.#givens.figure(given.words, counted);
    } else {
      return many?.toString() ?? "1";
    }
    this.#givens.isPositive(name);
    return name;
  }

  /** The entities of which a step makes rows. */
  #madeOf(e: Entity): string[] {
    const found = this.#slot("makes").map((filler) => this.#names.entity(filler).name);
    return found.includes(e.name) ? unsaid() : found;
  }

  /** What is given with a step of the fields and references of rows: of its own row first, in the order in which rows have them. */
  #givenMembers(e: Entity): (readonly [Entity, Field | Reference])[] {
    const found = this.#slot("set").filter((filler) => this.#isGiven(filler)).map((filler): readonly [Entity, Field | Reference] => {
      const named = filler.field === "" ? ([e, this.#names.way(e, this.#names.target(filler))] as const) : this.#names.reference(filler);
      const [entity, name] = named ?? [this.#names.entity(filler), this.#names.field(filler)[1].name];
      return [entity, membersOf(entity).find((m) => m.name === name) ?? unsaid()];
    });
    const every = this.#names.blueprint.entities;
    const place = ([entity, m]: readonly [Entity, Field | Reference]): readonly number[] => [
      entity.name === e.name ? 0 : 1,
      every.indexOf(entity),
      membersOf(entity).indexOf(m),
    ];
    return found.sort((a, b) => {
      const [ours, theirs] = [place(a), place(b)];
      return ours.map((at, i) => at - (theirs[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
    });
  }

  /** The assignments of what is given with a step to the row itself, or to one that it refers to. */
  #given(e: Entity, made: readonly string[]): string[] {
    return this.#givenMembers(e).filter(([entity]) => !made.includes(entity.name)).map(([entity, m]) => {
      const path = entity.name === e.name ? m.name : `${this.#names.way(e, entity.name)}.${m.name}`;
      return `${path} = ${this.#givens.member(entity, m)}`;
    });
  }

  #action(): void {
    const e = this.#entity();
    if (saysWhoDeletes(this.#cue, this.#pen.verbs)) {
      const roles = this.#slot("by").map(({ role }) => role).filter((role) => role !== "");
      for (const one of this.#entities()) {
        const rule = deleters(roles, this.#names.blueprint, one, this.#pen.tables.makers);
        if (rule !== undefined) this.#say(one.name, "delete_line", `delete ${accessText(rule)}`);
        this.#limited(one, ["delete"], rule);
      }
      return;
    }
    if (!hasOutcome(this.#cue) && this.#pen.verbs.lock(this.#cue.words, this.#mustBeLock(e))[0].length > 0) {
      return this.#lock(e);
    }
    const made = this.#madeOf(e);
    const effects = [...this.#outcome(e, made), ...this.#given(e, made)];
    const created = this.#made(e);
    effects.push(...this.#raised(e, made));
    if (effects.length === 0 && created.length === 0) effects.push(...this.#ticked(e));
    if ((effects.length === 0 && created.length === 0) || this.#stays()) unsaid();
    const who = this.#who(e);
    const conditions = this.#guards(e);
    let name = this.#pen.verbs.step(this.#cue.words);
    if (!/^\p{L}/u.test(name)) {
      name = effects.length > 0 || made[0] === undefined ? `set_${/(\w+) /.exec(effects[0] ?? "")?.[1] ?? ""}` : `add_${made[0]}`;
    }
    if (this.#apart) name = [name, ...this.#aim()].join("_");
    if ([...e.fields, ...e.references].some((m) => m.name === name)) name = `${name}_${e.name}`;
    const body = [
      ...(who === undefined ? [] : [`  by ${accessText(who)}`]),
      ...conditions.map((one) => `  when ${one}`),
      ...(effects.length > 0 ? [`  set ${effects.join(", ")}`] : []),
      ...created,
    ];
    const parameters = this.#givens.lines();
    const given = parameters.length > 0 ? `(${parameters.join(", ")})` : "";
    this.#say(e.name, "action", [`action ${name}${given}${this.#cue.kind === "job" ? this.#pen.tables.later : ""} {`, ...body, "}"].join("\n"));
    for (const said of this.#allSaid) {
      said.#limited(e, limited(name), who);
      if (said !== this) this.#out.lines.push(...said.#out.lines);
    }
  }

  /** What a value is called in a name: by its words, one of a yes/no field by the field. */
  #spoken(f: Field, { words }: Filler): readonly string[] {
    return f.type === "boolean" || words === "" ? [f.name] : (this.#pen.naming.words(words).join("_").match(/[a-z0-9]+/g) ?? []);
  }

  /** What a step leads to, in the words of a name; nothing where the text names no outcome. */
  #aim(): readonly string[] {
    const [given, said] = [true, false].map((is) => this.#slot("set").find((f) => this.#isGiven(f) === is));
    const set = said ?? given;
    if (set !== undefined && said === undefined) return [set.field === "" ? set.entity : this.#names.fieldName(set.field)];
    if (set !== undefined) return this.#spoken(this.#names.field(set)[1], set);
    const [unset] = this.#slot("unset");
    if (unset !== undefined) return ["not", this.#names.field(unset)[1].name];
    const [changed] = this.#slots("to", "plus", "minus");
    if (changed !== undefined) return [this.#names.field(changed)[1].name];
    return this.#slot("makes").slice(0, 1).map((filler) => this.#names.entity(filler).name);
  }

  /** Until when rows are changed and deleted. */
  #lock(e: Entity): void {
    if ((this.#cue.further ?? []).length > 0 || this.#isKeptOff) unsaid();
    const [verbs, allowed] = this.#pen.verbs.lock(this.#cue.words, true);
    // An upload changes its row, too.
    if (this.#slots("when", "unless").some((f) => this.#names.file(f) !== undefined)) unsaid();
    const others = this.#others(e);
    const states = [
      ...this.#states(e, this.#ofRow(e, "when"), allowed),
      ...this.#states(e, this.#ofRow(e, "unless"), !allowed),
      ...others.states(this.#slot("when"), true, allowed),
      ...others.states(this.#slot("unless"), false, allowed),
    ];
    const conditions = [...states, this.#early(e)].filter((condition) => condition !== "");
    const write = e.write ?? this.#names.blueprint.write;
    const who = takers(this.#cue, this.#pen.tables);
    const { makers, takers: { maker } } = this.#pen.tables;
    let isAlone = who !== undefined && !isLike(who, write);
    if (isAlone && verbs.length === 1 && verbs[0] === "delete" && conditions.length > 0) {
      // Who alone deletes rows has a rule of its own.
      const rule = deleters(this.#slot("by").map(({ role }) => role), this.#names.blueprint, e, [maker, ...makers]);
      if (rule !== undefined) this.#say(e.name, "delete_line", `delete ${accessText(rule)}`);
      isAlone = rule === undefined;
    }
    if (allowed) this.#limited(e, verbs.map((verb) => WRITES[verb] ?? verb), undefined);
    if (allowed && this.#slots("when", "unless", "from", "to", "below", "over").length === 0 && this.#numbers.spare.length === 0) {
      // What whoever may write does with rows is no step, and no lock.
      if (!isAlone || this.#slot("by").every(({ role }) => write.roles.includes(role))) return;
    }
    if (conditions.length === 0 || isAlone || this.#slots("below", "over").length > 0 || this.#numbers.spare.length > 0) unsaid();
    const freed = freeOfLock(this.#cue);
    const free = freed.length > 0 ? ` except role ${freed.join(", ")}` : "";
    for (const verb of verbs) this.#say(e.name, `${verb}_when`, `${verb} when ${conditions.join(" and ")}${free}`);
  }

  /**
   * The lines that make rows: they refer to the row of the action, and are as the step says; what is given with it, and what they must
   * have besides, are parameters.
   */
  #made(e: Entity): string[] {
    const given = this.#givenMembers(e);
    return this.#slot("makes").map((filler) => {
      const other = this.#names.entity(filler);
      const back = other.references.find(({ target }) => target === e.name)?.name ?? unsaid();
      const told = new Map(this.#told((entity) => entity === other).map(([f, value]) => [this.#names.field(f)[1].name, value]));
      const values = [`${back} = this`];
      for (const m of [...other.references, ...other.fields]) {
        const value = told.get(m.name);
        const isNeeded = m.required && !("default" in m && m.default !== undefined);
        if (value !== undefined) values.push(`${m.name} = ${value}`);
        else if (m.name !== back && (isNeeded || given.some(([of, one]) => of === other && one === m))) {
          values.push(`${m.name} = ${this.#givens.member(other, m)}`);
        }
      }
      return `  create ${other.name} (${values.join(", ")})`;
    });
  }

  /** Until when an action can be called: so long before a date or moment of the row. */
  #early(e: Entity): string {
    const end = this.#slot("from").find(({ field }) => field !== "");
    if (end === undefined) return "";
    const [, f] = this.#names.field(end);
    if (!isMoment(f)) unsaid();
    const before = this.#before(f);
    return `${f.type === "date" ? "today" : "now"} < ${this.#seen(e, end)}${before}`;
  }

  /** How much earlier than that date or moment a step must be taken, as the tail of an expression; empty where the text says nothing of it. */
  #before(f: Field): string {
    const { early } = this.#numbers;
    // A step may have other numbers; how long before is a unit with an article of its own.
    const timed = { kind: this.#cue.kind, words: "", slots: new Map([["per", this.#slot("per")]]), evidence: new Evidence() };
    const age = early === undefined ? toldAge(timed, this.#names.text, this.#pen) : { many: early, unit: this.#unit() };
    if (age === undefined) return "";
    const [many, unit] = inDays(age.many.toString(), age.unit, f);
    return this.#pen.tables.lengthUnits.includes(unit) ? ` - ${unit}s(${many})` : unsaid();
  }

  #notify(): void {
    const e = this.#entity();
    const condition = this.#condition(e);
    const reminded = this.#reminded(e);
    for (const to of receivers(this.#cue, this.#names, e, this.#pen).to) {
      const line = `remind ${to} ${reminded}${condition === "" ? "" : ` when ${condition}`}`;
      if (reminded !== "") this.#say(e.name, "reminder", line);
      else this.#say(e.name, "notice", `notify ${to} ${condition === "" ? "on created" : `when ${condition}`}`);
    }
  }

  /** How long before or after which moment somebody is reminded; empty where it is no reminder. */
  #reminded(e: Entity): string {
    const ends = [
      ...this.#slot("from").filter(({ field }) => field !== "").map((filler) => [filler, "before"] as const),
      ...this.#late().map((filler) => [filler, "after"] as const),
    ];
    const [end] = ends;
    if (end === undefined) return "";
    const f = this.#names.field(end[0])[1];
    const path = this.#names.seenFrom(e, end[0]);
    if (!isMoment(f) || path.split(".").length > 2) unsaid();
    if (this.#isOnTheDay()) return `0 days ${end[1]} ${path}`;
    const age = this.#age();
    // What has passed is over: a date when its day is.
    if (age === undefined) return f.type === "date" ? `1 day after ${path}` : `0 minutes after ${path}`;
    const { smaller } = this.#pen.tables;
    const [more, known] = (Object.hasOwn(smaller, age.unit) ? smaller[age.unit] : undefined) ?? [1, age.unit];
    const [shown, length] = inDays(age.many.times(new Decimal(BigInt(more))).toString(), known, f);
    if (!["minute", "hour", "day", "week"].includes(length) || shown.includes(".")) unsaid();
    return `${shown} ${length}${shown === "1" ? "" : "s"} ${this.#side(ends, age)} ${path}`;
  }

  /** Whether a reminder is before or after its moment: where both are heard of one, what stands behind the length of time tells. */
  #side(ends: readonly (readonly [Filler, string])[], age: Age): string {
    const first = ends[0]?.[0];
    const sides = ends.filter(([f]) => f.entity === first?.entity && f.field === first.field).map(([, side]) => side);
    if (new Set(sides).size === 1) return sides[0] ?? "";
    const [last] = age.fillers.flatMap(({ at }) => (at === undefined || at === null ? [] : [at])).sort((x, y) => y[0] - x[0] || y[1] - x[1]);
    const back = this.#nearby.behind(this.#names.text, last ?? [0, 0]);
    return this.#pen.tables.lengths.sides.find(([, said]) => this.#pen.characters.pattern(`^(?:${said})`).test(back))?.[0] ?? "";
  }

  /** Whether nothing is said of a reminder's time but that it is on the day. */
  #isOnTheDay(): boolean {
    const [first, ...others] = this.#slot("per").filter(({ words, entity }) => words !== "" && entity === "");
    if (first === undefined || others.length > 0 || this.#amount() !== undefined || this.#unit() !== "day") return false;
    return first.at === undefined || first.at === null || ["often", ""].includes(toldAt(this.#names.text, first.at, this.#pen).kind);
  }

  /** Moments that a reminder counts from, not numbers that are compared. */
  #late(): Filler[] {
    return this.#slot("over").filter((filler) => this.#cue.kind === "notify" && isMoment(this.#names.field(filler)[1]));
  }

  /**
   * The assignments of `set`, `unset` and `to`, of the row itself or of one that it refers to. What is given with a step has
   * assignments of its own, and so has what rows of `made` are to be.
   */
  #outcome(e: Entity, made: readonly string[] = []): string[] {
    return this.#told(({ name }) => !made.includes(name)).map(([f, value]) => `${this.#names.seenFrom(e, f)} = ${value}`);
  }

  /** What the text itself says fields of some entities are to be. */
  #told(of: (entity: Entity) => boolean): (readonly [Filler, string])[] {
    return (["unset", "set", "to"] as const).flatMap((name) =>
      this.#slot(name)
        .filter((filler) => !(name === "set" && this.#isStep && this.#isGiven(filler)) && of(this.#names.entity(filler)))
        .map((filler): readonly [Filler, string] => {
          const f = this.#names.field(filler)[1];
          if (name === "unset" && f.type !== "boolean") unsaid();
          if (name === "to") return [filler, isMoment(f) ? (f.type === "date" ? "today" : "now") : unsaid()];
          if (f.type === "boolean") return [filler, String(name === "set" && isTrue(filler, this.#pen))];
          return [filler, constantOf(f, filler.words, this.#pen)];
        }),
    );
  }

  #every(): void {
    const e = this.#entity();
    const age = this.#age();
    const effects = this.#runs.length > 0 ? [] : this.#outcome(e);
    if ((effects.length === 0 && this.#runs.length === 0) || effects.some((effect) => (effect.split(" ")[0] ?? "").includes("."))) unsaid();
    const ends = this.#slot("from").map((filler) => {
      const [entity, f] = this.#names.field(filler);
      return entity.name === e.name ? f : unsaid();
    });
    const conditions = [this.#condition(e), ...passed(ends, age, this.#pen)];
    // What has the outcome already is left alone.
    conditions.push(...effects.filter((effect) => effect.includes('"')).map((effect) => effect.replace(" = ", " != ")));
    let where = unique(conditions.filter((c) => c !== "")).join(" and ");
    // So are yes/no fields, where nothing else tells which rows are meant.
    if (where === "") where = unticked(effects.map((effect): Outcome => effect.split(" = ") as unknown as Outcome)).join(" and ");
    if (where === "" && this.#runs.length === 0) unsaid();
    const work = effects.length > 0 ? [`update ${e.name} set ${effects.join(", ")} where ${where}`] : this.#runs.map((run) => running(e, run, where));
    for (const time of times(this.#times(age), this.#cue.words, this.#pen)) {
      this.#say(SERVICE, "schedule", [`every ${time} {`, ...work.map((one) => `  ${one}`), "}"].join("\n"));
    }
  }

  /** The words for times at which something is done: the numbers and times that are of no age. */
  #times(age: Age | undefined): string[] {
    const isNumber = ({ words }: Filler): boolean => this.#pen.numbers.read(words) !== undefined;
    const told = [...this.#slot("per"), ...this.#slot("n").filter(isNumber)];
    return told.filter((f) => f.words !== "" && f.entity === "" && !age?.fillers.includes(f)).map((f) => this.#withPart(f));
  }

  /** The words for a time with the part of the day that stands right behind them: "Sunday evening". */
  #withPart({ words, at }: Filler): string {
    if (at === undefined || at === null) return words;
    const part = this.#pen.characters.pattern(`^(?:${this.#pen.tables.times.partOfDay})`).exec(this.#nearby.behind(this.#names.text, at));
    return words + (part?.[0] ?? "");
  }

  get #nearby(): Nearby {
    return new Nearby(this.#pen.tables, this.#pen.characters);
  }

  #expire(): void {
    const e = this.#entity();
    const age = this.#age();
    const [end] = this.#slot("from")
      .filter(({ field }) => this.#names.fieldName(field) !== "created_at")
      .map((f) => [this.#names.seenFrom(e, f), this.#names.field(f)[1]] as const);
    if (end !== undefined && !isMoment(end[1])) unsaid();
    if (end === undefined && age === undefined) unsaid();
    if (this.#pen.characters.pattern(this.#pen.tables.lengths.kept).test(this.#cue.words.toLowerCase()) && !e.softDelete) unsaid();
    let moment = end?.[1].type === "date" ? "today" : "now";
    if (age !== undefined) {
      const [many, unit] = inDays(age.many.toString(), age.unit, end?.[1]);
      if (!this.#pen.tables.lengthUnits.includes(unit)) unsaid();
      moment += ` - ${unit}s(${many})`;
    }
    const condition = [`${end?.[0] ?? "created_at"} < ${moment}`, this.#condition(e)].filter((c) => c !== "").join(" and ");
    const told = this.#times(age);
    const usual = age === undefined ? periodOf(this.#cue.words, this.#pen) || "day" : ["minute", "hour"].includes(age.unit) ? "hour" : "day";
    for (const time of told.length > 0 ? times(told, this.#cue.words, this.#pen) : [usualTime(usual, this.#pen)]) {
      this.#say(SERVICE, "schedule", `every ${time} {\n  delete ${e.name} where ${condition}\n}`);
    }
  }

  /** A report of the rows from which all that it names can be reached. */
  #report(): void {
    const told = [
      ...this.#slots("of", "from", "when", "unless", "below", "over"),
      ...this.#slot("per").filter(({ field }) => field !== "" || this.#slot("of").length > 0),
    ];
    for (const e of unique(told.filter(({ entity }) => entity !== "").map((f) => this.#names.entity(f)))) {
      const text = attempt(() => this.#reportOf(e));
      if (text !== undefined) return this.#say(SERVICE, "report", text);
    }
    unsaid();
  }

  #reportOf(e: Entity): string {
    let show = "count";
    let name = `number_of_${this.#pen.verbs.plural(e.name)}`;
    const [verb, label] = this.#pen.tables.figures[this.#cue.kind] ?? ["", ""];
    if (verb !== "") {
      const measured = this.#slot("from").find(({ field }) => field !== "");
      const path = measured === undefined ? onlyNumber(e) : this.#names.seenFrom(e, measured);
      show = `${verb}(${path})`;
      name = `${label}_${path.replaceAll(".", "_")}`;
    }
    const all = this.#slot("per").map((filler) => this.#grouped(e, filler));
    const groups = all.filter(([, label], i) => all.findIndex(([, other]) => other === label) === i);
    name = [name, ...this.#which()].join("_");
    if (groups.length > 0) name += `_by_${groups.map(([, shown]) => shown).join("_and_")}`;
    const lines = [`report ${name.slice(0, 60).replace(/_+$/, "")} {`, `  from ${e.name}${this.#where(e)}`];
    if (groups.length > 0) lines.push(`  group by ${groups.map(([group]) => group).join(", ")}`);
    return [...lines, `  show ${show}`, "}"].join("\n");
  }

  /** What a figure's rows are called by its conditions: `not_paid`, `open`, `over_100`. */
  #which(): string[] {
    const place = (filler: Filler): number => {
      const [e, f] = this.#names.field(filler);
      return e.fields.indexOf(f);
    };
    const states = ([["when", true], ["unless", false]] as const).flatMap(([slot, wanted]) =>
      [...this.#slot(slot)].sort((a, b) => place(a) - place(b)).map((filler) => {
        const f = this.#names.field(filler)[1];
        const said = this.#spoken(f, filler);
        const meant = f.type === "boolean" ? isTrue(filler, this.#pen) === wanted : wanted;
        return (meant ? said : ["not", ...said]).join("_");
      }),
    );
    const most = this.#amount()?.toString() ?? "";
    const numbers = ([["below", "under"], ["over", "over"]] as const).flatMap(([slot, word]) =>
      this.#slot(slot).map(({ field }) => `${this.#names.fieldName(field)}_${word}${/^\d+$/.test(most) ? `_${most}` : ""}`),
    );
    return [...states, ...numbers];
  }

  /** A column to group by, and what it is called. */
  #grouped(e: Entity, filler: Filler): readonly [group: string, label: string] {
    if (filler.field === "" && filler.entity === "") {
      const [period, moment] = this.#inPeriod(e, filler);
      return [`${period}(${moment}) as ${period}`, period];
    }
    const path = filler.field !== "" ? this.#names.seenFrom(e, filler) : this.#names.way(e, this.#names.target(filler));
    const label = path.slice(path.lastIndexOf(".") + 1);
    return [path.includes(".") ? `${path} as ${label}` : path, label];
  }

  #computed(): void {
    const { kind } = this.#cue;
    const [e, f] = this.#result();
    const terms = this.#slots("from", "to").filter(({ field }) => field !== "").map((x) => this.#names.seenFrom(e, x));
    if (terms.length < 2 || terms.includes(f.name) || (kind === "less" && terms.length !== 2)) unsaid();
    if (kind !== "less") {
      // In the order of the fields, whichever the text named first.
      const own = e.fields.map(({ name }) => name);
      const rank = (t: string): number => (own.includes(t) ? own.indexOf(t) : own.length);
      terms.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
    }
    const sign = SIGNS[kind] ?? " - ";
    this.#out.computed.set(`${e.name}.${f.name}`, unique(terms).join(sign));
  }

  #gathered(): void {
    const { kind } = this.#cue;
    const told = this.#slots("of", "from", "when", "unless").filter(({ entity }) => entity !== "").map((x) => this.#names.entity(x));
    if (kind === "number-of" && this.#slot("set").length === 0) return this.#counted(told);
    const [e, f] = this.#result();
    const other = told.find((x) => x.name !== e.name) ?? unsaid();
    const condition = this.#belonging(other, e);
    const summed = this.#slot("from").find((x) => x.field !== "" && this.#names.entity(x).name === other.name);
    if (kind === "total-of" && summed === undefined) unsaid();
    const what = kind === "total-of" && summed !== undefined ? `sum(${other.name}.${this.#names.field(summed)[1].name}` : `count(${other.name}`;
    this.#out.computed.set(`${e.name}.${f.name}`, `${what} where ${condition})`);
  }

  /** How many rows there are for each row of `per`, where no word of the text is the name of that field. */
  #counted(told: readonly Entity[]): void {
    const [other = unsaid()] = told;
    const whose = this.#slot("per").find(({ entity, field }) => entity !== "" && field === "") ?? unsaid();
    const e = this.#names.entity(whose);
    const name = `${other.name}_count`;
    const condition = this.#belonging(other, e);
    if (e.fields.some((f) => f.name === name)) unsaid();
    this.#say(e.name, "field", `${name}: integer = count(${other.name} where ${condition})`);
  }

  /** That a row belongs to the one that is looked from, and what else is said of it. */
  #belonging(other: Entity, e: Entity): string {
    const back = other.references.find(({ target }) => target === e.name) ?? unsaid();
    const more = this.#condition(other);
    return `${back.name} = this${more === "" ? "" : ` and ${more}`}`;
  }

  #result(): readonly [Entity, Field] {
    const filler = this.#slot("set").find(({ field, words }) => field !== "" && words === "");
    return filler === undefined ? unsaid() : this.#names.field(filler);
  }

  #transferred(): void {
    const said = this.#cue.words.toLowerCase();
    const formats = [...(/csv|excel|spreadsheet/.test(said) ? ["csv"] : []), ...(/ndjson|json ?l/.test(said) ? ["ndjson"] : [])];
    const { kind } = this.#cue;
    for (const e of this.#entities()) this.#say(e.name, kind, `${kind} ${formats.length > 0 ? formats.join(", ") : "csv"}`);
  }

  #audit(): void {
    const who = unique(this.#slot("by").map(({ role }) => role).filter((role) => role !== "")).join(", ");
    // Of users only it is known whose tenant they belong to.
    const line = who !== "" ? `audit read role ${who}` : this.#names.apart ? "audit read user" : "audit";
    for (const e of this.#entities()) this.#say(e.name, "audit", line);
  }

  #fromField(): void {
    const isSlug = this.#cue.kind === "slug";
    let fields = this.#slot("from").filter(({ field }) => field !== "").map((f) => this.#names.field(f));
    if (isSlug) {
      for (const e of fields.length > 0 ? fields.map(([e]) => e) : [this.#entity()]) this.#out.brought.add(`${e.name}.slug`);
      fields = fields.filter(([, f]) => f.name !== "slug");
    }
    const say = (e: Entity, f: Field): void =>
      this.#say(e.name, isSlug ? "slug_line" : "markdown_line", `${isSlug ? "slug from" : "markdown"} ${f.name}`);
    for (const [e, f] of fields) say(e, f);
    if (fields.length > 0) return;
    const e = this.#entity();
    say(e, e.fields.find(({ type, name }) => type === (isSlug ? "text" : "longtext") && name !== "slug") ?? unsaid());
  }

  #summary(): void {
    const told = this.#slot("from").filter(({ field }) => field !== "").map((f) => this.#names.field(f));
    for (const [e, f] of told.length > 0 ? told : [longestText(this.#entity())]) {
      this.#say(e.name, "assistant", `assistant summary of ${f.name}`);
    }
  }

  #classify(): void {
    const e = this.#entity();
    const told = this.#slot("set").find(({ field, words }) => field !== "" && words === "");
    const enums = e.fields.filter(({ type }) => type === "enum");
    const only = enums.length === 1 ? enums[0] : undefined;
    const target = told !== undefined ? this.#names.field(told)[1] : (only ?? unsaid());
    const read = this.#slot("from").filter(({ field }) => field !== "").map((f) => this.#names.field(f));
    const [, source] = read.find(([owner]) => owner.name === e.name) ?? longestText(e);
    this.#say(e.name, "assistant", `assistant classify ${source.name} as ${target.name}`);
  }

  /** Refuses where a wish is of single paths, which gateways alone have. */
  #ofAll(): void {
    if (this.#slot("from").length > 0) unsaid();
  }

  #cache(): void {
    this.#ofAll();
    const many = this.#amount() ?? new Decimal(1n);
    const unit = this.#unit() || "minute";
    if (!["second", "minute", "hour"].includes(unit)) unsaid();
    const plural = many.compare(new Decimal(1n)) === 0 ? "" : "s";
    for (const e of this.#entities()) this.#say(e.name, "cache", `cache ${many.toString()} ${unit}${plural}`);
  }

  #webhook(): void {
    const kind = this.#cue.kind.replace(/^webhook-?/, "");
    const watched = this.#entities().map((e) => `${e.name} ${kind || "created, updated, deleted"}`);
    this.#say(SERVICE, "webhook", `webhook ${kind === "" ? "changes" : `${kind}_events`} on ${watched.join(" and ")}`);
  }

  #limit(): void {
    this.#ofAll();
    const line = `${rate(this.#amount(), this.#unit() || "minute")} per ${this.#cue.kind.replace("limit-", "")}`;
    const told = this.#slot("of").filter(({ entity }) => entity !== "").map((f) => this.#names.entity(f));
    const named = this.#names.blueprint.entities.filter((e) => told.includes(e));
    const kinds = writesOf(this.#cue.words, this.#pen);
    const counted = kinds.length > 0 && named.length === 0 ? this.#entities() : named;
    if (kinds.length > 0 && counted.length > 1) {
      // One count for the rows of all of them.
      const on = named.length > 0 ? ` on ${named.map(({ name }) => name).join(", ")}` : "";
      return this.#say(SERVICE, "joint_limit", `limit ${kinds.join(", ")} ${line}${on}`);
    }
    for (const e of counted) this.#say(e.name, "write_limit", `limit ${kinds.length > 0 ? kinds.join(", ") : "create"} ${line}`);
    if (counted.length === 0) this.#say(SERVICE, "limit", `limit ${line}`);
  }

  #loginLimit(): void {
    const tries = this.#slot("n").map(({ words }) => this.#pen.numbers.read(words)?.toString()).filter((n) => n !== undefined);
    const unit = ["minute", "hour"].includes(this.#unit()) ? this.#unit() : "minute";
    const many = tries[1] ?? (unit === "minute" ? "15" : "1");
    this.#say(USERS, "login_limit", `login limit ${tries[0] ?? "5"} per ${many === "1" ? unit : `${many} ${unit}s`}`);
  }

  #cors(): void {
    const said = this.#slot("n").map(({ words }) => this.#pen.characters.strip(words, "\"'“”‘’ .,/"));
    const origins = said
      .filter((o) => o.includes(".") || o.includes("localhost"))
      .map((o) => (o.includes("://") ? o : `https://${o}`));
    this.#say(SERVICE, "cors", `cors ${unique(origins).map(quote).join(", ") || "any"}`);
  }

  #sessions(): void {
    const many = this.#amount();
    const days = DAYS[this.#unit()];
    const told = many !== undefined && days !== undefined ? many.times(new Decimal(days)).toString() : USUAL_DAYS;
    const length = told === USUAL_DAYS ? "" : ` ${told} day${told === "1" ? "" : "s"}`;
    this.#say(USERS, "sessions", `sessions${length}`);
  }

  #incoming(): void {
    const sender = this.#cue.kind.replace("incoming-", "");
    if (sender !== "hmac") return this.#say(SERVICE, "incoming", `incoming ${sender} from ${sender}`);
    const header = this.#slot("n").find(({ words }) => words.includes("-"))?.words ?? "X-Signature";
    this.#say(SERVICE, "incoming", `incoming events from hmac in ${quote(this.#pen.characters.strip(header, "\"'“”‘’ "))}`);
  }
}

/** The fields and references of an entity, in their order. */
const membersOf = (e: Entity): readonly (Field | Reference)[] => [...e.fields, ...e.references];

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Unsaid) return undefined;
    throw error;
  }
}

/** The text that a model reads where none is named: the first long one, else the first. */
function longestText(e: Entity): readonly [Entity, Field] {
  const texts = e.fields.filter(({ writeOnly }) => !writeOnly);
  return [e, texts.find(({ type }) => type === "longtext") ?? texts.find(({ type }) => type === "text") ?? unsaid()];
}

/** The number that is measured where the text names none: the only amount of money of an entity, else its only number. */
function onlyNumber(e: Entity): string {
  for (const types of [["money"], ["integer", "decimal"]]) {
    const found = e.fields.filter((f) => types.includes(f.type)).map(({ name }) => name);
    if (found.length === 1) return found[0] ?? unsaid();
    if (found.length > 1) break;
  }
  return unsaid();
}

/** The two fields that a row's range lies between, where the text does not name them. */
function rangeOf(e: Entity): string[] {
  for (const type of ["datetime", "date", "time"]) {
    const found = e.fields.filter((f) => f.type === type).map(({ name }) => name);
    if (found.length === 2) return found;
  }
  return unsaid();
}
