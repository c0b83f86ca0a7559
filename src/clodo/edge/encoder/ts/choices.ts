import type { Characters } from "./characters";

/** An allowed value in small letters: snake_case of the text's own words. */
function choice(surface: string, characters: Characters): string {
  const plain = characters.strip(surface).toLowerCase().replace(characters.pattern("[^\\w\\s+./-]", "g"), "");
  return characters.strip(plain.replace(characters.pattern("[\\s/-]+", "g"), "_"), "_.");
}

/**
 * The values of a list, each once. One that the text writes in capitals (`EUR, USD`; `S, M, L`) keeps them, for these are codes;
 * of several spellings of a value the first counts.
 */
export function choices(surfaces: readonly string[], characters: Characters): string[] {
  const first = new Map<string, string>();
  for (const surface of surfaces) {
    const value = choice(surface, characters);
    if (value !== "" && !first.has(value)) first.set(value, surface);
  }
  const written = [...first.values()].join("");
  const areCodes = written === written.toUpperCase() && written !== written.toLowerCase();
  return [...first.keys()].map((value) => (areCodes ? value.toUpperCase() : value));
}

/** The value that some words mean, however they are written; undefined where they mean none. */
export function chosen(values: readonly string[], surface: string, characters: Characters): string | undefined {
  const wanted = choice(surface, characters);
  return values.find((value) => value.toLowerCase() === wanted);
}
