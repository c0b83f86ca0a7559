import { type Names, Unsaid } from "./cue_names";
import type { Draft, DraftCue } from "./draft";
import { listed, type Quoting } from "./quoting";
import type { Tables } from "./tables";
import { isUpload } from "./uploads";
import type { Access } from "./values";
import type { Verbs } from "./verbs";

/** What the notes are made of. */
export interface Telling {
  readonly names: Names;
  readonly verbs: Verbs;
  readonly makers: readonly string[];
  readonly tables: Tables["uploadNotes"];
  readonly quoting: Quoting;
}

/**
 * What to tell of files that a text has some alone upload: files have no rights of their own, so that whoever changes a row uploads them. A
 * note for each that others upload as well, or that those do not whom the text means. `stands` is what of the draft stands in its blueprint.
 */
export function notesOnUploads(stands: Draft, telling: Telling): string[] {
  return [...new Set(stands.cues.flatMap((cue) => notesOf(cue, telling)))].slice(0, telling.tables.most);
}

function notesOf(cue: DraftCue, { names, verbs, makers, tables, quoting }: Telling): string[] {
  const who = [...new Map((cue.slots.get("by") ?? []).filter(({ role }) => role !== "").map((f) => [f.role, f])).values()];
  const e = who.length === 0 ? undefined : attempted(() => (isUpload(cue, names, { verbs }) ? names.about(cue) : undefined));
  if (e === undefined) return [];
  const write = e.write ?? names.blueprint.write;
  const missing = who.filter(({ role }) => !may(role, write, makers));
  if (missing.length === 0 && areAll(who.map(({ role }) => role), write, makers)) return [];
  const said = (missing.length > 0 ? missing : who).map(({ role, at }) =>
    quoting.quoted(at === undefined || at === null ? role.replaceAll("_", " ") : names.text.slice(...at), tables.nameWords),
  );
  const parts = (tables.told[missing.length > 0 ? "shut out" : "others"] ?? "").split("{}");
  return (cue.slots.get("set") ?? []).map((f) => {
    const filled = [e.name, names.file(f) ?? f.field].map((name) => name.replaceAll("_", " ")).concat(listed(said));
    return parts.map((part, i) => part + (filled[i] ?? "")).join("");
  });
}

/** Whether people of a role may change rows; who made a row may where it is theirs. */
function may(role: string, { who, roles }: Access, makers: readonly string[]): boolean {
  if (who === "key") return false;
  if (who === "owner" && makers.includes(role) && !roles.includes(role)) return true;
  return who === "public" || who === "user" || roles.includes(role) || role === "admin";
}

/** Whether nobody else may: an administrator may do what any role may. */
function areAll(named: readonly string[], { who, roles }: Access, makers: readonly string[]): boolean {
  if (who === "user") return named.includes("user");
  const isMade = who !== "owner" || named.some((role) => makers.includes(role) && !roles.includes(role));
  return (who === "role" || who === "owner") && isMade && roles.every((role) => named.includes(role));
}

function attempted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Unsaid) return undefined;
    throw error;
  }
}
