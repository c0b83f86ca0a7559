import { ageOf } from "./ages";
import { blocksOf } from "./blocks";
import { type Line, type Lines, linesOf, noLines, SERVICE, USERS } from "./cue_lines";
import { type Names, type Pen, Unsaid } from "./cue_names";
import type { Draft, DraftCue, DraftField } from "./draft";
import { FILE_CUES, FileRules } from "./file_rules";
import { Gateway } from "./gateways";
import { guarded, keptText, withKept } from "./guarded";
import { mailed } from "./mail_reports";
import type { Span } from "./reading";
import { scheduled } from "./runs";
import { isOfSite, siteLines, siteOf } from "./sites";
import { transitionsLine } from "./states";
import { stepsApart } from "./steps";
import type { CueTables } from "./tables";
import { withFormats } from "./transfers";
import { holdsUp } from "./wish_checks";
import { blueprintLines, type Blueprint, type Entity, fieldLine, plainField } from "./values";

/** The size of files of which the text says none. */
const USUAL_MB = 10n;

/** Constructs that stand among an entity's own lines, and not behind them. */
const OF_ENTITIES = ["field", "delete_line"];

/** What one stretch of text comes to; `spans` are its words. */
interface Wish {
  readonly made: Lines;
  readonly spans: readonly Span[];
}

export interface Wished {
  /** The canonical text of the blueprint with all that holds up of what the draft wishes. */
  readonly text: string;
  /** The words of the rest. */
  readonly left: readonly Span[];
  /** The blueprint without what its further lines say in the place of its own. */
  readonly blueprint: Blueprint;
  /** Whether some paths lead to other servers. */
  readonly hasRoutes: boolean;
}

/** A blueprint with what its text wishes besides stored rows: each wish that does not hold up is left out as a whole. */
export function withWishes(b: Blueprint, draft: Draft, names: Names, pen: Pen, files: readonly string[]): Wished {
  const wishes: Wish[] = [];
  const rules = new FileRules(draft, pen, files);
  const left: Span[] = [...rules.left];
  for (const [make, spans] of wanted(draft, names, pen, files, rules)) {
    try {
      wishes.push({ made: make(), spans });
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error;
      left.push(...spans);
    }
  }
  let kept = wishes;
  const isSound = (some: readonly Wish[]): boolean => {
    const made = joined(some, pen.tables, true);
    return made !== undefined && holdsUp(stripped(b, made), made, pen);
  };
  if (!isSound(wishes)) {
    kept = [];
    for (const wish of wishes) {
      if (isSound([...kept, wish])) kept = [...kept, wish];
      else left.push(...wish.spans);
    }
  }
  const made = joined(kept, pen.tables, false) ?? noLines();
  return { text: `${textLines(b, made).join("\n")}\n`, left, blueprint: stripped(b, made), hasRoutes: made.lines.some(({ construct }) => construct === "route") };
}

/** All wishes of a draft, in the order in which their lines are to stand: a site, files, states, then cues by kind. */
function* wanted(
  draft: Draft,
  names: Names,
  pen: Pen,
  files: readonly string[],
  rules: FileRules,
): Iterable<readonly [make: () => Lines, spans: readonly Span[]]> {
  if (names.blueprint.type === "static-site") yield [() => siteOf(), []];
  for (const entity of draft.entities.values()) {
    const filler = { entity: entity.name, field: "", words: "", role: "" };
    const within = (construct: string, text: string): Lines => ({
      ...noLines(),
      lines: [{ where: names.entity(filler).name, construct, text }],
    });
    for (const f of entity.fields.values()) {
      if (files.includes(f.type)) yield [() => within("file_field", `${fileLine(f, names, pen)}${rules.tail(f)}`), rules.spansOf(f)];
      if (f.steps.length === 0) continue;
      const field = { ...filler, field: f.name };
      yield [() => within("transitions", transitionsLine(names.field(field)[1], f.steps, pen)), f.evidence.spans];
    }
  }
  // What keeps rows apart comes first, and what others are of: other wishes must fit in.
  const rank = (kind: string): number => (kind === "tenants" ? -2 : kind === "route" ? -1 : pen.tables.order.indexOf(kind));
  const gateway = new Gateway(draft, names.blueprint.entities.length === 0, pen);
  for (const { cue, apart, spans } of stepsApart(withFormats([...draft.cues].sort((x, y) => rank(x.kind) - rank(y.kind)), draft.text, pen), pen)) {
    if (!FILE_CUES.includes(cue.kind)) yield [makerOf(cue, draft, names, pen, gateway, apart), spans];
  }
}

/** What makes the lines of a cue. */
function makerOf(cue: DraftCue, draft: Draft, names: Names, pen: Pen, gateway: Gateway, apart: boolean): () => Lines {
  if (gateway.takes(cue)) return () => gateway.lines(cue);
  if (isOfSite(cue)) return () => siteLines(cue, pen, names.blueprint.type === "api-gateway");
  if (cue.kind === "every") return () => scheduled(cue, draft, names, pen);
  if (cue.kind === "mail-report") return () => mailed(cue, draft, names, pen);
  if (pen.tables.lengths.kinds.includes(cue.kind)) return () => linesOf(cue, names, pen, apart, [], () => ageOf(cue, draft, pen));
  return () => linesOf(cue, names, pen, apart);
}

function fileLine(f: DraftField, names: Names, pen: Pen): string {
  const bounds = f.values.filter(({ role }) => role === "max" || role === "xmax").map(({ words }) => pen.numbers.read(words));
  const most = bounds.find((amount) => amount !== undefined);
  const whole = most === undefined ? 0n : most.units(Math.min(0, most.exponent)) / 10n ** BigInt(Math.max(0, -most.exponent));
  return `${names.fieldName(f.name)}: ${f.type} max ${whole >= 1n ? whole : USUAL_MB} MB`;
}

/**
 * The lines of some wishes together, each once, and their computed fields in terms of stored ones; undefined where a wish is about
 * blocks that none of them makes. `whole`: with what blocks say that is so anyway.
 */
function joined(wishes: readonly Wish[], tables: CueTables, whole: boolean): Lines | undefined {
  const lines = new Map<string, Line>();
  const computed = new Map<string, string>();
  const brought = new Set<string>();
  for (const { made } of wishes) {
    for (const line of made.lines) if (!lines.has(`${line.where}\n${line.text}`)) lines.set(`${line.where}\n${line.text}`, line);
    for (const [key, text] of made.computed) {
      // A field is computed in one way.
      if ((computed.get(key) ?? text) !== text) return undefined;
      computed.set(key, text);
    }
    for (const key of made.brought) brought.add(key);
  }
  const blocks = blocksOf(wishes.map(({ made }) => made.blocks), whole, tables.blocks);
  if (blocks === undefined) return undefined;
  const standing = blocks.map((text): Line => ({ where: SERVICE, construct: /^\w+/.exec(text)?.[0] ?? "", text }));
  return { lines: [...lines.values(), ...standing], computed: unfolded(computed), brought, blocks: [] };
}

/** The expressions of computed fields, those that they name in the place of their names: none is computed from another. */
function unfolded(computed: ReadonlyMap<string, string>): Map<string, string> {
  const whole = (key: string, above: readonly string[]): string => {
    const text = computed.get(key) ?? "";
    // What is summed up over other rows names fields of those.
    if (SUMMED.test(text)) return text;
    const entity = key.split(".")[0] ?? "";
    return text.replace(/(?<![\w.])\w+(?![\w(])/g, (name: string, at: number) => {
      const other = `${entity}.${name}`;
      const isOther = computed.has(other) && other !== key && !above.includes(other);
      return isOther ? inPlace(text, name, at, whole(other, [...above, key])) : name;
    });
  };
  return new Map([...computed.keys()].map((key) => [key, whole(key, [])]));
}

const SUMMED = /\b(?:sum|count)\(/;

const STRENGTH: Readonly<Record<string, number>> = { "+": 5, "-": 5, "*": 6 };

/** An expression for the place of a name in another, in parentheses where its neighbours bind more strongly. */
function inPlace(expression: string, name: string, at: number, text: string): string {
  // Signs within the parentheses of a sum or of an expression that stands in parentheses already bind nothing outside of them.
  const outside = outermost(text);
  const binds = Math.min(7, ...[...outside.matchAll(/ ([-+*]) /g)].map(([, sign]) => STRENGTH[sign ?? ""] ?? 0));
  const before = STRENGTH[expression.slice(0, at).trimEnd().at(-1) ?? ""];
  const after = STRENGTH[expression.slice(at + name.length).trimStart().charAt(0)];
  // Operators group to the left: what stands on the right of one must bind more strongly than it.
  return binds < Math.max(before === undefined ? 0 : before + 1, after ?? 0) ? `(${text})` : text;
}

/** A text without what stands in parentheses. */
function outermost(text: string): string {
  let depth = 0;
  let out = "";
  for (const sign of text) {
    if (sign === "(") depth += 1;
    if (depth === 0) out += sign;
    if (sign === ")") depth -= 1;
  }
  return out;
}

/** The blueprint with nothing but their type said of fields that are computed, and without those that lines bring. */
function stripped(b: Blueprint, made: Lines): Blueprint {
  const { computed, brought } = made;
  const bare = (e: Entity): Entity => {
    const stays = (name: string): boolean => !brought.has(`${e.name}.${name}`);
    const fields = e.fields.filter(({ name }) => stays(name));
    return {
      ...e,
      fields: fields.map((f) => (computed.has(`${e.name}.${f.name}`) ? plainField(f.name, f.type) : f)),
      search: e.search.filter(stays),
      unique: e.unique.filter((group) => group.every(stays)),
    };
  };
  const kept = withKept(b, guarded(b, made));
  return { ...kept, entities: kept.entities.map(bare) };
}

/** The canonical lines of a blueprint with further ones, at the end of each block and of the service. */
function textLines(b: Blueprint, made: Lines): string[] {
  const kept = guarded(b, made);
  const at = (where: string, construct = ""): string[] =>
    made.lines
      .filter((line) => line.where === where && (OF_ENTITIES.includes(line.construct) ? line.construct : "") === construct)
      .flatMap(({ text }) => (where === SERVICE ? ["", ...text.split("\n")] : keptText(where, text, kept).split("\n").map((part) => `  ${part}`)));
  const lines = blueprintLines(stripped(b, made), {
    field: (e, f) => {
      const expression = made.computed.get(`${e.name}.${f.name}`);
      return expression === undefined ? fieldLine(f) : `${fieldLine(f)} = ${expression}`;
    },
    fields: (e) => at(e.name, "field"),
    rights: (e) => at(e.name, "delete_line").map((line) => line.trim()),
    entity: (e) => at(e.name),
    users: () => at(USERS),
  });
  return [...lines, ...at(SERVICE)];
}
