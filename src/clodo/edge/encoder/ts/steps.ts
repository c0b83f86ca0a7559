import { saysWhoCreates } from "./creators";
import { saysWhoDeletes } from "./deleters";
import type { DraftCue, Filler } from "./draft";
import type { Pen } from "./cue_names";
import { hasOutcome } from "./locks";
import type { Span } from "./reading";
import { OUTCOMES } from "./uploads";

/** A cue, and whether another step has its verb and its entity, so that its outcome must tell the two apart. */
export interface Step {
  readonly cue: DraftCue;
  readonly apart: boolean;
  /** The own words of all that are joined in it. */
  readonly spans: readonly Span[];
}

/**
 * The cues, a step that is said again joined to the first ("drivers close runs … planners close them, too"), and what is said of one step
 * in several places joined as well ("managers approve claims … directors approve those over 1,000"). A word that is no verb of its own says
 * more of the step that it stands for, or beside: "claims over 500 need an admin", "never their own".
 */
export function stepsApart(cues: readonly DraftCue[], pen: Pen): Step[] {
  const { tables: { steps } } = pen;
  const isAgain = (a: DraftCue, b: DraftCue): boolean => steps.includes(a.kind) && a.kind === b.kind && nameOf(a, pen) === nameOf(b, pen) && doesTheSame(a, b);
  const once: DraftCue[] = [];
  const said: Span[][] = [];
  for (const cue of cues) {
    const at = once.findIndex((other) => isAgain(other, cue));
    const first = once[at];
    const own = cue.evidence.spans.slice(0, 1);
    if (first === undefined) {
      once.push(cue);
      said.push(own);
    } else {
      once[at] = { ...first, slots: withRoles(first, cue) };
      said[at]?.push(...own);
    }
  }
  const whole = joined(once, said, pen);
  const named = new Map<string, number>();
  for (const { cue } of whole) if (steps.includes(cue.kind)) named.set(nameOf(cue, pen), (named.get(nameOf(cue, pen)) ?? 0) + 1);
  return whole.map(({ cue, spans }) => ({ cue, apart: steps.includes(cue.kind) && (named.get(nameOf(cue, pen)) ?? 0) > 1, spans }));
}

/** The cues with those that say more of a step within it. The step is the first of them that has an outcome, else the first. */
function joined(cues: readonly DraftCue[], said: readonly (readonly Span[])[], pen: Pen): Omit<Step, "apart">[] {
  const wholes: number[][] = [];
  const cueAt = (i: number | undefined): DraftCue | undefined => (i === undefined ? undefined : cues[i]);
  const agree = (whole: readonly number[], cue: DraftCue): boolean => whole.every((j) => doesAgree(cueAt(j), cue));
  cues.forEach((cue, i) => {
    const whole = isAside(cue, pen) ? undefined : wholes.find((w) => isOne(cueAt(w[0]), cue, pen) && agree(w, cue));
    if (whole === undefined) wholes.push([i]);
    else whole.push(i);
  });
  const stands = (whole: readonly number[]): boolean => {
    const cue = cueAt(whole[0]);
    return cue !== undefined && isAside(cue, pen);
  };
  for (const whole of wholes.filter(stands)) {
    const cue = cueAt(whole[0]);
    if (cue === undefined) continue;
    const fine = wholes.filter((w) => {
      const first = cueAt(w[0]);
      return first !== undefined && w !== whole && !stands(w) && canBeJoined(first, pen) && entityOf(first) === entityOf(cue) && agree(w, cue);
    });
    const places = fine.flatMap((w) => w.map((j) => [startOf(cueAt(j)), w] as const));
    const ahead = places.filter(([at]) => at < startOf(cue)).sort(([a], [b]) => b - a)[0];
    const beside = ahead ?? places.sort(([a], [b]) => a - b)[0];
    if (beside === undefined) continue;
    wholes.splice(wholes.indexOf(whole), 1);
    beside[1].push(...whole);
  }
  return wholes.flatMap((whole) => {
    const order = [...whole].sort((a, b) => a - b);
    const parts = order.map((i) => cueAt(i)).filter((cue) => cue !== undefined);
    const first = parts.find((cue) => !isAside(cue, pen) && hasOutcome(cue)) ?? cueAt(whole[0]);
    if (first === undefined) return [];
    return [{ cue: { ...first, further: parts.filter((cue) => cue !== first) }, spans: order.flatMap((i) => said[i] ?? []) }];
  });
}

function isAside(cue: DraftCue, { tables }: Pen): boolean {
  const said = cue.words.toLowerCase().match(/[a-z]+/g) ?? [];
  return tables.steps.includes(cue.kind) && said.length > 0 && said.every((word) => tables.aside.includes(word)) && entityOf(cue) !== "";
}

/** Whether two cues speak of one step, and neither is a rule on changing, adding or deleting rows, or an upload. */
function isOne(a: DraftCue | undefined, b: DraftCue, pen: Pen): boolean {
  return a !== undefined && a.kind === b.kind && nameOf(a, pen) === nameOf(b, pen) && canBeJoined(a, pen) && canBeJoined(b, pen);
}

function canBeJoined(cue: DraftCue, { tables, verbs }: Pen): boolean {
  if (!tables.steps.includes(cue.kind) || saysWhoCreates(cue, verbs) || saysWhoDeletes(cue, verbs)) return false;
  return (cue.slots.get("set") ?? []).some(({ words }) => words !== "") || !verbs.uploads(cue.words);
}

/** Whether two cues lead to the same, as far as they say to what. */
function doesAgree(a: DraftCue | undefined, b: DraftCue): boolean {
  const [ours, theirs] = [a, b].map((cue) => new Set(OUTCOMES.flatMap((name) => (cue?.slots.get(name) ?? []).map((f) => `${name} ${keyOf(f)}`))));
  if (ours === undefined || theirs === undefined || ours.size === 0 || theirs.size === 0) return true;
  return ours.size === theirs.size && [...ours].every((key) => theirs.has(key));
}

const entityOf = ({ slots }: DraftCue): string => slots.get("of")?.[0]?.entity ?? "";

const startOf = (cue: DraftCue | undefined): number => cue?.evidence.spans[0]?.[0] ?? 0;

const nameOf = ({ words, slots }: DraftCue, { verbs }: Pen): string => [verbs.step(words), ...(slots.get("of") ?? []).map(({ entity }) => entity)].join(" ");

function withRoles(first: DraftCue, again: DraftCue): Map<string, readonly Filler[]> {
  const roles = new Map([...(first.slots.get("by") ?? []), ...(again.slots.get("by") ?? [])].map((filler) => [keyOf(filler), filler]));
  return roles.size === 0 ? first.slots : new Map([...first.slots, ["by", [...roles.values()]]]);
}

/** Whether two steps have the same conditions and outcomes, whoever may take them. */
function doesTheSame(a: DraftCue, b: DraftCue): boolean {
  const keys = (cue: DraftCue, slot: string): Set<string> => new Set((cue.slots.get(slot) ?? []).map(keyOf));
  const slots = [...new Set([...a.slots.keys(), ...b.slots.keys()])].filter((slot) => slot !== "by");
  return slots.every((slot) => {
    const [ours, theirs] = [keys(a, slot), keys(b, slot)];
    return ours.size === theirs.size && [...ours].every((key) => theirs.has(key));
  });
}

const keyOf = ({ entity, field, words, role }: Filler): string => JSON.stringify([entity, field, words, role]);
