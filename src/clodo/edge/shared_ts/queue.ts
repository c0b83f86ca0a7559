import { Problem } from "./problems";

/** How often one that waits looks up. Its timer also tells the runtime that it has not hung. */
const TICK_MS = 250;

/** Who waits and has not looked up for so long may be gone, and is passed over. */
const STALE_MS = 3 * TICK_MS;

/** Who waits and has not looked up for so long is gone; so is a holder that has said nothing for so long. */
const GONE_MS = 20_000;

/** A slot that is held. `slot` is its number, from 0. */
export interface Place {
  readonly slot: number;
  /** Tells that work goes on; to be called before each step of it. Throws where the slot was given to another meanwhile. */
  beat(): void;
  /** Gives the slot back. */
  release(): void;
}

interface Waiter {
  seen: number;
  place: Place | undefined;
  wake(): void;
}

interface Holder {
  seen: number;
}

/**
 * As many at once as there are slots; who came first is served first. One that waits can be cancelled, and when too many wait
 * the next is refused at once.
 *
 * The runtime may end a request in mid-work without running its `finally` blocks. So whoever holds a slot beats, and a slot that
 * was silent for long goes to the next; the old holder, should it still live, learns that from its next beat and so never
 * works in a slot beside another.
 */
export class Queue {
  readonly slots: number;
  readonly most: number;
  #waiting: Waiter[] = [];
  #holders: (Holder | undefined)[];

  constructor(slots: number, most: number) {
    this.slots = slots;
    this.most = most;
    this.#holders = Array.from({ length: slots }, () => undefined);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many are being served. */
  get busy(): number {
    return this.#holders.filter((holder) => holder !== undefined).length;
  }

  /** Waits for a slot; throws where the signal fires first, or where too many wait. */
  async enter(signal?: AbortSignal): Promise<Place> {
    if (signal?.aborted) throw cancelled();
    const now = Date.now();
    this.#waiting = this.#waiting.filter(({ seen }) => now - seen < GONE_MS);
    const place = this.#waiting.some(({ seen }) => now - seen < STALE_MS) ? undefined : this.#take();
    if (place !== undefined) return place;
    if (this.#waiting.length >= this.most) {
      throw new Problem(429, "Too many requests are waiting.", { code: "queue-full", headers: { "retry-after": "2" } });
    }
    return this.#wait(signal);
  }

  /** Runs `work` in a slot and gives the slot back, however it ends. */
  async run<T>(work: (place: Place) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const place = await this.enter(signal);
    try {
      return await work(place);
    } finally {
      place.release();
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<Place> {
    const waiter: Waiter = { seen: Date.now(), place: undefined, wake: () => undefined };
    this.#waiting.push(waiter);
    // At once, for nothing else of a request whose caller went away need run any more.
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      if (waiter.place === undefined) waiter.wake();
    };
    signal?.addEventListener("abort", leave, { once: true });
    try {
      for (;;) {
        if (waiter.place !== undefined) return waiter.place;
        if (signal?.aborted) throw cancelled();
        await this.#tick(waiter);
        waiter.seen = Date.now();
        if (waiter.place === undefined) this.#serve();
      }
    } finally {
      signal?.removeEventListener("abort", leave);
      leave();
    }
  }

  /** Until it is woken, or time to look up. The promise is a new one each time: racing one that lasts leaves something with it at each tick. */
  #tick(waiter: Waiter): Promise<void> {
    return new Promise((resolve) => {
      waiter.wake = resolve;
      void scheduler.wait(TICK_MS).then(resolve);
    });
  }

  /** Grants free slots to those who wait longest. */
  #serve(): void {
    for (;;) {
      const now = Date.now();
      const next = this.#waiting.find(({ seen }) => now - seen < STALE_MS);
      const place = next === undefined ? undefined : this.#take();
      if (next === undefined || place === undefined) return;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      next.place = place;
      next.wake();
    }
  }

  #take(): Place | undefined {
    const now = Date.now();
    const slot = this.#holders.findIndex((holder) => holder === undefined || now - holder.seen > GONE_MS);
    if (slot < 0) return undefined;
    const holder: Holder = { seen: now };
    this.#holders[slot] = holder;
    return {
      slot,
      beat: () => {
        if (this.#holders[slot] !== holder) throw new Problem(503, "The request took too long and lost its place.", { code: "lost-place" });
        holder.seen = Date.now();
      },
      release: () => {
        if (this.#holders[slot] !== holder) return;
        this.#holders[slot] = undefined;
        this.#serve();
      },
    };
  }
}

const cancelled = (): Problem => new Problem(499, "The caller went away.", { code: "cancelled" });
