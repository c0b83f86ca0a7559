import { isDoneLater, routeFits, siteFits, upstreamFits } from "./block_checks";
import { ruleOfText, canDelete } from "./deleters";
import { isOwned, type Line, type Lines, SERVICE, USERS } from "./cue_lines";
import type { Pen } from "./cue_names";
import { isNumber } from "./states";
import type { Access, Blueprint, Entity, Field } from "./values";

const MOST_ROWS = 1_000_000;
/** How many minutes, hours, days or weeks a reminder may come before or after its date. */
const MOST_OF_A_UNIT = 10_000;
const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Whether a blueprint holds up with the lines of wishes. These are the rules that lines made from descriptions can break: names
 * that meet, types that do not fit, access that contradicts a line, numbers out of range.
 */
export function holdsUp(b: Blueprint, made: Lines, pen: Pen): boolean {
  const context = { b, made, pen };
  return (
    !isRepeated(context) &&
    made.lines.every((line) => fits(line, context)) &&
    [...made.computed].every(([key, expression]) => isComputable(key, expression, context))
  );
}

interface Context {
  readonly b: Blueprint;
  readonly made: Lines;
  readonly pen: Pen;
}

const readOf = (b: Blueprint, e: Entity): Access => e.read ?? b.read;
const writeOf = (b: Blueprint, e: Entity): Access => e.write ?? b.write;
const createOf = (b: Blueprint, e: Entity): Access => e.create ?? writeOf(b, e);

/** Lines that answer at a path below a row, as a step of that name does. */
const STEPS_OF_LINES: Readonly<Record<string, string>> = { publish_line: "publish", restore: "restore", room_line: "room", audit: "audit" };

/** Whether something that may stand once stands twice, or a name or a path is taken. */
function isRepeated({ b, made, pen: { tables } }: Context): boolean {
  const taken = new Set(b.entities.flatMap((e) => [...e.fields, ...e.references, ...e.links].map(({ name }) => `${e.name}.${name}`)));
  for (const { where, construct, text } of made.lines) {
    const [name] = nameOf(construct, text);
    const key = tables.single.includes(construct) || name === "" ? `${where}.(${construct})` : `${where}.${name}`;
    const must = tables.single.includes(construct) || name !== "";
    if (must && taken.has(key)) return true;
    taken.add(key);
    const step = construct === "action" ? name : STEPS_OF_LINES[construct];
    if (step === undefined) continue;
    if (taken.has(`${where}/${step}`)) return true;
    taken.add(`${where}/${step}`);
  }
  return false;
}

/** What a line is called by, where it has a name. */
function nameOf(construct: string, text: string): readonly string[] {
  const [first = "", second = ""] = text.split(" ");
  switch (construct) {
    case "action":
      return [second.split("(")[0] ?? ""];
    case "report":
    case "webhook":
    case "incoming":
      return [`(${construct} ${second})`];
    case "field":
    case "file_field":
      return [first.replace(":", "")];
    case "assistant":
      // One path for each text that is summed up and for each field that is proposed.
      return [`(assistant ${second} ${text.split(" ").at(-1) ?? ""})`];
    case "transitions":
      return [`(transitions ${second})`];
    case "delete_line":
      return ["(delete)"];
    case "limit":
    case "write_limit":
    case "joint_limit":
      return [`(${text.replace(/ [\d.]+ /, " ")})`];
    default:
      return [""];
  }
}

function fits({ where, construct, text }: Line, context: Context): boolean {
  const { b } = context;
  if (where === USERS) return b.users !== undefined && usersLineFits(construct, text, b);
  if (where === SERVICE) return serviceLineFits(construct, text, context);
  const e = b.entities.find(({ name }) => name === where);
  return e !== undefined && entityLineFits(e, construct, text, context);
}

function usersLineFits(construct: string, text: string, b: Blueprint): boolean {
  const numbers = [...text.matchAll(/[\d.]+/g)].map(([n]) => Number(n));
  if (!numbers.every(Number.isInteger)) return false;
  if (construct === "login_limit") {
    const minutes = (numbers[1] ?? 1) * (text.includes("hour") ? 60 : 1);
    return (numbers[0] ?? 0) >= 3 && (numbers[0] ?? 0) <= 1000 && minutes >= 1 && minutes <= 7 * 24 * 60;
  }
  if (construct === "sessions") return numbers.every((days) => days >= 1 && days <= 400);
  if (construct === "confirm_email") return !(b.users?.fields ?? []).some(({ name }) => name === "email_confirmed");
  return true;
}

function serviceLineFits(construct: string, text: string, context: Context): boolean {
  const { b, made, pen } = context;
  const around = { b, lines: made.lines, tables: pen.tables.blocks, pathOf: (name: string) => `/api/${pen.verbs.plural(name).replaceAll("_", "-")}` };
  const numbers = [...text.matchAll(/ (\d[\d.]*)/g)].map(([, n]) => Number(n));
  switch (construct) {
    case "tenants":
      return tenantsFit(text.split(" ")[1] ?? "", b);
    case "limit":
      if (!isWithin(numbers[0], MOST_ROWS)) return false;
      if (text.endsWith("per user")) return b.users !== undefined;
      return !text.endsWith("per key") || hasKey(b) || made.lines.some((line) => isKeyed(line) || (b.users === undefined && isDoneLater(line)));
    case "joint_limit":
      return isWithin(numbers[0], MOST_ROWS) && jointLimitFits(text, context);
    case "upstream":
      return upstreamFits(text);
    case "route":
      return routeFits(text, around);
    case "site":
      return siteFits(text, around);
    case "schedule": {
      // What is mailed has to be there, and to go to an address.
      const mails = [...text.matchAll(/mail report (\w+) to (.+)/g)];
      if (!mails.every(([, report = "", to = ""]) => isAddress(to) && made.lines.some((line) => line.text.startsWith(`report ${report} `)))) return false;
      if (![...text.matchAll(/^ {2}run (\w+) on (\w+) /gm)].every(([, action = "", entity = ""]) => canRun(action, entity, b, made))) return false;
      // A field of that name would be meant by 'today' and 'now'.
      const about = b.entities.find(({ name }) => name === /(?:delete|update|run \w+ on) (\w+)/.exec(text)?.[1]);
      return !(about?.fields ?? []).some(({ name }) => (name === "today" || name === "now") && new RegExp(`\\b${name}\\b`).test(text));
    }
    case "idempotency_keys":
      return b.entities.length > 0;
    case "cors":
      return [...text.matchAll(/"([^"]*)"/g)].every(([, origin]) => isOrigin(origin ?? ""));
    case "incoming":
      return !text.includes('"') || /"[A-Za-z0-9-]{1,60}"$/.test(text);
    default:
      return true;
  }
}

/** Whether a schedule can run an action: it is there, wants nothing to be given, and makes no rows that belong to whoever calls. */
function canRun(action: string, entity: string, b: Blueprint, { lines }: Lines): boolean {
  const found = lines.find(({ where, construct, text }) => where === entity && construct === "action" && nameOf(construct, text)[0] === action)?.text;
  if (found === undefined || /\(.*\brequired\b/.test(found.split("\n")[0] ?? "")) return false;
  const made = b.entities.filter(({ name }) => new RegExp(`^ {2}create ${name} \\(`, "m").test(found));
  return !made.some((e) => isOwned(b, e));
}

const isWithin = (value: number | undefined, most: number): boolean =>
  value !== undefined && Number.isInteger(value) && value >= 1 && value <= most;

const hasKey = (b: Blueprint): boolean =>
  b.entities.some((e) => [readOf(b, e), writeOf(b, e), createOf(b, e)].some(({ who }) => who === "key"));

/** Whether a line opens something to whoever holds the key. */
const isKeyed = ({ construct, text }: Line): boolean =>
  ["metrics", "webhook", "incoming"].includes(construct) || (construct === "audit" && text === "audit") || (construct === "route" && /^ *allow key$/m.test(text));

const isOrigin = (origin: string): boolean =>
  /^(?:https:\/\/(?:\*\.[a-z0-9-]+\.|)[a-z0-9.-]+|http:\/\/(?:localhost|127\.0\.0\.1))(?::\d{1,5})?$/.test(origin);

function tenantsFit(name: string, b: Blueprint): boolean {
  const tenant = b.entities.find((e) => e.name === name);
  if (b.users === undefined || tenant === undefined || tenant.links.length > 0) return false;
  if (tenant.references.some(({ target }) => b.entities.some((e) => e.name === target))) return false;
  return b.entities.every((e) => {
    const allowed = e === tenant ? ["user", "role"] : ["user", "role", "owner"];
    const taken = [...e.fields, ...e.references, ...e.links].some((m) => m.name === name || m.name === `${name}_id`);
    return [readOf(b, e), writeOf(b, e), createOf(b, e)].every(({ who }) => allowed.includes(who)) && (e === tenant || !taken);
  });
}

/** Whether rows are counted, or kept apart, by a file: no two rows share one. */
function byFile(e: Entity, text: string, made: Context["made"]): boolean {
  const names = (/ per (\w+(?:, \w+)*)(?= |$)/.exec(text)?.[1] ?? "").split(", ");
  return made.lines.some(({ where, construct, text: line }) => where === e.name && construct === "file_field" && names.includes(line.split(":")[0] ?? ""));
}

function entityLineFits(e: Entity, construct: string, text: string, context: Context): boolean {
  const { b, made } = context;
  const [read, write] = [readOf(b, e), writeOf(b, e)];
  const has = (name: string): boolean => e.fields.some((f) => f.name === name);
  const number = Number(/[\d.]+/.exec(text)?.[0] ?? "1");
  switch (construct) {
    case "delete_line": {
      const rule = ruleOfText(text.replace("delete ", ""));
      // A tenant is there for its members, whoever made it.
      const ofAll = made.lines.some((line) => line.construct === "tenants" && line.text === `tenants ${e.name}`);
      return canDelete(rule, b, e) && !(ofAll && rule.who === "owner");
    }
    case "restore":
      return e.softDelete;
    case "publish_line":
      return write.who !== "public" && !has("status") && !has("published_at");
    case "slug_line":
      return !has("slug") && sourceFits(e, text, ["text"], made);
    case "markdown_line":
      return sourceFits(e, text, ["longtext", "text"], made) && !has(`${text.split(" ").at(-1) ?? ""}_html`);
    case "versions":
      return !has("version");
    case "assistant":
      return assistantFits(e, text);
    case "cache":
      return read.who === "public" && isWithin(number, 86_400) && number * (text.includes("hour") ? 3600 : text.includes("minute") ? 60 : 1) <= 86_400;
    case "bulk":
      return isWithin(number, 1000);
    case "audit": {
      const { lines } = made;
      const tenants = lines.find((line) => line.construct === "tenants");
      if (tenants !== undefined && (text === "audit" || tenants.text === `tenants ${e.name}`)) return false;
      // What only some may see, few may see what became of it.
      const isHidden = lines.some((line) => line.where === e.name && line.construct === "publish_line");
      return text !== "audit read user" || (b.users !== undefined && ["public", "user"].includes(read.who) && !isHidden);
    }
    case "room_line":
      // A browser that enters a room cannot name its tenant.
      return !made.lines.some((line) => line.construct === "tenants");
    case "change_when":
    case "delete_when":
      return lockFits(e, construct, text, context);
    case "write_limit":
      if (!isWithin(number, MOST_ROWS)) return false;
      return limitFits(e, text, context);
    case "file_field":
      return NAME.test(text.split(":")[0] ?? "") && number <= 500;
    case "field":
      return NAME.test(text.split(":")[0] ?? "");
    case "action": {
      const effects = text.split("\n").filter((line) => line.startsWith("  set "));
      const set = effects.flatMap((line) => [...line.matchAll(/(?:set|,) ([\w.]+) = /g)].map(([, name]) => name));
      const isTheirs = made.lines.some((line) => line.where === e.name && line.construct === "delete_line" && line.text.startsWith("delete owner"));
      const hasMaker = isOwned(b, e) || isTheirs || !/^ {2}by owner\b/m.test(text);
      const isSound = NAME.test(text.split(/[ (]/)[1] ?? "") && new Set(set).size === set.length;
      // A file that the step asks for is one that rows can have. What is counted is of other rows.
      const guards = [...text.matchAll(/^ {2}when (.*)$/gm)].map(([, said = ""]) => said).filter((said) => !/\b(?:count|sum)\(/.test(said));
      const asked = guards.flatMap((said) => [...said.matchAll(/(?<![\w.])(\w+) is (?:not )?empty\b/g)].map(([, name = ""]) => name));
      const isThere = (name: string): boolean =>
        [...e.fields, ...e.references].some((m) => m.name === name) || made.lines.some((line) => line.where === e.name && line.text.startsWith(`${name}: `));
      return hasMaker && isSound && guards.every((said) => callerFits(e, text, said, context)) && asked.every(isThere) && [...set, ...madeBy(text)].every((path) => canBeSet(e, path ?? "", context));
    }
    case "at_most": {
      const byOwner = / per (?:\w+, )*owner\b/.test(text) && !e.references.some(({ name }) => name === "owner") && !e.fields.some(({ name }) => name === "owner");
      return e.name !== "o" && isWithin(number, MOST_ROWS) && (!byOwner || isOwned(b, e)) && !byFile(e, text, made);
    }
    case "notice":
      return noticeFits(e, text.split(" ")[1] ?? "", context);
    case "reminder":
      return noticeFits(e, text.split(" ")[1] ?? "", context) && reminderFits(e, text, context);
    case "no_overlap": {
      const [, start = "", end = ""] = /\((\w+), (\w+)\)/.exec(text) ?? [];
      const kinds = [start, end].map((name) => kindOf(pathOf(b, e, name)));
      return e.name !== "o" && !byFile(e, text, made) && start !== end && kinds[0] === kinds[1] && ["number", "date", "datetime", "time"].includes(kinds[0] ?? "");
    }
    case "check_rule": {
      // Of counted rows, the writer has seen to it that they belong; the other side has to be a number.
      if (text.startsWith("check count(")) return kindOf(pathOf(b, e, text.slice(text.lastIndexOf(" ") + 1))) === "number";
      const [left = "", right = ""] = text.replace(/^check (?:\w+ is empty or )?/, "").split(/ >=? | != /);
      if (right === "this") return targetOf(b, e, left) === e.name;
      if (text.includes(" != ")) return left !== right && targetOf(b, e, left) !== "" && targetOf(b, e, left) === targetOf(b, e, right);
      const kinds = [left, right].map((path) => kindOf(pathOf(b, e, path)));
      const alike = kinds[0] === kinds[1] || kinds.every((kind) => kind === "date" || kind === "datetime");
      return left !== right && alike && ["number", "date", "datetime", "time", "text"].includes(kinds[0] ?? "");
    }
    default:
      return true;
  }
}

/** Whether a guard that looks at whoever takes a step is of people who log in, and leaves somebody to take it. */
function callerFits(e: Entity, text: string, guard: string, { b }: Context): boolean {
  if (!/\bcaller\b/.test(guard)) return true;
  const by = /^ {2}by (.+)$/m.exec(text)?.[1];
  const who = by === undefined ? writeOf(b, e) : ruleOfText(by);
  const isTheirs = [who, readOf(b, e)].some((rule) => rule.who === "owner" && rule.roles.length === 0);
  const isKnown = b.users !== undefined && ["user", "owner", "role"].includes(who.who);
  return isKnown && !(guard.startsWith("caller != owner") && isTheirs) && (!guard.includes("= owner") || isOwned(b, e));
}

/** Whether those whom a lock does not hold up may do at all what it is about, and it holds up somebody else. */
function lockFits(e: Entity, construct: string, text: string, { b, made }: Context): boolean {
  const free = / except role (\w+(?:, \w+)*)$/.exec(text)?.[1]?.split(", ") ?? [];
  if (free.length === 0) return true;
  const deletes = made.lines.find((line) => line.where === e.name && line.construct === "delete_line");
  const rule = construct === "change_when" || deletes === undefined ? writeOf(b, e) : ruleOfText(deletes.text.replace("delete ", ""));
  const named = rule.roles.length > 0 ? [...rule.roles, "admin"] : [];
  const isNarrow = rule.who === "role" || rule.who === "owner";
  if (rule.who === "key" || (isNarrow && free.some((role) => !named.includes(role)))) return false;
  return rule.who !== "role" || named.some((role) => role !== "admin" && !free.includes(role));
}

/** Whether everybody whom a limit counts can be told apart, and no other limit counts the same. */
function limitFits(e: Entity, text: string, context: Context): boolean {
  const lines = context.made.lines.filter(({ where }) => where === e.name);
  const kinds = kindsOf(text);
  const tail = (line: string): string => line.slice(line.indexOf(" per "));
  const others = lines.filter((line) => line.construct === "write_limit" && line.text !== text && tail(line.text) === tail(text));
  // Whatever is counted has one limit in one time.
  if (others.some((line) => kindsOf(line.text).some((kind) => kinds.includes(kind)))) return false;
  return areKnown(e, kinds, text, context);
}

/** The same of a limit that counts writes of several entities together: of those that it names, or of all. */
function jointLimitFits(text: string, context: Context): boolean {
  const { b, made } = context;
  const countedBy = (line: string): readonly string[] => / on (.+)$/.exec(line)?.[1]?.split(", ") ?? b.entities.map(({ name }) => name);
  const tail = (line: string): string => line.slice(line.indexOf(" per ")).replace(/ on .*$/, "");
  const [names, kinds] = [countedBy(text), kindsOf(text)];
  if (names.length < 2 || (text.includes(" per user") && b.users === undefined)) return false;
  const others = made.lines.filter((line) => line.construct === "joint_limit" && line.text !== text && tail(line.text) === tail(text));
  if (others.some((line) => kindsOf(line.text).some((kind) => kinds.includes(kind)) && countedBy(line.text).some((name) => names.includes(name)))) return false;
  return b.entities.every((e) => !names.includes(e.name) || areKnown(e, kinds, tail(text), context));
}

/** What a limit counts. */
function kindsOf(line: string): readonly string[] {
  const named = (/^limit ([a-z_0-9, ]+?) \d/.exec(line)?.[1] ?? "").split(", ");
  return named.includes("writes") ? ["create", "update", "delete"] : named;
}

/** Whether everybody is known who does what a limit counts of an entity, by what its line ends with. */
function areKnown(e: Entity, kinds: readonly string[], text: string, { b, made }: Context): boolean {
  const lines = made.lines.filter(({ where }) => where === e.name);
  const deletes = lines.find(({ construct }) => construct === "delete_line");
  const rights: Readonly<Record<string, Access>> = {
    create: createOf(b, e),
    update: writeOf(b, e),
    delete: deletes === undefined ? writeOf(b, e) : ruleOfText(deletes.text.replace("delete ", "")),
  };
  const who = kinds.map((kind) => {
    const action = lines.find((line) => line.construct === "action" && nameOf("action", line.text)[0] === kind)?.text ?? "";
    const by = /^ {2}by (.+)$/m.exec(action)?.[1];
    return (Object.hasOwn(rights, kind) ? rights[kind] : by === undefined ? writeOf(b, e) : ruleOfText(by))?.who ?? "public";
  });
  if (text.endsWith("per user")) return who.every((one) => ["user", "owner", "role"].includes(one));
  return !text.endsWith("per key") || who.every((one) => one === "key");
}

/** The fields of rows that an action makes, behind the name of their entity and a space. */
function madeBy(text: string): string[] {
  const lines = text.split("\n").flatMap((line) => [...line.matchAll(/^ {2}create (\w+) \((.*)\)$/g)]);
  return lines.flatMap(([, entity = "", values = ""]) => [...values.matchAll(/(?:^|, )(\w+) = /g)].map(([, name = ""]) => `${entity} ${name}`));
}

/** Whether an action may set a field of its row, of one that a reference leads to, or of one that it makes: none that is computed. */
function canBeSet(e: Entity, path: string, { made }: Context): boolean {
  const [name = "", way, ...more] = path.split(/[ .]/).reverse();
  const holder = way === undefined ? e.name : path.includes(" ") ? way : e.references.find((r) => r.name === way)?.target;
  return more.length === 0 && holder !== undefined && !made.computed.has(`${holder}.${name}`);
}

/** Whether a text in quotation marks is an e-mail address. */
const isAddress = (text: string): boolean => /^"[^\s@<>"]{1,64}@[^\s@<>"]{1,190}\.[^\s@<>".]{2,}"$/.test(text);

/** Whether a notice goes to somebody: an address, an e-mail field, whoever owns the row, the administrator. */
function noticeFits(e: Entity, to: string, { b }: Context): boolean {
  if (to === "admin") return true;
  if (to === "owner") return isOwned(b, e);
  if (to.startsWith('"')) return isAddress(to);
  if (e.references.some(({ name, target }) => target === "user" && to === `${name}.email`)) return true;
  const f = pathOf(b, e, to);
  return f?.type === "email" && !f.writeOnly;
}

/** Whether a reminder counts from a stored date or datetime of the entity itself, or of one that it refers to, in a unit that it knows. */
function reminderFits(e: Entity, text: string, { b, made }: Context): boolean {
  const [, amount = "", unit = "", path = ""] = /^remind \S+ (\S+) (minute|hour|day|week)s? (?:before|after) ([\w.]+)/.exec(text) ?? [];
  if (!/^\d+$/.test(amount) || Number(amount) > MOST_OF_A_UNIT) return false;
  const [name = "", way] = path.split(".").reverse();
  const holder = way === undefined ? e.name : e.references.find((r) => r.name === way)?.target;
  const f = pathOf(b, e, path);
  if (f === undefined) return holder !== undefined && (name === "created_at" || name === "updated_at");
  if (f.writeOnly || made.computed.has(`${holder ?? ""}.${name}`)) return false;
  return f.type === "datetime" || (f.type === "date" && (unit === "day" || unit === "week"));
}

function sourceFits(e: Entity, text: string, types: readonly string[], made: Lines): boolean {
  const name = text.split(" ").at(-1) ?? "";
  const f = e.fields.find((field) => field.name === name);
  return f !== undefined && types.includes(f.type) && !f.writeOnly && !made.computed.has(`${e.name}.${name}`);
}

/** Whether a model reads a text that somebody sees, and proposes one of the values of a field. */
function assistantFits(e: Entity, text: string): boolean {
  const [, source, , target] = /^assistant (?:summary of|classify) (\w+)( as (\w+))?$/.exec(text) ?? [];
  if (source === undefined) return true;
  const seen = e.fields.filter(({ writeOnly }) => !writeOnly);
  const isText = seen.some(({ name, type }) => name === source && (type === "text" || type === "longtext"));
  return isText && (target === undefined || seen.some(({ name, type }) => name === target && type === "enum"));
}

/** The field at the end of a path: of the entity itself, or of one that references lead to. */
/** The entity at the end of the way to a member, and what the member is called there. */
function endOf(b: Blueprint, e: Entity, path: string): readonly [Entity | undefined, string] {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let at: Entity | undefined = e;
  for (const name of names) {
    const target: string | undefined = at?.references.find((r) => r.name === name)?.target;
    at = b.entities.find((other) => other.name === target);
  }
  return [at, last];
}

function pathOf(b: Blueprint, e: Entity, path: string): Field | undefined {
  const [at, last] = endOf(b, e, path);
  return at?.fields.find(({ name }) => name === last);
}

/** What a reference leads to; empty where there is no such reference. */
function targetOf(b: Blueprint, e: Entity, path: string): string {
  const [at, last] = endOf(b, e, path);
  return at?.references.find(({ name }) => name === last)?.target ?? "";
}

function kindOf(f: Field | undefined): string {
  if (f === undefined || f.writeOnly) return "";
  if (isNumber(f)) return "number";
  if (["date", "datetime", "time", "boolean"].includes(f.type)) return f.type;
  return f.type === "json" || f.type === "list" ? "other" : "text";
}

function isComputable(key: string, expression: string, { b, made }: Context): boolean {
  const [entity = "", name = ""] = key.split(".");
  const e = b.entities.find((x) => x.name === entity);
  const f = e?.fields.find((x) => x.name === name);
  if (e === undefined || f === undefined || kindOf(f) !== "number") return false;
  if (e.search.includes(name) || e.unique.some((group) => group.includes(name))) return false;
  const sum = /^sum\((\w+)\.(\w+) where [^)]*\)$/.exec(expression);
  if (sum !== null) return kindOf(b.entities.find((x) => x.name === sum[1])?.fields.find((x) => x.name === sum[2])) === "number";
  if (/^count\([^)]*\)$/.test(expression)) return true;
  // What was put in the place of a name is a number as a whole.
  const terms = expression.replace(/(?:sum|count)\([^)]*\)/g, "0").split(/ [-+*] /).map((term) => term.replace(/[()]/g, ""));
  const numbers = terms.filter((term) => term !== "0");
  if (numbers.some((term) => made.computed.has(`${entity}.${term}`))) return false;
  const kinds = new Set(numbers.map((term) => kindOf(pathOf(b, e, term))));
  const isSpan = numbers.length === 2 && expression.includes(" - ") && kinds.size === 1 && (kinds.has("date") || kinds.has("datetime"));
  return isSpan || [...kinds].every((kind) => kind === "number");
}
