import type { DraftCue, Filler } from "./draft";
import type { Pen } from "./cue_names";
import type { Span } from "./reading";

/** A cue, and whether another step has its verb and its entity, so that its outcome must tell the two apart. */
export interface Step {
  readonly cue: DraftCue;
  readonly apart: boolean;
  /** The own words of all that are joined in it. */
  readonly spans: readonly Span[];
}

/** The cues, a step that is said again joined to the first ("drivers close runs … planners close them, too"). */
export function stepsApart(cues: readonly DraftCue[], { tables: { steps }, verbs }: Pen): Step[] {
  const nameOf = (cue: DraftCue): string => [verbs.step(cue.words), ...(cue.slots.get("of") ?? []).map(({ entity }) => entity)].join(" ");
  const isAgain = (a: DraftCue, b: DraftCue): boolean => steps.includes(a.kind) && a.kind === b.kind && nameOf(a) === nameOf(b) && doesTheSame(a, b);
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
  const named = new Map<string, number>();
  for (const cue of once) if (steps.includes(cue.kind)) named.set(nameOf(cue), (named.get(nameOf(cue)) ?? 0) + 1);
  return once.map((cue, at) => ({ cue, apart: steps.includes(cue.kind) && (named.get(nameOf(cue)) ?? 0) > 1, spans: said[at] ?? [] }));
}

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
