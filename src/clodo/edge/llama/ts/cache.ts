/** Who has not moved for so long is gone: the runtime may end a request without a word. */
const GONE_MS = 30_000;

/** The beginning of a session that has been computed before. */
export interface Prefix {
  readonly session: string;
  readonly length: number;
}

interface Slot {
  /** Whose keys and values lie here, also after it has ended. */
  session: string | undefined;
  /** How many positions are valid. */
  length: number;
  live: boolean;
  seen: number;
}

/** Thrown where a session is not (or no longer) here: the caller computes it anew. */
export class LostSession extends Error {}

/**
 * Which session's keys and values lie in which slot of the cache. A slot belongs to one session at a time, and each step names
 * its session, so that two can never mix. What an ended session left behind is kept until the slot is needed, for the next
 * may begin with the same words.
 */
export class Cache {
  #slots: Slot[];
  #copy: (from: number, to: number, count: number) => void;

  /** `copy` copies the first positions of one slot to another. */
  constructor(slots: number, copy: (from: number, to: number, count: number) => void) {
    this.#slots = Array.from({ length: slots }, () => ({ session: undefined, length: 0, live: false, seen: 0 }));
    this.#copy = copy;
  }

  /** A slot for a new session, and how many positions of `prefix` it holds already; undefined while all slots are in use. */
  open(session: string, prefix: Prefix | null): number | undefined {
    const now = Date.now();
    const free = [...this.#slots.keys()]
      .filter((i) => !this.#slot(i).live || now - this.#slot(i).seen > GONE_MS)
      .sort((a, b) => this.#slot(a).seen - this.#slot(b).seen);
    if (free.length === 0) return undefined;
    const source = prefix === null ? -1 : this.#slots.findIndex((slot) => slot.session === prefix.session);
    const wanted = prefix?.length ?? 0;
    const found = source < 0 ? 0 : Math.min(wanted, this.#slot(source).length);
    const others = free.filter((i) => i !== source);
    // Taking a slot over ends what comes after the common part; where that is most of it, it is better copied.
    const takeOver = found > 0 && free.includes(source) && (others.length === 0 || 2 * found >= this.#slot(source).length);
    const target = takeOver ? source : (others[0] ?? (free[0] as number));
    if (found > 0 && target !== source) this.#copy(source, target, found);
    this.#slots[target] = { session, length: found, live: true, seen: now };
    return found;
  }

  /** The slot of a session that goes on at `position`; throws `LostSession` where that cannot be. */
  at(session: string, position: number): number {
    const i = this.#slots.findIndex((slot) => slot.session === session);
    const slot = this.#slots[i];
    if (slot === undefined || !slot.live || position > slot.length) throw new LostSession(`session ${session} is not here`);
    slot.seen = Date.now();
    return i;
  }

  /** Notes that the first `length` positions of a session are valid. */
  extend(session: string, length: number): void {
    const slot = this.#slots.find((s) => s.session === session);
    if (slot !== undefined) slot.length = length;
  }

  /** Ends a session; what it computed stays for the next. */
  close(session: string): void {
    const slot = this.#slots.find((s) => s.session === session);
    if (slot !== undefined) slot.live = false;
  }

  #slot(i: number): Slot {
    return this.#slots[i] as Slot;
  }
}
