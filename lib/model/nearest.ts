/** Edit distance (Wagner–Fischer); names are short. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The known names that are nearest, the nearest first. */
export const nearestOf = (name: string, known: readonly string[], count: number): readonly string[] =>
  [...known].sort((a, b) => distance(name, a) - distance(name, b) || (a < b ? -1 : 1)).slice(0, count);

/**
 * The known name that somebody most likely meant: the nearest, when a third of the letters or fewer differ, or two of a
 * short one; `undefined` when none is near.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((other) => ({ other, off: distance(name, other) }))
    .filter(({ other, off }) => off <= Math.max(2, Math.max(name.length, other.length) / 3))
    .sort((a, b) => a.off - b.off);
  return best?.other;
}
