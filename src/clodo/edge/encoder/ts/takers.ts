import type { Characters } from "./characters";
import { creatorsOf, saysWhoCreates } from "./creators";
import { saysWhoDeletes } from "./deleters";
import { unsaid } from "./cue_names";
import type { Draft, DraftCue, DraftEntity, Filler } from "./draft";
import type { Naming } from "./naming";
import { Nearby } from "./nearby";
import type { CueTables } from "./tables";
import { type Access, type Entity, quote, USER } from "./values";
import type { Verbs } from "./verbs";
import { areTheirs } from "./whose";

/** Flags by which a text says who writes. */
export const STATED = ["own", "own-write", "write-login", "write-key", "write-public"];
/** Cues that give nobody rights that they did not have. */
const NO_RIGHTS = ["action", "notify", "at-most"];
/** Slots that tell which rows a step is about. */
const ABOUT = ["of", "set", "unset", "from", "to", "when", "unless"];

/**
 * Puts whoever made the row in the place of words for them, where they take a step: they are no roles with rights of their own,
 * and the text speaks of the row's, or says that rows belong to whoever made them. Rows of which nothing is said of who writes
 * them are theirs then. People of whom the text says that the rows are theirs, and who have no rights to others, are whoever made
 * them, too.
 */
export function withTakers(draft: Draft, tables: CueTables, verbs: Verbs, naming: Naming, characters: Characters): void {
  const rights = new Set([...draft.entities.values()].flatMap((e) => [...e.readRoles, ...e.writeRoles]));
  for (const { slots } of draft.cues.filter(({ kind }) => !NO_RIGHTS.includes(kind))) {
    for (const { role } of [...slots.values()].flat()) rights.add(role);
  }
  for (const role of [...creatorsOf(draft, verbs).values()].flatMap((roles) => [...roles])) rights.add(role);
  const isTheirs = (e: DraftEntity, role: string): boolean =>
    (e.flags.has("own") || e.flags.has("own-write")) && !rights.has(role) && areTheirs(draft.text, role, e.name, { tables, naming, characters });
  const isMaker = (e: DraftEntity, f: Filler): boolean =>
    tables.makers.includes(f.role)
      ? !rights.has(f.role) && isOfRow(draft, e, f, tables, naming, characters)
      : isOfTheirOwn(draft, e, f, tables, characters) || isTheirs(e, f.role);
  draft.cues = draft.cues.map((cue) => {
    const e = about(draft, cue);
    if (e === undefined || cue.kind !== "action" || saysWhoDeletes(cue, verbs) || saysWhoCreates(cue, verbs)) return cue;
    const by = (cue.slots.get("by") ?? []).map((f) => (isMaker(e, f) ? { ...f, role: tables.takers.maker } : f));
    const never = (cue.slots.get("unless") ?? []).map((f) => (f.role !== "" && isOff(draft, f, rights, tables, characters) ? { ...f, role: tables.takers.maker } : f));
    if ([...by, ...never].some(({ role }) => role === tables.takers.maker)) {
      const stated = e.writeRoles.length > 0 || STATED.some((flag) => e.flags.has(flag)) || namesPerson(draft, e);
      if (!stated && draft.access !== "key" && draft.access !== "key-write") e.flags.add("own-write");
    }
    if (e.flags.has("own")) {
      // Whoever takes a step with rows of somebody else must see them.
      const others = [...new Set(by.map(({ role }) => role))].filter((role) => !["", tables.takers.maker, tables.takers.user, ...e.readRoles].includes(role));
      e.readRoles.push(...others);
    }
    const told = ([["by", by], ["unless", never]] as const).filter(([, fillers]) => fillers.length > 0);
    return { ...cue, slots: new Map([...cue.slots, ...told]) };
  });
}

/** The rule that lets in who takes a step; undefined where nobody is named. */
export function takers(cue: DraftCue, { takers: { maker } }: CueTables): Access | undefined {
  const roles = [...new Set([cue, ...(cue.further ?? [])].flatMap(({ slots }) => slots.get("by") ?? []).map(({ role }) => role))];
  const held = roles.filter((role) => role !== maker);
  return roles.length === 0 ? undefined : { who: held.length === roles.length ? "role" : "owner", roles: held };
}

/** Whether a filler of `unless` says that whoever the row is of does not take the step. */
export const isKeptOff = ({ role }: Filler, { takers: { maker } }: CueTables): boolean => role === maker;

/**
 * Who takes a step that looks at whoever takes it: they have to log in. `said`: whom the text names, `among`: beside whoever may `write` the
 * row, `keptOff`: the row is nobody's of theirs. Undefined where that is whoever may write; throws `Unsaid` where nobody can be told from others.
 */
export function knownTakers(said: Access | undefined, write: Access, among: boolean, keptOff: boolean): Access | undefined {
  if (!among && !keptOff) return said;
  // Whoever made the row takes the step, and does not.
  if (keptOff && said?.who === "owner") unsaid();
  if (said !== undefined && !among) return said;
  if (write.who === "key") unsaid();
  const { who, roles } = write.who === "public" ? USER : write;
  const known = keptOff && who === "owner" ? (roles.length > 0 ? "role" : "user") : who;
  return { who: known, roles: known === "role" || known === "owner" ? [...new Set([...roles, ...(said?.roles ?? [])])] : [] };
}

/**
 * The condition, with its words, that a row of `e` is not of whoever takes a step: not owned by them, or, where it has no owner, not referring
 * to them. Throws `Unsaid` where the row says of several users, or of none, that it is theirs.
 */
export function offTheirs(isOwned: boolean, e: Entity, surface: string, verbs: Verbs): string {
  const [named, ...others] = isOwned ? ["owner"] : e.references.filter(({ target }) => target === "user").map(({ name }) => name);
  if (named === undefined || others.length > 0 || (isOwned && e.fields.some(({ name }) => name === "owner"))) unsaid();
  const verb = verbs.step(surface);
  const said = `Nobody can ${/^\p{L}/u.test(verb) ? verb : "change"} their own ${e.name}.`.replaceAll("_", " ");
  return `caller != ${named ?? ""} ${quote(said)}`;
}

function isOff(draft: Draft, { role, at }: Filler, rights: ReadonlySet<string>, tables: CueTables, characters: Characters): boolean {
  if (tables.takers.own.includes(role) || (tables.makers.includes(role) && !rights.has(role))) return true;
  if (at === undefined || at === null) return false;
  return characters.pattern(`^(?:${tables.takers.disowning})`).test(new Nearby(tables, characters).behind(draft.text, at));
}

/** Whether rows refer to a user, who is the one that they are of. */
function namesPerson({ relations }: Draft, { name, fields }: DraftEntity): boolean {
  const isNamed = [...fields.values()].some(({ type, target }) => type === "ref" && target === "user");
  return isNamed || relations.some(({ source, target, kind }) => source === name && target === "user" && kind === "belongs");
}

function about(draft: Draft, { slots }: DraftCue): DraftEntity | undefined {
  const named = ABOUT.flatMap((slot) => slots.get(slot) ?? []).find(({ entity }) => entity !== "");
  return draft.entities.get(named?.entity ?? "");
}

/** Whether people take a step with rows of their own, and have no rights to others: "members cancel their own bookings". */
function isOfTheirOwn(draft: Draft, e: DraftEntity, { role, at }: Filler, tables: CueTables, characters: Characters): boolean {
  if (at === undefined || at === null || [...e.readRoles, ...e.writeRoles].includes(role)) return false;
  const behind = new Nearby(tables, characters).behind(draft.text, at);
  return (e.flags.has("own") || e.flags.has("own-write")) && characters.pattern(`^(?:${tables.takers.owning})`).test(behind);
}

function isOfRow(draft: Draft, e: DraftEntity, { role, at }: Filler, tables: CueTables, naming: Naming, characters: Characters): boolean {
  const { called, possessive, possessed, belonging, definite, doubtful, it } = tables.takers;
  const near = new Nearby(tables, characters);
  const front = at === undefined || at === null ? "" : near.before(draft.text, at);
  const has = (pattern: string): boolean => characters.pattern(pattern).test(front);
  if (has(called)) return false;
  if (e.flags.has("own") || e.flags.has("own-write")) return true;
  if (at === undefined || at === null) return false;
  if (has(possessive) || (role !== doubtful && has(definite))) return true;
  const found = [characters.pattern(possessed).exec(front), characters.pattern(`^(?:${belonging})`).exec(near.behind(draft.text, at))];
  const whose = found.map((m) => m?.[1]).filter((word) => word !== undefined);
  return whose.some((word) => it.includes(word) || e.name.split("_").includes(naming.singular(word)));
}
