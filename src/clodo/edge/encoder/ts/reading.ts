import type { Characters } from "./characters";
import type { Tokenizer } from "./tokenizer";

export type Span = readonly [start: number, end: number];

const LINE_BREAK = "¶";
const AROUND = "\n\r\t ";
/** An arrow that touches a word would be a letter of it for the tokenizer: "draft→sent". */
const ARROW = /(?<=[A-Za-z0-9])[→⇒➔➜⟶►▸]|[→⇒➔➜⟶►▸](?=[A-Za-z0-9])/g;

/**
 * A text as the model reads it: `pieces` with [CLS] and [SEP]; for each word its first and last piece, its characters (in UTF-16
 * units) and the number of its sentence or line. `end` is how far it was read.
 */
export interface Reading {
  readonly text: string;
  readonly pieces: readonly number[];
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly words: readonly Span[];
  readonly sentences: readonly number[];
  readonly end: number;
}

/** The characters from word `first` to word `last`, both included. */
export function surface(reading: Reading, first: number, last: number): string {
  return reading.text.slice(reading.words[first]?.[0] ?? 0, reading.words[last]?.[1] ?? 0);
}

/** The word in front of a word, over signs; empty for the first. */
export function before(reading: Reading, word: number): string {
  for (let i = word - 1; i >= 0; i -= 1) {
    const said = surface(reading, i, i);
    if (/[A-Za-z0-9]/.test(said)) return said;
  }
  return "";
}

/** The word right behind a word; empty for the last. */
export function behind(reading: Reading, word: number): string {
  return word + 1 < reading.words.length ? surface(reading, word + 1, word + 1) : "";
}

/** A text without the line breaks around it, as files end with, which say nothing; what stands in it keeps its place. */
function within(text: string): string {
  let [start, end] = [0, text.length];
  while (end > 0 && AROUND.includes(text[end - 1] ?? "")) end -= 1;
  while (start < end && AROUND.includes(text[start] ?? "")) start += 1;
  return " ".repeat(start) + text.slice(start, end);
}

export function read(text: string, tokenizer: Tokenizer, characters: Characters, most: number): Reading {
  const shown = within(text).replace(/[\n\r]/g, LINE_BREAK).replace(ARROW, ">");
  const all = tokenizer.encode(shown, most);
  const first: number[] = [];
  const last: number[] = [];
  const words: Span[] = [];
  const sentences: number[] = [];
  let sentence = 0;
  let boundary = false;
  let previous = -1;
  const kept = all.slice(0, most);
  kept.forEach(({ word, start, end }, index) => {
    const known = words.at(-1);
    if (word === previous && known !== undefined) {
      last[last.length - 1] = index + 1;
      words[words.length - 1] = [known[0], end];
      return;
    }
    previous = word;
    const sign = shown.charAt(start);
    if (boundary && !".!?)".includes(sign)) {
      sentence += 1;
      boundary = false;
    }
    boundary ||= [LINE_BREAK, "!", "?", ";"].includes(sign) || isFullStop(shown, start, characters);
    first.push(index + 1);
    last.push(index + 1);
    words.push([start, end]);
    sentences.push(sentence);
  });
  const pieces = [tokenizer.id("[CLS]"), ...kept.map(({ id }) => id), tokenizer.id("[SEP]")];
  const end = all.length <= most ? text.length : (words.at(-1)?.[1] ?? 0);
  return { text, pieces, first, last, words, sentences, end };
}

function isFullStop(text: string, at: number, characters: Characters): boolean {
  if (text.charAt(at) !== ".") return false;
  const next = text.charAt(at + 1);
  return next === "" || next === LINE_BREAK || characters.isSpace(next);
}
