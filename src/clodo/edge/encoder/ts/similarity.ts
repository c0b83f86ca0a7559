/** How alike two texts are, 0 to 1: twice what their matching blocks have, of what both have (as Python's `difflib`). */
export function similarity(a: string, b: string): number {
  return a.length + b.length === 0 ? 1 : (2 * matching(a, b)) / (a.length + b.length);
}

/** The length of the longest common block, the first of them, and of those to its left and right. */
function matching(a: string, b: string): number {
  let best = { i: 0, j: 0, size: 0 };
  for (let i = 0; i < a.length; i += 1) {
    for (let j = 0; j < b.length; j += 1) {
      let size = 0;
      while (i + size < a.length && j + size < b.length && a.charAt(i + size) === b.charAt(j + size)) size += 1;
      if (size > best.size) best = { i, j, size };
    }
  }
  const { i, j, size } = best;
  if (size === 0) return 0;
  return size + matching(a.slice(0, i), b.slice(0, j)) + matching(a.slice(i + size), b.slice(j + size));
}
