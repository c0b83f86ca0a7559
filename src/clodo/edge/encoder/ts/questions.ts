import { bareEntities, heldBy } from "./compiler";
import { isPicture } from "./cues";
import type { Draft } from "./draft";
import type { Secrecy } from "./secrecy";
import { isGateway } from "./storeless";
import type { CompilerTables, Tables } from "./tables";
import type { Blueprint, Entity } from "./values";

/** One to three questions where a blueprint would be a guess; none where it is not. */
export function questionsFor(draft: Draft, b: Blueprint | undefined, { questions: asked, compiler }: Tables): readonly string[] {
  const vague = asked["vague"] ?? [];
  if (draft.verdict !== "clear") return asked[draft.verdict] ?? vague;
  if (b === undefined) return isGateway(draft, compiler.storeless) ? (asked["api-gateway"] ?? vague) : vague.slice(0, 2);
  if (b.entities.length === 0 && b.users === undefined && !["api-gateway", "static-site"].includes(b.type)) return vague;
  if (b.entities.length > 0 && b.entities.every(isEmpty)) {
    const names = b.entities.slice(0, 3).map(({ name }) => name.replaceAll("_", " "));
    return [`What do you want to know about a ${names.join(" and a ")}? Name the fields.`];
  }
  return [];
}

/** The choices that were made for the author, in plain sentences. */
export function notesOn(draft: Draft, b: Blueprint | undefined, tables: CompilerTables, secrecy: Secrecy): string[] {
  if (b === undefined) return [];
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
