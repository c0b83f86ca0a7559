/// <reference lib="esnext.disposable" />
import type { Engine } from "./engine";
import type { Table } from "./plan_types";
import { letGo } from "./stage";

/** Embedding and head for one conversation. */
export interface VocabularySession {
  /** The states of tokens before the first layer: f32 [tokens][width]. */
  embed(tokens: readonly number[]): Promise<Uint8Array>;
  /** The scores of all tokens after a token's last state. They lie in the engine and hold until the next `await`. */
  score(state: Uint8Array): Float32Array | Promise<Float32Array>;
  /** Ends it; never rejects. */
  close(): Promise<void>;
}

/** The embedding and the head of a model, here or in other Workers. */
export interface Vocabulary {
  open(): Promise<VocabularySession>;
}

/** Those of this Worker's own engine. */
export class LocalVocabulary implements Vocabulary {
  #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async open(): Promise<VocabularySession> {
    const engine = this.#engine;
    return {
      embed: async (tokens) => {
        await engine.vocabularyReady();
        return engine.embed(tokens);
      },
      score: (state) => {
        engine.setStates(state);
        return engine.logits();
      },
      close: async () => undefined,
    };
  }
}

/** A Worker with rows of the vocabulary, as its service binding shows it. */
export interface RowsBinding {
  open(): Promise<RowsSession>;
  warm(): Promise<void>;
}

interface RowsSession extends Partial<Disposable> {
  embed(tokens: readonly number[]): Promise<Uint8Array>;
  score(state: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A table of other Workers, by rows. Scores come here as they are and lie side by side as if they had been made here: whatever is then chosen,
 * weighed or forbidden, is so among all. */
export class RemoteVocabulary implements Vocabulary {
  #engine: Engine;
  #tables: readonly (Table & { readonly rows: RowsBinding })[];

  /** `bound` gives what a binding leads to. */
  constructor(engine: Engine, bound: (binding: string) => RowsBinding) {
    this.#engine = engine;
    this.#tables = engine.plan.tables.map((table) => ({ ...table, rows: bound(table.binding) }));
  }

  /** Has all load their weights; resolves when they are there. */
  async warm(): Promise<void> {
    await Promise.all(this.#tables.map(({ rows }) => rows.warm()));
  }

  async open(): Promise<VocabularySession> {
    const sessions = await Promise.all(this.#tables.map(({ rows }) => rows.open()));
    return {
      embed: (tokens) => this.#embed(sessions, tokens),
      score: (state) => this.#score(sessions, state),
      close: async () => {
        // A Worker that is gone has nothing to close.
        await Promise.all(sessions.map((session) => session.close().catch(() => undefined)));
        for (const session of sessions) session[Symbol.dispose]?.();
      },
    };
  }

  async #embed(sessions: readonly RowsSession[], tokens: readonly number[]): Promise<Uint8Array> {
    const bytes = 4 * this.#engine.plan.shape.width;
    const states = new Uint8Array(tokens.length * bytes);
    const parts = this.#tables.map(async ({ first, last }, i) => {
      const places = [...tokens.keys()].filter((place) => (tokens[place] as number) >= first && (tokens[place] as number) < last);
      if (places.length === 0) return;
      const found = await (sessions[i] as RowsSession).embed(places.map((place) => (tokens[place] as number) - first));
      places.forEach((place, row) => states.set(found.subarray(row * bytes, (row + 1) * bytes), place * bytes));
      letGo(found);
    });
    await Promise.all(parts);
    return states;
  }

  async #score(sessions: readonly RowsSession[], state: Uint8Array): Promise<Float32Array> {
    // Of a view all that it looks at would be sent.
    const alone = state.slice();
    const parts = await Promise.all(sessions.map((session) => session.score(alone)));
    letGo(alone);
    parts.forEach((part, i) => {
      this.#engine.putScores(part, (this.#tables[i] as Table).first);
      letGo(part);
    });
    return this.#engine.scores();
  }
}
