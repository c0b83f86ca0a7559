import { withAges } from "./ages";
import { Characters, codePoints } from "./characters";
import { compileDraft, type Tools } from "./compiler";
import { confidences, type Part } from "./confidence";
import { Constants } from "./constants";
import { clashing } from "./contradiction";
import { Coverage, type MarkedSpan } from "./coverage";
import { decode } from "./decoding";
import { Draft } from "./draft";
import type { Kernel } from "./kernel";
import { Naming } from "./naming";
import { Nominals } from "./nominals";
import { Numbers } from "./numbers";
import { notesOn, questionsFor } from "./questions";
import { Quoting } from "./quoting";
import { read, type Reading } from "./reading";
import { Secrecy } from "./secrecy";
import { Lexicon, Speller, WordList } from "./spelling";
import { marked, standing, taken } from "./standing";
import type { Tables } from "./tables";
import { Tokenizer } from "./tokenizer";
import { Verbs } from "./verbs";

/** Characters (code points) of the description. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** A part as it is told. */
export interface ToldPart extends Omit<Part, "spans"> {
  readonly spans: readonly Stretch[];
}

/** What the model made of a description. There is no blueprint exactly where questions must be answered first. */
export interface Understanding {
  readonly blueprint: string | null;
  readonly model: string;
  readonly confidence: number;
  readonly questions: readonly string[];
  readonly notes: readonly string[];
  /** What stands in the blueprint. */
  readonly parts: readonly ToldPart[];
  /** What was heard and does not. */
  readonly not_understood: readonly ToldPart[];
  /** In characters (code points) of the description. */
  readonly spans: readonly MarkedSpan[];
}

/** Lets others in between two steps, and the clock move on, which stands still while a Worker computes. */
export type Pause = (step: "read" | "judged" | "decoded") => Promise<void>;

/** Understands descriptions, one at a time: the same result as `EncoderUnderstander` has on a machine. */
export class Understander {
  readonly characters: Characters;
  readonly #tables: Tables;
  readonly #kernel: Kernel;
  readonly #tokenizer: Tokenizer;
  readonly #lexicon: Lexicon;
  readonly #coverage: Coverage;
  readonly #tools: Tools;
  readonly #nominals: Nominals;
  readonly #quoting: Quoting;

  constructor(tables: Tables, words: Uint8Array, kernel: Kernel) {
    this.#tables = tables;
    this.#kernel = kernel;
    this.characters = new Characters(tables.characters);
    this.#tokenizer = new Tokenizer(tables.tokenizer);
    this.#coverage = new Coverage(tables.coverage, this.characters);
    const naming = new Naming(tables.naming, tables.plurals, this.characters);
    this.#tools = {
      tables: tables.compiler,
      characters: this.characters,
      naming,
      verbs: new Verbs(tables.verbs, naming),
      numbers: new Numbers(tables.numbers, this.characters),
      constants: new Constants(tables.checks, this.characters),
      secrecy: new Secrecy(tables.secrecy),
    };
    this.#nominals = new Nominals(tables.nominals, naming, this.#tools.verbs);
    this.#quoting = new Quoting(tables.quoting, this.characters);
    this.#lexicon = new Lexicon(tables.spelling, new WordList(words), this.#tools.naming);
  }

  async understand(text: string, pause: Pause): Promise<Understanding> {
    const reading = read(text, this.#tokenizer, this.characters, this.#tables.decoding.mostPieces);
    const draft = await this.#draft(reading, pause);
    const compiled = compileDraft(draft, this.#tools);
    const { blueprint, text: written, left } = compiled;
    const asking = { tables: this.#tables, quoting: this.#quoting };
    const questions = questionsFor(draft, blueprint, asking);
    const stands = standing(draft, compiled, this.#tools);
    const spans = taken(stands);
    spans.push(...marked(left, "unexplained"));
    spans.push(...marked(this.#coverage.unexplained(stands, text, spans, reading.end), "unexplained"));
    const { parts, lost, whole } = confidences(draft, questions.length > 0 ? standing(draft, { ...compiled, blueprint: undefined }, this.#tools) : stands, this.#tables.curves);
    await pause("decoded");
    const points = codePoints(text);
    const told = (part: Part): ToldPart => ({ ...part, spans: part.spans.map(([start, end]) => ({ start: points(start), end: points(end) })) });
    return {
      blueprint: questions.length > 0 ? null : (written ?? null),
      model: this.#tables.model,
      confidence: whole,
      questions,
      notes: notesOn(draft, blueprint, stands, this.#tools, asking),
      parts: parts.map(told),
      not_understood: lost.map(told),
      spans: inOrder(spans, points),
    };
  }

  async #draft(reading: Reading, pause: Pause): Promise<Draft> {
    if (reading.words.length === 0) {
      const draft = new Draft();
      draft.verdict = "vague";
      return draft;
    }
    const scores = this.#kernel.read(reading);
    await pause("read");
    const speller = new Speller(this.#lexicon);
    const draft = decode(reading, scores, (...asked) => this.#kernel.link(reading, ...asked), {
      tables: this.#tables,
      characters: this.characters,
      naming: this.#tools.naming,
      nominals: this.#nominals,
      spell: (phrase) => speller.mend(phrase),
    });
    withAges(draft, { ...this.#tools, tables: this.#tables.compiler.cues });
    draft.mended = speller.mended;
    if (draft.verdict === "contradictory") {
      const judge = async (pieces: readonly number[]): Promise<readonly number[]> => {
        // The whole has been read already.
        if (pieces === reading.pieces) return scores.verdict;
        await pause("judged");
        return this.#kernel.verdict(pieces);
      };
      draft.clash = await clashing(reading, judge, this.#tables);
    }
    return draft;
  }
}

/** Each span once, by place, in code points; of those at one place, by role. */
function inOrder(spans: readonly MarkedSpan[], pointsBefore: (at: number) => number): MarkedSpan[] {
  const once = new Map(spans.map((s) => [`${s.start} ${s.end} ${s.role}`, s]));
  return [...once.values()]
    .map(({ start, end, role }) => ({ start: pointsBefore(start), end: pointsBefore(end), role }))
    .sort((a, b) => a.start - b.start || a.end - b.end || (a.role < b.role ? -1 : 1));
}
