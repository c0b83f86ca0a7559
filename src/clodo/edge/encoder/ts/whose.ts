import type { Pen } from "./cue_names";
import { Nearby } from "./nearby";

/** Whether a text says somewhere of the people of a role that rows of a thing are theirs; both by their names in a blueprint. */
export function areTheirs(text: string, role: string, thing: string, { tables, naming, characters }: Pick<Pen, "tables" | "naming" | "characters">): boolean {
  const near = new Nearby(tables, characters);
  const theirs = characters.pattern(`^(?:${tables.takers.theirs})`);
  const words = [...text.matchAll(characters.pattern("\\w+", "g"))];
  const named = role.split("_");
  return words.some(([word], i) => {
    const first = words.slice(Math.max(0, i - named.length + 1), i).map(([before]) => before.toLowerCase());
    if ([...first, naming.singular(word.toLowerCase())].join("_") !== role) return false;
    const start = words[i]?.index ?? 0;
    const [, ...found] = theirs.exec(near.behind(text, [start, start + word.length])) ?? [];
    return found.some((said) => (said ?? "") !== "" && thing.split("_").includes(naming.singular(said ?? "")));
  });
}
