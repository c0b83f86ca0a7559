import type { Pen } from "./cue_names";
import type { DraftCue } from "./draft";
import { similarity } from "./similarity";

/** The unit of time in some words, in the singular; empty where there is none. */
export const periodOf = (surface: string, pen: Pen): string => pen.tables.units[saidUnit(surface, pen)] ?? "";

/** The word for a unit of time in some words, as the table has it; empty where there is none. */
export function saidUnit(surface: string, { tables, naming }: Pen): string {
  const { units } = tables;
  for (const said of naming.words(surface)) {
    const word = Object.hasOwn(units, said) ? said : said.replace(/s+$/, "");
    const known = Object.hasOwn(units, word) || word.length < 4 ? word : closest(word, Object.keys(units));
    if (Object.hasOwn(units, known)) return known;
  }
  // Short units are known by their plurals too: dyas, weks.
  const plurals = tables.lengthUnits.map((unit) => `${unit}s`);
  for (const said of naming.words(surface)) {
    const near = [...said].length > 3 ? closest(said, plurals) : said;
    if (plurals.includes(near)) return near.slice(0, -1);
  }
  return "";
}

/** The unit of time of the slot `per` of a cue, else of its own words; empty where there is none. */
export function unitOf(cue: DraftCue, pen: Pen): string {
  const told = (cue.slots.get("per") ?? []).filter(({ words, entity }) => words !== "" && entity === "").map(({ words }) => words);
  for (const text of [...told, cue.words]) {
    if (pen.naming.words(text).some((word) => pen.tables.milliseconds.includes(word))) return "millisecond";
    const unit = periodOf(text, pen);
    if (unit !== "") return unit;
  }
  return "";
}

/** The word that is most like another, where one is alike enough; else that word itself. */
function closest(word: string, options: readonly string[]): string {
  const near = options.map((option) => ({ option, ratio: similarity(option, word) })).filter(({ ratio }) => ratio >= 0.75);
  near.sort((x, y) => y.ratio - x.ratio || (x.option < y.option ? 1 : -1));
  return near[0]?.option ?? word;
}
