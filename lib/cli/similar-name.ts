/** The least number of characters to insert, remove or replace to make one text of another (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    let left = i + 1;
    const next = [left];
    for (const [j, other] of [...b].entries()) {
      left = Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, left + 1);
      next.push(left);
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The name that was probably meant: the nearest, when a third of the letters or fewer differ. */
export function similarName(found: string, names: readonly string[]): string | undefined {
  const [nearest] = names
    .map((name) => ({ name, off: distance(found, name) }))
    .filter(({ name, off }) => off <= Math.max(found.length, name.length) / 3)
    .sort((a, b) => a.off - b.off);
  return nearest?.name;
}
