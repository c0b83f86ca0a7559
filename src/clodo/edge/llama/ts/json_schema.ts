// JSON Schemas as GBNF. What the grammar admits, the schema admits; a keyword that cannot be kept is refused by name, never
// passed over. Properties come in the order in which they are declared, and none but these.

/** A schema that cannot be kept, and which part of it. */
export class SchemaError extends Error {}

type Schema = Readonly<Record<string, unknown>>;

/** Of JSON in general. White space is bounded, so that a model cannot go on with it for ever; an escape, or two that make a pair, is one character. */
const BASICS = String.raw`
ws ::= (" " | "\n" " "{0,24})?
hex ::= [0-9a-fA-F]
char ::= [^"\\\x00-\x1f] | "\\" (["\\/bfnrt] | "u" ([0-9a-cA-Ce-fE-F] hex{3} | [dD] ([0-7] hex{2} | [89abAB] hex{2} "\\u" [dD] [c-fC-F] hex{2})))
string ::= "\"" char* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?
boolean ::= "true" | "false"
null ::= "null"
value ::= object | array | string | number | boolean | null
member ::= string ":" ws value
object ::= "{" ws (member ("," ws member)*)? ws "}"
array ::= "[" ws (value ("," ws value)*)? ws "]"
`;

/** Any JSON object. */
export const ANY_OBJECT = `root ::= object\n${BASICS}`;

const FORMATS: Readonly<Record<string, string>> = {
  date: "date",
  "date-time": "moment",
  uuid: String.raw`"\"" hex{8} ("-" hex{4}){3} "-" hex{12} "\""`,
  email: String.raw`"\"" [A-Za-z0-9] [A-Za-z0-9._+-]{0,40} "@" [a-z0-9] [a-z0-9-]{0,40} ("." [a-z]{2,12}){1,3} "\""`,
  uri: String.raw`"\"http" "s"? "://" [a-z0-9] [a-z0-9-]{0,40} ("." [a-z0-9]{1,12}){0,4} ("/" [A-Za-z0-9._~-]{0,40}){0,8} "\""`,
};
const TIMES = String.raw`
day ::= [0-9]{4} "-" (("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01]) | ("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30") | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))
date ::= "\"" day "\""
moment ::= "\"" day "T" ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,3})? "Z\""
`;

/** Keywords that say nothing of what is valid, and definitions, which are read where they are referred to. */
const ANNOTATIONS = new Set(["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment", "$defs", "definitions"]);
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems", "maxItems"],
  string: ["format", "minLength", "maxLength"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  number: [],
  boolean: [],
  null: [],
};
const DEPTH = 48;

/** The grammar of the JSON texts that a schema admits; throws `SchemaError`. `at` is what the schema is called. */
export function grammarOf(schema: unknown, at: string): string {
  const compiler = new Compiler(schema, at);
  const root = compiler.node(schema, at, 0);
  return [`root ::= ${root}`, ...compiler.rules, BASICS, TIMES].join("\n");
}

class Compiler {
  readonly rules: string[] = [];
  #root: unknown;
  #at: string;
  #references = new Map<string, string>();

  constructor(root: unknown, at: string) {
    this.#root = root;
    this.#at = at;
  }

  /** An item of GBNF for a schema. */
  node(schema: unknown, at: string, depth: number): string {
    if (schema === true) return "value";
    if (!isObject(schema)) throw new SchemaError(`${at} must be a schema.`);
    if (depth > DEPTH) throw new SchemaError(`${at} lies more than ${DEPTH} schemas deep.`);
    const keys = Object.keys(schema).filter((key) => !ANNOTATIONS.has(key));
    if (keys.length === 0) return "value";
    for (const [keyword, read] of [["$ref", this.#reference], ["anyOf", this.#anyOf]] as const) {
      if (!keys.includes(keyword)) continue;
      const other = keys.find((key) => key !== keyword);
      if (other !== undefined) throw unsupported(`${at}.${other}`, ` beside ${keyword}`);
      return read.call(this, schema, at, depth);
    }
    const types = this.#types(schema, at);
    const values = keys.find((key) => key === "enum" || key === "const");
    if (values !== undefined) {
      const other = keys.find((key) => key !== values && key !== "type");
      if (other !== undefined) throw unsupported(`${at}.${other}`, ` beside ${values}`);
      return this.#oneOf(values === "const" ? [schema["const"]] : schema["enum"], types, `${at}.${values}`);
    }
    const known = new Set(["type", ...(types ?? []).flatMap((type) => KEYWORDS[type] as readonly string[])]);
    const unknown = keys.find((key) => !known.has(key));
    if (unknown !== undefined) throw unsupported(`${at}.${unknown}`, types === undefined ? " without a type" : "");
    return either((types as string[]).map((type) => this.#typed(type, schema, at, depth)));
  }

  #types(schema: Schema, at: string): string[] | undefined {
    const { type } = schema as { readonly type?: unknown };
    if (type === undefined) return undefined;
    const types: unknown[] = Array.isArray(type) ? type : [type];
    const odd = types.length === 0 ? "an empty list" : types.find((one) => typeof one !== "string" || !Object.hasOwn(KEYWORDS, one));
    if (odd !== undefined) throw new SchemaError(`${at}.type must be one of ${Object.keys(KEYWORDS).join(", ")} or a list of these.`);
    return types as string[];
  }

  #typed(type: string, schema: Schema, at: string, depth: number): string {
    if (type === "object") return this.#object(schema, at, depth);
    if (type === "array") return this.#array(schema, at, depth);
    if (type === "string") return this.#string(schema, at);
    if (type === "integer") return integers(schema, at);
    return type;
  }

  #object(schema: Schema, at: string, depth: number): string {
    const { properties, required = [], additionalProperties: more } = schema as { readonly properties?: unknown; readonly required?: unknown; readonly additionalProperties?: unknown };
    if (more !== undefined && more !== false) throw new SchemaError(`${at}.additionalProperties other than false is not supported.`);
    if (!Array.isArray(required) || !required.every((name) => typeof name === "string")) throw new SchemaError(`${at}.required must be a list of names.`);
    if (properties === undefined && more === undefined && required.length === 0) return "object";
    if (properties !== undefined && !isObject(properties)) throw new SchemaError(`${at}.properties must be an object.`);
    const entries = Object.entries(properties ?? {});
    const missing = (required as string[]).find((name) => !entries.some(([known]) => known === name));
    if (missing !== undefined) throw new SchemaError(`${at}.required names ${JSON.stringify(missing)}, which is not among the properties.`);
    // From the last one on: what follows a property when others stand before it, and when it may be the first.
    let later = "";
    let first = "";
    for (const [name, property] of entries.reverse()) {
      const value = this.node(property, `${at}.properties.${name}`, depth + 1);
      const member = this.#rule(`${literal(JSON.stringify(name))} ":" ws ${value}`);
      const needed = (required as string[]).includes(name);
      first = this.#rule(`${member} ${later}${needed ? "" : ` | ${first || '""'}`}`);
      later = this.#rule(`"," ws ${member} ${later}${needed ? "" : ` | ${later || '""'}`}`);
    }
    return this.#rule(`"{" ws ${first} ws "}"`);
  }

  #array(schema: Schema, at: string, depth: number): string {
    const item = schema["items"] === undefined ? "value" : this.node(schema["items"], `${at}.items`, depth + 1);
    const [least, most] = this.#sizes(schema, at, "Items");
    if (most === 0) return '"[" ws "]"';
    const more = `("," ws ${item}){${Math.max(least - 1, 0)},${most === undefined ? "" : most - 1}}`;
    return this.#rule(`"[" ws ${least === 0 ? `(${item} ${more})?` : `${item} ${more}`} ws "]"`);
  }

  #string(schema: Schema, at: string): string {
    const { format } = schema as { readonly format?: unknown };
    const [least, most] = this.#sizes(schema, at, "Length");
    const bounded = least > 0 || most !== undefined;
    if (format === undefined) return bounded ? `("\\"" char{${least},${most ?? ""}} "\\"")` : "string";
    if (typeof format !== "string" || !Object.hasOwn(FORMATS, format)) {
      throw new SchemaError(`${at}.format ${JSON.stringify(format)} is not supported; known are ${Object.keys(FORMATS).join(", ")}.`);
    }
    if (bounded) throw unsupported(`${at}.${least > 0 ? "minLength" : "maxLength"}`, " beside format");
    return this.#rule(FORMATS[format] as string);
  }

  #sizes(schema: Schema, at: string, of: string): [number, number | undefined] {
    const [least, most] = [`min${of}`, `max${of}`].map((name) => {
      const size = schema[name];
      if (size !== undefined && !(Number.isInteger(size) && (size as number) >= 0)) throw new SchemaError(`${at}.${name} must be a whole number from 0.`);
      return size as number | undefined;
    }) as [number | undefined, number | undefined];
    if (most !== undefined && (least ?? 0) > most) throw new SchemaError(`${at}.min${of} is more than max${of}.`);
    return [least ?? 0, most];
  }

  #anyOf(schema: Schema, at: string, depth: number): string {
    const options = schema["anyOf"];
    if (!Array.isArray(options) || options.length === 0) throw new SchemaError(`${at}.anyOf must be a list of schemas.`);
    return either(options.map((option, i) => this.node(option, `${at}.anyOf[${i}]`, depth + 1)));
  }

  #oneOf(values: unknown, types: readonly string[] | undefined, at: string): string {
    if (!Array.isArray(values)) throw new SchemaError(`${at} must be a list.`);
    const kept = values.filter((value) => types === undefined || types.some((type) => isOf(type, value)));
    if (kept.length === 0) throw new SchemaError(`${at} has no value that is valid.`);
    return either(kept.map((value) => literal(JSON.stringify(value))));
  }

  #reference(schema: Schema, at: string, depth: number): string {
    const reference = schema["$ref"];
    if (typeof reference !== "string" || !/^#(\/(\$defs|definitions)\/[^/]+)?$/.test(reference)) throw new SchemaError(`${at}.$ref must lead to # or #/$defs/….`);
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const [, group, name] = reference.split("/");
    const among = group === undefined ? undefined : (this.#root as Schema)[group];
    const key = name?.replaceAll("~1", "/").replaceAll("~0", "~");
    if (key !== undefined && !(isObject(among) && Object.hasOwn(among, key))) throw new SchemaError(`${at}.$ref leads nowhere: ${reference}.`);
    const rule = `ref-${this.#references.size}`;
    // Before it is read, for it may refer to itself.
    this.#references.set(reference, rule);
    const target = key === undefined ? this.#root : (among as Schema)[key];
    this.rules.push(`${rule} ::= ${this.node(target, key === undefined ? this.#at : `${this.#at}.${group}.${key}`, depth + 1)}`);
    return rule;
  }

  #rule(body: string): string {
    return `r-${this.rules.push(`r-${this.rules.length} ::= ${body}`) - 1}`;
  }
}

const isObject = (value: unknown): value is Schema => typeof value === "object" && value !== null && !Array.isArray(value);

const unsupported = (what: string, where: string): SchemaError => new SchemaError(`${what} is not supported${where}.`);

const either = (items: readonly string[]): string => (items.length === 1 ? (items[0] as string) : `(${items.join(" | ")})`);

/** A text of JSON, which has no control characters, in quotes of GBNF. */
const literal = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;

function isOf(type: string, value: unknown): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  return type === "null" ? value === null : typeof value === type;
}

/** The whole numbers within the bounds of a schema. */
function integers(schema: Schema, at: string): string {
  const bound = (name: string): number | undefined => {
    const value = schema[name];
    if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value))) throw new SchemaError(`${at}.${name} must be a number.`);
    return value as number | undefined;
  };
  const [minimum, above, maximum, below] = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"].map(bound);
  if ((minimum ?? above ?? maximum ?? below) === undefined) return "integer";
  const { MIN_SAFE_INTEGER: LEAST, MAX_SAFE_INTEGER: MOST } = Number;
  const least = Math.max(LEAST, Math.ceil(minimum ?? LEAST), above === undefined ? LEAST : Math.floor(above) + 1);
  const most = Math.min(MOST, Math.floor(maximum ?? MOST), below === undefined ? MOST : Math.ceil(below) - 1);
  if (least > most) throw new SchemaError(`${at} admits no number.`);
  const positive = most < 0 ? [] : magnitudes(Math.max(least, 0), most);
  const negative = least >= 0 ? [] : magnitudes(Math.max(1, -most), -least).map((one) => `"-" ${one}`);
  return `(${[...positive, ...negative].join(" | ")})`;
}

/** The numbers from `least` to `most`, neither below 0, a piece for each count of digits. */
function magnitudes(least: number, most: number): string[] {
  const found: string[] = [];
  for (let digits = String(least).length; digits <= String(most).length; digits++) {
    const low = Math.max(least, digits === 1 ? 0 : 10 ** (digits - 1));
    const high = digits === String(most).length ? most : 10 ** digits - 1;
    found.push(between(String(low), String(high)));
  }
  return found;
}

/** Digits from `low` to `high`, which are of one length. */
function between(low: string, high: string): string {
  if (low === "") return '""';
  const [first, last, rest] = [Number(low[0]), Number(high[0]), low.length - 1];
  const any = rest === 0 ? "" : ` [0-9]{${rest}}`;
  const [zeros, nines] = ["0".repeat(rest), "9".repeat(rest)];
  if (first === last) return `"${first}" ${between(low.slice(1), high.slice(1))}`;
  const [from, to] = [low.slice(1) === zeros ? first : first + 1, high.slice(1) === nines ? last : last - 1];
  const pieces = [
    ...(from > first ? [`"${first}" ${between(low.slice(1), nines)}`] : []),
    ...(from <= to ? [`[${from}-${to}]${any}`] : []),
    ...(to < last ? [`"${last}" ${between(zeros, high.slice(1))}`] : []),
  ];
  return `(${pieces.join(" | ")})`;
}
