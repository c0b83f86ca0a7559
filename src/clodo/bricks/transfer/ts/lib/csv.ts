import type { Entity } from "./entity";
import { Problem } from "./problem";

/** A cell as it stands in the file: `""` in quotes is an empty text, nothing at all is no value. */
export interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

/** What spreadsheets take for the beginning of a formula, behind any number of apostrophes. */
const FORMULA = /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** An apostrophe in front keeps a spreadsheet from calculating a text; `unguarded` takes it away again. */
export const guarded = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);
export const unguarded = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;

/** A value of an answer as a cell. Where any JSON may stand, a text is JSON too: `123` would come back as a number. */
export function cell(entity: Entity, name: string, value: unknown): string {
  if (value === null || value === undefined) return "";
  const isText = typeof value === "string";
  if (isText && entity.fields[name]?.comparable === false) return quoted(JSON.stringify(value));
  if (isText) return quoted(guarded(value));
  return quoted(typeof value === "object" ? JSON.stringify(value) : String(value));
}

const quoted = (text: string): string =>
  text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

export const line = (cells: readonly string[]): string => `${cells.join(",")}\r\n`;

/** A cell as the value of a body; `undefined` where the cell is empty. What is no such value stays a text, and
 * the checks of the body say what is wrong with it. */
export function cellValue(entity: Entity, name: string, { text, quoted: inQuotes }: Cell): unknown {
  if (text === "" && !inQuotes) return undefined;
  const field = entity.fields[name];
  if (field === undefined) return text;
  if (!field.comparable) return parsed(text);
  if (!field.numeric) return unguarded(text);
  if (!field.ranged) return { true: true, false: false }[text.toLowerCase()] ?? text;
  return /^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return unguarded(text);
  }
}

const broken = (row: number, what: string): Problem => new Problem(400, `The CSV is broken in record ${row}: ${what}.`);

/** The records of a CSV text (RFC 4180) that comes in pieces. Empty lines are passed over. */
export async function* records(texts: AsyncIterable<string>): AsyncGenerator<Cell[]> {
  let row: Cell[] = [];
  let text = "";
  let state: "start" | "plain" | "quoted" | "closed" = "start";
  let count = 1;
  let afterReturn = false;
  const endCell = (): void => {
    row.push({ text, quoted: state === "closed" });
    text = "";
    state = "start";
  };
  for await (const piece of texts) {
    for (const char of piece) {
      if (state === "quoted") {
        if (char === '"') state = "closed";
        else text += char;
        continue;
      }
      const isLineFeed = afterReturn && char === "\n";
      afterReturn = char === "\r";
      if (isLineFeed) continue;
      if (char === '"') {
        if (state === "plain") throw broken(count, "a quote stands inside a cell without quotes");
        if (state === "closed") text += char;
        state = "quoted";
      } else if (char === ",") endCell();
      else if (char === "\n" || char === "\r") {
        const isEmpty = row.length === 0 && state === "start";
        endCell();
        if (!isEmpty) {
          yield row;
          count += 1;
        }
        row = [];
      } else if (state === "closed") throw broken(count, "text follows a closing quote");
      else {
        state = "plain";
        text += char;
      }
    }
  }
  if (state === "quoted") throw broken(count, "a quote is never closed");
  if (row.length > 0 || state !== "start") {
    endCell();
    yield row;
  }
}
