import type { Characters } from "./characters";
import type { Rows } from "./kernel";
import { type Reading, type Span, surface } from "./reading";
import { argmax, logSoftmaxWithin, softmax } from "./scores";
import type { Labels } from "./tables";

/** A marked span of words (both included) and how sure the tagger is of it. */
export interface Mention {
  readonly kind: string;
  readonly first: number;
  readonly last: number;
  readonly confidence: number;
}

const FORBIDDEN = -1e9;

/** The best well-formed sequence of tags (Viterbi: an inside tag follows its own kind). */
export function mentionsOf(tags: Rows, labels: Labels): Mention[] {
  const { count, width } = tags;
  const chances = roomFor(count * width);
  for (let i = 0; i < count; i += 1) {
    for (let tag = 0; tag < width; tag += 1) chances[i * width + tag] = tags.at(i, tag);
    logSoftmaxWithin(chances, i * width, width);
  }
  return marked(bestPath(chances, width), chances, labels);
}

/** Each word, and how sure the tagger is that it is chatter. */
export function chatterOf(tags: Rows, words: readonly Span[]): (readonly [word: Span, chance: number])[] {
  return words.map((word, i) => [word, softmax(Array.from({ length: tags.width }, (_, tag) => tags.at(i, tag)))[0] ?? 0]);
}

/** For one text at a time, and used for each: what lies outside of V8's heap stays until it collects, and it does so by its heap. */
let room = new Float64Array(0);

function roomFor(count: number): Float64Array {
  if (room.length < count) room = new Float64Array(count);
  return room.subarray(0, count);
}

/** The tag of each word, given the chances of all tags for each word. */
function bestPath(chances: Float64Array, width: number): Uint8Array {
  const count = chances.length / width;
  // For each word and tag, the tag of the word before from which it is reached best.
  const back = new Uint8Array(count * width);
  let score = new Float64Array(width);
  let next = new Float64Array(width);
  for (let to = 0; to < width; to += 1) score[to] = (chances[to] ?? 0) + allowed(0, to);
  for (let i = 1; i < count; i += 1) {
    for (let to = 0; to < width; to += 1) {
      const from = bestBefore(score, to);
      back[i * width + to] = from;
      next[to] = (score[from] ?? 0) + allowed(from, to) + (chances[i * width + to] ?? 0);
    }
    [score, next] = [next, score];
  }
  const path = new Uint8Array(count);
  let tag = argmax(score);
  for (let i = count - 1; i >= 0; i -= 1) {
    path[i] = tag;
    tag = back[i * width + tag] ?? 0;
  }
  return path;
}

/** The tag from which a tag is reached best. */
function bestBefore(score: Float64Array, to: number): number {
  let best = 0;
  for (let from = 1; from < score.length; from += 1) {
    if ((score[from] ?? 0) + allowed(from, to) > (score[best] ?? 0) + allowed(best, to)) best = from;
  }
  return best;
}

/** Tags are: outside, then begin and inside of each kind. */
function allowed(from: number, to: number): number {
  const isInside = to > 0 && to % 2 === 0;
  return isInside && from !== to && from !== to - 1 ? FORBIDDEN : 0;
}

function marked(path: Uint8Array, chances: Float64Array, labels: Labels): Mention[] {
  const width = chances.length / path.length;
  const found: Mention[] = [];
  for (let at = 0; at < path.length; at += 1) {
    const tag = path[at] ?? 0;
    if (tag === 0) continue;
    let last = at;
    while (tag % 2 === 1 && path[last + 1] === tag + 1) last += 1;
    let least = Infinity;
    for (let i = at; i <= last; i += 1) least = Math.min(least, chances[i * width + (path[i] ?? 0)] ?? 0);
    found.push({ kind: labels.kinds[(tag - 1) >> 1] ?? "", first: at, last, confidence: Math.exp(least) });
    at = last;
  }
  return found;
}

/**
 * The mentions, two values that stand side by side with nothing between them made one (`bank transfer`). Three or more are a
 * list that lacks its commas; a number and what it counts (`ten days`) stay as they are, and so do the columns of a table,
 * which more than a space sets apart.
 */
export function joinedValues(
  mentions: readonly Mention[],
  reading: Reading,
  characters: Characters,
  cardinals: readonly string[],
): Mention[] {
  const out: Mention[] = [];
  mentions.forEach((m, at) => {
    const last = out.at(-1);
    if (last !== undefined && follows(last, m) && !isInRow(mentions, at)) {
      const isCounted = cardinals.includes(surface(reading, last.first, last.last).toLowerCase());
      const between = reading.text.slice(reading.words[last.last]?.[1], reading.words[m.first]?.[0]);
      const hasDigits = [...surface(reading, last.first, m.last)].some((c) => characters.isDigit(c));
      if (between.length < 2 && between !== "\n" && !isCounted && !hasDigits) {
        const confidence = Math.min(last.confidence, m.confidence);
        out[out.length - 1] = { kind: "value", first: last.first, last: m.last, confidence };
        return;
      }
    }
    out.push(m);
  });
  return out;
}

const follows = (one: Mention | undefined, other: Mention | undefined): boolean =>
  one?.kind === "value" && other?.kind === "value" && other.first === one.last + 1;

/** Whether the value at a place and the one before it have a third beside them. */
const isInRow = (mentions: readonly Mention[], at: number): boolean =>
  follows(mentions[at - 2], mentions[at - 1]) || follows(mentions[at], mentions[at + 1]);
