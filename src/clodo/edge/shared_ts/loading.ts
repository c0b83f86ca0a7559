/** How long nothing may arrive before a request that waits takes the loading over, in milliseconds. */
const STALLED_MS = 5_000;

/** How long nothing may arrive before one who only begins the loading, and does not wait for it, takes it over, in milliseconds. */
const ABANDONED_MS = 2 * STALLED_MS;

/** How often a request that waits looks up. Its timer also tells the runtime that it has not hung. */
const TICK_MS = 250;

/** What a loading tells of itself: `step` when one more part (a layer, a table) is in its place, `beat` whenever bytes arrive. */
export interface Progress {
  step(): void;
  beat(): void;
}

/**
 * Something that an isolate loads once, in steps, for all requests. Requests wait for the whole (`whole`) or for the first
 * steps of it (`reached`), so that work begins while the rest still arrives.
 *
 * The request that started it may be gone before it is done, and its streams with it; a request that waits then starts anew,
 * and what the old loading may still do is void: `load` must write the same to the same places each time.
 */
export class Loading<T> {
  #load: (progress: Progress) => Promise<T>;
  #value: T | undefined;
  #steps = 0;
  #beats = 0;
  /** When it was last heard of. */
  #heard = 0;
  #run = 0;
  #running = false;
  #failure: { readonly error: unknown } | undefined;
  #waiters = new Set<() => void>();

  constructor(load: (progress: Progress) => Promise<T>) {
    this.#load = load;
  }

  /** What was loaded; undefined while it is not whole. */
  get value(): T | undefined {
    return this.#value;
  }

  get ready(): boolean {
    return this.#value !== undefined;
  }

  /** Steps that are in their place. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Begins, where nobody has or whoever has is gone. Give the promise to `waitUntil`: it never rejects, and loading outlives a
   * caller that goes away.
   */
  start(): Promise<void> {
    // Only whoever begins waits for it: a promise of a request that has ended never settles for another.
    if (this.ready || (this.#running && Date.now() - this.#heard < ABANDONED_MS)) return Promise.resolve();
    this.#running = true;
    return this.#attempt(++this.#run);
  }

  /** Waits for the whole. A failure to load is thrown, and the next request tries again. */
  async whole(): Promise<T> {
    await this.#until(() => this.#value !== undefined);
    return this.#value as T;
  }

  /** Waits for the first `count` steps. */
  reached(count: number): Promise<void> {
    return this.#until(() => this.#value !== undefined || this.#steps >= count);
  }

  async #attempt(run: number): Promise<void> {
    this.#steps = 0;
    this.#failure = undefined;
    // A beginning is a sign of life, too: of all who wait, one takes over.
    this.#beat();
    try {
      const beat = (): void => {
        if (run === this.#run) this.#beat();
      };
      const step = (): void => {
        if (run !== this.#run) return;
        this.#steps += 1;
        this.#wake();
      };
      const value = await this.#load({ step, beat });
      if (run === this.#run) this.#value = value;
    } catch (error) {
      if (run === this.#run) this.#failure = { error };
    }
    if (run === this.#run) {
      this.#running = false;
      this.#wake();
    }
  }

  #beat(): void {
    this.#beats += 1;
    this.#heard = Date.now();
  }

  #wake(): void {
    this.#beat();
    for (const waiter of this.#waiters) waiter();
    this.#waiters.clear();
  }

  async #until(done: () => boolean): Promise<void> {
    if (done()) return;
    void this.start();
    let beats = this.#beats;
    let idle = 0;
    while (!done()) {
      if (this.#failure !== undefined && !this.#running) throw this.#failure.error;
      const woken = new Promise<void>((resolve) => this.#waiters.add(resolve));
      await Promise.race([woken, scheduler.wait(TICK_MS)]);
      idle = beats === this.#beats ? idle + TICK_MS : 0;
      beats = this.#beats;
      if (idle >= STALLED_MS && !done()) {
        idle = 0;
        this.#running = false;
        void this.start();
      }
    }
  }
}
