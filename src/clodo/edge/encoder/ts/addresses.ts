import type { Pen } from "./cue_names";

const ADDRESS = /^https?:\/\/([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?((?:\/[A-Za-z0-9._~%-]+)*)$/;
const BARE = /^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?(?:\/.*)?|(?:[A-Za-z0-9-]+:[0-9]{1,5}|localhost)(?:\/.*)?)$/;
const SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/;
const WORD = /^[A-Za-z0-9_~-]+(?:\/[A-Za-z0-9_~-]+)*$/;
const FOLDER = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/;
const PAGE = /^(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)*[A-Za-z0-9_~-]+$/;
const PAGE_END = /\.html?$/;
const HIGHEST_PORT = 65_535;

/** Words without the signs around them that are not of a path or an address. */
const plain = (surface: string, { characters, tables }: Pen): string => characters.strip(surface, tables.addresses.signs);

/** The address of a server; empty where the words are none. */
export function addressOf(surface: string, pen: Pen): string {
  let said = plain(surface, pen).replace(/\/?\*+$/, "").replace(/\/+$/, "");
  if (!said.includes("://") && BARE.test(said)) said = `${/^(?:localhost(?![A-Za-z0-9_])|127\.)/.test(said) ? "http" : "https"}://${said}`;
  const [, host = "", port = "1"] = ADDRESS.exec(said) ?? [];
  return /[A-Za-z0-9]/.test(host) && Number(port) > 0 && Number(port) <= HIGHEST_PORT ? said : "";
}

/** The fixed segments of a path, up to its first placeholder; undefined where the words are no path. */
export function segmentsOf(surface: string, pen: Pen): readonly string[] | undefined {
  let said = plain(surface, pen);
  const within = /^[^:/]*:\/\/[^/?#]*([^?#]*)/.exec(said);
  if (within !== null) said = within[1] || "/";
  const path = /(?:^| )(\/[^ ]*)/.exec(said)?.[1];
  if (path === undefined) {
    const { all, fillers } = pen.tables.addresses;
    const told = pen.naming.words(said);
    const isAll = told.some((word) => all.includes(word)) && told.every((word) => all.includes(word) || fillers.includes(word));
    if (isAll || /^\*+$/.test(said)) return [];
    return WORD.test(said) ? said.split("/") : undefined;
  }
  const out: string[] = [];
  for (const part of path.split("/").filter((one) => one !== "")) {
    const fixed = part.replace(/[*.…]+$/, "");
    if (fixed === "" || ":{<".includes(fixed.charAt(0))) break;
    if (!SEGMENT.test(fixed)) return undefined;
    out.push(fixed);
    if (fixed !== part) break;
  }
  return out;
}

/** What a server is called: by its host, where that says more than `api` or `localhost`, else by the path that leads there. */
export function upstreamName(address: string, path: readonly string[], taken: ReadonlySet<string>, { characters, tables }: Pen): string {
  const host = (ADDRESS.exec(address)?.[1] ?? "").toLowerCase().split(".");
  const [first = ""] = host;
  const named = !tables.addresses.plainHosts.includes(first) && !host.every((part) => /^\d+$/.test(part)) ? [first] : [];
  named.push(...path.filter((segment) => !/^(?:api|v[0-9]+)$/.test(segment)).slice(0, 1));
  const found = named.map((name) => characters.strip(name.replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+/, ""), "_").slice(0, 40)).filter((name) => name !== "");
  const usable = found.length > 0 ? found : ["backend"];
  const free = usable.find((name) => !taken.has(name));
  if (free !== undefined) return free;
  for (let number = 2; ; number += 1) if (!taken.has(`${usable[0] ?? ""}_${number}`)) return `${usable[0] ?? ""}_${number}`;
}

/** A place of a site, a path or an address elsewhere, with the star that it ends in; empty where the words are neither. */
export function placeOf(surface: string, pen: Pen): string {
  const said = plain(surface, pen);
  if (said.includes("://") || (!said.startsWith("/") && BARE.test(said) && !/^[A-Za-z0-9_-]+\.html?$/.test(said))) {
    const whole = addressOf(said, pen);
    return whole !== "" && said.endsWith("/*") ? `${whole}/*` : whole;
  }
  const found = segmentsOf(said, pen);
  return found === undefined ? "" : `/${[...found, ...(said.endsWith("*") ? ["*"] : [])].join("/")}`;
}

/** A name without what stands beside it, signs and slashes around it; empty where the words name several things. */
function alone(surface: string, { characters, tables }: Pen): string {
  const { signs, beside } = tables.addresses;
  const parts = surface.split(characters.pattern("\\s+")).map((part) => characters.strip(part, signs));
  const named = parts.filter((part) => characters.strip(part, "/") !== "" && (parts.length === 1 || !beside.includes(part.toLowerCase())));
  return named.length === 1 ? characters.strip(named[0] ?? "", "/") : "";
}

/** The folder that some words name; empty where they name none. */
export function folderOf(surface: string, pen: Pen): string {
  const said = alone(surface, pen);
  return FOLDER.test(said) ? said : "";
}

/** The file of a page of a site that some words name, from its root on; empty where they name none. */
export function pageOf(surface: string, pen: Pen): string {
  const said = alone(surface, pen).replace(PAGE_END, "");
  return PAGE.test(said) ? `/${said}.html` : "";
}

/** Whether some words name the file of a page, with its ending. */
export const isPage = (surface: string, pen: Pen): boolean => PAGE_END.test(alone(surface, pen));
