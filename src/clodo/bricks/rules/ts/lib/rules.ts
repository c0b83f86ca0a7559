import type { Hook } from "./hooks";
import { Problem } from "./problem";

/** What a trigger of a rule says: the status, the key and the words, between double braces. */
const REFUSAL = /\{\{(\d{3})\|([^|]*)\|(.*?)\}\}/s;

/** Tells which rule a change would have broken. The rules themselves are triggers of the database. */
export const rules: Hook = {
  refused: (error) => {
    const found = REFUSAL.exec(error instanceof Error ? error.message : "");
    if (found === null) return;
    const [, status, path, message] = found;
    throw new Problem(Number(status), message ?? "", path ? [{ path, message: message ?? "" }] : []);
  },
};
