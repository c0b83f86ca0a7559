// What form an answer must have: a grammar, or a `response_format` that becomes one.
import { GrammarError, type Program, readGrammar } from "./gbnf";
import { ANY_OBJECT, grammarOf, SchemaError } from "./json_schema";
import { Problem } from "./shared/problems";

interface Body {
  readonly grammar?: unknown;
  readonly response_format?: unknown;
}

const refused = (param: string, detail: string, code: string): Problem => new Problem(400, detail, { param, code });

/** The grammar that a request asks for, which `programOf` can read, null where it asks for none; throws what the caller is told. */
export function readForm({ grammar, response_format: format }: Body): string | null {
  const text = textOf(format ?? { type: "text" });
  if (grammar === undefined || grammar === null || grammar === "") return text === null ? null : read(text, "response_format", "invalid_schema");
  if (typeof grammar !== "string") throw refused("grammar", "grammar must be a text in GBNF.", "invalid_grammar");
  if (text !== null) throw refused("grammar", "grammar and response_format cannot both be asked for.", "invalid_value");
  return read(grammar, "grammar", "invalid_grammar");
}

/** Callers ask by one grammar again and again, and reading a large one takes tens of milliseconds. */
let last: { readonly text: string; readonly program: Program } | undefined;

/** The program of a grammar. */
export function programOf(text: string): Program {
  if (last?.text !== text) last = { text, program: readGrammar(text) };
  return last.program;
}

function read(text: string, param: string, code: string): string {
  try {
    programOf(text);
    return text;
  } catch (error) {
    throw error instanceof GrammarError ? refused(param, error.message, code) : error;
  }
}

/** The grammar of a `response_format`, null where any text will do. */
function textOf(format: unknown): string | null {
  const { type, schema, json_schema: named } = format as { readonly type?: unknown; readonly schema?: unknown; readonly json_schema?: { readonly schema?: unknown } | null };
  if (type === "text") return null;
  // llama.cpp's server takes a schema with json_object, too.
  if (type === "json_object") return schema === undefined ? ANY_OBJECT : compiled(schema, "response_format.schema");
  if (type !== "json_schema") throw refused("response_format", "The type of response_format must be text, json_object or json_schema.", "unsupported");
  if (named?.schema === undefined) throw refused("response_format", "response_format.json_schema.schema is missing.", "invalid_schema");
  return compiled(named.schema, "response_format.json_schema.schema");
}

function compiled(schema: unknown, at: string): string {
  try {
    return grammarOf(schema, at);
  } catch (error) {
    throw error instanceof SchemaError ? refused("response_format", error.message, "invalid_schema") : error;
  }
}
