import { withAges } from "./ages";
import { Characters } from "./characters";
import { compileDraft } from "./compiler";
import { Constants } from "./constants";
import { Coverage } from "./coverage";
import { Draft, type DraftCue, DraftEntity, DraftField, Evidence, type Filler } from "./draft";
import { Naming } from "./naming";
import { Nominals } from "./nominals";
import { Numbers } from "./numbers";
import { notesOn, questionsFor } from "./questions";
import { Quoting } from "./quoting";
import { read, type Span } from "./reading";
import { Secrecy } from "./secrecy";
import { openWeights, type WeightsEnv } from "./shared/weights";
import { Lexicon, Speller, WordList } from "./spelling";
import { standing, taken } from "./standing";
import type { Tables } from "./tables";
import { Tokenizer } from "./tokenizer";
import { Verbs } from "./verbs";

/** Answers what single steps make of texts, and what blueprints drafts come to: for tests that hold them against Python. */
export default {
  async fetch(request, env) {
    const tables = await new Response(await openWeights(env, "tables.json")).json<Tables>();
    const characters = new Characters(tables.characters);
    const naming = new Naming(tables.naming, tables.plurals, characters);
    const numbers = new Numbers(tables.numbers, characters);
    const { pathname } = new URL(request.url);
    if (pathname !== "/") {
      const constants = new Constants(tables.checks, characters);
      const tools = { tables: tables.compiler, characters, naming, numbers, constants, secrecy: new Secrecy(tables.secrecy), verbs: new Verbs(tables.verbs, naming) };
      const quoting = new Quoting(tables.quoting, characters);
      const coverage = new Coverage(tables.coverage, characters);
      return Response.json((await request.json<Told[]>()).map(draftOf).map((draft) => {
        if (pathname === "/aged") withAges(draft, { ...tools, tables: tables.compiler.cues });
        const made = compileDraft(draft, tools);
        const stands = standing(draft, made, tools);
        const asking = { tables, quoting };
        return {
          text: made.text ?? null,
          left: made.left,
          questions: questionsFor(draft, made.blueprint, asking),
          notes: notesOn(draft, made.blueprint, stands, tools, asking),
          taken: taken(stands).map(({ start, end, role }) => [start, end, role]),
          unexplained: coverage.unexplained(stands, draft.text, taken(stands), draft.text.length),
        };
      }));
    }
    const tokenizer = new Tokenizer(tables.tokenizer);
    const words = new Uint8Array(await new Response(await openWeights(env, "words.bin")).arrayBuffer());
    const lexicon = new Lexicon(tables.spelling, new WordList(words), naming);
    const verbs = new Verbs(tables.verbs, naming);
    const nominals = new Nominals(tables.nominals, naming, verbs);
    return Response.json(
      (await request.json<string[]>()).map((text) => ({
        ...read(text, tokenizer, characters, tables.decoding.mostPieces),
        entity: naming.entity(text),
        field: naming.field(text),
        things: ["can", "customers", "the", ""].flatMap((before) => ["", "up", "in"].map((behind) => nominals.thing(text, before, behind))),
        singular: naming.singular(text),
        verb: [verbs.action(text), verbs.step(text), verbs.participle(text)],
        mended: new Speller(lexicon).mend(text),
        number: numbers.read(text)?.toString() ?? null,
      })),
    );
  },
} satisfies ExportedHandler<WeightsEnv>;

/** A draft as the test sends it. */
interface Told {
  readonly entities: readonly {
    readonly name: string;
    readonly flags: readonly string[];
    readonly readRoles: readonly string[];
    readonly writeRoles: readonly string[];
    readonly together: readonly (readonly string[])[];
    readonly confidence: number;
    readonly spans: readonly Span[];
    readonly fields: readonly (readonly [key: string, field: Pick<DraftField, "name" | "type" | "target" | "steps"> & {
      readonly flags: readonly string[];
      readonly referenceFlags: readonly string[];
      readonly spans: readonly Span[];
      readonly values: readonly { readonly role: string; readonly words: string; readonly spans: readonly Span[] }[];
    }])[];
  }[];
  readonly relations: readonly { readonly source: string; readonly target: string; readonly kind: string; readonly flags: readonly string[]; readonly spans: readonly Span[] }[];
  readonly cues: readonly { readonly kind: string; readonly words: string; readonly slots: readonly (readonly [string, readonly Filler[]])[]; readonly spans: readonly Span[] }[];
  readonly access: string;
  readonly verdict: string;
  readonly serviceType: string;
  readonly name: string;
  readonly text: string;
  readonly unsupported: readonly Span[];
  readonly roles: readonly Span[];
  readonly heard: readonly Span[];
  readonly loose: readonly Span[];
  readonly clash: Span | null;
  readonly chatter: readonly (readonly [Span, number])[];
}

function draftOf(told: Told): Draft {
  const resting = (spans: readonly Span[], confidence = 1): Evidence => Object.assign(new Evidence(confidence), { spans: [...spans] });
  const entities = told.entities.map((e): readonly [string, DraftEntity] => {
    const made = new DraftEntity(e.name, resting(e.spans, e.confidence));
    e.flags.forEach((flag) => made.flags.add(flag));
    made.readRoles.push(...e.readRoles);
    made.writeRoles.push(...e.writeRoles);
    made.together = e.together;
    for (const [key, f] of e.fields) {
      const field = Object.assign(new DraftField(f.name, f.type), { target: f.target, evidence: resting(f.spans) });
      f.flags.forEach((flag) => field.flags.add(flag));
      f.referenceFlags.forEach((flag) => field.referenceFlags.add(flag));
      field.values.push(...f.values.map(({ role, words, spans }) => ({ role, words, evidence: resting(spans) })));
      field.steps.push(...f.steps);
      made.fields.set(key, field);
    }
    return [e.name, made];
  });
  const cues = told.cues.map(({ kind, words, slots, spans }): DraftCue => ({ kind, words, slots: new Map(slots), evidence: resting(spans) }));
  const relations = told.relations.map((r) => ({ ...r, flags: new Set(r.flags), evidence: resting(r.spans) }));
  const { access, verdict, serviceType, name, text, unsupported, roles, heard, loose, clash, chatter } = told;
  return Object.assign(new Draft(), { entities: new Map(entities), relations, cues, access, verdict, serviceType, name, text, unsupported, roles: [...roles], heard, loose, clash: clash ?? undefined, chatter });
}
