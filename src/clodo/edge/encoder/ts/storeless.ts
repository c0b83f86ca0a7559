import type { Draft, DraftCue } from "./draft";
import type { StorelessTables } from "./tables";

/** Whether a cue says which folder a site is served from: what leads somewhere has a path, which a folder has not. */
export const isFolder = ({ kind, slots }: DraftCue): boolean =>
  kind === "route" && (slots.get("to") ?? []).length > 0 && (slots.get("from") ?? []).length === 0;

/** The type of a service: what the text says, in as far as its words bear it out; where nothing is stored, what its cues are of. */
export function typeOf(draft: Draft, stores: boolean, { typeOf: ofCues, called }: StorelessTables): string {
  const kinds = draft.cues.map(({ kind }) => kind);
  const stated = Object.hasOwn(called, draft.serviceType) ? draft.serviceType : undefined;
  if (stated !== undefined && !(stated === "api-gateway" && stores && !kinds.includes("route"))) return stated;
  if (stores) return "data-service";
  const found = draft.cues.map((cue) => (isFolder(cue) ? "static-site" : Object.hasOwn(ofCues, cue.kind) ? ofCues[cue.kind] : undefined));
  return Object.keys(called).find((type) => found.includes(type)) ?? "data-service";
}

/** Whether a text that tells nothing of what it names can be of a service that stores nothing. */
export function isStoreless(draft: Draft, tables: StorelessTables): boolean {
  if ([...draft.entities.values()].some(({ fields }) => fields.size > 0)) return false;
  if (Object.hasOwn(tables.called, draft.serviceType) || draft.cues.some(({ kind }) => kind === "route")) return true;
  return [...draft.entities.keys()].every((name) => name === "user") && typeOf(draft, false, tables) !== "data-service";
}

/** Whether the service is a gateway and nothing besides. */
export const isGateway = (draft: Draft, tables: StorelessTables): boolean =>
  isStoreless(draft, tables) && typeOf(draft, false, tables) === "api-gateway";
