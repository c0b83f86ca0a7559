import { type Lines, linesOf, noLines, SERVICE } from "./cue_lines";
import { type Names, type Pen, Unsaid } from "./cue_names";
import type { Draft, DraftCue } from "./draft";
import { unitOf } from "./periods";
import { times } from "./times";
import { quote } from "./values";

/** Figures by mail: the schedule that mails the report which another cue of the text makes. */
export function mailed(cue: DraftCue, draft: Draft, names: Names, pen: Pen): Lines {
  const addresses = (cue.slots.get("n") ?? []).filter(({ words }) => words.includes("@")).map(({ words }) => pen.characters.strip(words, "\"'“”‘’` <>.,"));
  const unit = unitOf(cue, pen);
  const [report, ...others] = new Set(reports(cue, draft, names, pen));
  if (addresses.length === 0 || !pen.tables.mailed.units.includes(unit) || report === undefined || others.length > 0) throw new Unsaid();
  const work = [...new Set(addresses)].map((to) => `  mail report ${report} to ${quote(to)}`);
  const told = (cue.slots.get("per") ?? []).map(({ words }) => words).filter((words) => words !== "");
  const lines = times(told, cue.words, pen).map((time) => ({ where: SERVICE, construct: "schedule", text: [`every ${time} {`, ...work, "}"].join("\n") }));
  return { ...noLines(), lines };
}

/** The names of the reports that may be meant: of the entity, and of the field where one is named. */
function* reports(cue: DraftCue, draft: Draft, names: Names, pen: Pen): Iterable<string> {
  const about = (cue.slots.get("of") ?? []).filter(({ entity }) => entity !== "").map((f) => names.target(f));
  const fields = (cue.slots.get("from") ?? []).filter(({ field }) => field !== "");
  for (const figure of draft.cues) {
    const measured = figure.slots.get("from") ?? [];
    const isOther = fields.some(({ entity, field }) => !measured.some((f) => f.entity === entity && f.field === field));
    if (!pen.tables.mailed.figures.includes(figure.kind) || isOther) continue;
    const text = attempted(() => linesOf(figure, names, pen, false).lines[0]?.text ?? "");
    const [head = "", source = ""] = text.split("\n");
    if (text !== "" && (about.length === 0 || about.includes(source.trim().split(" ")[1] ?? ""))) yield head.split(" ")[1] ?? "";
  }
}

function attempted(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (error instanceof Unsaid) return "";
    throw error;
  }
}
