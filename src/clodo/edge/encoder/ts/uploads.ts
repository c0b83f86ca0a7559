import { type Names, type Pen, unsaid } from "./cue_names";
import type { DraftCue } from "./draft";

/** Slots that say what a step does. */
export const OUTCOMES = ["set", "unset", "to", "plus", "minus", "makes"];
/** The slots of an upload that is no step. */
const ALONE = ["of", "set", "by"];

/**
 * Whether a cue says that files of a row are uploaded, perhaps by whom, and nothing besides: that is a request of its own. Throws `Unsaid`
 * where it is not said of which rows.
 */
export function isUpload(cue: DraftCue, names: Names, { verbs }: Pick<Pen, "verbs">): boolean {
  const files = cue.slots.get("set") ?? [];
  const isMore = [...cue.slots].some(([name, fillers]) => fillers.length > 0 && !ALONE.includes(name));
  if (cue.kind !== "action" || files.length === 0 || isMore || !verbs.uploads(cue.words)) return false;
  return files.every((f) => f.words === "" && names.file(f) !== undefined && names.entity(f) === names.about(cue));
}

/**
 * The cue with the files that are given with a step among its conditions; throws `Unsaid` where the step does nothing besides, and its
 * verb may be what is done with the file itself ("changes the photo").
 */
export function withUploads(cue: DraftCue, names: Names, { tables, verbs }: Pen): DraftCue {
  const given = cue.slots.get("set") ?? [];
  const files = given.filter((f) => f.words === "" && names.file(f) !== undefined);
  if (!tables.steps.includes(cue.kind) || files.length === 0) return cue;
  const slots = new Map(cue.slots);
  slots.set("set", given.filter((f) => !files.includes(f)));
  slots.set("when", [...(cue.slots.get("when") ?? []), ...files]);
  const hasOutcome = OUTCOMES.some((name) => (slots.get(name) ?? []).length > 0);
  if (!hasOutcome && verbs.uploads(cue.words)) unsaid();
  return { ...cue, slots };
}
