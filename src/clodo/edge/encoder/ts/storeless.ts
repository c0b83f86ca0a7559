import type { Draft } from "./draft";
import type { StorelessTables } from "./tables";

/** The type of a service: what the text says, in as far as its words bear it out; where nothing is stored, what its cues are of. */
export function typeOf(draft: Draft, stores: boolean, { typeOf: ofCues, called }: StorelessTables): string {
  const kinds = draft.cues.map(({ kind }) => kind);
  const stated = Object.hasOwn(called, draft.serviceType) ? draft.serviceType : undefined;
  if (stated !== undefined && !(stated === "api-gateway" && stores && !kinds.includes("route"))) return stated;
  if (stores) return "data-service";
  const found = kinds.map((kind) => (Object.hasOwn(ofCues, kind) ? ofCues[kind] : undefined));
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
