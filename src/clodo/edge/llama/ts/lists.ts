// Numbers in arrays that are filled again and again: what tells thousands of states apart would otherwise be tens of megabytes of
// objects that nobody needs any more and that V8 has not collected yet.

/** Whole numbers in a row. */
export class Numbers {
  items = new Int32Array(64);
  count = 0;

  at(i: number): number {
    return this.items[i] as number;
  }

  /** Returns its place. */
  push(one: number): number {
    if (this.count === this.items.length) this.items = new Int32Array(this.items.buffer.transfer(2 * this.items.byteLength));
    this.items[this.count] = one;
    return this.count++;
  }

  pop(): number {
    return this.items[--this.count] as number;
  }

  /** Puts them in order, each once. */
  sort(): void {
    this.items.subarray(0, this.count).sort();
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (i === 0 || this.items[i] !== this.items[kept - 1]) this.items[kept++] = this.items[i] as number;
    }
    this.count = kept;
  }

  /** Frees its memory. It is of no use any more. */
  letGo(): void {
    this.items.buffer.transfer(0);
  }
}

/** A number for each pair of numbers. */
export class Pairs {
  /** Open addressing: both numbers, and the one that they have with 2 more, 0 where there is none. */
  #slots = new Int32Array(3 * 64);
  #count = 0;

  /** -2 where there is none. */
  get(a: number, b: number): number {
    return (this.#slots[this.#place(a, b) + 2] as number) - 2;
  }

  /** Sets that of a pair which has none yet, from -1 on. */
  set(a: number, b: number, value: number): void {
    if (6 * this.#count >= this.#slots.length) this.#grow();
    const place = this.#place(a, b);
    this.#slots[place] = a;
    this.#slots[place + 1] = b;
    this.#slots[place + 2] = value + 2;
    this.#count += 1;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#count = 0;
  }

  letGo(): void {
    this.#slots.buffer.transfer(0);
  }

  #place(a: number, b: number): number {
    const mask = this.#slots.length / 3 - 1;
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    h ^= h >>> 15;
    for (;; h++) {
      const place = 3 * (h & mask);
      if (this.#slots[place + 2] === 0 || (this.#slots[place] === a && this.#slots[place + 1] === b)) return place;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(2 * old.length);
    this.#count = 0;
    for (let i = 0; i < old.length; i += 3) {
      const value = old[i + 2] as number;
      if (value !== 0) this.set(old[i] as number, old[i + 1] as number, value - 2);
    }
    old.buffer.transfer(0);
  }
}

/** Lists of numbers, each with a number of its own by which an equal list is found again. */
export class Lists {
  #items = new Numbers();
  #starts = new Numbers();
  /** Open addressing: the number of a list and 1 more, 0 where there is none. */
  #table = new Int32Array(64);

  constructor() {
    this.#starts.push(0);
  }

  get count(): number {
    return this.#starts.count - 1;
  }

  /** Where the numbers of a list lie: `item(from)` … `item(to - 1)`. */
  from(list: number): number {
    return this.#starts.at(list);
  }

  to(list: number): number {
    return this.#starts.at(list + 1);
  }

  item(at: number): number {
    return this.#items.at(at);
  }

  /** The number of a list, which is that of an equal one or the next. */
  numberOf(list: Numbers): number {
    let place = this.#place(list.items, 0, list.count);
    if (this.#table[place] !== 0) return (this.#table[place] as number) - 1;
    if (2 * this.count >= this.#table.length) {
      this.#grow();
      place = this.#place(list.items, 0, list.count);
    }
    for (let i = 0; i < list.count; i++) this.#items.push(list.at(i));
    this.#starts.push(this.#items.count);
    this.#table[place] = this.count;
    return this.count - 1;
  }

  clear(): void {
    this.#items.count = 0;
    this.#starts.count = 1;
    this.#table.fill(0);
  }

  letGo(): void {
    this.#items.letGo();
    this.#starts.letGo();
    this.#table.buffer.transfer(0);
  }

  /** Where an equal list is in the table, or would be. */
  #place(items: Int32Array, from: number, to: number): number {
    const mask = this.#table.length - 1;
    let h = 0x811c9dc5;
    for (let i = from; i < to; i++) h = Math.imul(h ^ (items[i] as number), 0x01000193);
    h ^= h >>> 15;
    for (;; h++) {
      const entry = this.#table[h & mask] as number;
      if (entry === 0 || this.#same(entry - 1, items, from, to)) return h & mask;
    }
  }

  #same(list: number, items: Int32Array, from: number, to: number): boolean {
    const start = this.from(list);
    if (this.to(list) - start !== to - from) return false;
    for (let i = 0; i < to - from; i++) if (this.item(start + i) !== items[from + i]) return false;
    return true;
  }

  #grow(): void {
    const size = 2 * this.#table.length;
    this.#table.buffer.transfer(0);
    this.#table = new Int32Array(size);
    for (let i = 0; i < this.count; i++) this.#table[this.#place(this.#items.items, this.from(i), this.to(i))] = i + 1;
  }
}
