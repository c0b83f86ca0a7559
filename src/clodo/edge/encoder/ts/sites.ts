import { folderOf, isPage, pageOf, placeOf } from "./addresses";
import type { Block, Member } from "./blocks";
import { type Lines, noLines } from "./cue_lines";
import { type Pen, Unsaid } from "./cue_names";
import type { DraftCue } from "./draft";
import { headerOf, said } from "./gateways";
import { isFolder } from "./storeless";
import { quote } from "./values";

const SITE: Block = ["site", ""];
const SITE_CUES = ["spa", "redirect", "header-set", "header-remove"];
/** The page for what is not there where the text does not say which, and the one that makes a single page of a site. */
const USUAL_UNKNOWN = "/404.html";
const FIRST = "/index.html";

/** Whether a cue is about the site, where it is not about routes. */
export const isOfSite = (cue: DraftCue): boolean => SITE_CUES.includes(cue.kind) || isFolder(cue);

/** The site itself, with some lines. */
export function siteOf(...lines: readonly string[]): Lines {
  const blocks: Member[] = [[SITE, ""], ...lines.map((line) => [SITE, line] as const)];
  return { ...noLines(), blocks };
}

/** What a cue adds to the site. `beside`: the service is a gateway, in which a folder makes a site of all that no route leads away. */
export function siteLines(cue: DraftCue, pen: Pen, beside: boolean): Lines {
  if (cue.kind === "spa") return siteOf("single page");
  if (cue.kind === "redirect") return isUnknown(cue, pen) ? siteOf(unknown(cue, pen)) : redirects(cue, pen);
  const found = added(cue, pen);
  if (found.length === 0) throw new Unsaid();
  const names = found.flatMap((line) => (line.split('"')[1] ?? "").toLowerCase().split("/"));
  if (beside && isFolder(cue) && names.some((name) => pen.tables.folders.includes(name))) return siteOf(...found);
  // Others are of a site that there is, and make none.
  return { ...noLines(), blocks: found.map((line) => [SITE, line] as const) };
}

function added(cue: DraftCue, pen: Pen): readonly string[] {
  if (cue.kind === "header-set") return [`header "/*" ${quote(headerOf(cue, pen).join(": "))}`];
  if (cue.kind === "header-remove") {
    const names = said(cue, "n").map((words) => pen.characters.strip(words, `${pen.tables.addresses.signs}:`));
    return names.filter((name) => name !== "").map((name) => `never send ${quote(name)}`);
  }
  const folders = said(cue, "to").map((words) => folderOf(words, pen));
  return folders.filter((name) => name !== "").map((name) => `folder ${quote(name)}`);
}

/** Whether a cue leads what is not there to a page: it says so, or names that page and nothing that leads there. */
function isUnknown(cue: DraftCue, pen: Pen): boolean {
  const { unknown: pattern, signs } = pen.tables.addresses;
  const sources = said(cue, "from");
  const targets = said(cue, "to");
  if (sources.length === 0) return targets.length === 1 && isPage(targets[0] ?? "", pen);
  return sources.every((words) => pen.characters.pattern(pattern).test(words.toLowerCase()) && !pen.characters.strip(words, signs).startsWith("/"));
}

function unknown(cue: DraftCue, pen: Pen): string {
  const [target] = said(cue, "to");
  const found = target === undefined ? USUAL_UNKNOWN : pageOf(target, pen);
  if (found === "") throw new Unsaid();
  return found === FIRST ? "single page" : `not found ${quote(found)}`;
}

function redirects(cue: DraftCue, pen: Pen): Lines {
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
