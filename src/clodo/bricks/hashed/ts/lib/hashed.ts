import type { Stored } from "./fields";
import type { Hook } from "./hooks";
import { hashPassword } from "./password";

/** Puts salted hashes in the place of the texts that a body gave for some fields. */
export const hashing =
  (names: readonly string[]) =>
  async (values: Record<string, Stored>): Promise<void> => {
    for (const name of names) {
      const given = values[name];
      if (typeof given === "string") values[name] = await hashPassword(given);
    }
  };

/** Of some fields of a row only salted hashes are stored. It stands behind all other hooks, so that none puts a clear text back. */
export function hashed(names: readonly string[]): Hook {
  const hash = hashing(names);
  return { check: (_c, { after }) => (after === null ? undefined : hash(after)) };
}
