import { type Names, type Pen, Unsaid } from "./cue_names";
import type { Draft, DraftCue, Filler } from "./draft";
import { Nearby } from "./nearby";
import { listed, type Quoting } from "./quoting";
import type { Span } from "./reading";
import { receivers } from "./receivers";
import type { Tables } from "./tables";

/**
 * What to tell of mails that go to the administrator, who may not be whom the text means: a note for each of whom no address is known,
 * in its words, and one for all mails of which it names nobody who gets them. `stands` is what of the draft stands in its blueprint.
 */
export function notesOnMails(draft: Draft, stands: Draft, names: Names, pen: Pen, tables: Tables["mailNotes"], quoting: Quoting): string[] {
  const nearby = new Nearby(pen.tables, pen.characters);
  const filled = (kind: string, ...said: readonly string[]): string =>
    (tables.told[kind] ?? "").split("{}").map((part, i) => part + (said[i] ?? "")).join("");
  const told = new Set<string>();
  const unnamed = new Set<string>();
  for (const cue of stands.cues.filter(({ kind }) => kind === "notify")) {
    const missing = missingOf(cue, names, pen);
    for (const filler of missing ?? []) {
      const words = quoting.quoted(wordsOf(draft, cue, filler, quoting), tables.nameWords);
      told.add(filled(filler.field === "" ? "somebody" : "field", words, names.about(cue).name.replaceAll("_", " ")));
    }
    const [at] = cue.evidence.spans;
    if (missing?.length === 0 && at !== undefined && quoting.plain(cue.words) !== "") unnamed.add(quoting.around(draft.text, at, tables.words, nearby));
  }
  const notes = [...told].slice(0, tables.most);
  return unnamed.size > 0 ? [...notes, filled("nobody", listed([...unnamed].slice(0, tables.most)))] : notes;
}

/** Whose mails go to the administrator; none where the text names nobody, and undefined where it says to whom all go. */
function missingOf(cue: DraftCue, names: Names, pen: Pen): readonly Filler[] | undefined {
  try {
    const { known, missing } = receivers(cue, names, names.about(cue), pen);
    return missing.length > 0 || known.length === 0 ? missing : undefined;
  } catch (error) {
    if (error instanceof Unsaid) return undefined;
    throw error;
  }
}

/** The words of the text for somebody: of several, those that stand next to the cue. */
function wordsOf(draft: Draft, { evidence }: DraftCue, filler: Filler, quoting: Quoting): string {
  if (filler.at !== undefined && filler.at !== null) return draft.text.slice(...filler.at);
  const e = draft.entities.get(filler.entity);
  const spans = (e?.fields.get(filler.field) ?? e)?.evidence.spans ?? [];
  const [[start, end] = [0, 0]] = evidence.spans;
  const distance = ([a, b]: Span): number => Math.max(a - end, start - b);
  const near = [...spans].sort((s, t) => distance(s) - distance(t) || s[0] - t[0] || s[1] - t[1]).map((span) => draft.text.slice(...span));
  const name = [filler.role, filler.field, filler.entity].find((said) => said !== "") ?? "";
  return near.find((words) => quoting.plain(words) !== "") ?? name.replaceAll("_", " ");
}
