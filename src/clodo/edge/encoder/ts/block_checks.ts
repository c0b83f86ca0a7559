import type { Line } from "./cue_lines";
import type { BlockTables } from "./tables";
import type { Blueprint } from "./values";

const ROUTE = /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(\/\*)?$/;
const PLACE = /^(?:\/|(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+(?:\/\*)?|\/\*)$/;
const HEADER = /^[A-Za-z0-9-]{1,64}$/;
const VALUE = /^[\x20-\x7e]{0,1000}$/;
const SITE_VALUE = /^[\x20-\x7e]{1,2000}$/;
const FOLDER = /^[A-Za-z0-9_-]{1,64}(?:\/[A-Za-z0-9_-]{1,64}){0,7}$/;
const PAGE = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\.html$/;
/** The most requests of a route in a minute, and in longer times. */
const MOST_REQUESTS = 100_000;
const MOST_LONGER = 1_000_000;
const DAY = 86_400;

/** What a check of blocks needs: the service, all lines, and the path that the rows of each entity have. */
export interface Around {
  readonly b: Blueprint;
  readonly lines: readonly Line[];
  readonly tables: BlockTables;
  readonly pathOf: (entity: string) => string;
}

const membersOf = (text: string): string[] => text.split("\n").slice(1, -1).map((line) => line.trim());

/** The texts in quotation marks of a line. */
const quoted = (line: string): string[] => (line.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((text) => String(JSON.parse(text)));

/** Whether waiting and trying again keep to their bounds. The address was made of what is one. */
export function upstreamFits(text: string): boolean {
  return membersOf(text).every((line, i, all) => {
    const value = Number(/[-\d.]+/.exec(line)?.[0]);
    const isOnce = all.findIndex((other) => other.split(" ")[0] === line.split(" ")[0]) === i;
    return isOnce && (line.startsWith("timeout") ? value >= 0.05 && value <= 60 : Number.isInteger(value) && value >= 0 && value <= 5);
  });
}

/** Whether a route leads where nothing else answers, asks for whom it counts, and has headers that there can be. */
export function routeFits(text: string, { b, lines, tables, pathOf }: Around): boolean {
  const [path = ""] = quoted(text.split("\n")[0] ?? "");
  const prefix = path.replace(/\/\*$/, "");
  const taken = [...tables.ownPaths, ...b.entities.map(({ name }) => pathOf(name)), ...(b.users === undefined ? [] : ["/api/auth"]), ...claimed(lines)];
  if (!ROUTE.test(path) || (prefix !== "" && taken.some((other) => prefix === other || prefix.startsWith(`${other}/`)))) return false;
  const methods = methodsOf(text);
  const before = lines.slice(0, lines.findIndex((line) => line.text === text)).filter(({ construct }) => construct === "route");
  const meets = (other: readonly string[]): boolean => methods.length === 0 || other.length === 0 || other.some((m) => methods.includes(m));
  if (before.some((line) => quoted(line.text)[0] === path && meets(methodsOf(line.text)))) return false;
  return routeLinesFit(membersOf(text), b, tables);
}

const methodsOf = (text: string): string[] => membersOf(text).find((line) => line.startsWith("methods"))?.match(/[A-Z]+/g) ?? [];

/** Whether a line is a step that is done behind the answer; without users, whoever holds the key looks after these. */
export const isDoneLater = ({ construct, text }: Line): boolean => construct === "action" && text.split("\n")[0]?.endsWith(" later {") === true;

/** Paths that other lines claim; a route below one that is claimed as a whole is refused, too. */
function claimed(lines: readonly Line[]): string[] {
  return lines.flatMap((line) => {
    const { construct, text } = line;
    if (isDoneLater(line)) return ["/api/background-jobs"];
    if (construct === "metrics") return ["/metrics"];
    if (construct === "audit") return ["/api/audit"];
    if (construct === "manage_roles") return ["/api/users"];
    if (construct === "webhook") return ["/api/webhooks"];
    if (construct === "incoming") return ["/api/incoming"];
    return construct === "report" ? [`/api/reports/${(text.split(" ")[1] ?? "").replaceAll("_", "-")}`] : [];
  });
}

/** What there is one limit of: the minute, and of longer times each kind of caller. */
function limitKey(line: string): string {
  const [, span = "", who = ""] = line.split(" per ");
  return `limit ${span}${span === "minute" ? "" : who}`;
}

function routeLinesFit(members: readonly string[], b: Blueprint, tables: BlockTables): boolean {
  const allow = members.find((line) => line.startsWith("allow "))?.replace("allow ", "") ?? "public";
  const known = ["admin", "user", ...(b.users?.roles ?? [])];
  if (allow !== "public" && allow !== "key" && b.users === undefined) return false;
  if (allow.startsWith("role ") && !allow.slice(5).split(", ").every((role) => known.includes(role))) return false;
  const keys = members.map((line) => (line.startsWith("limit ") ? limitKey(line) : /^(?:answer )?(?:set|remove) /.test(line) ? `${/^\D*?(?:set|remove)/.exec(line)?.[0] ?? ""} ${quoted(line)[0]?.toLowerCase() ?? ""}` : (line.split(" ")[0] ?? "")));
  const mayRepeat = (key: string): boolean => /^(?:answer )?remove /.test(key);
  if (keys.some((key, i) => !mayRepeat(key) && keys.indexOf(key) !== i)) return false;
  return members.every((line) => {
    const [name = "", value = ""] = quoted(line);
    const many = Number(/-?\d[\d.]*/.exec(line)?.[0]);
    if (line.startsWith("limit ")) return Number.isInteger(many) && many >= 1 && many <= (line.includes(" per minute ") ? MOST_REQUESTS : MOST_LONGER);
    if (line.startsWith("cache ")) return Number.isInteger(many) && many >= 1 && many <= DAY;
    if (line.startsWith("methods ") || line.startsWith("allow ")) return true;
    return HEADER.test(name) && !tables.routeHeaders.includes(name.toLowerCase()) && VALUE.test(value);
  });
}

interface Redirect {
  readonly source: string;
  readonly target: string;
}

/** Whether the paths of a site are paths, each leads to one place and none in a circle, and its headers are headers. */
export function siteFits(text: string, { lines, tables }: Around): boolean {
  if (lines.some(({ construct, text: other }) => construct === "route" && quoted(other)[0] === "/*")) return false;
  const members = membersOf(text);
  const redirects = members.filter((line) => line.startsWith("redirect ")).map((line): Redirect => {
    const [source = "", target = ""] = quoted(line);
    return { source, target };
  });
  const areFine = redirects.every((r, i) => redirectFits(r, tables) && !redirects.slice(0, i).some((other) => reaches(other.source, r.source)));
  return areFine && siteLinesFit(members, tables) && !redirects.some((r) => isCircle(r, redirects)) && members.filter((line) => line.startsWith("header ")).every((line) => siteHeaderFits(quoted(line), tables));
}

/** Whether headers that are never sent are none that the site sends, and its folder and its page for what is not there are such. */
function siteLinesFit(members: readonly string[], { siteHeaders, siteFolders }: BlockTables): boolean {
  const named = (start: string): string[] => members.filter((line) => line.startsWith(start)).map((line) => quoted(line)[0] ?? "");
  const removed = named("never send ").map((name) => name.toLowerCase());
  const sent = members.filter((line) => line.startsWith("header ")).map((line) => (quoted(line)[1] ?? "").split(":")[0]?.trim().toLowerCase() ?? "");
  if (removed.some((name, i) => !HEADER.test(name) || siteHeaders.includes(name) || sent.includes(name) || removed.indexOf(name) !== i)) return false;
  const folders = named("folder ");
  if (folders.length > 1 || folders.some((name) => !FOLDER.test(name) || siteFolders.includes(name.toLowerCase().split("/")[0] ?? ""))) return false;
  const pages = named("not found ");
  return pages.length <= 1 && pages.every((name) => PAGE.test(name));
}

function siteHeaderFits([, line = ""]: readonly string[], { siteHeaders }: BlockTables): boolean {
  const at = line.indexOf(":");
  const name = line.slice(0, at).trim();
  return HEADER.test(name) && SITE_VALUE.test(line.slice(at + 1).trim()) && !siteHeaders.includes(name.toLowerCase());
}

function redirectFits({ source, target }: Redirect, { siteOwnPaths }: BlockTables): boolean {
  if (!PLACE.test(source) || siteOwnPaths.some((own) => source === own || source.startsWith(`${own}/`))) return false;
  const place = source.endsWith("/*") ? target.replace(/\*$/, "") : target;
  return /^https?:/.test(place) || (PLACE.test(place.replace(/\/+$/, "") || "/") && !place.includes("*"));
}

/** Whether a path belongs to a pattern: itself, or with a star what lies below. */
function reaches(pattern: string, path: string): boolean {
  const prefix = pattern.replace(/\/\*$/, "");
  return path === prefix || (pattern.endsWith("/*") && path.startsWith(`${prefix}/`)) || path === pattern;
}

function isCircle(first: Redirect, redirects: readonly Redirect[]): boolean {
  let here: Redirect | undefined = first;
  for (let step = 0; step < redirects.length && here !== undefined; step += 1) {
    const place: string = here.target.replace(/\*$/, "").replace(/\/+$/, "") || "/";
    here = redirects.find(({ source }) => reaches(source, place));
    if (here === first) return true;
  }
  return false;
}
