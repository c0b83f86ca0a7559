import type { Characters } from "./characters";
import { saysWhoDeletes } from "./deleters";
import { type Draft, type DraftCue, type DraftEntity, DraftField } from "./draft";
import { withWriters } from "./locks";
import { writesOf } from "./rates";
import { isGateway } from "./storeless";
import { STATED, withTakers } from "./takers";
import type { CompilerTables } from "./tables";
import type { Naming } from "./naming";
import type { Verbs } from "./verbs";

/**
 * The roles that cues give rights to; who is told of something, or has so many rows at most, has none by that, nor has
 * whoever made a row that is theirs to delete or to take a step with.
 */
export const rolesOf = (draft: Draft, { cues: { makers, takers } }: CompilerTables, verbs: Verbs): string[] =>
  draft.cues
    .filter(({ kind }) => kind !== "notify" && kind !== "at-most")
    .flatMap((cue) => [...cue.slots.values()].flatMap((fillers) => fillers.map(({ role }) => role).filter((role) => role !== "" && role !== takers.maker && !(makers.includes(role) && saysWhoDeletes(cue, verbs)))));

/** What reading words needs. */
interface Spoken {
  readonly verbs: Verbs;
  readonly naming: Naming;
  readonly characters: Characters;
}

/** Whether a thing is a picture of which more is told than where it is. */
export function isPicture(e: DraftEntity, { pictures, picture, files }: CompilerTables): boolean {
  const told = [...e.fields.values()];
  return pictures.includes(e.name) && told.length > 0 && !told.some(({ name, type }) => [...files, "url"].includes(type) || name === picture);
}

/** The draft with what its cues take for granted. What the text states stays as it is. */
export function completed(stated: Draft, tables: CompilerTables, { verbs, naming, characters }: Spoken): Draft {
  const draft = stated.copied();
  for (const e of draft.entities.values()) if (isPicture(e, tables)) e.fields.set(tables.picture, new DraftField(tables.picture, tables.picture));
  const usual = isGateway(draft, tables.storeless) ? tables.routesAccess : tables.cueAccess;
  for (const cue of draft.cues) {
    const named = namedBy(cue, draft);
    const about = named.length > 0 ? named : [...draft.entities.values()];
    if (cue.kind === "restore") for (const e of about) e.flags.add("softdelete");
    if (cue.kind === "publish") {
      const roles = (cue.slots.get("by") ?? []).map(({ role }) => role).filter((role) => role !== "");
      for (const e of about) write(draft, e, roles);
    }
    if (cue.kind === "at-most" && (cue.slots.get("per") ?? []).some(({ role }) => role !== "")) {
      // Rows that are counted for each user belong to whoever made them.
      for (const e of named) if (!e.flags.has("own")) e.flags.add("own-write");
    }
    // Whoever is counted, or deletes rows of their own, logs in to make them.
    const deletesOwn = saysWhoDeletes(cue, verbs) && (cue.slots.get("by") ?? []).some(({ role }) => tables.cues.makers.includes(role));
    if (cue.kind === "limit-user" || deletesOwn) for (const e of writesOf(cue.words, { verbs }).length > 0 ? about : named) write(draft, e, []);
    for (const e of named) withWriters(draft, e, cue, verbs, tables.cues.makers, STATED);
    const access = Object.hasOwn(usual, cue.kind) ? usual[cue.kind] : undefined;
    if (draft.access === "unstated" && access !== undefined) draft.access = access;
    if (cue.kind === "tenants") {
      // What only some may see is not open to all.
      if (draft.access === "none" || draft.access === "login-write") draft.access = "login";
      // Every row belongs to a tenant, so that no reference needs to say it.
      draft.relations = draft.relations.filter(({ target }) => !named.some(({ name }) => name === target));
    }
  }
  withTakers(draft, tables.cues, verbs, naming, characters);
  return draft;
}

const namedBy = (cue: DraftCue, draft: Draft): DraftEntity[] =>
  (cue.slots.get("of") ?? []).map(({ entity }) => draft.entities.get(entity)).filter((e) => e !== undefined);

/** Lets nobody but people who log in, or those roles, write what everybody could. */
function write(draft: Draft, e: DraftEntity, roles: readonly string[]): void {
  const stated = e.writeRoles.length > 0 || STATED.some((flag) => e.flags.has(flag));
  if (stated || (draft.access !== "unstated" && draft.access !== "none")) return;
  if (roles.length > 0) e.writeRoles.push(...roles);
  else e.flags.add("write-login");
}
