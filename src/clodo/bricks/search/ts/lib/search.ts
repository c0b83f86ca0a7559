import { type Condition, condition, quote } from "./sql";

const MAX_WORDS = 8;

/**
 * Every word must occur in one of the columns; the case of ASCII letters does not matter.
 * (`instr` rather than `LIKE`: D1 refuses patterns of more than 50 bytes.)
 */
export function search(columns: readonly string[]): (text: string) => Condition {
  const anywhere = columns
    .map((name) => `instr(lower(${quote(name)}), lower(?)) > 0`)
    .join(" OR ");
  return (text) => {
    const words = text.split(/\s+/).filter((word) => word !== "").slice(0, MAX_WORDS);
    if (words.length === 0) return condition("1 = 1");
    return condition(
      words.map(() => `(${anywhere})`).join(" AND "),
      ...words.flatMap((word) => columns.map(() => word)),
    );
  };
}
