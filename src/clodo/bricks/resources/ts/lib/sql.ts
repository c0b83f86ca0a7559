import { Problem } from "./problem";

/** An identifier of our own, quoted. Values never come near this: they are bound. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A condition and the values it binds. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly (string | number | null)[];
}

export const condition = (sql: string, ...values: (string | number | null)[]): Condition => ({
  sql,
  values,
});

/** All of the conditions, as a WHERE clause. */
export function where(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return condition("");
  return condition(
    ` WHERE ${conditions.map((c) => `(${c.sql})`).join(" AND ")}`,
    ...conditions.flatMap((c) => c.values),
  );
}

export const insertSql = (table: string, columns: readonly string[]): string =>
  `INSERT INTO ${quote(table)} (${columns.map(quote).join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;

/** D1 gives a function 32 arguments at most, and each column takes two. */
const COLUMNS_AT_ONCE = 15;

/** SQL that gives one JSON object. Every value is a number, a text or null. */
export function jsonObject(values: readonly (readonly [name: string, sql: string])[]): string {
  const pairs = values.map(([name, sql]) => `'${name}', ${sql}`);
  const groups: string[] = [];
  for (let i = 0; i < pairs.length; i += COLUMNS_AT_ONCE) {
    // Only the outer braces go: what stands at the ends is a quotation mark, a digit or a letter.
    groups.push(`trim(json_object(${pairs.slice(i, i + COLUMNS_AT_ONCE).join(", ")}), '{}')`);
  }
  return `'{' || ${groups.join(" || ',' || ")} || '}'`;
}

/** A value of the JSON in the column `was`. */
export const formerly = (name: string): string => `json_extract("was", '$."${name}"')`;

const message = (error: unknown): string => (error instanceof Error ? error.message : "");

/** Turns a broken uniqueness into a 409 that names the fields; throws anything else on. */
export function uniqueConflict(error: unknown): never {
  const match = /UNIQUE constraint failed: ([\w., ]+)/.exec(message(error));
  if (match === null) throw error;
  const paths = (match[1] ?? "").split(",").map((column) => column.trim().split(".").pop() ?? "");
  throw new Problem(
    409,
    `Another row has the same ${paths.join(" and ")}.`,
    paths.map((path) => ({ path, message: "is taken" })),
  );
}

export const isForeignKeyFailure = (error: unknown): boolean =>
  message(error).includes("FOREIGN KEY constraint failed");

export const isCheckFailure = (error: unknown): boolean =>
  message(error).includes("CHECK constraint failed");

/** What is said of a value that its column does not take. Such checks begin with the name of their column. */
export const brokenBounds = (error: unknown): string => {
  const name = /CHECK constraint failed:[^"]*"(\w+)"/.exec(message(error))?.[1];
  if (name === undefined) return "The row would break a rule of its table.";
  return `The ${name.replaceAll("_", " ")} would be more or less than it takes.`;
};
