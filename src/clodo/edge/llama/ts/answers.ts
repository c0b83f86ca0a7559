// Answers in OpenAI's shapes, whole or as a stream. `provider` says that no one but this Worker wrote them.
import type { Chosen, Ending, Part } from "./generate";
import type { Tokenizer } from "./tokenizer";

/** Which of the two ways was asked, and what all answers to a request share. */
export class Dialect {
  readonly chat: boolean;
  #shared: { readonly id: string; readonly created: number; readonly model: string; readonly provider: string };
  #tokenizer: Tokenizer;
  #chances: boolean;

  constructor(chat: boolean, model: string, tokenizer: Tokenizer, chances: boolean) {
    this.chat = chat;
    this.#tokenizer = tokenizer;
    this.#chances = chances;
    const id = `${chat ? "chatcmpl" : "cmpl"}-${crypto.randomUUID()}`;
    this.#shared = { id, created: Math.floor(Date.now() / 1000), model, provider: "edge" };
  }

  /** The whole answer. */
  whole(parts: readonly Part[], prompt: number, ending: Ending): object {
    const text = parts.map((part) => part.text).join("");
    const chosen = parts.flatMap((part) => part.chosen);
    const said = this.chat ? { message: { role: "assistant", content: text, refusal: null } } : { text };
    const choice = { index: 0, ...said, logprobs: this.#logprobs(chosen), finish_reason: ending.reason };
    return { ...this.#head(false), choices: [choice], usage: usage(prompt, ending) };
  }

  /** What begins a stream. */
  opening(): object | null {
    if (!this.chat) return null;
    return this.#chunk({ delta: { role: "assistant", content: "" }, logprobs: null }, null);
  }

  /** A part of a stream. */
  part(part: Part): object {
    const said = this.chat ? { delta: { content: part.text } } : { text: part.text };
    return this.#chunk({ ...said, logprobs: this.#logprobs(part.chosen) }, null);
  }

  /** What ends a stream, before the usage. */
  closing(ending: Ending): object {
    return this.#chunk({ ...(this.chat ? { delta: {} } : { text: "" }), logprobs: null }, ending.reason);
  }

  /** The usage, as a stream tells it. */
  usage(prompt: number, ending: Ending): object {
    return { ...this.#head(true), choices: [], usage: usage(prompt, ending) };
  }

  #head(stream: boolean): object {
    const object = this.chat ? (stream ? "chat.completion.chunk" : "chat.completion") : "text_completion";
    return { object, ...this.#shared };
  }

  #chunk(choice: object, reason: string | null): object {
    return { ...this.#head(true), choices: [{ index: 0, ...choice, finish_reason: reason }] };
  }

  #logprobs(chosen: readonly Chosen[]): object | null {
    if (!this.#chances) return null;
    const decoder = new TextDecoder();
    const content = chosen.map(({ token, chance }) => {
      const bytes = this.#tokenizer.bytesOf(token);
      return { id: token, token: decoder.decode(bytes), logprob: chance, bytes: [...bytes], top_logprobs: [] };
    });
    return { content, refusal: null };
  }
}

function usage(prompt: number, { completion, reused }: Ending): object {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: reused },
  };
}
