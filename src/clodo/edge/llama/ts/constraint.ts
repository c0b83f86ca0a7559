import { Automaton, DEAD } from "./automaton";
import type { Program } from "./gbnf";
import type { Tokenizer } from "./tokenizer";

/** Where an answer stands: the state after its whole characters, and the bytes of one that is not whole yet. */
interface Standing {
  state: number;
  /** How many bytes are to come, the bits so far, and the least character that is written in so many bytes. */
  missing: number;
  bits: number;
  least: number;
}

/** Holds one answer to a grammar, token by token. Only what is shown counts: a token is the bytes that it stands for. */
export class Constraint {
  #automaton: Automaton;
  #tokenizer: Tokenizer;
  #ends: ReadonlySet<number>;
  #now: Standing;
  #tried: Standing = { state: DEAD, missing: 0, bits: 0, least: 0 };

  /** `ends` are the tokens that end an answer; none where the end is to be passed over. */
  constructor(program: Program, tokenizer: Tokenizer, ends: ReadonlySet<number>) {
    this.#automaton = new Automaton(program);
    this.#tokenizer = tokenizer;
    this.#ends = ends;
    this.#now = { state: this.#automaton.start, missing: 0, bits: 0, least: 0 };
  }

  /** Whether the answer is whole and nothing can follow. */
  get over(): boolean {
    const { state, missing } = this.#now;
    return missing === 0 && this.#automaton.mayEnd(state) && !this.#automaton.mayGoOn(state);
  }

  /** Whether a token may come next. */
  allows(token: number): boolean {
    if (this.#ends.has(token)) return this.#now.missing === 0 && this.#automaton.mayEnd(this.#now.state);
    // Control tokens show nothing, so they would not move the answer on.
    if (token >= this.#tokenizer.count || this.#tokenizer.isControl(token)) return false;
    // Of all tokens that are tried, what one leads to is no use to most others.
    if (this.#automaton.full) this.#now.state = this.#automaton.keep(this.#now.state);
    return this.#read(token);
  }

  /** Notes that a token came, which `allows` has allowed. */
  take(token: number): void {
    if (this.#ends.has(token) || !this.#read(token)) return;
    const { state, missing, bits, least } = this.#tried;
    this.#now = { state: this.#automaton.keep(state), missing, bits, least };
  }

  /** Frees what it took. It is of no use any more. */
  close(): void {
    this.#automaton.letGo();
  }

  /** Reads a token's bytes into `#tried`; whether they lead on. */
  #read(token: number): boolean {
    const { bytes, offsets } = this.#tokenizer;
    const from = offsets[token] as number;
    const to = offsets[token + 1] as number;
    const tried = this.#tried;
    tried.state = this.#now.state;
    tried.missing = this.#now.missing;
    tried.bits = this.#now.bits;
    tried.least = this.#now.least;
    for (let i = from; i < to; i++) {
      const byte = bytes[i] as number;
      if (byte < 0x80 && tried.missing === 0) tried.state = this.#automaton.step(tried.state, byte);
      else if (!this.#gather(byte)) return false;
      if (tried.state === DEAD) return false;
    }
    return to > from && (tried.missing === 0 || this.#canBecome());
  }

  /** Takes one byte of a character of several; whether it can be one there. */
  #gather(byte: number): boolean {
    const tried = this.#tried;
    if (tried.missing === 0) {
      // C0, C1 and what follows F4 begin no character.
      if (byte < 0xc2 || byte > 0xf4) return false;
      tried.missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      tried.bits = byte & (0x3f >> tried.missing);
      tried.least = [0x80, 0x800, 0x10000][tried.missing - 1] as number;
      return true;
    }
    if (byte >> 6 !== 2) return false;
    tried.bits = (tried.bits << 6) | (byte & 0x3f);
    tried.missing -= 1;
    if (tried.missing > 0) return true;
    // What is written in more bytes than it needs is no character; classes leave out what is none for other reasons.
    if (tried.bits < tried.least || tried.bits > 0x10ffff) return false;
    tried.state = this.#automaton.step(tried.state, tried.bits);
    return true;
  }

  /** Whether the bytes so far are the beginning of a character that may stand here. */
  #canBecome(): boolean {
    const { state, missing, bits, least } = this.#tried;
    const low = Math.max(bits << (6 * missing), least);
    const high = Math.min(((bits + 1) << (6 * missing)) - 1, 0x10ffff);
    return low <= high && this.#automaton.meets(state, low, high);
  }
}
