import type { Characters } from "./characters";
import { Draft, DraftEntity, DraftField, Evidence, type Filler } from "./draft";
import type { LinkScores, TextScores } from "./kernel";
import { joinedValues, type Mention, mentionsOf, chatterOf } from "./mentions";
import { figureName, momentName, type Naming, stateName } from "./naming";
import type { Nominals } from "./nominals";
import { before, behind, type Reading, type Span, surface } from "./reading";
import { argmax, logSoftmax, power, sigmoid, softmax, softmaxWithin } from "./scores";
import type { Labels, Tables } from "./tables";

/** Scores mentions: spans in words, and kinds. */
export type Linker = (spans: readonly Span[], kinds: readonly string[]) => LinkScores;

/** What decoding needs beside the scores. */
export interface Means {
  readonly tables: Tables;
  readonly characters: Characters;
  readonly naming: Naming;
  readonly nominals: Nominals;
  readonly spell: (phrase: string) => string;
}

/** The draft that the scores amount to. */
export function decode(reading: Reading, scores: TextScores, link: Linker, means: Means): Draft {
  const { labels } = means.tables;
  const draft = new Draft();
  draft.text = reading.text;
  const verdict = softmax(scores.verdict);
  const access = softmax(scores.access);
  draft.access = labels.access[argmax(access)] ?? "unstated";
  draft.serviceType = labels.service_types[argmax(scores.service)] ?? "unstated";
  const judged = (verdict[0] ?? 0) >= labels.least_clear ? 0 : 1 + argmax(verdict.slice(1));
  draft.verdict = labels.verdicts[judged] ?? "clear";
  draft.verdictConfidence = verdict[judged] ?? 0;
  draft.accessEvidence.add(Math.max(...access));
  if (draft.access !== "unstated") draft.accessEvidence.spans.push(loudestSentence(reading, scores.accessWords));
  const mentions = joinedValues(mentionsOf(scores.tags, labels), reading, means.characters, means.tables.numbers.cardinals);
  const { leastHeard } = means.tables.decoding;
  draft.chatter = chatterOf(scores.tags, reading.words);
  draft.heard = mentions
    .filter(({ kind, confidence }) => kind === "value" && confidence > leastHeard)
    .map(({ first, last }): Span => [reading.words[first]?.[0] ?? 0, reading.words[last]?.[1] ?? 0]);
  if (mentions.length > 0) new Decoder(reading, mentions, link, draft, means).run();
  return draft;
}

/** The sentence whose words weigh most. */
function loudestSentence({ sentences, words }: Reading, weights: readonly number[]): Span {
  const sums: number[] = [];
  sentences.forEach((sentence, i) => (sums[sentence] = (sums[sentence] ?? 0) + Math.max(0, weights[i] ?? 0)));
  const best = argmax(sums);
  return [words[sentences.indexOf(best)]?.[0] ?? 0, words[sentences.lastIndexOf(best)]?.[1] ?? 0];
}

const NOTHING: Filler = { entity: "", field: "", words: "", role: "" };

/** What fills a slot of a cue: how sure, what, and its words where they are not those of an entity or field. */
interface Filling {
  readonly p: number;
  readonly filler: Filler;
  readonly spans: readonly Span[];
}

/** One filler for each field: a step sets it once. */
function surest(fillers: readonly Filling[]): Filling[] {
  const out = new Map<string, Filling>();
  for (const one of fillers) {
    const key = `${one.filler.entity}.${one.filler.field}`;
    if (one.p > (out.get(key)?.p ?? 0)) out.set(key, one);
  }
  return [...out.values()];
}

/** Mentions of one field of one entity. */
interface Cluster {
  readonly owner: number;
  readonly name: string;
  readonly group: readonly number[];
}

/** Joins mentions to things, and decides what is said of each thing. */
class Decoder {
  readonly #reading: Reading;
  readonly #mentions: readonly Mention[];
  readonly #scores: LinkScores;
  readonly #draft: Draft;
  readonly #means: Means;
  readonly #labels: Labels;
  readonly #names: string[] = [];
  readonly #groups: (readonly number[])[] = [];
  readonly #kinds = new Map<string, number[]>();
  /** Mentions of values → the numbers of their fields. */
  readonly #valueFields = new Map<number, number[]>();
  readonly #fields: { readonly made: DraftField; readonly owner: number; readonly group: readonly number[]; readonly isFigure: boolean }[] = [];

  constructor(reading: Reading, mentions: readonly Mention[], link: Linker, draft: Draft, means: Means) {
    this.#reading = reading;
    this.#mentions = mentions;
    this.#draft = draft;
    this.#means = means;
    this.#labels = means.tables.labels;
    mentions.forEach(({ kind }, i) => addTo(this.#kinds, kind, i));
    const spans = mentions.map(({ first, last }): Span => [first, last]);
    this.#scores = link(spans, mentions.map(({ kind }) => kind));
  }

  run(): void {
    this.#plain();
    this.#entities();
    if (this.#groups.length > 0) this.#fieldsOf();
    else this.#draft.loose = this.#of("field").filter((i) => this.#sure(i) >= this.#means.tables.decoding.leastField).map((i) => this.#chars(i));
    this.#values();
    this.#sameFigures();
    for (let a = 0; a < this.#groups.length; a += 1) {
      for (let b = a; b < this.#groups.length; b += 1) this.#relation(a, b);
    }
    this.#entityFlags();
    this.#roles();
    this.#together();
    this.#steps();
    this.#cues();
  }

  #of(kind: string): readonly number[] {
    return this.#kinds.get(kind) ?? [];
  }

  #sure(i: number): number {
    return this.#mentions[i]?.confidence ?? 0;
  }

  #chars(i: number): Span {
    const m = this.#mentions[i];
    return [this.#reading.words[m?.first ?? 0]?.[0] ?? 0, this.#reading.words[m?.last ?? 0]?.[1] ?? 0];
  }

  #surface(i: number): string {
    const m = this.#mentions[i];
    return surface(this.#reading, m?.first ?? 0, m?.last ?? 0);
  }

  #entityName(i: number): string {
    return this.#means.naming.entity(this.#means.spell(this.#surface(i)));
  }

  #fieldName(i: number): string {
    return this.#means.naming.field(this.#means.spell(this.#surface(i)));
  }

  #group(number: number): readonly number[] {
    return this.#groups[number] ?? [];
  }

  #name(number: number): string {
    return this.#names[number] ?? "";
  }

  #entity(name: string): DraftEntity {
    const found = this.#draft.entities.get(name);
    if (found === undefined) throw new Error(`There is no entity ${name}.`);
    return found;
  }

  /** Log-sum-exp of one label over all pairs of two groups of mentions. */
  #pooled(rows: readonly number[], columns: readonly number[], label: number | string): number {
    const at = typeof label === "string" ? this.#labels.pairs.indexOf(label) : label;
    return Math.log(this.#scores.total(rows, columns, at) + 1e-12);
  }

  /** The same for several labels that follow each other from the first. */
  #pooledAll(rows: readonly number[], columns: readonly number[], first: string, count: number): number[] {
    const at = this.#labels.pairs.indexOf(first);
    return Array.from({ length: count }, (_, i) => this.#pooled(rows, columns, at + i));
  }

  #plain(): void {
    this.#draft.unsupported = this.#of("unsupported").map((i) => this.#chars(i));
    const named = this.#of("name");
    if (named.length > 0) this.#draft.name = this.#surface(named[argmax(named.map((i) => this.#sure(i)))] ?? 0);
  }

  #entities(): void {
    let surfaces = new Map<string, number[]>();
    const mentions = this.#of("entity");
    for (const [at, i] of mentions.entries()) {
      const next = mentions[at + 1];
      if (next !== undefined && this.#isLight(i, next)) continue;
      const { first, last } = this.#mentions[i] ?? { first: 0, last: 0 };
      const name = this.#means.nominals.thing(this.#means.spell(this.#surface(i)), before(this.#reading, first), behind(this.#reading, last));
      if (name !== "") addTo(surfaces, name, i);
    }
    const least = this.#means.tables.decoding.leastEntity;
    const surest = (group: readonly number[]): number => Math.max(...group.map((i) => this.#sure(i)));
    if ([...surfaces.values()].some((group) => surest(group) >= least)) {
      surfaces = new Map([...surfaces].filter(([, group]) => surest(group) >= least));
    }
    const means = this.#aliases(surfaces);
    const groups = new Map<string, number[]>();
    for (const [name, canonical] of means) if (name === canonical) groups.set(name, [...(surfaces.get(name) ?? [])]);
    for (const [name, canonical] of means) {
      if (name !== canonical) groups.get(canonical)?.push(...(surfaces.get(name) ?? []));
    }
    const entities = new Map<string, DraftEntity>();
    for (const [name, group] of groups) {
      this.#names.push(name);
      this.#groups.push(group);
      // One sure mention is enough for an entity: the strongest counts.
      const evidence = new Evidence(surest(group));
      evidence.spans = group.map((i) => this.#chars(i));
      entities.set(name, new DraftEntity(name, evidence));
    }
    this.#draft.entities = entities;
  }

  /** Whether a mention is but the verb of the thing that follows it: `leave a review`. */
  #isLight(i: number, behind: number): boolean {
    const { sentences } = this.#reading;
    const [m, other] = [this.#mentions[i], this.#mentions[behind]];
    if (m === undefined || other === undefined) return false;
    const { light, near } = this.#means.tables.nominals;
    const isNear = other.first - m.last <= near && sentences[m.last] === sentences[other.first];
    return isNear && light.includes(this.#surface(i).toLowerCase()) && this.#means.nominals.follows(before(this.#reading, m.first));
  }

  /** Each surface name → the name of the entity that it means. */
  #aliases(surfaces: ReadonlyMap<string, readonly number[]>): Map<string, string> {
    const names = [...surfaces.keys()];
    const means = new Map(names.map((name) => [name, name]));
    for (const name of names) {
      let best: { readonly score: number; readonly other: string } | undefined;
      for (const other of names) {
        if (other === name) continue;
        const score = this.#pooled(surfaces.get(name) ?? [], surfaces.get(other) ?? [], "alias");
        if (best === undefined || score > best.score || (score === best.score && other > best.other)) best = { score, other };
      }
      if (best === undefined || best.score <= 0 || means.get(best.other) !== best.other) continue;
      if (!names.some((other) => other !== name && means.get(other) === name)) means.set(name, best.other);
    }
    for (const name of names) {
      const [longer, ...others] = names.filter((n) => n.endsWith(`_${name}`) && means.get(n) === n);
      if (means.get(name) !== name || longer === undefined || others.length > 0) continue;
      if (!this.#isShortFor(surfaces.get(name) ?? [], surfaces.get(longer) ?? [])) continue;
      for (const [n, meant] of means) if (meant === name) means.set(n, longer);
    }
    return means;
  }

  /**
   * Whether a name that is the last word of another is short for it: "an accident report … the report". Where the longer one
   * comes first it is, unless the model is sure that it is not.
   */
  #isShortFor(short: readonly number[], longer: readonly number[]): boolean {
    const { leastShort } = this.#means.tables.decoding;
    const least = Math.min(...longer) < Math.min(...short) ? leastShort : leastShort / 2;
    return this.#pooled(short, longer, "alias") > least;
  }

  #fieldsOf(): void {
    const owners = new Map<number, readonly number[]>();
    const named = new Map<string, number[]>();
    for (const i of this.#of("field")) {
      const name = this.#fieldName(i);
      if (name === "") continue;
      owners.set(i, logSoftmax(this.#groups.map((group) => this.#pooled([i], group, "owner"))));
      addTo(named, name, i);
    }
    const clusters: Cluster[] = [];
    for (const [name, mentions] of this.#affirmed(named)) {
      const scored = new Map(mentions.map((i) => [i, owners.get(i) ?? []]));
      for (const [owner, group] of settled(scored, this.#means.tables.decoding)) clusters.push({ owner, name, group });
    }
    const sure = new Map([...owners].map(([i, scores]) => [i, likely(scores, this.#means.tables.decoding.shared).reduce((sum, o) => sum + Math.exp(scores[o] ?? 0), 0)]));
    for (const cluster of this.#sameFields(this.#singulars(clusters))) this.#field(cluster, sure);
  }

  /** The mentions by name, `unpaid` being one of the yes/no field `paid` where that is named too. */
  #affirmed(named: ReadonlyMap<string, number[]>): Map<string, number[]> {
    const out = new Map<string, number[]>();
    for (const [name, mentions] of named) {
      const denied = name.startsWith("un") && named.has(name.slice(2)) && this.#typeOf(mentions) === "bool";
      const key = denied ? name.slice(2) : name;
      out.set(key, [...(out.get(key) ?? []), ...mentions]);
    }
    return new Map([...out].map(([name, mentions]) => [name, ascending(mentions)]));
  }

  /** The type that some mentions speak for together. */
  #typeOf(mentions: readonly number[]): string {
    return this.#labels.types[argmax(this.#typeScores(mentions))] ?? "text";
  }

  #typeScores(mentions: readonly number[]): number[] {
    const { classes } = this.#scores;
    return this.#labels.types.map((_, k) => mentions.reduce((sum, i) => sum + classes.at(i, k), 0) / mentions.length);
  }

  /** The clusters, the plural of a name that is there too joined to it: `titles must be unique`. */
  #singulars(clusters: readonly Cluster[]): Cluster[] {
    const out = new Map<string, { owner: number; name: string; group: number[] }>();
    for (const { owner, name, group } of clusters) {
      const one = this.#means.naming.entity(name.replaceAll("_", " "));
      const joins = one !== name && clusters.some((c) => c.owner === owner && c.name === one);
      const key = joins ? one : name;
      const found = out.get(`${owner} ${key}`) ?? { owner, name: key, group: [] };
      found.group.push(...group);
      out.set(`${owner} ${key}`, found);
    }
    return [...out.values()].map((c) => ({ ...c, group: ascending(c.group) }));
  }

  /**
   * The clusters, those that are another word for a field of their entity joined to it: `name` for `customer name`. The surest
   * come first, and what is an alias has none.
   */
  #sameFields(clusters: readonly Cluster[]): Cluster[] {
    const short = shortened(clusters);
    const pairs: { readonly score: number; readonly a: Cluster; readonly b: Cluster }[] = [];
    for (const a of clusters) {
      for (const b of clusters) {
        if (a === b || a.owner !== b.owner) continue;
        const score = this.#pooled(a.group, b.group, "alias");
        if (score > (short.get(a) === b ? this.#means.tables.decoding.leastShortField : 0)) pairs.push({ score, a, b });
      }
    }
    pairs.sort((x, y) => y.score - x.score || compared(y.a, x.a) || compared(y.b, x.b));
    const means = new Map<Cluster, Cluster>();
    const meant = new Set<Cluster>();
    for (const { a, b } of pairs) {
      if (means.has(a) || means.has(b) || meant.has(a)) continue;
      means.set(a, b);
      meant.add(b);
    }
    return clusters
      .filter((c) => !means.has(c))
      .map((c) => {
        const others = [...means].flatMap(([a, b]) => (b === c ? a.group : []));
        return { ...c, group: ascending([...c.group, ...others]) };
      });
  }

  #field({ owner, name, group }: Cluster, sure: ReadonlyMap<number, number>): void {
    if (Math.max(...group.map((i) => this.#sure(i))) < this.#means.tables.decoding.leastField) return;
    const types = softmax(this.#typeScores(group));
    const made = new DraftField(name, this.#labels.types[argmax(types)] ?? "text");
    // Asserted by any one mention; the confidence is that of the strongest.
    made.evidence.add(Math.max(...group.map((i) => Math.min(this.#sure(i), sure.get(i) ?? 0))));
    made.evidence.add(Math.max(...types), ...group.map((i) => this.#chars(i)));
    this.#labels.field_flags.forEach((flag, k) => {
      const sum = group.reduce((total, i) => total + power(this.#scores.fieldFlags.at(i, k)), 0);
      const p = sigmoid(Math.log(sum));
      if (p > 0.5) made.flags.add(flag);
      if (flag !== "elliptic" && flag !== "moment") made.evidence.add(Math.max(p, 1 - p));
    });
    if (made.type === "ref") this.#target(made, group);
    if (made.type === "enum") made.name = stateName(name, this.#means.tables.naming.carriers);
    if (made.type === "int" || made.type === "dec") made.name = figureName(name, this.#means.tables.naming.scales);
    if (made.flags.has("moment") && ["date", "dt", "time"].includes(made.type)) made.name = momentName(name, made.type === "date");
    if (made.flags.has("elliptic")) made.name = this.#completed(name, group[0] ?? 0);
    const { fields } = this.#entity(this.#name(owner));
    if (fields.has(made.name)) return;
    fields.set(made.name, made);
    const isNumber = made.type === "int" || made.type === "dec";
    const isFigure = isNumber && made.name !== name && made.name === figureName(name, this.#means.tables.naming.scales);
    this.#fields.push({ made, owner, group, isFigure });
  }

  /** `first` before `last name` → `first_name`. */
  #completed(name: string, mention: number): string {
    for (const i of this.#of("field")) {
      const words = this.#fieldName(i).split("_");
      if (i > mention && words.length > 1) return `${name}_${words.at(-1) ?? ""}`;
    }
    return name;
  }

  #target(made: DraftField, group: readonly number[]): void {
    const scores = this.#groups.map((g) => this.#pooled(group, g, "target"));
    const best = argmax(scores);
    made.target = this.#name(best);
    made.evidence.add(softmax(scores)[best] ?? 0);
    for (const flag of this.#referenceFlags(group, this.#group(best))) made.referenceFlags.add(flag);
  }

  #referenceFlags(rows: readonly number[], columns: readonly number[]): string[] {
    const flags = this.#labels.reference_flags;
    const pooled = this.#pooledAll(rows, columns, `ref-${flags[0] ?? ""}`, flags.length);
    return flags.filter((_, i) => (pooled[i] ?? 0) > 0);
  }

  #values(): void {
    const roles = this.#labels.value_roles;
    const first = this.#labels.pairs.indexOf(`value-${roles[0] ?? ""}`);
    // Every value is held against every field: lists made for each would be most of what a text leaves behind.
    const p = new Float64Array(roles.length + 1);
    for (const i of this.#of("value")) {
      const alone = [i];
      for (const [number, { made, group }] of this.#fields.entries()) {
        p[0] = 0;
        for (let k = 0; k < roles.length; k += 1) p[k + 1] = this.#pooled(alone, group, first + k);
        softmaxWithin(p);
        const role = argmax(p);
        if (role === 0) continue;
        addTo(this.#valueFields, i, number);
        const evidence = new Evidence(Math.min(p[role] ?? 0, this.#sure(i)));
        evidence.spans.push(this.#chars(i));
        made.values.push({ role: roles[role - 1] ?? "", words: this.#surface(i), evidence });
      }
    }
  }

  /** A figure that only its bounds name is no second one where a field of the same thing has these bounds: "rate it from 1 to 5 stars". */
  #sameFigures(): void {
    const told = (made: DraftField): Set<string> => new Set(made.values.flatMap(({ evidence }) => evidence.spans.map((span) => span.join())));
    for (const { made, owner } of this.#fields.filter(({ isFigure }) => isFigure)) {
      const own = [...told(made)];
      const others = this.#fields.filter((f) => !f.isFigure && f.owner === owner && (f.made.type === "int" || f.made.type === "dec"));
      if (own.length > 0 && others.some((f) => own.every((at) => told(f.made).has(at)))) this.#entity(this.#name(owner)).fields.delete(made.name);
    }
  }

  #relation(a: number, b: number): void {
    const [ga, gb] = [this.#group(a), this.#group(b)];
    const many = (this.#pooled(ga, gb, "many") + this.#pooled(gb, ga, "many")) / 2;
    const forward = softmax([0, this.#pooled(ga, gb, "belongs"), many]);
    const backward = softmax([0, this.#pooled(gb, ga, "belongs"), many]);
    const options = [
      { p: forward[1] ?? 0, source: a, target: b, kind: "belongs" },
      { p: backward[1] ?? 0, source: b, target: a, kind: "belongs" },
      { p: ((forward[2] ?? 0) + (backward[2] ?? 0)) / 2, source: a, target: b, kind: "many" },
    ];
    // Where two are as likely, the later numbers and words win.
    options.sort((x, y) => y.p - x.p || y.source - x.source || y.target - x.target || (x.kind < y.kind ? 1 : -1));
    const [best] = options;
    const join = a === b ? Math.max : Math.min;
    if (best === undefined || best.p <= join(forward[0] ?? 0, backward[0] ?? 0)) return;
    const { p, source, target, kind } = best;
    const evidence = new Evidence();
    evidence.add(p, ...this.#tellingPair(source, target, kind));
    const flags = kind === "belongs" ? this.#referenceFlags(this.#group(source), this.#group(target)) : [];
    const relation = { source: this.#name(source), target: this.#name(target), kind, flags: new Set(flags), evidence };
    this.#draft.relations = [...this.#draft.relations, relation];
  }

  /** The two mentions that say most clearly that two entities are related. */
  #tellingPair(source: number, target: number, kind: string): readonly [Span, Span] {
    const label = this.#labels.pairs.indexOf(kind);
    const pairs = this.#group(source).flatMap((i) => this.#group(target).map((j) => [i, j] as const));
    const [i, j] = pairs[argmax(pairs.map(([x, y]) => this.#scores.power(x, y, label)))] ?? [0, 0];
    return [this.#chars(i), this.#chars(j)];
  }

  #entityFlags(): void {
    this.#names.forEach((name, number) => {
      const entity = this.#entity(name);
      const flags = this.#labels.entity_flags;
      const totals = new Map(flags.map((flag, k) => [flag, this.#group(number).reduce((sum, i) => sum + power(this.#scores.entityFlags.at(i, k)), 0)]));
      totals.forEach((total, flag) => {
        const p = total / (1 + total);
        if (p > 0.5 && rivals(flag, flags).every((rival) => total >= (totals.get(rival) ?? 0))) entity.flags.add(flag);
        entity.evidence.add(Math.max(p, 1 - p));
      });
    });
  }

  /** Who may read and write what: said at any one mention of a role. */
  #roles(): void {
    const named = new Map<string, number[]>();
    for (const i of this.#of("role")) {
      const role = this.#entityName(i);
      named.set(role, [...(named.get(role) ?? []), i]);
      this.#draft.roles.push(this.#chars(i));
    }
    for (const [role, mentions] of named) {
      this.#names.forEach((name, number) => {
        if (this.#pooled(mentions, this.#group(number), "role-read") > 0) this.#entity(name).readRoles.push(role);
        if (this.#pooled(mentions, this.#group(number), "role-write") > 0) this.#entity(name).writeRoles.push(role);
      });
    }
  }

  #together(): void {
    this.#names.forEach((name, owner) => {
      const members = this.#fields
        .filter((f) => f.owner === owner)
        .map(({ made, group }): readonly [string, readonly number[]] => [made.name, group]);
      for (const { source, target, kind } of this.#draft.relations) {
        if (source !== name || kind !== "belongs" || target === name) continue;
        members.push([target, this.#group(this.#names.indexOf(target))]);
      }
      const pairs: (readonly [string, string])[] = [];
      members.forEach(([a, ga], i) => {
        for (const [b, gb] of members.slice(i + 1)) {
          if (this.#pooled(ga, gb, "together") + this.#pooled(gb, ga, "together") > 0) pairs.push([a, b]);
        }
      });
      this.#entity(name).together = joinedGroups(pairs);
    });
  }

  /** Pairs of states of one field of which the second may follow the first. */
  #steps(): void {
    for (const [number, { made }] of this.#fields.entries()) {
      const allowed = new Set(made.values.filter(({ role }) => role === "enum" || role === "enumdef").map(({ words }) => words.toLowerCase()));
      const states = new Map<string, number[]>();
      for (const i of allowed.size > 0 ? this.#of("value") : []) {
        if (this.#valueFields.get(i)?.includes(number) !== true) continue;
        const words = this.#surface(i).toLowerCase();
        if (allowed.has(words)) addTo(states, words, i);
      }
      for (const [before, rows] of states) {
        for (const [after, columns] of states) {
          if (before !== after && this.#pooled(rows, columns, "next") > 0) made.steps.push([before, after]);
        }
      }
    }
  }

  /** What each cue stands for, and what fills the slots that its kind has. */
  #cues(): void {
    const { types, classes, cues } = this.#labels;
    const fillers = this.#of("cue").length > 0 ? this.#fillers() : [];
    for (const i of this.#of("cue")) {
      const kinds = softmax(Array.from({ length: classes.length - types.length }, (_, k) => this.#scores.classes.at(i, types.length + k)));
      const kind = classes[types.length + argmax(kinds)] ?? "";
      const slots = new Map<string, readonly Filler[]>();
      const evidence = new Evidence();
      evidence.add(Math.min(Math.max(...kinds), this.#sure(i)), this.#chars(i));
      for (const slot of cues[kind] ?? []) {
        const all = this.#filling(i, `cue-${slot}`, fillers);
        const found = this.#meant(kind, slot, slot === "set" ? surest(all) : all);
        if (found.length === 0) continue;
        slots.set(slot, found.map(({ filler }) => filler));
        evidence.add(Math.min(...found.map(({ p }) => p)), ...found.flatMap(({ spans }) => spans));
      }
      this.#draft.cues.push({ kind, words: this.#surface(i), slots, evidence });
    }
  }

  /** Of what fills a slot that seldom holds several things: the surest, and what is beyond doubt. */
  #meant(kind: string, slot: string, all: readonly Filling[]): readonly Filling[] {
    const { of_one, often_several, beyond_doubt, steps } = this.#labels;
    if (often_several.includes(slot) || all.length < 2) return all;
    // What is given with a step stands beside its outcome.
    const isBeside = ({ filler }: Filling): boolean => slot === "set" && steps.includes(kind) && this.#isGiven(filler);
    const best = Math.max(...all.filter((one) => !isBeside(one)).map(({ p }) => p));
    const least = slot === "of" && of_one.includes(kind) ? best : Math.min(best, beyond_doubt);
    return all.filter((one) => isBeside(one) || one.p >= least);
  }

  /** Whether a field is named without a value, and is no yes/no. */
  #isGiven({ entity, field, words }: Filler): boolean {
    const made = field === "" ? undefined : this.#entity(entity).fields.get(field);
    return made !== undefined && words === "" && made.type !== "bool";
  }

  /** All that may fill a slot of a cue, with the mentions that stand for it. */
  #fillers(): (readonly [group: readonly number[], filler: Filler])[] {
    const all: (readonly [group: readonly number[], filler: Filler])[] = [];
    this.#names.forEach((entity, number) => all.push([this.#group(number), { ...NOTHING, entity }]));
    for (const { made, owner, group } of this.#fields) {
      all.push([group, { ...NOTHING, entity: this.#name(owner), field: made.name }]);
    }
    for (const i of this.#of("value")) for (const filler of this.#valuesOf(i)) all.push([[i], filler]);
    for (const i of this.#of("role")) all.push([[i], { ...NOTHING, role: this.#entityName(i), at: this.#chars(i) }]);
    return all;
  }

  /** Those of them that fill one. */
  #filling(cue: number, label: string, fillers: readonly (readonly [group: readonly number[], filler: Filler])[]): Filling[] {
    return fillers.flatMap(([group, filler]) => {
      const score = this.#pooled([cue], group, label);
      if (score <= 0) return [];
      const spans = filler.words !== "" || filler.role !== "" ? group.map((i) => this.#chars(i)) : [];
      return [{ p: sigmoid(score), filler, spans }];
    });
  }

  /** What a mention of a value may be for a cue: a value of its fields, else one that stands alone. */
  #valuesOf(i: number): Filler[] {
    const words = this.#surface(i);
    const numbers = this.#valueFields.get(i) ?? [];
    if (numbers.length === 0) return [{ ...NOTHING, words, at: this.#chars(i) }];
    return numbers.map((number) => {
      const field = this.#fields[number];
      return { ...NOTHING, entity: this.#name(field?.owner ?? 0), field: field?.made.name ?? "", words, at: this.#chars(i) };
    });
  }
}

/**
 * Mentions of one name by owner. A lone mention that could as well be of an entity that has a field of that name is of that
 * one: a rule names a field again more often than it makes a second one. A mention of which several owners are as likely is of
 * all of them, or of those that other mentions are of without a doubt.
 */
function settled(owners: ReadonlyMap<number, readonly number[]>, { asWell, shared }: { readonly asWell: number; readonly shared: number }): Map<number, number[]> {
  const chosen = new Map([...owners].map(([i, scores]) => [i, argmax(scores)]));
  for (const [i, scores] of owners) {
    const own = chosen.get(i) ?? 0;
    const others = [...new Set([...chosen].filter(([j]) => j !== i).map(([, owner]) => owner))].sort((a, b) => a - b);
    if (others.length === 0 || others.includes(own)) continue;
    const best = others[argmax(others.map((o) => scores[o] ?? 0))] ?? 0;
    if ((scores[own] ?? 0) - (scores[best] ?? 0) < asWell) chosen.set(i, best);
  }
  const likelyOf = new Map([...owners].map(([i, scores]) => [i, likely(scores, shared)]));
  const firm = new Set([...chosen].filter(([i]) => likelyOf.get(i)?.length === 1).map(([, owner]) => owner));
  const out = new Map<number, number[]>();
  for (const [i, owner] of chosen) {
    const all = likelyOf.get(i) ?? [];
    const known = all.filter((o) => firm.has(o));
    for (const o of !all.includes(owner) ? [owner] : known.length > 0 ? known : all) addTo(out, o, i);
  }
  return out;
}

/** Each field whose name is the last word of the one longer name before it ("full name … the name") → that one. */
function shortened(clusters: readonly Cluster[]): Map<Cluster, Cluster> {
  const out = new Map<Cluster, Cluster>();
  for (const a of clusters) {
    const [longer, ...others] = clusters.filter(({ owner, name }) => owner === a.owner && name.endsWith(`_${a.name}`));
    if (longer !== undefined && others.length === 0 && Math.min(...longer.group) < Math.min(...a.group)) out.set(a, longer);
  }
  return out;
}

/** The owners that are about as likely as the likeliest. */
function likely(scores: readonly number[], shared: number): number[] {
  const least = Math.max(...scores) - shared;
  return scores.flatMap((score, owner) => (score > least ? [owner] : []));
}

/** The largest groups of which every two are a pair, in the order of the pairs. */
function joinedGroups(pairs: readonly (readonly [string, string])[]): string[][] {
  const groups: string[][] = [];
  const known = new Set(pairs.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
  const members = [...new Set(pairs.flat())];
  for (const [a, b] of pairs) {
    if (groups.some((g) => g.includes(a) && g.includes(b))) continue;
    const group = [a, b];
    const others = members.filter((m) => m !== a && m !== b);
    groups.push([...group, ...others.filter((m) => group.every((g) => known.has(`${m} ${g}`)))]);
  }
  return groups;
}

function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, [value]);
  else found.push(value);
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

const compared = (x: Cluster, y: Cluster): number => x.owner - y.owner || (x.name < y.name ? -1 : x.name > y.name ? 1 : 0);

/** Who else of the flags may read, or write, where one says who does: the surest is meant. */
function rivals(flag: string, flags: readonly string[]): string[] {
  const verb = flag.split("-", 1)[0] ?? "";
  return verb === "read" || verb === "write" ? flags.filter((other) => other.startsWith(`${verb}-`)) : [];
}
