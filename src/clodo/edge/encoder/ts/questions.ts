import { bareEntities, heldBy, namesOf, type Tools } from "./compiler";
import { isPicture } from "./cues";
import type { Draft, DraftEntity } from "./draft";
import { notesOnMails } from "./mail_notes";
import { listed, type Quoting } from "./quoting";
import type { Span } from "./reading";
import type { Secrecy } from "./secrecy";
import { isGateway } from "./storeless";
import type { Tables } from "./tables";
import { notesOnUploads } from "./upload_notes";
import type { Blueprint, Entity } from "./values";

/** What questions are made of. */
export interface Asking {
  readonly tables: Tables;
  readonly quoting: Quoting;
}

/** One to three questions where a blueprint would be a guess, in the text's own words where the model heard any; none where it is not. */
export function questionsFor(draft: Draft, b: Blueprint | undefined, asking: Asking): readonly string[] {
  const { tables } = asking;
  const writer = new Questions(draft, asking);
  if (draft.verdict === "contradictory") return writer.onClash();
  if (draft.verdict === "not-a-service") return writer.onNoService();
  if (b === undefined && draft.verdict === "clear" && isGateway(draft, tables.compiler.storeless)) return writer.general("api-gateway");
  if (draft.verdict === "vague" || b === undefined) return writer.onVague();
  if (b.entities.length === 0 && b.users === undefined && !["api-gateway", "static-site"].includes(b.type)) return writer.onVague();
  if (b.entities.length > 0 && b.entities.every(isEmpty)) return writer.onBare(b.entities);
  return [];
}

class Questions {
  readonly #draft: Draft;
  readonly #tables: Tables["questions"];
  readonly #leastEntity: number;
  readonly #quoting: Quoting;

  constructor(draft: Draft, { tables, quoting }: Asking) {
    this.#draft = draft;
    this.#tables = tables.questions;
    this.#leastEntity = tables.decoding.leastEntity;
    this.#quoting = quoting;
  }

  general(kind: string): readonly string[] {
    return this.#tables.general[kind] ?? [];
  }

  /** A question on the sentence that contradicts another, or itself where there is no other. */
  onClash(): readonly string[] {
    const general = this.general("contradictory");
    const { clash, text } = this.#draft;
    if (clash === undefined) return general;
    const around = [text.slice(0, clash[0]), text.slice(clash[1])];
    const kind = around.some((words) => this.#quoting.plain(words) !== "") ? "clash" : "within";
    return [this.#filled(kind, this.#quoting.quoted(text.slice(...clash), this.#tables.words)), ...general.slice(1)];
  }

  /** A question on what a text seems to be about: the things, else the fields that were heard. */
  onNoService(): readonly string[] {
    const things = this.#things().map(([word]) => word);
    if (things.length > 0) return [this.#asked("topic", things)];
    const loose = this.#loose();
    return loose.length > 0 ? [this.#asked("topics", loose)] : this.general("not-a-service");
  }

  onBare(entities: readonly Entity[]): readonly string[] {
    return [this.#asked("fields", entities.map(({ name }) => this.#words(this.#draft.entities.get(name)?.evidence.spans ?? [], name)))];
  }

  /** Questions on what was heard: things without fields, fields without things, wishes; the general ones where nothing was. */
  onVague(): readonly string[] {
    const wished = this.#onWish();
    const [what = "", which = "", who = ""] = this.general("vague");
    const first = this.#onHeard() ?? (wished.length > 0 ? [what] : [what, which]);
    return [...first, ...wished, ...(this.#draft.access === "unstated" ? [who] : [])].slice(0, this.#tables.most);
  }

  #onHeard(): readonly string[] | undefined {
    const things = this.#things();
    const bare = things.filter(([, e]) => e.fields.size === 0).map(([word]) => word);
    if (bare.length > 0) return [this.#asked("fields", bare)];
    const [thing] = things;
    if (thing !== undefined) {
      const [word, { fields }] = thing;
      return [this.#asked("more", [word], [...fields.values()].map((f) => this.#words(f.evidence.spans, f.name)))];
    }
    const loose = this.#loose();
    return loose.length > 0 ? [this.#asked(loose.length === 1 ? "owner" : "owners", loose)] : undefined;
  }

  /** A question on the first wish that cannot be built, or of which the text does not say what it is about. */
  #onWish(): readonly string[] {
    const wishes = this.#draft.unsupported.map((span) => ({ span, kind: "unsupported" }));
    for (const { slots, evidence } of this.#draft.cues) {
      const [span] = evidence.spans;
      if (span !== undefined && ![...slots.values()].flat().some(({ entity }) => entity !== "")) wishes.push({ span, kind: "wish" });
    }
    wishes.sort((a, b) => a.span[0] - b.span[0] || a.span[1] - b.span[1] || (a.kind < b.kind ? -1 : 1));
    const said = wishes.map(({ span, kind }) => ({ words: this.#draft.text.slice(...span), kind })).filter(({ words }) => this.#quoting.plain(words) !== "");
    return said.slice(0, 1).map(({ words, kind }) => this.#filled(kind, this.#quoting.quoted(words, this.#tables.words)));
  }

  /** The things that the model is sure to have heard, in the text's words. */
  #things(): (readonly [word: string, e: DraftEntity])[] {
    const sure = [...this.#draft.entities.values()].filter(({ evidence }) => evidence.confidence >= this.#leastEntity);
    return sure.map((e) => [this.#words(e.evidence.spans, e.name), e]);
  }

  /** The text's words for what it names so; the name itself where the text has none. */
  #words(spans: readonly Span[], name: string): string {
    const said = spans.map((span) => this.#draft.text.slice(...span)).find((words) => this.#quoting.plain(words) !== "");
    return said ?? name.replaceAll("_", " ");
  }

  /** Fields without a thing that say something, each once. */
  #loose(): string[] {
    const first = new Map<string, string>();
    for (const span of this.#draft.loose) {
      const words = this.#draft.text.slice(...span);
      const said = this.#quoting.plain(words).toLowerCase();
      if (said !== "" && !first.has(said)) first.set(said, words);
    }
    return [...first.values()];
  }

  /** A question with lists of names in its places. */
  #asked(kind: string, ...quotations: readonly (readonly string[])[]): string {
    const { names, nameWords } = this.#tables;
    return this.#filled(kind, ...quotations.map((all) => listed(all.slice(0, names).map((name) => this.#quoting.quoted(name, nameWords)))));
  }

  #filled(kind: string, ...quotations: readonly string[]): string {
    return (this.#tables.quoting[kind] ?? "").split("{}").map((said, i) => said + (quotations[i] ?? "")).join("");
  }
}

/** The choices that were made for the author, in plain sentences. `stands` is what of the draft stands in its blueprint. */
export function notesOn(draft: Draft, b: Blueprint | undefined, stands: Draft, tools: Tools, { tables: all, quoting }: Asking): string[] {
  if (b === undefined) return [];
  const { tables, secrecy } = tools;
  const notes: string[] = [];
  const isTold = draft.cues.some(({ kind }) => Object.hasOwn(tables.cueAccess, kind)) || (b.type === "static-site" && b.entities.length === 0);
  if (draft.access === "unstated" && b.users === undefined && !isTold) {
    notes.push("The text does not say who may use the service, so everybody may.");
  }
  if (draft.unsupported.length > 0) notes.push("Some wishes cannot be built yet; they are marked in the text.");
  const bare = [...bareEntities(draft, tables)].sort().map((name) => name.replaceAll("_", " "));
  if (bare.length > 0) notes.push(`The text names nothing to store of ${bare.join(", ")}, so nothing is.`);
  const referring = new Set(b.entities.filter(({ references }) => references.length > 0).map(({ name }) => name));
  for (const [name, e] of draft.entities) {
    const held = referring.has(name) ? heldBy(e, tables) : undefined;
    if (held !== undefined) notes.push(`The text does not say what each ${name} holds; it was given a ${held.name}.`);
  }
  for (const [name, e] of draft.entities) {
    if (isPicture(e, tables)) notes.push(`Each ${name} was given an ${tables.picture}, which the text does not name.`);
  }
  notes.push(...onSecrets(b, secrecy));
  const empty = b.entities.filter(isEmpty).map(({ name }) => name);
  if (empty.length > 0) notes.push(`The text names no fields of ${empty.join(", ")}.`);
  notes.push(...notesOnMails(draft, stands, namesOf(b, draft.text, tools), { ...tools, tables: tables.cues }, all.mailNotes, quoting));
  const files = [...draft.entities.values()].flatMap((e) => [...e.fields.values()].filter((f) => tables.files.includes(f.type)).map((f) => `${e.name} ${f.name}`));
  const { makers } = tables.cues;
  notes.push(...notesOnUploads(stands, { names: namesOf(b, draft.text, tools, files), verbs: tools.verbs, makers, tables: all.uploadNotes, quoting }));
  if (draft.mended.size > 0) {
    notes.push(`Read ${[...draft.mended].map(([typed, meant]) => `'${typed}' as ${meant}`).join(", ")}.`);
  }
  return notes;
}

/** What becomes of fields that their names call secrets, whether or not the text says so. */
function onSecrets(b: Blueprint, secrecy: Secrecy): string[] {
  const holders = [...b.entities, ...(b.users === undefined ? [] : [{ name: "user", fields: b.users.fields }])];
  return holders.flatMap(({ name, fields }) => {
    const beside = fields.map((f) => f.name);
    return fields.flatMap((f) => {
      const words = `The ${f.name} of each ${name}`.replaceAll("_", " ");
      if (f.hashed) return [`${words} is kept as a salted hash, and nobody can read it.`];
      return f.writeOnly && secrecy.isSecret(f.name, f.type, beside) ? [`${words} is never answered: its name says that it is a secret.`] : [];
    });
  });
}

const isEmpty = ({ fields, references, links }: Entity): boolean => fields.length + references.length + links.length === 0;
