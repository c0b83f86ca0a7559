import { addressOf, segmentsOf, upstreamName } from "./addresses";
import type { Block, Member } from "./blocks";
import { amount, type Lines, noLines } from "./cue_lines";
import { type Pen, Unsaid, unsaid } from "./cue_names";
import { Decimal } from "./decimal";
import type { Draft, DraftCue, Filler } from "./draft";
import { isFolder } from "./storeless";
import { quote } from "./values";
import { unitOf } from "./periods";
import { rate } from "./rates";

/** A block, with the time that a limit counts by: of "60 per minute per key" the minute. */
const keyOf = (block: Block, often: string): string => [...block, often.split(" per ")[1] ?? ""].join("\n");

/** What a gateway can be told by cues that speak of other services too. */
const LIMITS = ["limit-address", "limit-key", "limit-user"];
const OF_ALL = [...LIMITS, "cache"];
const OWN = ["route", "retry", "timeout"];
const HEADERS = ["header-set", "header-remove"];
const ALLOWED: Readonly<Record<string, string>> = { key: "key", login: "user" };
const LONGER: readonly string[] = ["hour", "day"];
const COUNTED: Readonly<Record<string, readonly string[]>> = { key: ["key"], user: ["user", "role"] };

/** A block `route`, the block of its upstream, the segments of its path, where it leads, and whom it lets in (empty: everybody). */
interface Route {
  readonly block: Block;
  readonly upstream: Block;
  readonly path: readonly string[];
  readonly address: string;
  readonly methods: readonly string[];
  readonly allow: string;
}

/**
 * The routes of a draft, and what its cues say of them. Limits and caching are of the paths that they name, else of every route that
 * can have them. A path below one that is led somewhere is then a route of its own, to the same server and for the same callers.
 */
export class Gateway {
  readonly #pen: Pen;
  readonly #access: string;
  readonly #alone: boolean;
  readonly #isThere: boolean;
  readonly #names = new Map<string, string>();
  readonly #routes: readonly Route[];
  /** Blocks with a limit of their own, with the time that it counts by. */
  readonly #limited: ReadonlySet<string>;

  /** `alone`: there is nothing but the gateway, so that limits and caching can only be of its routes. */
  constructor(draft: Draft, alone: boolean, pen: Pen) {
    this.#pen = pen;
    this.#access = draft.access;
    this.#alone = alone;
    const said = draft.cues.filter((cue) => cue.kind === "route" && !isFolder(cue));
    this.#isThere = said.length > 0;
    const routes: Route[] = [];
    for (const cue of said) {
      try {
        routes.push(...this.#of(cue));
      } catch (error) {
        if (!(error instanceof Unsaid)) throw error;
      }
    }
    // Of several rules for one path the narrower holds.
    const isNarrow = ({ allow }: Route): boolean => allow.startsWith("role ");
    const narrow = new Set(routes.filter(isNarrow).map(({ block }) => block[0]));
    const made = routes.filter((route) => !narrow.has(route.block[0]) || isNarrow(route));
    this.#routes = made;
    for (const path of draft.cues.flatMap((cue) => this.#paths(cue))) made.push(...this.#below(path));
    this.#limited = new Set(draft.cues.filter((cue) => this.#paths(cue).length > 0).flatMap((cue) => this.#limits(cue)));
  }

  /** Whether a cue is about the gateway. */
  takes(cue: DraftCue): boolean {
    const { kind, slots } = cue;
    if (HEADERS.includes(kind)) return this.#isThere;
    if (OWN.includes(kind)) return !isFolder(cue);
    if (OF_ALL.includes(kind) && this.#isThere && (slots.get("from") ?? []).length > 0) return true;
    if (!OF_ALL.includes(kind) || !this.#alone || !this.#isThere || (slots.get("of") ?? []).length > 0) return false;
    // Of all paths together, a route counts by the minute; what is counted longer is the service's.
    return !kind.startsWith("limit-") || !LONGER.includes(unitOf(cue, this.#pen));
  }

  /** What it adds. */
  lines(cue: DraftCue): Lines {
    const blocks = this.#added(cue);
    return blocks.length > 0 ? { ...noLines(), blocks } : unsaid();
  }

  #added(cue: DraftCue): readonly Member[] {
    switch (cue.kind) {
      case "route":
        return this.#like(this.#of(cue)).flatMap(membersOf);
      case "retry":
        return this.#ofUpstreams(`retry ${(amount(cue, this.#pen) ?? new Decimal(BigInt(this.#pen.tables.gateways.usualRetries))).toString()} times`);
      case "timeout":
        return this.#ofUpstreams(`timeout ${this.#seconds(cue)} s`);
      case "header-set": {
        const [name, value] = headerOf(cue, this.#pen);
        return this.#ofRoutes([`${this.#answer(name)}set ${quote(name)} ${quote(value)}`]);
      }
      case "header-remove": {
        const names = said(cue, "n").map((words) => this.#pen.characters.strip(words, `${this.#pen.tables.addresses.signs}:`));
        return this.#ofRoutes(names.map((name) => `${this.#answer(name)}remove ${quote(name)}`));
      }
      case "cache":
        return this.#cache(cue);
      default:
        return this.#limit(cue);
    }
  }

  /** The routes of the same paths to the same servers. */
  #like(some: readonly Route[]): Route[] {
    const blocks = new Set(some.map(({ block }) => block[0]));
    return this.#routes.filter(({ block }) => blocks.has(block[0]));
  }

  #of(cue: DraftCue): Route[] {
    const address = said(cue, "to").map((words) => addressOf(words, this.#pen)).find((found) => found !== "") ?? unsaid();
    const paths = pathsOf(cue, this.#pen);
    if (paths.length === 0) unsaid();
    return paths.flatMap((path) => this.#callers(cue).map(([methods, allow]) => this.#made(path, address, methods, allow)));
  }

  #made(path: readonly string[], address: string, methods: readonly string[], allow: string): Route {
    const name = this.#names.get(address) ?? upstreamName(address, path, new Set(this.#names.values()), this.#pen);
    this.#names.set(address, name);
    return {
      block: [`route ${quote(["", ...path, "*"].join("/"))} to ${name}`, methods.join(", ")],
      upstream: [`upstream ${name} ${quote(address)}`, ""],
      path,
      address,
      methods,
      allow,
    };
  }

  /** The single paths that a limit or caching is of; none where it is of all. */
  #paths(cue: DraftCue): readonly (readonly string[])[] {
    return OF_ALL.includes(cue.kind) ? pathsOf(cue, this.#pen).filter((path) => path.length > 0) : [];
  }

  /** The routes of a path that has none yet: they lead where the longest path does that it lies below. */
  #below(path: readonly string[]): Route[] {
    const above = this.#routes.map((route) => route.path).filter((other) => isSame(other, path.slice(0, other.length)));
    const longest = above.reduce((x, y) => (y.length > x.length ? y : x), above[0] ?? path);
    if (isSame(longest, path)) return [];
    return this.#routes.filter((route) => isSame(route.path, longest)).map(({ address, methods, allow }) => this.#made(path, address, methods, allow));
  }

  /** The routes that a limit or caching is of. */
  #at(cue: DraftCue): readonly Route[] {
    const paths = this.#paths(cue);
    if ((cue.slots.get("from") ?? []).length > 0 && pathsOf(cue, this.#pen).length === 0) unsaid();
    return this.#routes.filter(({ path }) => paths.length === 0 || paths.some((other) => isSame(other, path)));
  }

  /** The blocks that a limit is of, with the time that it counts by; none where it is no limit, or cannot be. */
  #limits(cue: DraftCue): string[] {
    try {
      const members = LIMITS.includes(cue.kind) ? this.#limit(cue) : [];
      return members.filter(([, line]) => line.startsWith("limit ")).map(([block, line]) => keyOf(block, line));
    } catch (error) {
      if (!(error instanceof Unsaid)) throw error;
      return [];
    }
  }

  /** The methods of a route (none: all) by whom they let in. */
  #callers(cue: DraftCue): readonly (readonly [methods: readonly string[], allow: string])[] {
    const all = this.#pen.tables.gateways.methods;
    const methods = this.#methods(cue.slots.get("n") ?? []);
    const roles = [...new Set((cue.slots.get("by") ?? []).map(({ role }) => role).filter((role) => role !== ""))];
    if (roles.length > 0) return [[methods, roles.includes("user") ? "user" : `role ${roles.join(", ")}`]];
    const [kind = "", changes = ""] = this.#access.split("-");
    const allow = ALLOWED[kind] ?? "";
    if (changes === "" || allow === "") return [[methods, allow]];
    // Everybody reads.
    const within = methods.length > 0 ? methods : all;
    const parts = [[within.filter((m) => m === all[0]), ""], [within.filter((m) => m !== all[0]), allow]] as const;
    return parts.filter(([some]) => some.length > 0);
  }

  /** The methods that are named, in the order of the language; none where nothing is. */
  #methods(fillers: readonly Filler[]): readonly string[] {
    const { methods, methodWords } = this.#pen.tables.gateways;
    const told = fillers.map(({ words }) => words).filter((words) => words !== "");
    const found = new Set(told.flatMap((text) => this.#pen.naming.words(text).flatMap((word) => (Object.hasOwn(methodWords, word) ? (methodWords[word] ?? []) : []))));
    if (told.length > 0 && found.size === 0) unsaid();
    return found.size < methods.length ? methods.filter((m) => found.has(m)) : [];
  }

  #ofUpstreams(line: string): Member[] {
    return this.#routes.map(({ upstream }) => [upstream, line] as const);
  }

  #ofRoutes(lines: readonly string[]): Member[] {
    return this.#routes.flatMap(({ block }) => lines.map((line) => [block, line] as const));
  }

  #answer(name: string): string {
    const { ofAnswers, ofAnswersBegin } = this.#pen.tables.gateways;
    const small = name.toLowerCase();
    return ofAnswers.includes(small) || ofAnswersBegin.some((start) => small.startsWith(start)) ? "answer " : "";
  }

  #seconds(cue: DraftCue): string {
    const many = amount(cue, this.#pen) ?? unsaid();
    const unit = unitOf(cue, this.#pen) || "second";
    if (unit === "millisecond") return new Decimal(many.digits, many.exponent - 3).toString();
    return unit === "second" || unit === "minute" ? many.times(new Decimal(BigInt(this.#pen.tables.gateways.seconds[unit] ?? 1))).toString() : unsaid();
  }

  #limit(cue: DraftCue): Member[] {
    const often = rate(amount(cue, this.#pen), unitOf(cue, this.#pen) || "minute");
    const who = cue.kind.replace("limit-", "");
    const line = `limit ${often} per ${who}`;
    const counted = this.#at(cue).filter(({ allow }) => who === "address" || COUNTED[who]?.includes(allow.split(" ")[0] ?? "") === true);
    if (this.#paths(cue).length > 0) return ofPaths(counted, line);
    // What has a limit of its own keeps to that.
    return counted.filter(({ block }) => !this.#limited.has(keyOf(block, often))).map(({ block }) => [block, line] as const);
  }

  #cache(cue: DraftCue): Member[] {
    const found = amount(cue, this.#pen);
    const many = found === undefined || found.digits === 0n ? new Decimal(1n) : found;
    const unit = unitOf(cue, this.#pen) || "minute";
    const { seconds } = this.#pen.tables.gateways;
    const length = (Object.hasOwn(seconds, unit) ? seconds[unit] : undefined) ?? unsaid();
    const line = `cache ${many.times(new Decimal(BigInt(length))).toString()} s`;
    const cached = this.#at(cue).filter(({ methods }) => methods.length === 0 || methods.includes("GET"));
    return this.#paths(cue).length > 0 ? ofPaths(cached, line) : cached.map(({ block }) => [block, line] as const);
  }
}

const isSame = (one: readonly string[], other: readonly string[]): boolean => one.join("/") === other.join("/");

/** A line of the routes of single paths, and these routes, which nothing else may have made. */
const ofPaths = (routes: readonly Route[], line: string): Member[] => routes.flatMap((route) => [...membersOf(route), [route.block, line] as const]);

/** The paths in the slot `from` of a cue, in small letters, each as its segments; an empty one stands for all paths. */
function pathsOf(cue: DraftCue, pen: Pen): readonly (readonly string[])[] {
  const found = said(cue, "from").map((words) => segmentsOf(words, pen));
  return found.filter((path) => path !== undefined).map((path) => path.map((part) => part.toLowerCase()));
}

/** The words in a slot of a cue. */
export const said = (cue: DraftCue, slot: string): string[] => (cue.slots.get(slot) ?? []).map(({ words }) => words).filter((words) => words !== "");

/** Itself, with the upstream. */
function membersOf({ block, upstream, methods, allow }: Route): Member[] {
  const lines = [...(methods.length > 0 ? [`methods ${methods.join(", ")}`] : []), ...(allow === "" ? [] : [`allow ${allow}`])];
  return [[upstream, ""], [block, ""], ...lines.map((line) => [block, line] as const)];
}

/** The name and the value of a header that is added. */
export function headerOf(cue: DraftCue, { characters, tables }: Pen): readonly [name: string, value: string] {
  const name = characters.strip(said(cue, "from")[0] ?? "", `${tables.addresses.signs}:`);
  const value = characters.strip(said(cue, "to")[0] ?? "", "\"'“”‘’` ");
  return name === "" || value === "" ? unsaid() : [name, value];
}
