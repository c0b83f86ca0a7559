import type { Span } from "./reading";

/** How sure a decision is, and the characters of the text that it rests on. */
export class Evidence {
  confidence: number;
  spans: Span[] = [];

  constructor(confidence = 1) {
    this.confidence = confidence;
  }

  /** Joins another decision: the weaker confidence, all the words. */
  add(confidence: number, ...spans: readonly Span[]): void {
    this.confidence = Math.min(this.confidence, confidence);
    this.spans = [...this.spans, ...spans.filter(([a, b]) => !this.spans.some(([x, y]) => a === x && b === y))];
  }
}

/**
 * What fills a slot of a cue: an `entity`, a field of it, a value of a field (`words`), a value that stands alone (`words` and no
 * entity), or a `role`. What is not said is empty.
 */
export interface Filler {
  readonly entity: string;
  readonly field: string;
  readonly words: string;
  readonly role: string;
  /** The characters of the words or the role, where they are known. */
  readonly at?: Span | null;
}

/** A wish for more than stored rows: its kind, the text's own words, and what fills each slot. */
export interface DraftCue {
  readonly kind: string;
  readonly words: string;
  readonly slots: Map<string, readonly Filler[]>;
  readonly evidence: Evidence;
  /** Cues that say more of the same step: who may take it, and when. */
  readonly further?: readonly DraftCue[];
}

/** A value and its role towards a field, in the text's words. */
export interface DraftValue {
  readonly role: string;
  readonly words: string;
  readonly evidence: Evidence;
}

export class DraftField {
  name: string;
  readonly type: string;
  readonly flags = new Set<string>();
  readonly values: DraftValue[] = [];
  target = "";
  readonly referenceFlags = new Set<string>();
  /** Pairs of values, of which the second may follow the first. */
  readonly steps: (readonly [before: string, after: string])[] = [];
  readonly evidence = new Evidence();

  constructor(name: string, type: string) {
    this.name = name;
    this.type = type;
  }
}

export class DraftEntity {
  readonly name: string;
  readonly fields: Map<string, DraftField>;
  readonly flags: Set<string>;
  readonly readRoles: string[];
  readonly writeRoles: string[];
  together: readonly (readonly string[])[] = [];
  readonly evidence: Evidence;

  constructor(name: string, evidence: Evidence, like?: DraftEntity) {
    this.name = name;
    this.evidence = evidence;
    this.fields = new Map(like?.fields);
    this.flags = new Set(like?.flags);
    this.readRoles = [...(like?.readRoles ?? [])];
    this.writeRoles = [...(like?.writeRoles ?? [])];
    this.together = like?.together ?? [];
  }
}

/** `source` refers to `target` (`belongs`) or both are linked (`many`). */
export interface DraftRelation {
  readonly source: string;
  readonly target: string;
  readonly kind: string;
  readonly flags: Set<string>;
  readonly evidence: Evidence;
}

/** What a text says, decision by decision, before it is a blueprint. */
export class Draft {
  entities: ReadonlyMap<string, DraftEntity> = new Map();
  relations: readonly DraftRelation[] = [];
  cues: DraftCue[] = [];
  access = "unstated";
  readonly accessEvidence = new Evidence();
  serviceType = "unstated";
  name = "";
  verdict = "clear";
  verdictConfidence = 1;
  unsupported: readonly Span[] = [];
  readonly roles: Span[] = [];
  mended: ReadonlyMap<string, string> = new Map();
  /** Values, whether or not anything is made of them. */
  heard: readonly Span[] = [];
  /** Fields where there is no entity that they could be of. */
  loose: readonly Span[] = [];
  /** The sentence by which a contradictory text contradicts itself. */
  clash: Span | undefined;
  /** Of words how sure it is that they say nothing. */
  chatter: readonly (readonly [word: Span, chance: number])[] = [];
  text = "";

  /** Another draft that says the same; its entities may be changed without this one's being so. */
  copied(): Draft {
    const entities = [...this.entities].map(([name, e]) => [name, new DraftEntity(name, e.evidence, e)] as const);
    return Object.assign(new Draft(), this, { entities: new Map(entities) });
  }
}
