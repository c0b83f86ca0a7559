import type { Prefix } from "./cache";
import type { Engine } from "./engine";
import { letGo, type Stage, type StageSession } from "./stage";
import type { Vocabulary, VocabularySession } from "./vocabulary";

/** How often a conversation is computed anew when a stage fails or has lost it, and how long it waits before, in milliseconds. */
const RETRIES_MS = [0, 100, 400, 1500, 3000] as const;

/** The model: embedding and head, and layers in stages, wherever they are. It remembers what sessions held, so that a new one can begin with it. */
export class Decoder {
  readonly engine: Engine;
  readonly vocabulary: Vocabulary;
  #stages: readonly Stage[];
  #known: { readonly session: string; readonly tokens: readonly number[] }[] = [];
  /** Whether it has ever worked from end to end: then all weights are there, in other Workers too. */
  worked = false;
  /** Called whenever a conversation had to be computed anew. */
  onRetry: () => void = () => undefined;

  constructor(engine: Engine, vocabulary: Vocabulary, stages: readonly Stage[]) {
    this.engine = engine;
    this.vocabulary = vocabulary;
    this.#stages = stages;
  }

  /** A conversation that has computed nothing yet. `beat` is called before each step and may throw to end it. */
  begin(beat: () => void): Conversation {
    return new Conversation(this, beat);
  }

  /** The longest beginning of `tokens` that a session has computed; never all of them, for the last has to be computed to go on. */
  prefixOf(tokens: readonly number[]): Prefix | null {
    let best: Prefix | null = null;
    for (const { session, tokens: other } of this.#known) {
      const most = Math.min(tokens.length - 1, other.length);
      let length = 0;
      while (length < most && tokens[length] === other[length]) length++;
      if (length > (best?.length ?? 0)) best = { session, length };
    }
    return best;
  }

  /** Notes what a session has computed. Older ones than there are slots for are forgotten. */
  remember(session: string, tokens: readonly number[]): void {
    this.#known = [{ session, tokens }, ...this.#known.filter((k) => k.session !== session)].slice(0, this.engine.plan.slots);
  }

  /** Opens a session in every stage. Those that opened are closed again where one does not. */
  async open(session: string, prefix: Prefix | null): Promise<StageSession[]> {
    const results = await Promise.allSettled(this.#stages.map((stage) => stage.open(session, prefix)));
    const opened = results.flatMap((r) => (r.status === "fulfilled" ? [r.value] : []));
    const failed = results.find((r) => r.status === "rejected");
    if (failed === undefined) return opened;
    await Promise.all(opened.map((one) => one.close()));
    throw failed.reason;
  }
}

/** One answer in the making: the tokens that are computed, and where their keys and values lie. */
export class Conversation {
  /** How many tokens of the first request to `score` were there already. */
  reused = 0;
  #decoder: Decoder;
  #beat: () => void;
  #session = "";
  #stages: StageSession[] = [];
  #vocabulary: VocabularySession | undefined;
  /** How many of the tokens are computed. */
  #computed = 0;
  #tokens: readonly number[] = [];
  #first = true;

  constructor(decoder: Decoder, beat: () => void) {
    this.#decoder = decoder;
    this.#beat = beat;
  }

  /**
   * The scores of what may follow `tokens`, which begin with all that this conversation has scored before. The scores lie in the
   * engine and hold until the next `await`. Where a stage has lost the conversation, everything is computed anew.
   */
  async score(tokens: readonly number[]): Promise<Float32Array> {
    for (let attempt = 0; ; attempt++) {
      try {
        const vocabulary = this.#vocabulary ?? (await this.#open(tokens));
        const states = await this.#advance(tokens, vocabulary);
        const made = vocabulary.score(states);
        // Nothing is waited for where the scores are there: others would put theirs in their place.
        const scores = made instanceof Promise ? await made : made;
        letGo(states);
        this.#decoder.worked = true;
        return scores;
      } catch (error) {
        // A slot or a caller that is gone is for whoever called to know; everything else may be a stage that was restarted.
        this.#beat();
        await this.#drop();
        const wait = RETRIES_MS[attempt];
        if (wait === undefined) throw error;
        this.#decoder.onRetry();
        await scheduler.wait(wait);
      }
    }
  }

  /** Ends it. What it computed stays in the stages, for others that begin alike. */
  async close(): Promise<void> {
    if (this.#stages.length > 0) this.#decoder.remember(this.#session, this.#tokens.slice(0, this.#computed));
    await this.#drop();
  }

  async #open(tokens: readonly number[]): Promise<VocabularySession> {
    const vocabulary = await this.#decoder.vocabulary.open();
    this.#vocabulary = vocabulary;
    const prefix = this.#decoder.prefixOf(tokens);
    this.#session = crypto.randomUUID();
    this.#stages = await this.#decoder.open(this.#session, prefix);
    const reused = Math.min(...this.#stages.map((stage) => stage.reused));
    this.#computed = reused;
    this.#tokens = tokens;
    if (this.#first) this.reused = reused;
    this.#first = false;
    return vocabulary;
  }

  /** Computes what of `tokens` is not yet, and returns the states of the last. */
  async #advance(tokens: readonly number[], vocabulary: VocabularySession): Promise<Uint8Array> {
    const { engine } = this.#decoder;
    const { width } = engine.plan.shape;
    let states: Uint8Array = new Uint8Array();
    while (this.#computed < tokens.length) {
      this.#beat();
      const position = this.#computed;
      const pass = tokens.slice(position, position + engine.longest);
      states = await vocabulary.embed(pass);
      for (const stage of this.#stages) {
        const before = states;
        states = await stage.step(before, pass.length, position);
        if (states.buffer !== before.buffer) letGo(before);
      }
      this.#computed = position + pass.length;
      this.#tokens = tokens;
      if (this.#computed < tokens.length) letGo(states);
    }
    return states.subarray(states.byteLength - 4 * width);
  }

  async #drop(): Promise<void> {
    const stages = this.#stages;
    const vocabulary = this.#vocabulary;
    this.#stages = [];
    this.#vocabulary = undefined;
    this.#computed = 0;
    await Promise.all([...stages.map((stage) => stage.close()), vocabulary?.close()]);
  }
}
