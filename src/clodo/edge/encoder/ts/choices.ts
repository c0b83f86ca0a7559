import type { Characters } from "./characters";
import type { DraftValue } from "./draft";

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

/** Characters that stand between two values of one list at most. */
const APART = 12;

/** The values in the order of the longest list of the text, those that stand elsewhere behind it. */
export function listed(values: readonly DraftValue[], characters: Characters): readonly DraftValue[] {
  const runs: DraftValue[][] = [];
  // What the values of the last list say, and how many each list has.
  let said = new Set<string>();
  const lengths: number[] = [];
  let end = 0;
  for (const value of values) {
    const [span] = value.evidence.spans;
    if (span === undefined) return values;
    const gap = span[0] - end;
    const name = choice(value.words, characters);
    const last = runs.at(-1);
    // What comes again begins another list.
    if (last !== undefined && !said.has(name) && gap >= 0 && gap <= APART) last.push(value);
    else {
      runs.push([value]);
      said = new Set();
    }
    said.add(name);
    lengths[runs.length - 1] = said.size;
    end = span[1];
  }
  const longest = lengths.indexOf(Math.max(...lengths));
  return [...(runs[longest] ?? []), ...runs.filter((_, i) => i !== longest).flat()];
}

/** The value that some words mean, however they are written; undefined where they mean none. */
export function chosen(values: readonly string[], surface: string, characters: Characters): string | undefined {
  const wanted = choice(surface, characters);
  return values.find((value) => value.toLowerCase() === wanted);
}
