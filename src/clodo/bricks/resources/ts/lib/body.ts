import * as z from "zod/mini";
import type { Field, Stored } from "./fields";
import { type FieldError, Problem } from "./problem";

export type Mode = "create" | "replace" | "change";

/** A check beside the fields: path, schema and the value to check. */
export type Extra = readonly [path: string, schema: z.ZodMiniType, value: unknown];

const describe = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${withArticle(issue.expected === "int" ? "integer" : issue.expected)}`;
    case "too_small":
      return `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${sizeUnit(issue.origin)}`;
    case "too_big":
      return `must be ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${sizeUnit(issue.origin)}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "invalid_format":
      return issue.message && issue.message !== "Invalid input" ? issue.message : "has the wrong form";
    default:
      return issue.message && issue.message !== "Invalid input" ? issue.message : "is not valid";
  }
};

const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;

const sizeUnit = (origin: string): string =>
  origin === "string" ? " characters" : origin === "array" ? " items" : "";

function check(path: string, schema: z.ZodMiniType, value: unknown): FieldError[] {
  const result = z.safeParse(schema, value);
  if (result.success) return [];
  return result.error.issues.slice(0, 3).map((issue) => ({
    path: [path, ...issue.path.map(String)].join("."),
    message: value === undefined ? "is required" : describe(issue),
  }));
}

/**
 * The stored values of a body. Creating and replacing fill in defaults and nulls; a change holds
 * the given fields only. Every fault of the body is told at once, as one 422.
 */
export function checkBody(
  fields: Readonly<Record<string, Field>>,
  body: Readonly<Record<string, unknown>>,
  extras: readonly Extra[] = [],
  mode: Mode = "create",
): Record<string, Stored> {
  const errors: FieldError[] = [];
  const values: Record<string, Stored> = {};
  for (const name of Object.keys(body)) {
    if (!Object.hasOwn(fields, name) || fields[name]?.readOnly) {
      errors.push({ path: name, message: "is not a field of this body" });
    }
  }
  for (const [name, field] of Object.entries(fields)) {
    if (field.readOnly && mode !== "create") continue;
    const given = Object.hasOwn(body, name) && !field.readOnly ? body[name] : undefined;
    if (given === undefined && mode === "change") continue;
    const value = given === undefined ? fallback(field, fields, body) : given;
    // What nobody can give, and has no default, is set elsewhere.
    const optional = !field.required || (field.readOnly && field.fallback === undefined);
    if (optional && (value === undefined || value === null)) values[name] = null;
    else if (value === undefined || value === null) {
      errors.push({ path: name, message: given === null ? "must not be null" : "is required" });
    } else {
      const found = check(name, field.schema, value);
      if (found.length === 0) values[name] = field.encode(value);
      errors.push(...found);
    }
  }
  for (const extra of extras) errors.push(...check(...extra));
  if (errors.length > 0) throw new Problem(422, "The body has invalid fields.", errors);
  return values;
}

type Default = (fields: Readonly<Record<string, Field>>, body: Readonly<Record<string, unknown>>) => unknown;

function fallback(field: Field, ...row: Parameters<Default>): unknown {
  if (field.fallback !== undefined) {
    return typeof field.fallback === "function" ? (field.fallback as Default)(...row) : field.fallback;
  }
  return field.required ? undefined : null;
}
