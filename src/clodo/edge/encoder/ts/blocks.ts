import type { BlockTables } from "./tables";

/** A block of a service by its first line, and what tells it from another that begins alike. */
export type Block = readonly [head: string, variant: string];

/** A line within a block; the empty one is the block itself. */
export type Member = readonly [block: Block, line: string];

/**
 * The blocks of some wishes, which several of them can make together; undefined where one is about blocks of which none stands.
 * `whole`: with lines that say what is so anyway, which the canonical text leaves out.
 */
export function blocksOf(wishes: readonly (readonly Member[])[], whole: boolean, { kinds, order, usual }: BlockTables): readonly string[] | undefined {
  const made = new Map<string, Set<string>>();
  const keyOf = ([head, variant]: Block): string => `${head}\n${variant}`;
  const wanted = wishes.filter((members) => members.length > 0);
  for (const [block, line] of wanted.flat()) if (line === "" && !made.has(keyOf(block))) made.set(keyOf(block), new Set());
  for (const members of wanted) {
    if (!members.some(([block]) => made.has(keyOf(block)))) return undefined;
    for (const [block, line] of members) if (line !== "") made.get(keyOf(block))?.add(line);
  }
  const place = (line: string): number => order.findIndex((start) => line.startsWith(start));
  const rank = (key: string): number => kinds.indexOf(/^\w+/.exec(key)?.[0] ?? "");
  return [...made]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([key, lines]) => {
      const [head = ""] = key.split("\n");
      const members = [...lines].filter((line) => whole || !usual.includes(line)).sort((a, b) => place(a) - place(b));
      return members.length === 0 && head !== "site" ? head : [`${head} {`, ...members.map((line) => `  ${line}`), "}"].join("\n");
    });
}
