import { placeOf } from "./addresses";
import type { Block, Member } from "./blocks";
import { type Lines, noLines } from "./cue_lines";
import { type Pen, Unsaid } from "./cue_names";
import type { DraftCue } from "./draft";
import { headerOf } from "./gateways";
import { quote } from "./values";

const SITE: Block = ["site", ""];
export const SITE_CUES = ["spa", "redirect", "header-set", "header-remove"];

/** The site itself, with some lines. */
export function siteOf(...lines: readonly string[]): Lines {
  const blocks: Member[] = [[SITE, ""], ...lines.map((line) => [SITE, line] as const)];
  return { ...noLines(), blocks };
}

/** What a cue adds to the site. */
export function siteLines(cue: DraftCue, pen: Pen): Lines {
  if (cue.kind === "spa") return siteOf("single page");
  // A site has no headers but its own.
  if (cue.kind === "header-remove") throw new Unsaid();
  // It is of a site that there is, and makes none.
  if (cue.kind === "header-set") return { ...noLines(), blocks: [[SITE, `header "/*" ${quote(headerOf(cue, pen).join(": "))}`]] };
  const places = (slot: string): string[] => (cue.slots.get(slot) ?? []).map(({ words }) => placeOf(words, pen)).filter((place) => place !== "");
  const [target] = places("to");
  const sources = places("from").filter((source) => source.startsWith("/"));
  if (target === undefined || sources.length === 0) throw new Unsaid();
  const tail = pen.characters.pattern(pen.tables.brief).test(cue.words.toLowerCase()) ? " for now" : "";
  return siteOf(...sources.map((source) => `redirect ${quote(source)} to ${quote(fitting(target, source))}${tail}`));
}

/** The target without a star where the source has none, which would stand for nothing. */
const fitting = (target: string, source: string): string =>
  source.endsWith("/*") || !target.endsWith("/*") ? target : target.slice(0, -2) || "/";
