// A grammar as an automaton with a stack. All ways to read a text are followed at once, and what they have in common is there
// once: whoever calls a rule at one place of the text shares one node, which knows where each of them goes on. So brackets in
// brackets cost no more than brackets, however many alternatives begin alike. A state that was met before is not worked out
// again: most steps are one look into a table.
import { callOf, END, GrammarError, type Program } from "./gbnf";
import { Lists, Numbers, Pairs } from "./lists";

/** The state from which nothing leads on. */
export const DEAD = -1;

/** A table has this where nobody has looked yet. */
const UNKNOWN = -2;
const ASCII = 128;
/** The frame in which nothing is left to read: the text may end. */
const FINAL = 0;

/** How many bytes may be kept from one token to the next, and how many come together while tokens are tried. One that is tried may
 * need more: beyond `MOST` is a grammar that can be read in thousands of ways. */
const KEPT = 512 * 1024;
const ROOM = 1024 * 1024;
const MOST = 4 * 1024 * 1024;
const FRAMES = 65_536;
const STEPS = 8192;

/** Bytes of a thing, with its share of the tables that find it. */
const FRAME = 40;
const LIST = 20;
const STATE = 4;
const TABLE = 4 * ASCII;
const ENTRY = 30;
const NUMBER = 4;

/** The states of one answer. */
export class Automaton {
  /** The state before the first character. */
  readonly start: number;
  #program: Program;
  // A state is the frames that are at a class of characters, in order, and perhaps the final one as the first.
  #states = new Lists();
  /** For each state where its part of `#ascii` is, -1 where it has none: where characters lead. */
  #tables = new Numbers();
  #ascii = new Numbers();
  /** The same for a state and another character. */
  #others = new Pairs();
  // A frame is a place in the grammar, and the node of the rule that it is in.
  #places = new Numbers();
  #nodes = new Numbers();
  #frames = new Pairs();
  // A node is the frames that go on when its rule is read. Those of a node are older than itself.
  #returns = new Lists();
  /** For each frame the last round that it was in. */
  #met = new Numbers();
  #round = 0;
  // While a state is worked out: what is still to be entered, and the frames found so far.
  #pending = new Numbers();
  #found = new Numbers();
  #list = new Numbers();
  /** For each rule the frames that go on after it, as the place of the last of them in `#calls`, -1 where there is none; in `#before`
   * the place of the one before. */
  #called: Int32Array;
  #calls = new Numbers();
  #before = new Numbers();
  /** A bit for each rule that is called, so that all others are passed over at once. */
  #marks: Int32Array;
  #weight = 0;
  /** What of the weight was there when all else was last forgotten. */
  #needed = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#called = new Int32Array(program.empty.length).fill(-1);
    this.#marks = new Int32Array((program.empty.length >> 5) + 1);
    this.#clear();
    this.#call(program.root, FINAL);
    if (program.empty[program.root] === 1) this.#pending.push(FINAL);
    this.start = this.#settle();
  }

  /** The state after a character, or `DEAD`. */
  step(from: number, code: number): number {
    if (code < ASCII) {
      let table = this.#tables.at(from);
      if (table < 0) table = this.#makeTable(from);
      const known = this.#ascii.at(table + code);
      if (known !== UNKNOWN) return known;
      const next = this.#advance(from, code);
      this.#ascii.items[table + code] = next;
      return next;
    }
    const known = this.#others.get(from, code);
    if (known !== UNKNOWN) return known;
    const next = this.#advance(from, code);
    this.#spend(ENTRY);
    this.#others.set(from, code, next);
    return next;
  }

  /** Whether some character from `low` to `high` leads on. */
  meets(state: number, low: number, high: number): boolean {
    for (let i = this.#states.from(state); i < this.#states.to(state); i++) {
      const frame = this.#states.item(i);
      if (frame !== FINAL && meets(this.#classAt(frame), low, high)) return true;
    }
    return false;
  }

  /** Whether the text may end here. */
  mayEnd(state: number): boolean {
    const from = this.#states.from(state);
    return from < this.#states.to(state) && this.#states.item(from) === FINAL;
  }

  /** Whether some character may follow. */
  mayGoOn(state: number): boolean {
    return this.meets(state, 1, 0x10ffff);
  }

  /** Whether so much has come together that all but one state had better be forgotten. */
  get full(): boolean {
    return this.#weight > this.#needed + ROOM;
  }

  /** Forgets, where much has come together, all but one state; returns its number from then on. */
  keep(state: number): number {
    if (this.#weight <= this.#needed + KEPT) return state;
    const frames: number[] = [];
    for (let i = this.#states.from(state); i < this.#states.to(state); i++) frames.push(this.#states.item(i));
    // What a node goes on with is older than the node: taken in their order, all that one needs is there.
    const needed = new Map<number, number[]>();
    const pending = [...frames];
    const kept = new Map<number, { readonly place: number; readonly node: number }>();
    for (let frame = pending.pop(); frame !== undefined; frame = pending.pop()) {
      if (frame === FINAL || kept.has(frame)) continue;
      const node = this.#nodes.at(frame);
      kept.set(frame, { place: this.#places.at(frame), node });
      if (needed.has(node)) continue;
      const returns: number[] = [];
      for (let i = this.#returns.from(node); i < this.#returns.to(node); i++) returns.push(this.#returns.item(i));
      needed.set(node, returns);
      for (const one of returns) pending.push(one);
    }
    this.#clear();
    const moved = new Map<number, number>();
    const copy = (frame: number): number => {
      const { place, node } = kept.get(frame) ?? { place: -1, node: -1 };
      return frame === FINAL ? FINAL : this.#frame(place, moved.get(node) as number);
    };
    const gather = (list: readonly number[]): void => {
      this.#list.count = 0;
      for (const frame of list) this.#list.push(copy(frame));
      this.#list.sort();
    };
    for (const node of [...needed.keys()].sort((a, b) => a - b)) {
      gather(needed.get(node) as number[]);
      moved.set(node, this.#node());
    }
    gather(frames);
    const now = this.#state(this.#list);
    this.#needed = this.#weight;
    return now;
  }

  /** Frees its memory, which V8 would let lie. It is of no use any more. */
  letGo(): void {
    const all = [this.#states, this.#tables, this.#ascii, this.#others, this.#places, this.#nodes, this.#frames, this.#returns, this.#met];
    for (const one of [...all, this.#pending, this.#found, this.#list, this.#calls, this.#before]) one.letGo();
  }

  #clear(): void {
    for (const one of [this.#states, this.#others, this.#frames, this.#returns]) one.clear();
    for (const one of [this.#tables, this.#ascii, this.#places, this.#nodes, this.#met]) one.count = 0;
    // The final frame.
    this.#places.push(-1);
    this.#nodes.push(-1);
    this.#met.push(-1);
    this.#weight = 0;
  }

  #spend(bytes: number): void {
    this.#weight += bytes;
    if (this.#weight > this.#needed + MOST) throw tooWide();
  }

  #makeTable(state: number): number {
    this.#spend(TABLE);
    const table = this.#ascii.count;
    for (let i = 0; i < ASCII; i++) this.#ascii.push(UNKNOWN);
    this.#tables.items[state] = table;
    return table;
  }

  #advance(state: number, code: number): number {
    for (let i = this.#states.from(state); i < this.#states.to(state); i++) {
      const frame = this.#states.item(i);
      if (frame !== FINAL && meets(this.#classAt(frame), code, code)) this.#follow(frame, (one) => this.#pending.push(one));
    }
    return this.#pending.count === 0 ? DEAD : this.#settle();
  }

  /** The state of the frames that are pending, of which some are at a call, and of what is called. */
  #settle(): number {
    const { elements, starts, firsts } = this.#program;
    this.#round += 1;
    this.#found.count = 0;
    let steps = this.#enter(0);
    // Rules are in such an order that whoever calls one without having read anything comes before it.
    for (let rule = this.#nextCalled(0); rule >= 0; rule = this.#nextCalled(rule + 1)) {
      this.#list.count = 0;
      for (let call = this.#called[rule] as number; call >= 0; call = this.#before.at(call)) this.#list.push(this.#calls.at(call));
      this.#list.sort();
      const node = this.#node();
      for (let i = firsts[rule] as number; i < (firsts[rule + 1] as number); i++) {
        const start = starts[i] as number;
        if (elements[start] !== END) this.#pending.push(this.#frame(start, node));
      }
      steps = this.#enter(steps);
      // Only now: a loop that reads nothing in one round has called itself, and there is nothing new in that.
      this.#called[rule] = -1;
      this.#marks[rule >> 5] = (this.#marks[rule >> 5] as number) & ~(1 << (rule & 31));
    }
    this.#calls.count = 0;
    this.#before.count = 0;
    this.#found.sort();
    return this.#state(this.#found);
  }

  /** Enters what is pending; returns how many steps it all took. */
  #enter(before: number): number {
    const { elements, empty } = this.#program;
    let steps = before;
    while (this.#pending.count > 0) {
      const frame = this.#pending.pop();
      if (this.#met.at(frame) === this.#round) continue;
      this.#met.items[frame] = this.#round;
      if (++steps > STEPS) throw tooWide();
      const element = frame === FINAL ? 0 : (elements[this.#places.at(frame)] as number);
      if (element >= 0) {
        this.#found.push(frame);
        continue;
      }
      const rule = callOf(element);
      // What a rule that reads nothing leads to is entered here, once, and not each time when such a rule ends.
      const passed = empty[rule] === 1;
      this.#follow(frame, (after) => {
        this.#call(rule, after);
        if (passed) this.#pending.push(after);
      });
    }
    return steps;
  }

  #call(rule: number, after: number): void {
    this.#before.push(this.#called[rule] as number);
    this.#called[rule] = this.#calls.push(after);
    this.#marks[rule >> 5] = (this.#marks[rule >> 5] as number) | (1 << (rule & 31));
  }

  /** The first rule from `from` on that is called, -1 where none is. */
  #nextCalled(from: number): number {
    for (let word = from >> 5, mask = -1 << (from & 31); word < this.#marks.length; word++, mask = -1) {
      const bits = (this.#marks[word] as number) & mask;
      if (bits !== 0) return (word << 5) + 31 - Math.clz32(bits & -bits);
    }
    return -1;
  }

  /** Gives the frames that go on after the element of a frame: where its alternative ends, those of its node. */
  #follow(frame: number, take: (frame: number) => void): void {
    const place = this.#places.at(frame) + 1;
    const node = this.#nodes.at(frame);
    if (this.#program.elements[place] !== END) take(this.#frame(place, node));
    else for (let i = this.#returns.from(node); i < this.#returns.to(node); i++) take(this.#returns.item(i));
  }

  #frame(place: number, node: number): number {
    const known = this.#frames.get(place, node);
    if (known >= 0) return known;
    if (this.#places.count >= FRAMES) throw tooWide();
    this.#spend(FRAME);
    this.#nodes.push(node);
    this.#met.push(-1);
    const made = this.#places.push(place);
    this.#frames.set(place, node, made);
    return made;
  }

  /** The node of the frames in `#list`. */
  #node(): number {
    return this.#numbered(this.#returns, this.#list);
  }

  #state(frames: Numbers): number {
    const state = this.#numbered(this.#states, frames);
    if (state < this.#tables.count) return state;
    this.#spend(STATE);
    return this.#tables.push(-1);
  }

  #numbered(lists: Lists, list: Numbers): number {
    const { count } = lists;
    const found = lists.numberOf(list);
    if (found === count) this.#spend(LIST + NUMBER * list.count);
    return found;
  }

  #classAt(frame: number): Int32Array {
    const { elements, classes } = this.#program;
    return classes[elements[this.#places.at(frame)] as number] as Int32Array;
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
