import type { Engine } from "./engine";

/** How the next token is chosen. A temperature of 0 takes the best; `topK` of 0 and `topP` of 1 leave all tokens in. */
export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
}

interface Candidate {
  readonly token: number;
  readonly score: number;
}

/** Whether a token may be chosen. */
export type Allows = (token: number) => boolean;

/** Chooses tokens. The same seed and the same scores give the same tokens. */
export class Sampler {
  #sampling: Sampling;
  #random: () => number;
  #counts = new Map<number, number>();

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
    this.#random = randomNumbers(sampling.seed);
  }

  /** The next token by the engine's scores, of those that are allowed; undefined where none is. */
  next(engine: Engine, scores: Float32Array, allows?: Allows): number | undefined {
    const { temperature, topK, topP, presencePenalty, frequencyPenalty } = this.#sampling;
    for (const [token, count] of this.#counts) {
      scores[token] = (scores[token] as number) - presencePenalty - frequencyPenalty * count;
    }
    let best: number | undefined = engine.best();
    if (allows !== undefined && !allows(best)) best = bestOf(scores, allows);
    if (best === undefined) return undefined;
    const token = temperature === 0 || topK === 1 ? best : this.#draw(scores, scores[best] as number, topK, topP, temperature, allows);
    if (presencePenalty !== 0 || frequencyPenalty !== 0) this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1);
    return token;
  }

  #draw(scores: Float32Array, top: number, topK: number, topP: number, temperature: number, allows?: Allows): number {
    const candidates = topK > 0 && topK < scores.length ? highest(scores, topK, allows) : likely(scores, top, topP, temperature, allows);
    const weights = candidates.map(({ score }) => Math.exp((score - top) / temperature));
    const kept = nucleus(weights, topP);
    const sum = weights.slice(0, kept).reduce((a, b) => a + b, 0);
    let left = this.#random() * sum;
    for (let i = 0; i < kept; i++) {
      left -= weights[i] as number;
      if (left < 0) return (candidates[i] as Candidate).token;
    }
    return (candidates[kept - 1] as Candidate).token;
  }
}

const byScore = (a: Candidate, b: Candidate): number => b.score - a.score || a.token - b.token;

/** The token with the highest score of those that are allowed. Only what would be better than the best so far is asked about. */
function bestOf(scores: Float32Array, allows: Allows): number | undefined {
  let best: number | undefined;
  let top = -Infinity;
  for (let token = 0; token < scores.length; token++) {
    const score = scores[token] as number;
    if (score > top && allows(token)) {
      best = token;
      top = score;
    }
  }
  return best;
}

/** The `count` allowed tokens with the highest scores, the highest first. */
function highest(scores: Float32Array, count: number, allows?: Allows): Candidate[] {
  let kept: Candidate[] = [];
  let least = -Infinity;
  for (let token = 0; token < scores.length; token++) {
    const score = scores[token] as number;
    if (score <= least || (allows !== undefined && !allows(token))) continue;
    kept.push({ token, score });
    // Sorting now and then is cheaper than to keep order all the time.
    if (kept.length >= 4 * count + 64) {
      kept = kept.sort(byScore).slice(0, count);
      least = (kept[count - 1] as Candidate).score;
    }
  }
  return kept.sort(byScore).slice(0, count);
}

/** All allowed tokens that a nucleus of `topP` can hold: those below an even share of what is left out are never needed. */
function likely(scores: Float32Array, top: number, topP: number, temperature: number, allows: Allows = () => true): Candidate[] {
  let sum = 0;
  scores.forEach((score, token) => {
    if (allows(token)) sum += Math.exp((score - top) / temperature);
  });
  const least = top + temperature * Math.log((sum * (1 - topP)) / scores.length);
  const kept: Candidate[] = [];
  scores.forEach((score, token) => {
    if (score >= least && allows(token)) kept.push({ token, score });
  });
  return topP < 1 ? kept.sort(byScore) : kept;
}

/** How many of the weights, which fall, make up the share `topP`; at least one. */
function nucleus(weights: readonly number[], topP: number): number {
  if (topP >= 1) return weights.length;
  const wanted = topP * weights.reduce((a, b) => a + b, 0);
  let sum = 0;
  const last = weights.findIndex((weight) => (sum += weight) >= wanted);
  return last < 0 ? weights.length : last + 1;
}

/** Numbers in [0, 1) from a seed of 32 bits: a counter that is stirred (splitmix). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
}
