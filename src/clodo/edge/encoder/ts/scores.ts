/** Sums and chances over scores. */

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

/** Scores that lie one after another in a larger array, as their logarithmic chances in their own place. */
export function logSoftmaxWithin(values: Float64Array | number[], from: number, count: number): void {
  const end = from + count;
  let most = values[from] ?? 0;
  for (let i = from + 1; i < end; i += 1) if ((values[i] ?? 0) > most) most = values[i] ?? 0;
  let total = 0;
  for (let i = from; i < end; i += 1) total += Math.exp((values[i] ?? 0) - most);
  const by = most + Math.log(total);
  for (let i = from; i < end; i += 1) values[i] = (values[i] ?? 0) - by;
}

export function logSoftmax(scores: readonly number[]): number[] {
  const made = scores.slice();
  logSoftmaxWithin(made, 0, made.length);
  return made;
}

/** Scores as chances in their own place. */
export function softmaxWithin(values: Float64Array | number[]): void {
  logSoftmaxWithin(values, 0, values.length);
  for (let i = 0; i < values.length; i += 1) values[i] = Math.exp(values[i] ?? 0);
}

export function softmax(scores: readonly number[]): number[] {
  const made = scores.slice();
  softmaxWithin(made);
  return made;
}

export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));

/** A power of a score, kept within what single precision holds. */
export const power = (score: number): number => Math.exp(Math.min(25, Math.max(-25, score)));
