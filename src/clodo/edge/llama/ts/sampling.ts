import { Candidates } from "./candidates";
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
    if (topK > 0 && topK < scores.length) candidates.takeHighest(scores, topK, allows);
    else candidates.takeFrom(scores, leastLikely(scores, top, topP, temperature, allows), allows, topP < 1);
    candidates.weigh(scores, (score) => Math.exp((score - top) / temperature));
    const kept = nucleus(topP);
    let left = this.#random() * sumOf(kept);
    for (let i = 0; i < kept; i++) {
      left -= candidates.weight(i);
      if (left < 0) return candidates.token(i);
    }
    return candidates.token(kept - 1);
  }
}

/** One for the isolate: a draw waits for nothing. */
const candidates = new Candidates();

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

/** The score below which a token is in no nucleus of `topP`: those below an even share of what is left out are never needed. */
function leastLikely(scores: Float32Array, top: number, topP: number, temperature: number, allows: Allows = () => true): number {
  let sum = 0;
  for (let token = 0; token < scores.length; token++) {
    if (allows(token)) sum += Math.exp(((scores[token] as number) - top) / temperature);
  }
  return top + temperature * Math.log((sum * (1 - topP)) / scores.length);
}

function sumOf(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += candidates.weight(i);
  return sum;
}

/** How many of the candidates, whose weights fall, make up the share `topP`; at least one. */
function nucleus(topP: number): number {
  const { count } = candidates;
  if (topP >= 1) return count;
  const wanted = topP * sumOf(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += candidates.weight(i);
    if (sum >= wanted) return i + 1;
  }
  return count;
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
