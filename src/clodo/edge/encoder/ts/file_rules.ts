import { type Pen, Unsaid } from "./cue_names";
import type { Draft, DraftCue, DraftField } from "./draft";
import type { Span } from "./reading";
import { quote } from "./values";

export const FILE_CUES = ["private", "file-types"];

/** What the cues of a draft say of its files: the kinds that are taken, and that signed links alone open them. */
export class FileRules {
  /** The words of cues of which no file can have what they say. */
  readonly left: Span[] = [];
  readonly #draft: Draft;
  readonly #pen: Pen;
  readonly #files: readonly string[];
  readonly #types = new Map<DraftField, Set<string>>();
  readonly #private = new Set<DraftField>();
  readonly #spans = new Map<DraftField, Span[]>();

  constructor(draft: Draft, pen: Pen, files: readonly string[]) {
    this.#draft = draft;
    this.#pen = pen;
    this.#files = files;
    for (const cue of draft.cues) {
      if (!FILE_CUES.includes(cue.kind)) continue;
      try {
        this.#note(cue);
      } catch (error) {
        if (!(error instanceof Unsaid)) throw error;
        this.left.push(...cue.evidence.spans.slice(0, 1));
      }
    }
  }

  /** What stands behind the kind and the size of a file, with the space before it. */
  tail(f: DraftField): string {
    const types = this.#types.get(f);
    return `${types === undefined ? "" : ` types ${[...types].map(quote).join(", ")}`}${this.#private.has(f) ? " private" : ""}`;
  }

  /** The words for a file with its rules. */
  spansOf(f: DraftField): readonly Span[] {
    return [...f.evidence.spans, ...(this.#spans.get(f) ?? [])];
  }

  #note(cue: DraftCue): void {
    const files = this.#named(cue);
    const kinds = (cue.slots.get("n") ?? []).filter(({ words }) => words !== "").map(({ words }) => this.#mediaTypes(words));
    const found = kinds.flat();
    const { imageTypes } = this.#pen.tables.media;
    const isWrong = ({ type }: DraftField): boolean => type === "image" && !found.every((one) => imageTypes.includes(one));
    // A kind that is not known would be refused by the service.
    if (cue.kind === "file-types" && (found.length === 0 || kinds.some(({ length }) => length === 0) || files.some(isWrong))) throw new Unsaid();
    for (const f of files) {
      if (cue.kind === "private") {
        this.#private.add(f);
      } else {
        this.#types.set(f, new Set([...(this.#types.get(f) ?? []), ...found]));
      }
      this.#spans.set(f, [...(this.#spans.get(f) ?? []), ...cue.evidence.spans.slice(0, 1)]);
    }
  }

  /** The media types that some words name, each once. */
  #mediaTypes(surface: string): readonly string[] {
    const { characters, naming, tables } = this.#pen;
    const whole = characters.strip(surface, "\"'“”‘’` ,.").toLowerCase();
    if (/^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/.test(whole)) return [whole];
    const { types } = tables.media;
    const said = naming.words(surface).map((word) => (Object.hasOwn(types, word) ? word : word.replace(/s$/, "")));
    return [...new Set(said.flatMap((word) => (Object.hasOwn(types, word) ? (types[word] ?? []) : [])))];
  }

  /** The files that a cue names, else the only one of the text. */
  #named(cue: DraftCue): readonly DraftField[] {
    const files = [...this.#draft.entities.values()].flatMap((e) =>
      [...e.fields.values()].filter(({ type }) => this.#files.includes(type)).map((f) => [`${e.name}.${f.name}`, f] as const),
    );
    const named = new Set((cue.slots.get("set") ?? []).map(({ entity, field }) => `${entity}.${field}`));
    const found = (named.size > 0 ? files.filter(([key]) => named.has(key)) : files.length === 1 ? files : []).map(([, f]) => f);
    if (found.length === 0 || found.length < named.size) throw new Unsaid();
    return found;
  }
}
