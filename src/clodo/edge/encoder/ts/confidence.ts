import type { Draft, Evidence } from "./draft";
import type { Span } from "./reading";
import type { Tables } from "./tables";

/** One part of the blueprint: its path, what it is, how sure the model is of it (0 to 1), and the words that it comes from. */
export interface Part {
  readonly path: string;
  readonly kind: string;
  readonly confidence: number;
  readonly spans: readonly Span[];
}

/** Parts with how sure the model is of them: those that stand in the blueprint, those that were heard and do not, and the chance that all that was heard is right. */
export interface Confidences {
  readonly parts: readonly Part[];
  readonly lost: readonly Part[];
  readonly whole: number;
}

export function confidences(draft: Draft, stands: Draft, curves: Tables["curves"]): Confidences {
  const raw = rawParts(draft);
  const company = raw.length === 0 ? 0 : raw.reduce((sum, { confidence }) => sum + logOdds(confidence), 0) / raw.length;
  const chance = (kind: string, confidence: number, wishes = 0): number => {
    const [slope, offset, ofCompany, ofWishes] = curves[kind] ?? [1, 0, 0, 0];
    const at = slope * logOdds(confidence) + ofCompany * company + ofWishes * wishes + offset;
    return rounded(1 / (1 + Math.exp(-Math.max(-30, Math.min(30, at)))));
  };
  const calibrated = (parts: readonly Part[]): Part[] => parts.map((part) => ({ ...part, confidence: chance(part.kind, part.confidence) }));
  const standing = rawParts(stands);
  const chances = [...calibrated(raw).map(({ confidence }) => confidence), draft.verdictConfidence];
  const together = Math.exp(chances.reduce((sum, c) => sum + Math.log(Math.max(c, 1e-6)), 0));
  return { parts: calibrated(standing), lost: calibrated(lostOf(raw, standing)), whole: chance("whole", together, Math.log(draft.cues.length + 1)) };
}

/** The parts that do not stand. What stands may rest on fewer words than were heard, and is the same part all the same. */
function lostOf(raw: readonly Part[], standing: readonly Part[]): Part[] {
  const keyOf = ({ path, kind, confidence }: Part): string => `${path} ${kind} ${confidence}`;
  const left = new Map<string, number>();
  for (const part of standing) left.set(keyOf(part), (left.get(keyOf(part)) ?? 0) + 1);
  return raw.filter((part) => {
    const count = left.get(keyOf(part)) ?? 0;
    left.set(keyOf(part), count - 1);
    return count <= 0;
  });
}

/** To four places, as Python rounds: what lies exactly between two goes to neither more often. */
const rounded = (chance: number): number => Number(chance.toFixed(4));

/** The log-odds of a chance, kept finite. */
function logOdds(chance: number): number {
  const p = Math.min(Math.max(chance, 1e-6), 1 - 1e-6);
  return Math.log(p / (1 - p));
}

function rawParts(draft: Draft): Part[] {
  const out: Part[] = [];
  const add = (path: string, { confidence, spans }: Evidence, kind: string): void => void out.push({ path, kind, confidence, spans });
  for (const e of draft.entities.values()) {
    add(e.name, e.evidence, "entity");
    for (const f of e.fields.values()) {
      add(`${e.name}.${f.name}`, f.evidence, "field");
      for (const v of f.values) add(`${e.name}.${f.name}.${v.role}`, v.evidence, "value");
    }
  }
  for (const r of draft.relations) add(`${r.source}.${r.target}.${r.kind}`, r.evidence, "relation");
  for (const cue of draft.cues) add(`(${cue.kind})`, cue.evidence, "cue");
  if (draft.access !== "unstated") add("access", draft.accessEvidence, "access");
  return out;
}
