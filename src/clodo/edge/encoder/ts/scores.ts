/** Sums and chances over scores. */

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

export function logSoftmax(scores: readonly number[]): number[] {
  const most = scores[argmax(scores)] ?? 0;
  let total = 0;
  for (const score of scores) total += Math.exp(score - most);
  const by = most + Math.log(total);
  return scores.map((score) => score - by);
}

export const softmax = (scores: readonly number[]): number[] => logSoftmax(scores).map(Math.exp);

export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

/** A power of a score, kept within what single precision holds. */
export const power = (score: number): number => Math.exp(Math.min(25, Math.max(-25, score)));
