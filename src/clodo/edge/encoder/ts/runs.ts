import { ageOf } from "./ages";
import { type Lines, linesOf } from "./cue_lines";
import { type Names, type Pen, Unsaid } from "./cue_names";
import type { Draft, DraftCue, Filler } from "./draft";
import type { Outcome, Run } from "./schedules";
import { stepsApart } from "./steps";

/** What an action sets fields of its own row to that leaves them so: a state, or a tick. */
const OUTCOME = /(?:^ {2}set |, )(\w+) = ("[^"]*"|true|false)(?=,|$)/gm;

/**
 * The schedule that a cue comes to: it runs the steps of the text that it calls by their verbs. Throws `Unsaid` where the text leaves open
 * what a line would need, or has no step, or several, of such a verb.
 */
export function scheduled(cue: DraftCue, draft: Draft, names: Names, pen: Pen): Lines {
  const verbs = (cue.slots.get("n") ?? []).filter(({ words }) => words !== "" && pen.numbers.read(words) === undefined);
  const runs = verbs.map(({ words }) => {
    const [run, ...others] = meant(words, cue, draft, names, pen);
    if (run === undefined || others.length > 0) throw new Unsaid();
    return run;
  });
  return linesOf(cue, names, pen, false, runs, () => ageOf(cue, draft, pen));
}

/** The steps of that verb with the rows of the schedule; an outcome beside the verb tells those of one verb apart. */
function meant(words: string, cue: DraftCue, draft: Draft, names: Names, pen: Pen): Run[] {
  const outcomes = ({ slots }: DraftCue): string[] => ["set", "unset"].flatMap((name) => slots.get(name) ?? []).map(keyOf);
  const found = new Map<string, Run>();
  for (const { cue: step, apart } of stepsApart(draft.cues, pen)) {
    if (!pen.tables.steps.includes(step.kind) || pen.verbs.step(step.words) !== pen.verbs.step(words)) continue;
    const theirs = outcomes(step);
    if (outcomes(cue).some((one) => !theirs.includes(one)) || names.about(step) !== names.about(cue)) continue;
    for (const { text } of linesOf(step, names, pen, apart).lines) {
      const action = /^action (\w+)/.exec(text)?.[1];
      if (action === undefined) continue;
      const run = { action, outcomes: [...text.matchAll(OUTCOME)].map(([, name = "", value = ""]): Outcome => [name, value]) };
      found.set(JSON.stringify(run), run);
    }
  }
  return [...found.values()];
}

const keyOf = ({ entity, field, words, role }: Filler): string => JSON.stringify([entity, field, words, role]);
