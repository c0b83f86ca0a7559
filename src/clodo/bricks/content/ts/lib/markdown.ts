import { escape, inline, isBlank } from "./markdown-inline";

/**
 * Markdown as HTML that is safe to put into a page. Everything that a writer typed is escaped; tags and attributes come from this
 * module alone. It knows headings, paragraphs, quotes, lists, code, rules, emphasis, links, images, line breaks. It knows no raw
 * HTML. Its work grows with the length of the text and not with how the text is made.
 */
export function markdownToHtml(text: string): string {
  const lines = text.replaceAll("\u0000", "\ufffd").split(/\r\n|\r|\n/).map(withoutTabs);
  return blocks(lines, 0, false);
}

type Block = readonly [html: string, next: number];

/** Quotes and lists within each other: deeper ones are plain text. */
const MOST_NESTED = 16;

const withoutTabs = (line: string): string =>
  line.replace(/^[ \t]+/, (space) => space.replaceAll("\t", "    "));
const indentOf = (line: string): number => line.length - line.trimStart().length;

function blocks(lines: readonly string[], depth: number, tight: boolean): string {
  const out: string[] = [];
  for (let at = 0; at < lines.length; ) {
    if (isBlank(lines[at] ?? "")) {
      at += 1;
      continue;
    }
    const [html, next] = fence(lines, at) ?? heading(lines, at) ?? rule(lines, at) ?? quote(lines, at, depth) ??
      list(lines, at, depth) ?? indented(lines, at) ?? paragraph(lines, at, tight);
    out.push(html);
    at = next;
  }
  return out.join("\n");
}

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

function fence(lines: readonly string[], at: number): Block | undefined {
  const open = FENCE.exec(lines[at] ?? "");
  const [mark, info] = [open?.[1] ?? "", open?.[2] ?? ""];
  if (open === null || (mark.startsWith("`") && info.includes("`"))) return undefined;
  const code: string[] = [];
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    const close = FENCE.exec(line);
    if (close?.[1]?.startsWith(mark) && isBlank(close[2] ?? "")) break;
    code.push(line);
  }
  const language = /^[\w+#.-]{1,40}/.exec(info.trim())?.[0];
  const kind = language === undefined ? "" : ` class="language-${escape(language)}"`;
  return [`<pre><code${kind}>${escape(code.map((line) => `${line}\n`).join(""))}</code></pre>`, next + 1];
}

function heading(lines: readonly string[], at: number): Block | undefined {
  const match = /^ {0,3}(#{1,6})(?: (.*))?$/.exec(lines[at] ?? "");
  if (match === null) return undefined;
  const level = match[1]?.length ?? 1;
  return [`<h${level}>${inline(withoutClosing((match[2] ?? "").trim()))}</h${level}>`, at + 1];
}

/** A heading may end with signs of its own, as in `## Title ##`. */
function withoutClosing(text: string): string {
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  return end === 0 || text[end - 1] === " " ? text.slice(0, end).trimEnd() : text;
}

const isRule = (line: string): boolean => /^ {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$/.test(line);

const rule = (lines: readonly string[], at: number): Block | undefined =>
  isRule(lines[at] ?? "") ? ["<hr>", at + 1] : undefined;

const isQuote = (line: string): boolean => /^ {0,3}>/.test(line);

function quote(lines: readonly string[], at: number, depth: number): Block | undefined {
  if (depth >= MOST_NESTED || !isQuote(lines[at] ?? "")) return undefined;
  let next = at;
  while (isQuote(lines[next] ?? "")) next += 1;
  const inner = lines.slice(at, next).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return [`<blockquote>\n${blocks(inner, depth + 1, false)}\n</blockquote>`, next];
}

interface Marker {
  /** What all items of a list have in common. */
  readonly kind: string;
  readonly start: number;
  /** Where the text of the item begins. */
  readonly offset: number;
  readonly isEmpty: boolean;
}

function markerOf(line: string): Marker | undefined {
  const match = /^ {0,3}([-+*]|(\d{1,9})([.)]))(?= |$)/.exec(line);
  if (match === null || isRule(line)) return undefined;
  const rest = line.slice(match[0].length);
  const space = isBlank(rest) || indentOf(rest) > 4 ? 1 : indentOf(rest);
  const kind = match[3] ?? match[1] ?? "";
  return { kind, start: Number(match[2] ?? 0), offset: match[0].length + space, isEmpty: isBlank(rest) };
}

function list(lines: readonly string[], at: number, depth: number): Block | undefined {
  const first = markerOf(lines[at] ?? "");
  if (first === undefined || depth >= MOST_NESTED) return undefined;
  const items: string[][] = [];
  let loose = false;
  let next = at;
  for (;;) {
    const marker = markerOf(lines[next] ?? "");
    if (marker === undefined || marker.kind !== first.kind) break;
    const [item, end, gap] = itemAt(lines, next, marker.offset);
    const goesOn = markerOf(lines[end] ?? "")?.kind === first.kind;
    loose ||= item.includes("") || (gap && goesOn);
    items.push(item);
    next = end;
  }
  const tag = /\d/.test(lines[at]?.trimStart()[0] ?? "") ? "ol" : "ul";
  const start = tag === "ol" && first.start !== 1 ? ` start="${first.start}"` : "";
  const inner = items.map((item) => `<li>${blocks(item, depth + 1, !loose)}</li>`).join("\n");
  return [`<${tag}${start}>\n${inner}\n</${tag}>`, next];
}

/** The lines of a list's item, where the next thing begins, and whether there is a gap before it. */
function itemAt(lines: readonly string[], at: number, offset: number): [item: string[], next: number, gap: boolean] {
  const item = [(lines[at] ?? "").slice(offset)];
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    if (isBlank(line)) item.push("");
    else if (indentOf(line) >= offset) item.push(line.slice(offset));
    else if (item.at(-1) !== "" && !startsBlock(line) && markerOf(line) === undefined) item.push(line.trimStart());
    else break;
  }
  const all = item.length;
  while (item.length > 1 && item.at(-1) === "") item.pop();
  return [item[0] === "" ? item.slice(1) : item, next, item.length < all];
}

function indented(lines: readonly string[], at: number): Block | undefined {
  if (indentOf(lines[at] ?? "") < 4) return undefined;
  let next = at;
  while (next < lines.length && (indentOf(lines[next] ?? "") >= 4 || isBlank(lines[next] ?? ""))) next += 1;
  let end = next;
  while (isBlank(lines[end - 1] ?? "")) end -= 1;
  const code = lines.slice(at, end).map((line) => `${line.slice(4)}\n`);
  return [`<pre><code>${escape(code.join(""))}</code></pre>`, next];
}

function startsBlock(line: string): boolean {
  const marker = markerOf(line);
  const item = marker !== undefined && !marker.isEmpty && (marker.start === 1 || "-+*".includes(marker.kind));
  return item || FENCE.test(line) || /^ {0,3}#{1,6}(?: |$)/.test(line) || isRule(line) || isQuote(line);
}

function paragraph(lines: readonly string[], at: number, tight: boolean): Block {
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    const underline = /^ {0,3}(?:(=+)|-+) *$/.exec(line);
    if (underline !== null) {
      const level = underline[1] === undefined ? 2 : 1;
      return [`<h${level}>${text(lines, at, next)}</h${level}>`, next + 1];
    }
    if (isBlank(line) || startsBlock(line)) break;
  }
  const html = text(lines, at, next);
  return [tight ? html : `<p>${html}</p>`, next];
}

const text = (lines: readonly string[], at: number, next: number): string =>
  inline(lines.slice(at, next).map((line) => line.trimStart()).join("\n").trimEnd());
