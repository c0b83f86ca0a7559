import { type Pen, unsaid, Unsaid } from "./cue_names";
import { Decimal } from "./decimal";
import { type Draft, type DraftCue, Evidence, type Filler } from "./draft";
import { inUnits, NOWHERE, toldAt, toldBeside, type Told } from "./lengths";
import { Nearby } from "./nearby";
import { periodOf } from "./periods";
import type { Span } from "./reading";

const ONE = new Decimal(1n);

/** A length of time: how many of which unit, and the fillers that say so. */
export interface Age {
  readonly many: Decimal;
  readonly unit: string;
  readonly fillers: readonly Filler[];
}

/** The length of time that a cue speaks of. Throws `Unsaid` where the text says one that is not understood, or one that nothing uses. */
export function ageOf(cue: DraftCue, draft: Draft, pen: Pen): Age | undefined {
  const age = toldAge(cue, draft.text, pen);
  return age === undefined && untaken(cue, draft, pen).length > 0 ? unsaid() : age;
}

/**
 * The same of what fills its slots alone: a number with the unit that it stands by, else with the only unit that there is. Throws `Unsaid`
 * where they have a unit of which it is not said how many there are, a number of no unit, or several lengths.
 */
export function toldAge(cue: DraftCue, text: string, pen: Pen): Age | undefined {
  const isTime = ({ kind }: Told): boolean => kind === "often" || (kind === "" && cue.kind === "every");
  const units = unitsOf(cue, text, pen).filter(([, told]) => !isTime(told));
  const spare = numbersOf(cue, pen).filter((f) => !isOfTime(f, cue, text, pen));
  if (units.some(([, { kind }]) => kind === "vague")) unsaid();
  if (spare.length > 0) return counted(spare, units, text, cue, pen);
  const lengths = new Map(
    units.filter(([, { kind }]) => kind === "length").map(([f, { at, many, unit }]): [string, Age] => [at.join(), { many, unit, fillers: [f] }]),
  );
  if (lengths.size > 1 || (units.length > 0 && lengths.size === 0)) unsaid();
  return [...lengths.values()][0];
}

type Unit = readonly [filler: Filler, told: Told];

/** The length that one of some numbers is of. */
function counted(spare: readonly Filler[], units: readonly Unit[], text: string, cue: DraftCue, pen: Pen): Age | undefined {
  const known = new Set(units.map(([f]) => inUnits(ONE, periodOf(f.words, pen), pen).unit));
  const placed = spare.filter(isPlaced).flatMap((many) => lengthsOf(many.at, text, pen).map((told): [string, Unit] => [told.at.join(), [many, told]]));
  const beside = new Map(placed.filter(([, [, { unit }]]) => known.size === 0 || known.has(unit)));
  const [first] = beside.values();
  if (beside.size === 1 && first !== undefined) {
    const [many, { at, unit, many: amount }] = first;
    const its = units.filter(([, other]) => isSame(other.at, at) || ["", unit].includes(other.unit)).map(([f]) => f);
    return { many: amount, unit, fillers: [many, ...its] };
  }
  if (units.length === 0 && cue.kind === "every") return undefined;
  const [many] = spare;
  if (known.size !== 1 || spare.length !== 1 || beside.size > 0 || many === undefined) return unsaid();
  const value = pen.numbers.read(many.words) ?? new Decimal(0n);
  return { ...inUnits(value, periodOf(units[0]?.[0].words ?? "", pen), pen), fillers: [many, ...units.map(([f]) => f)] };
}

/** Fills in the lengths of time that the model took for values and no cue for its own, where the sentence of one has no other. */
export function withAges(draft: Draft, pen: Pen): void {
  draft.cues.forEach((cue, at) => {
    if (!pen.tables.lengths.kinds.includes(cue.kind) || (cue.kind === "notify" && (cue.slots.get("from") ?? []).length === 0)) return;
    const found = isAgeless(cue, draft.text, pen) ? untaken(cue, draft, pen) : [];
    const [place, told] = found[0] ?? [[0, 0], NOWHERE];
    if (found.length !== 1 || told.kind !== "length") return;
    const heard = [...draft.heard, ...marked(draft.cues)].filter((s) => meet(s, told.at));
    if (heard.length === 0) return;
    const filler: Filler = { entity: "", field: "", words: draft.text.slice(...place), role: "", at: place };
    const evidence = new Evidence(cue.evidence.confidence);
    evidence.spans = [...cue.evidence.spans];
    evidence.add(1, ...uniqueSpans(heard));
    draft.cues[at] = { ...cue, slots: new Map(cue.slots).set("per", [...(cue.slots.get("per") ?? []), filler]), evidence };
  });
}

function isAgeless(cue: DraftCue, text: string, pen: Pen): boolean {
  try {
    return toldAge(cue, text, pen) === undefined;
  } catch (error) {
    if (error instanceof Unsaid) return false;
    throw error;
  }
}

type Placed = Filler & { readonly at: Span };

const isPlaced = (f: Filler): f is Placed => f.at !== undefined && f.at !== null;

const isWithin = (at: Span, stretch: Span): boolean => stretch[0] <= at[0] && at[0] < stretch[1];

const isSame = (one: Span, other: Span): boolean => one[0] === other[0] && one[1] === other[1];

const meet = (one: Span, other: Span): boolean => one[0] < other[1] && one[1] > other[0];

const uniqueSpans = (spans: readonly Span[]): Span[] => [...new Map(spans.map((s) => [s.join(), s])).values()];

const numbersOf = (cue: DraftCue, { numbers }: Pen): Filler[] =>
  (cue.slots.get("n") ?? []).filter(({ words }) => numbers.read(words) !== undefined && !words.includes("@"));

/** The words for units of time that a cue has, and what they are; its own are one where they end with a length and nothing else does. */
function unitsOf(cue: DraftCue, text: string, pen: Pen): Unit[] {
  const end = endOf(cue);
  let found = (cue.slots.get("per") ?? []).filter(({ words, entity }) => words !== "" && entity === "" && periodOf(words, pen) !== "");
  const [own] = cue.evidence.spans;
  if (found.length === 0 && numbersOf(cue, pen).length === 0 && own !== undefined && toldAt(text, own, pen).kind === "length") {
    found = [{ entity: "", field: "", words: cue.words, role: "", at: own }];
  }
  return found.map((f) => [f, isPlaced(f) ? toldAt(text, f.at, pen, end) : NOWHERE] as const);
}

/** Where the words of a schedule end; of other wishes nowhere. */
const endOf = ({ kind, evidence }: DraftCue): number => (kind === "every" ? (evidence.spans[0]?.[1] ?? -1) : -1);

/** The length that the number at a place is of, if any. */
const lengthsOf = (many: Span, text: string, pen: Pen): Told[] =>
  toldBeside(text, many, pen).map(([, told]) => told).filter(({ kind, at }) => kind === "length" && isWithin(many, at));

/** Whether a number is one of a time at which something is done: "every 15 minutes", "at 2". */
function isOfTime(many: Filler, cue: DraftCue, text: string, pen: Pen): boolean {
  if (!isPlaced(many)) return false;
  const isHour = pen.characters.pattern(pen.tables.lengths.clock).test(new Nearby(pen.tables, pen.characters).before(text, many.at));
  return isHour || unitsOf(cue, text, pen).some(([, { kind, at }]) => kind === "often" && isWithin(many.at, at));
}

/** The lengths of time in the sentence of a cue that nothing else is said with. */
function untaken(cue: DraftCue, draft: Draft, pen: Pen): (readonly [place: Span, told: Told])[] {
  const [at] = cue.evidence.spans;
  if (at === undefined) return [];
  const { shared } = pen.tables.lengths;
  const others = draft.cues.filter((c) => c !== cue && !(shared.includes(c.kind) && shared.includes(cue.kind)));
  const taken = [...things(draft), ...marked(others)];
  const beside = toldBeside(draft.text, at, pen, endOf(cue));
  return beside.filter(([, { kind, at, stands }]) => ["length", "vague"].includes(kind) && stands && !taken.some((s) => meet(s, at)));
}

/** The words for things, their fields, and the values of these. */
function things({ entities }: Draft): Span[] {
  return [...entities.values()].flatMap((e) => [
    ...e.evidence.spans,
    ...[...e.fields.values()].flatMap((f) => [...f.evidence.spans, ...f.values.flatMap(({ evidence }) => evidence.spans)]),
  ]);
}

/** The numbers and times that cues are said with. */
const marked = (cues: readonly DraftCue[]): Span[] =>
  cues.flatMap(({ slots }) => ["n", "per"].flatMap((name) => slots.get(name) ?? []).filter(isPlaced).map(({ at }) => at));
