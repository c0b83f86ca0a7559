import type { Characters } from "./characters";
import type { Draft } from "./draft";
import type { Span } from "./reading";
import type { CoverageTables } from "./tables";

/** Characters of the description and what they were taken for. */
export interface MarkedSpan {
  readonly start: number;
  readonly end: number;
  readonly role: string;
}

/** A kind of rule with no words of its own: who may write. */
const RIGHT = "right";

/**
 * What no part of the blueprint accounts for: numbers, in digits or words, quoted words, values and cues of rules. They are shown,
 * never dropped, but where the model is sure that they are chatter.
 */
export class Coverage {
  readonly #tables: CoverageTables;
  readonly #characters: Characters;
  readonly #figure: RegExp;
  readonly #quoted: RegExp;
  readonly #worded: RegExp;
  readonly #sentenceEnd: RegExp;
  readonly #everyday: RegExp;
  readonly #cues: readonly (readonly [kind: string, pattern: RegExp])[];

  constructor(tables: CoverageTables, characters: Characters) {
    this.#tables = tables;
    this.#characters = characters;
    this.#figure = characters.pattern(tables.figure, "g");
    this.#quoted = characters.pattern(tables.quoted, "g");
    this.#worded = characters.pattern(tables.worded, "gi");
    this.#sentenceEnd = characters.pattern(tables.sentenceEnd, "g");
    this.#everyday = characters.pattern(tables.everyday, "gi");
    this.#cues = Object.entries(tables.cues).map(([kind, words]) => [kind, characters.pattern(`\\b(?:${words})\\b`, "gi")]);
  }

  /** The stretches that nothing accounts for; all of the text behind `readTo` is one of them. `draft` is what stands in the blueprint. */
  unexplained(draft: Draft, text: string, spans: readonly MarkedSpan[], readTo: number): Span[] {
    const isRead = (stretch: Span): boolean => stretch[1] <= readTo && !isCovered(stretch, spans);
    const quoted = found(this.#quoted, text, readTo);
    // What stands within quotation marks is one with them.
    const figures = this.#figures(text, readTo).filter((s) => !quoted.some((other) => meet(s, other)));
    const others = [...figures, ...found(this.#worded, text, readTo), ...this.#unheard(draft, text, readTo)];
    const { leastChatter, leastQuoted } = this.#tables;
    const stretches = [
      ...others.filter((s) => isRead(s) && chatter(draft, s) < leastChatter),
      ...quoted.filter((s) => isRead(s) && chatter(draft, s) < leastQuoted),
    ];
    stretches.push(...draft.heard.filter((s) => !isCovered(s, spans) && !stretches.some((other) => meet(s, other))));
    let length = text.length;
    while (length > 0 && this.#characters.isSpace(text.charAt(length - 1))) length -= 1;
    if (readTo < length) stretches.push([readTo, length]);
    return stretches;
  }

  #figures(text: string, readTo: number): Span[] {
    return found(this.#figure, text, readTo).map(([start, last]): Span => {
      let end = last;
      while (end > start && ".,".includes(text.charAt(end - 1))) end -= 1;
      return [start, end];
    });
  }

  /** Cues of which no rule was understood in their own sentence or beside it. */
  #unheard(draft: Draft, text: string, readTo: number): Span[] {
    const ends = found(this.#sentenceEnd, text, readTo).map(([, end]) => end);
    const sentenceOf = (at: number): number => {
      const behind = ends.findIndex((end) => end > at);
      return behind < 0 ? ends.length : behind;
    };
    const known = new Map<string, Set<number>>();
    for (const [kind, [at]] of this.#rules(draft)) {
      known.set(kind, (known.get(kind) ?? new Set()).add(sentenceOf(at)));
    }
    const everyday = found(this.#everyday, text, readTo);
    return this.#cues.flatMap(([kind, pattern]) =>
      found(pattern, text, readTo).filter(([start, end]) => {
        const sentence = sentenceOf(start);
        if (everyday.some(([from, to]) => from <= start && start < to)) return false;
        // "Admins may delete any" was understood where a right was.
        const kinds = text.slice(start, end).toLowerCase() === "delete" ? [kind, RIGHT] : [kind];
        return ![sentence - 1, sentence, sentence + 1].some((near) => kinds.some((one) => known.get(one)?.has(near)));
      }),
    );
  }

  /** Every rule that was understood, by kind, at each stretch of the text that it rests on. */
  *#rules(draft: Draft): Iterable<readonly [kind: string, stretch: Span]> {
    const { bounds, flags, deletion } = this.#tables;
    const deletes = (found: ReadonlySet<string>): boolean => deletion.some((flag) => found.has(flag));
    for (const e of draft.entities.values()) {
      if (e.flags.has("softdelete")) for (const s of e.evidence.spans) yield ["deletion", s];
      if (e.writeRoles.length > 0 || e.flags.has("own") || e.flags.has("own-write")) for (const s of e.evidence.spans) yield [RIGHT, s];
      const together = new Set(e.together.flat());
      for (const f of e.fields.values()) {
        const kinds = new Set([...f.flags].map((flag) => flags[flag]).filter((kind) => kind !== undefined));
        if (together.has(f.name)) kinds.add("unique");
        if (deletes(f.referenceFlags)) kinds.add("deletion");
        for (const kind of kinds) for (const s of f.evidence.spans) yield [kind, s];
        for (const { role, evidence } of f.values) {
          const kind = bounds.includes(role) ? "bound" : role.includes("def") ? "default" : undefined;
          if (kind !== undefined) for (const s of evidence.spans) yield [kind, s];
        }
      }
    }
    for (const r of draft.relations) {
      const kinds = [
        ...(deletes(r.flags) ? ["deletion"] : []),
        ...(r.flags.has("required") || r.flags.has("optional") ? ["required"] : []),
        ...(r.flags.has("one") ? ["unique"] : []),
      ];
      const spans = [r.source, r.target].flatMap((name) => draft.entities.get(name)?.evidence.spans ?? []);
      for (const kind of kinds) for (const s of spans) yield [kind, s];
    }
  }
}

/** Where a pattern is found, up to where the text was read: nothing is made of what stands behind. */
function found(pattern: RegExp, text: string, readTo: number): Span[] {
  const out: Span[] = [];
  for (const m of text.matchAll(pattern)) {
    if (m.index >= readTo) break;
    out.push([m.index, m.index + m[0].length]);
  }
  return out;
}

const isCovered = (stretch: Span, spans: readonly MarkedSpan[]): boolean =>
  spans.some(({ start, end, role }) => role !== "access" && meet(stretch, [start, end]));

const meet = ([start, end]: Span, [from, to]: Span): boolean => start < to && end > from;

/** How sure the model is that all of a stretch is chatter; 0 where it says nothing of it. */
function chatter(draft: Draft, stretch: Span): number {
  const said = draft.chatter.filter(([word]) => meet(stretch, word)).map(([, chance]) => chance);
  return said.length === 0 ? 0 : Math.min(...said);
}
