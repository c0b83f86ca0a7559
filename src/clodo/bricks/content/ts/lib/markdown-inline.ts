/** What stands within a line of Markdown: emphasis, code, links, images, line breaks. */

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escape = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? "");

export const isBlank = (line: string): boolean => line.trim() === "";

/** A run of `*` or `_`, and what it became: tags before and behind the signs that are left of it. */
interface Mark {
  readonly part: number;
  readonly sign: string;
  readonly length: number;
  readonly opens: boolean;
  readonly closes: boolean;
  left: number;
  before: string;
  after: string;
}

interface Bracket {
  readonly part: number;
  readonly mark: number;
  readonly isImage: boolean;
  /** No link stands within another. */
  isLive: boolean;
}

const PLAIN = /[^\\`*_[\]!<\n]+/y;
const WEB = /<(https?:\/\/[^\s<>]*)>/iy;
const MAIL = /<([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})>/y;
const TARGET =
  /\([ \n]{0,4}(?:<([^<>\n]*)>|((?:[^\s()<>]|\([^\s()<>]*\))*))(?:[ \n]{1,4}(?:"([^"]*)"|'([^']*)'))?[ \n]{0,4}\)/y;

const matchAt = (pattern: RegExp, source: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(source);
};

/** A text as HTML, without the block that it stands in. */
export function inline(source: string): string {
  const parts: string[] = [];
  const marks: Mark[] = [];
  const brackets: Bracket[] = [];
  const runs = codeRuns(source);
  let at = 0;
  while (at < source.length) {
    const sign = source[at] ?? "";
    const plain = matchAt(PLAIN, source, at);
    if (plain !== null) {
      parts.push(escape(plain[0]));
      at += plain[0].length;
    } else if (sign === "\\") {
      const next = source[at + 1] ?? "";
      const isEscape = /[!-/:-@[-`{-~]/.test(next);
      parts.push(next === "\n" ? "<br>\n" : isEscape ? escape(next) : "\\");
      at += next === "\n" || isEscape ? 2 : 1;
    } else if (sign === "`") {
      at = code(source, at, runs, parts);
    } else if (sign === "*" || sign === "_") {
      at = mark(source, at, parts, marks);
    } else if (sign === "\n") {
      lineBreak(parts);
      at += 1;
    } else if (sign === "[" || (sign === "!" && source[at + 1] === "[")) {
      brackets.push({ part: parts.length, mark: marks.length, isImage: sign === "!", isLive: true });
      parts.push(sign === "!" ? "![" : "[");
      at += sign === "!" ? 2 : 1;
    } else if (sign === "]") {
      at = link(source, at, parts, marks, brackets);
    } else {
      at = other(source, at, parts);
    }
  }
  emphasise(parts, marks);
  return parts.join("");
}

/** An address in angle brackets, or the sign itself. */
function other(source: string, at: number, parts: string[]): number {
  const web = matchAt(WEB, source, at);
  const found = web ?? matchAt(MAIL, source, at);
  const address = found?.[1] ?? "";
  const href = found === null ? undefined : safeAddress(web === null ? `mailto:${address}` : address, LINKS);
  if (found === null || href === undefined) {
    parts.push(escape(source[at] ?? ""));
    return at + 1;
  }
  parts.push(`<a href="${escape(href)}">${escape(address)}</a>`);
  return at + found[0].length;
}

/** Two spaces at the end of a line break it. */
function lineBreak(parts: string[]): void {
  const last = parts.at(-1) ?? "";
  if (parts.length > 0) parts[parts.length - 1] = last.trimEnd();
  parts.push(last.endsWith("  ") ? "<br>\n" : "\n");
}

/** Where runs of backticks begin, by their length, from the last to the first. */
function codeRuns(source: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const { 0: run, index } of [...source.matchAll(/`+/g)].reverse()) {
    const found = runs.get(run.length) ?? [];
    found.push(index);
    runs.set(run.length, found);
  }
  return runs;
}

function code(source: string, at: number, runs: Map<number, number[]>, parts: string[]): number {
  let start = at;
  while (source[start] === "`") start += 1;
  const ends = runs.get(start - at) ?? [];
  while (ends.length > 0 && (ends.at(-1) ?? 0) < start) ends.pop();
  const end = ends.at(-1);
  if (end === undefined) {
    parts.push(source.slice(at, start));
    return start;
  }
  const inner = source.slice(start, end).replaceAll("\n", " ");
  const padded = inner.startsWith(" ") && inner.endsWith(" ") && !isBlank(inner);
  parts.push(`<code>${escape(padded ? inner.slice(1, -1) : inner)}</code>`);
  return end + (start - at);
}

function mark(source: string, at: number, parts: string[], marks: Mark[]): number {
  const sign = source[at] ?? "";
  let end = at;
  while (source[end] === sign) end += 1;
  const [before, behind] = [source[at - 1] ?? " ", source[end] ?? " "];
  const [spaceBefore, spaceBehind] = [/\s/u.test(before), /\s/u.test(behind)];
  const [signBefore, signBehind] = [/[\p{P}\p{S}]/u.test(before), /[\p{P}\p{S}]/u.test(behind)];
  const left = !spaceBehind && (!signBehind || spaceBefore || signBefore);
  const right = !spaceBefore && (!signBefore || spaceBehind || signBehind);
  const opens = sign === "*" ? left : left && (!right || signBefore);
  const closes = sign === "*" ? right : right && (!left || signBehind);
  marks.push({ part: parts.length, sign, length: end - at, opens, closes, left: end - at, before: "", after: "" });
  parts.push("");
  return end;
}

/** Puts tags around what stands between marks that belong together; other marks stay as they were typed. */
function emphasise(parts: string[], marks: readonly Mark[]): void {
  const open: Mark[] = [];
  // Below these there is no partner for a mark of the kind, so nobody looks there again.
  const floors = new Map<string, number>();
  for (const mark of marks) {
    while (mark.closes && mark.left > 0) {
      const kind = `${mark.sign}${mark.opens}${mark.length % 3}`;
      const floor = floors.get(kind) ?? 0;
      let at = open.length - 1;
      while (at >= floor && !isPair(open[at], mark)) at -= 1;
      const partner = open[at];
      if (at < floor || partner === undefined) {
        floors.set(kind, open.length);
        break;
      }
      const [tag, count] = partner.left > 1 && mark.left > 1 ? ["strong", 2] : ["em", 1];
      partner.left -= count;
      mark.left -= count;
      partner.after = `<${tag}>${partner.after}`;
      mark.before += `</${tag}>`;
      open.length = partner.left > 0 ? at + 1 : at;
      for (const [key, height] of floors) floors.set(key, Math.min(height, open.length));
    }
    if (mark.opens && mark.left > 0) open.push(mark);
  }
  for (const { part, sign, left, before, after } of marks) parts[part] = before + sign.repeat(left) + after;
}

function isPair(opener: Mark | undefined, closer: Mark): boolean {
  if (opener?.sign !== closer.sign) return false;
  const isEither = opener.closes || closer.opens;
  return !(isEither && (opener.length + closer.length) % 3 === 0 && (opener.length % 3 !== 0 || closer.length % 3 !== 0));
}

/** Ends a link or an image, where the bracket that closes belongs to one. */
function link(source: string, at: number, parts: string[], marks: Mark[], brackets: Bracket[]): number {
  const bracket = brackets.pop();
  const target = bracket?.isLive ? matchAt(TARGET, source, at + 1) : null;
  if (bracket === undefined || target === null) {
    parts.push("]");
    return at + 1;
  }
  emphasise(parts, marks.splice(bracket.mark));
  const inner = parts.splice(bracket.part).slice(1).join("");
  const address = safeAddress(withoutEscapes(target[1] ?? target[2] ?? ""), bracket.isImage ? IMAGES : LINKS);
  const words = target[3] ?? target[4];
  const title = words === undefined ? "" : ` title="${escape(withoutEscapes(words))}"`;
  if (bracket.isImage) {
    const alt = inner.replace(/<[^>]*>/g, "");
    parts.push(address === undefined ? alt : `<img src="${escape(address)}" alt="${alt}"${title}>`);
  } else {
    parts.push(address === undefined ? inner : `<a href="${escape(address)}"${title}>${inner}</a>`);
    for (const one of brackets) if (!one.isImage) one.isLive = false;
  }
  return at + 1 + target[0].length;
}

const withoutEscapes = (text: string): string => text.replace(/\\([!-/:-@[-`{-~])/g, "$1");

const LINKS: readonly string[] = ["http", "https", "mailto", "tel"];
const IMAGES: readonly string[] = ["http", "https"];

/** An address that runs nothing, or `undefined`. Browsers look past signs that nobody sees, so these go first. */
function safeAddress(text: string, schemes: readonly string[]): string | undefined {
  const address = text.trim().replaceAll(" ", "%20").replace(/[\p{C}\p{Z}\p{M}\s]/gu, "");
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase();
  return scheme === undefined || schemes.includes(scheme) ? address : undefined;
}
