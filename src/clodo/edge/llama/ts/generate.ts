import { Constraint } from "./constraint";
import type { Decoder } from "./decoder";
import { programOf } from "./formats";
import { Sampler, type Sampling } from "./sampling";
import { TextStream } from "./text_stream";
import type { Tokenizer } from "./tokenizer";
import { Problem } from "./shared/problems";

/** What is to be written: the tokens before, how to choose, at most how many, and words that end it. */
export interface Task {
  readonly prompt: readonly number[];
  readonly sampling: Sampling;
  readonly most: number;
  readonly stops: readonly string[];
  /** Whether the model's own end is passed over: for measurements. */
  readonly endless: boolean;
  /** Whether each token's log-probability is wanted; it costs a pass over all scores. */
  readonly chances: boolean;
  /** The grammar that the answer has to follow, if one does: its text, for of what is read many megabytes could wait. */
  readonly grammar: string | null;
}

/** A token that was chosen, and its log-probability among all. */
export interface Chosen {
  readonly token: number;
  readonly chance: number;
}

/** A part of an answer: text, and the tokens since the part before. */
export interface Part {
  readonly text: string;
  readonly chosen: readonly Chosen[];
}

/** How an answer ended; `reused` are the tokens of the prompt that did not have to be computed. */
export interface Ending {
  readonly reason: "stop" | "length";
  readonly completion: number;
  readonly reused: number;
}

/** Writes, part by part. `beat` is called before each step and may throw to end it. */
export async function* generate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  ends: ReadonlySet<number>,
  task: Task,
  beat: () => void,
): AsyncGenerator<Part, Ending> {
  const conversation = decoder.begin(beat);
  const sampler = new Sampler(task.sampling);
  const stream = new TextStream(task.stops);
  const constraint = task.grammar === null ? undefined : new Constraint(programOf(task.grammar), tokenizer, task.endless ? new Set() : ends);
  const allows = constraint && ((token: number): boolean => constraint.allows(token));
  const tokens = [...task.prompt];
  let completion = 0;
  // A grammar may admit nothing but the empty text.
  const most = constraint?.over ? 0 : task.most;
  let reason: Ending["reason"] = most === 0 ? "stop" : "length";
  try {
    while (completion < most) {
      const scores = await conversation.score(tokens);
      const token = sampler.next(decoder.engine, scores, allows);
      if (token === undefined) throw new Problem(422, "No token of this model can go on as the grammar asks.", { param: "grammar", code: "no_token_allowed" });
      const chance = task.chances ? (scores[token] as number) - decoder.engine.logSum(scores[decoder.engine.best()] as number) : 0;
      completion += 1;
      if (ends.has(token) && !task.endless) {
        reason = "stop";
        break;
      }
      tokens.push(token);
      constraint?.take(token);
      const text = tokenizer.isControl(token) ? "" : stream.push(tokenizer.bytesOf(token));
      yield { text, chosen: [{ token, chance }] };
      // Where nothing can follow, asking the model would only tell so once more.
      if (stream.stopped || constraint?.over) {
        reason = "stop";
        break;
      }
    }
    const rest = stream.end();
    if (rest !== "") yield { text: rest, chosen: [] };
    return { reason, completion, reused: conversation.reused };
  } finally {
    constraint?.close();
    await conversation.close();
  }
}
