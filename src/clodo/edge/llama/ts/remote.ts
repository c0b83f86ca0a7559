/// <reference lib="esnext.disposable" />
import type { Prefix } from "./cache";
import type { Stage, StageSession } from "./stage";

/** A layer Worker as its service binding shows it. */
export interface LayersBinding {
  open(session: string, prefix: Prefix | null): Promise<Opened>;
  warm(): Promise<void>;
}

interface Opened extends Partial<Disposable> {
  readonly reused: number;
  readonly session: {
    step(states: Uint8Array, tokens: number, position: number): Promise<Uint8Array>;
    close(): Promise<void>;
  };
}

/** The layers of another Worker. A session is one stub, so that all of its steps go to the isolate that has its cache. */
export class RemoteStage implements Stage {
  #binding: LayersBinding;

  constructor(binding: LayersBinding) {
    this.#binding = binding;
  }

  /** Has it load its weights; resolves when they are there. */
  warm(): Promise<void> {
    return this.#binding.warm();
  }

  async open(session: string, prefix: Prefix | null): Promise<StageSession> {
    const opened = await this.#binding.open(session, prefix);
    return {
      reused: opened.reused,
      step: (states, tokens, position) => opened.session.step(states, tokens, position),
      close: async () => {
        // A Worker that is gone has nothing to close.
        await opened.session.close().catch(() => undefined);
        opened[Symbol.dispose]?.();
      },
    };
  }
}
