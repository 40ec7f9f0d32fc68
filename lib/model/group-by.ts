/** Entries under each of their keys; an entry that has several is in several groups. Keys and entries stay in the order given. */
export function groupBy<T>(
  entries: readonly T[],
  keysOf: (entry: T) => Iterable<string>,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const entry of entries) {
    for (const key of keysOf(entry)) {
      const known = groups.get(key);
      if (known) known.push(entry);
      else groups.set(key, [entry]);
    }
  }
  return groups;
}
