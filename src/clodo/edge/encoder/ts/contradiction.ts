import type { Reading, Span } from "./reading";
import { argmax } from "./scores";
import type { Tables } from "./tables";

/** Pieces of a text → the scores of its verdicts. */
export type Judge = (pieces: readonly number[]) => Promise<readonly number[]>;

/** The sentence by which a text contradicts itself: the one without which it does so least. There is none where none stands out. */
export async function clashing(reading: Reading, judge: Judge, { labels, decoding }: Tables): Promise<Span | undefined> {
  const sentences = sentencesOf(reading);
  const [only] = sentences;
  if (only !== undefined && sentences.length === 1) return charactersOf(reading, only);
  if (sentences.length === 0 || sentences.length * reading.pieces.length > decoding.mostRead) return undefined;
  const [contradictory, clear] = [labels.verdicts.indexOf("contradictory"), labels.verdicts.indexOf("clear")];
  const leaning = async (pieces: readonly number[]): Promise<number> => {
    const verdict = await judge(pieces);
    return (verdict[contradictory] ?? 0) - (verdict[clear] ?? 0);
  };
  const whole = await leaning(reading.pieces);
  const gains: number[] = [];
  for (const sentence of sentences) gains.push(whole - (await leaning(without(reading, sentence))));
  const best = argmax(gains);
  const found = sentences[best];
  return found !== undefined && (gains[best] ?? 0) > 0 ? charactersOf(reading, found) : undefined;
}

/** The first and last word of each sentence that says something. */
function sentencesOf(reading: Reading): Span[] {
  const spans = new Map<number, Span>();
  reading.sentences.forEach((sentence, word) => spans.set(sentence, [spans.get(sentence)?.[0] ?? word, word]));
  return [...spans.values()].filter((s) => /\p{L}/u.test(reading.text.slice(...charactersOf(reading, s))));
}

const without = ({ pieces, first, last }: Reading, [from, to]: Span): number[] => [
  ...pieces.slice(0, first[from] ?? 0),
  ...pieces.slice((last[to] ?? 0) + 1),
];

const charactersOf = ({ words }: Reading, [from, to]: Span): Span => [words[from]?.[0] ?? 0, words[to]?.[1] ?? 0];
