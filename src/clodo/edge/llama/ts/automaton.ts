// A grammar as an automaton with a stack. All ways to read a text are followed at once, and what they have in common is there
// once: whoever calls a rule at one place of the text shares one node, which knows where each of them goes on. So brackets in
// brackets cost no more than brackets, however many alternatives begin alike. A state that was met before is not worked out
// again: most steps are one look into a table.
import { callOf, END, GrammarError, type Program } from "./gbnf";

/** The state from which nothing leads on. */
export const DEAD = -1;

/** A table has this where nobody has looked yet. */
const UNKNOWN = -2;
const ASCII = 128;
/** The frame in which nothing is left to read: the text may end. */
const FINAL = 0;

/** How much may be kept from one token to the next. */
const KEPT_STATES = 512;
const KEPT_FRAMES = 8192;
/** How much one token may need: more is a grammar that can be read in thousands of ways. */
const STATES = 16_384;
const FRAMES = 65_536;
const STEPS = 8192;

interface State {
  /** Frames that are at a class of characters, in order, and perhaps the final one as the first. */
  readonly frames: readonly number[];
  ascii: Int32Array | undefined;
  others: Map<number, number> | undefined;
}

/** The states of one answer. */
export class Automaton {
  /** The state before the first character. */
  readonly start: number;
  #program: Program;
  #states: State[] = [];
  #stateNumbers = new Map<string, number>();
  // A frame is a place in the grammar, and the node of the rule that it is in.
  #places: number[] = [];
  #nodes: number[] = [];
  #frameNumbers = new Map<number, number>();
  // A node is the frames that go on when its rule is read. Those of a node are older than itself.
  #returns: (readonly number[])[] = [];
  #nodeNumbers = new Map<string, number>();
  /** For each rule the frames that go on after it, while a state is worked out; and for each frame the last one that it was in. */
  #calls: (number[] | undefined)[];
  /** A bit for each rule that has something in `#calls`, so that all others are passed over at once. */
  #called: Int32Array;
  #met: number[] = [];
  #round = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#calls = Array.from({ length: program.empty.length }, () => undefined);
    this.#called = new Int32Array((program.empty.length >> 5) + 1);
    this.#clear();
    this.#call(program.root, [FINAL]);
    this.start = this.#settle(program.empty[program.root] === 1 ? [FINAL] : []);
  }

  /** The state after a character, or `DEAD`. */
  step(from: number, code: number): number {
    const state = this.#states[from] as State;
    if (code < ASCII) {
      state.ascii ??= new Int32Array(ASCII).fill(UNKNOWN);
      const known = state.ascii[code] as number;
      return known !== UNKNOWN ? known : (state.ascii[code] = this.#advance(state, code));
    }
    state.others ??= new Map();
    const known = state.others.get(code);
    if (known !== undefined) return known;
    const next = this.#advance(state, code);
    state.others.set(code, next);
    return next;
  }

  /** Whether some character from `low` to `high` leads on. */
  meets(state: number, low: number, high: number): boolean {
    return (this.#states[state] as State).frames.some((frame) => frame !== FINAL && meets(this.#classAt(frame), low, high));
  }

  /** Whether the text may end here. */
  mayEnd(state: number): boolean {
    return (this.#states[state] as State).frames[0] === FINAL;
  }

  /** Whether some character may follow. */
  mayGoOn(state: number): boolean {
    return this.meets(state, 1, 0x10ffff);
  }

  /** Forgets, where much has come together, all but one state; returns its number from then on. */
  keep(state: number): number {
    if (this.#states.length <= KEPT_STATES && this.#places.length <= KEPT_FRAMES) return state;
    const { frames } = this.#states[state] as State;
    const [places, nodes, returns] = [this.#places, this.#nodes, this.#returns];
    const needed = new Set<number>();
    const pending = [...frames];
    for (let frame = pending.pop(); frame !== undefined; frame = pending.pop()) {
      const node = nodes[frame] as number;
      if (frame === FINAL || needed.has(node)) continue;
      needed.add(node);
      pending.push(...(returns[node] as readonly number[]));
    }
    this.#clear();
    const moved = new Map<number, number>();
    const copy = (frame: number): number => (frame === FINAL ? FINAL : this.#frame(places[frame] as number, moved.get(nodes[frame] as number) as number));
    for (const node of [...needed].sort((a, b) => a - b)) moved.set(node, this.#node((returns[node] as readonly number[]).map(copy)));
    return this.#stateOf(frames.map(copy));
  }

  #clear(): void {
    this.#states = [];
    this.#stateNumbers.clear();
    this.#places = [-1];
    this.#nodes = [-1];
    this.#met = [-1];
    this.#frameNumbers.clear();
    this.#returns = [];
    this.#nodeNumbers.clear();
  }

  #advance(state: State, code: number): number {
    const next: number[] = [];
    for (const frame of state.frames) {
      if (frame !== FINAL && meets(this.#classAt(frame), code, code)) next.push(...this.#after(frame));
    }
    return next.length === 0 ? DEAD : this.#settle(next);
  }

  /** The state of frames of which some are at a call, and of what is in `#calls`. */
  #settle(pending: number[]): number {
    const { elements, empty, starts, firsts } = this.#program;
    const frames: number[] = [];
    const round = ++this.#round;
    let steps = 0;
    const enter = (): void => {
      for (let frame = pending.pop(); frame !== undefined; frame = pending.pop()) {
        if (this.#met[frame] === round) continue;
        this.#met[frame] = round;
        if (++steps > STEPS) throw tooWide();
        const element = frame === FINAL ? 0 : (elements[this.#places[frame] as number] as number);
        if (element >= 0) {
          frames.push(frame);
          continue;
        }
        const rule = callOf(element);
        const after = this.#after(frame);
        this.#call(rule, after);
        // What a rule that reads nothing leads to is entered here, once, and not each time when such a rule ends.
        if (empty[rule] === 1) for (const one of after) pending.push(one);
      }
    };
    enter();
    // Rules are in such an order that whoever calls one without having read anything comes before it.
    for (let rule = this.#nextCalled(0); rule >= 0; rule = this.#nextCalled(rule + 1)) {
      const node = this.#node(this.#calls[rule] as number[]);
      for (let i = firsts[rule] as number; i < (firsts[rule + 1] as number); i++) {
        const start = starts[i] as number;
        if (elements[start] !== END) pending.push(this.#frame(start, node));
      }
      enter();
      // Only now: a loop that reads nothing in one round has called itself, and there is nothing new in that.
      this.#calls[rule] = undefined;
      this.#called[rule >> 5] = (this.#called[rule >> 5] as number) & ~(1 << (rule & 31));
    }
    return this.#stateOf(frames);
  }

  #call(rule: number, after: readonly number[]): void {
    const calls = (this.#calls[rule] ??= []);
    for (const frame of after) calls.push(frame);
    this.#called[rule >> 5] = (this.#called[rule >> 5] as number) | (1 << (rule & 31));
  }

  /** The first rule from `from` on that is called, -1 where none is. */
  #nextCalled(from: number): number {
    for (let word = from >> 5, mask = -1 << (from & 31); word < this.#called.length; word++, mask = -1) {
      const bits = (this.#called[word] as number) & mask;
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits & -bits);
    }
    return -1;
  }

  /** The frames that go on after the element of a frame: where its alternative ends, those of its node. */
  #after(frame: number): readonly number[] {
    const place = (this.#places[frame] as number) + 1;
    const node = this.#nodes[frame] as number;
    return this.#program.elements[place] === END ? (this.#returns[node] as readonly number[]) : [this.#frame(place, node)];
  }

  #frame(place: number, node: number): number {
    const key = place * 2 * FRAMES + node;
    const known = this.#frameNumbers.get(key);
    if (known !== undefined) return known;
    if (this.#places.length >= FRAMES) throw tooWide();
    this.#nodes.push(node);
    this.#met.push(-1);
    const made = this.#places.push(place) - 1;
    this.#frameNumbers.set(key, made);
    return made;
  }

  #node(frames: readonly number[]): number {
    // A list of its own, for the given one may still grow.
    const apart = frames.length === 1 ? [...frames] : [...new Set(frames)].sort((a, b) => a - b);
    const key = apart.join();
    const known = this.#nodeNumbers.get(key);
    if (known !== undefined) return known;
    if (this.#returns.length >= FRAMES) throw tooWide();
    const made = this.#returns.push(apart) - 1;
    this.#nodeNumbers.set(key, made);
    return made;
  }

  #stateOf(frames: number[]): number {
    frames.sort((a, b) => a - b);
    const key = frames.join();
    const known = this.#stateNumbers.get(key);
    if (known !== undefined) return known;
    if (this.#states.length >= STATES) throw tooWide();
    const made = this.#states.push({ frames, ascii: undefined, others: undefined }) - 1;
    this.#stateNumbers.set(key, made);
    return made;
  }

  #classAt(frame: number): Int32Array {
    const { elements, classes } = this.#program;
    return classes[elements[this.#places[frame] as number] as number] as Int32Array;
  }
}

function meets(ranges: Int32Array, low: number, high: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if ((ranges[i] as number) > high) return false;
    if ((ranges[i + 1] as number) >= low) return true;
  }
  return false;
}

const tooWide = (): GrammarError => new GrammarError("The grammar can read this text in too many ways at once. Write it with fewer alternatives that begin alike.");
