import { addressOf, segmentsOf, upstreamName } from "./addresses";
import type { Block, Member } from "./blocks";
import { amount, type Lines, noLines } from "./cue_lines";
import { type Pen, Unsaid, unsaid } from "./cue_names";
import { Decimal } from "./decimal";
import type { Draft, DraftCue, Filler } from "./draft";
import { quote } from "./values";
import { periodOf } from "./periods";

/** What a gateway can be told by cues that speak of other services too. */
const OF_ALL = ["limit-address", "limit-key", "limit-user", "cache"];
const OWN = ["route", "retry", "timeout"];
const HEADERS = ["header-set", "header-remove"];
const ALLOWED: Readonly<Record<string, string>> = { key: "key", login: "user" };
const MINUTELY: Readonly<Record<string, bigint>> = { second: 60n, minute: 1n };
const LONGER: readonly string[] = ["hour", "day"];
const COUNTED: Readonly<Record<string, readonly string[]>> = { key: ["key"], user: ["user", "role"] };

/** A block `route`, the block of its upstream, and whom it lets in (empty: everybody). */
interface Route {
  readonly block: Block;
  readonly upstream: Block;
  readonly methods: readonly string[];
  readonly allow: string;
}

/** The routes of a draft, and what its cues say of them. Limits and caching are of every route that can have them. */
export class Gateway {
  readonly #pen: Pen;
  readonly #access: string;
  readonly #alone: boolean;
  readonly #isThere: boolean;
  readonly #names = new Map<string, string>();
  readonly #routes: readonly Route[];

  /** `alone`: there is nothing but the gateway, so that limits and caching can only be of its routes. */
  constructor(draft: Draft, alone: boolean, pen: Pen) {
    this.#pen = pen;
    this.#access = draft.access;
    this.#alone = alone;
    const said = draft.cues.filter(({ kind }) => kind === "route");
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
    this.#routes = routes.filter((route) => !narrow.has(route.block[0]) || isNarrow(route));
  }

  /** Whether a cue is about the gateway. */
  takes(cue: DraftCue): boolean {
    const { kind, slots } = cue;
    if (HEADERS.includes(kind)) return this.#isThere;
    if (OWN.includes(kind)) return true;
    if (!OF_ALL.includes(kind) || !this.#alone || !this.#isThere || (slots.get("of") ?? []).length > 0) return false;
    // A route counts by the minute; what is counted longer is the service's, with a database.
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
    const paths = said(cue, "from")
      .map((words) => segmentsOf(words, this.#pen))
      .filter((path) => path !== undefined)
      .map((path) => path.map((part) => part.toLowerCase()));
    if (paths.length === 0) unsaid();
    return paths.flatMap((path) =>
      this.#callers(cue).map(([methods, allow]) => {
        const name = this.#names.get(address) ?? upstreamName(address, path, new Set(this.#names.values()), this.#pen);
        this.#names.set(address, name);
        return {
          block: [`route ${quote(["", ...path, "*"].join("/"))} to ${name}`, methods.join(", ")],
          upstream: [`upstream ${name} ${quote(address)}`, ""],
          methods,
          allow,
        } as const;
      }),
    );
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
    const many = amount(cue, this.#pen) ?? unsaid();
    const times = MINUTELY[unitOf(cue, this.#pen) || "minute"] ?? unsaid();
    const who = cue.kind.replace("limit-", "");
    const line = `limit ${many.times(new Decimal(times)).toString()} per minute per ${who}`;
    const counted = this.#routes.filter(({ allow }) => who === "address" || COUNTED[who]?.includes(allow.split(" ")[0] ?? "") === true);
    return counted.map(({ block }) => [block, line] as const);
  }

  #cache(cue: DraftCue): Member[] {
    const found = amount(cue, this.#pen);
    const many = found === undefined || found.digits === 0n ? new Decimal(1n) : found;
    const unit = unitOf(cue, this.#pen) || "minute";
    const { seconds } = this.#pen.tables.gateways;
    const length = (Object.hasOwn(seconds, unit) ? seconds[unit] : undefined) ?? unsaid();
    const line = `cache ${many.times(new Decimal(BigInt(length))).toString()} s`;
    const cached = this.#routes.filter(({ allow, methods }) => ["", "key"].includes(allow) && (methods.length === 0 || methods.includes("GET")));
    return cached.map(({ block }) => [block, line] as const);
  }
}

const said = (cue: DraftCue, slot: string): string[] => (cue.slots.get(slot) ?? []).map(({ words }) => words).filter((words) => words !== "");

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

/** The unit of time of the slot `per` of a cue, else of its own words; empty where there is none. */
export function unitOf(cue: DraftCue, pen: Pen): string {
  const told = (cue.slots.get("per") ?? []).filter(({ words, entity }) => words !== "" && entity === "").map(({ words }) => words);
  for (const text of [...told, cue.words]) {
    if (pen.naming.words(text).some((word) => pen.tables.gateways.milliseconds.includes(word))) return "millisecond";
    const unit = periodOf(text, pen);
    if (unit !== "") return unit;
  }
  return "";
}
