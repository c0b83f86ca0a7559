import type { Pen } from "./cue_names";
import type { DraftCue, Filler } from "./draft";
import { Nearby } from "./nearby";
import type { Span } from "./reading";

/** The cues, those of files with all formats among their words. One that only names another format is part of the one before it. */
export function withFormats(cues: readonly DraftCue[], text: string, pen: Pen): DraftCue[] {
  const places = cues.map(({ evidence }) => evidence.spans[0]).filter((span) => span !== undefined);
  const out: DraftCue[] = [];
  for (const cue of cues) {
    if (!pen.tables.transfers.kinds.includes(cue.kind)) {
      out.push(cue);
      continue;
    }
    const words = [cue.words, ...formats(cue, text, places, pen)].join(" ");
    const first = out.findIndex((other) => other.kind === cue.kind && entitiesOf(other) === entitiesOf(cue));
    const before = out[first];
    if (before === undefined) out.push({ ...cue, words });
    else out[first] = { ...before, words: `${before.words} ${words}` };
  }
  return out;
}

const entitiesOf = ({ slots }: DraftCue): string =>
  [...new Set((slots.get("of") ?? []).map(({ entity, field, words, role }: Filler) => JSON.stringify([entity, field, words, role])))].sort().join(" ");

/** The formats that stand beside a cue, no further than the next one. */
function formats({ words, evidence }: DraftCue, text: string, places: readonly Span[], { tables, characters }: Pen): string[] {
  const [at] = evidence.spans;
  if (at === undefined) return [];
  const t = tables.transfers;
  const near = new Nearby(tables, characters);
  const stop = Math.min(text.length, ...places.map(([start]) => start).filter((start) => start >= at[1]));
  const from = Math.max(0, ...places.map(([, end]) => end).filter((end) => end <= at[0]));
  const rest = near.behind(text, at).slice(0, stop - at[1]);
  const front = near.before(text.slice(from), [at[0] - from, at[1] - from]);
  const isNamed = characters.pattern(`\\b${t.format}`).test(words.toLowerCase());
  const found = (isNamed ? [t.goesOn] : [t.followed, t.leadsTo]).map((pattern) => characters.pattern(`^(?:${pattern})`).exec(rest));
  return [...found, characters.pattern(isNamed ? t.ended : t.before).exec(front)].map((m) => m?.[1]).filter((said) => said !== undefined);
}
