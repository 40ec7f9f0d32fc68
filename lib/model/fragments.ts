/** Keys that stood in more than one merged part, remembered for the faults. */
const DUPLICATES = Symbol.for("cdktf-secrets-registry.duplicates");

type UnionToIntersection<U> = (U extends unknown ? (part: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

/**
 * Joins the secrets of several files, one per team, into what `defineRegistry` takes. A key that stands in two
 * of them is not overwritten in silence: `defineRegistry` reports it with all other faults.
 *
 * @example
 * defineRegistry({ …, secrets: mergeSecrets(platformSecrets, paymentSecrets) });
 */
export function mergeSecrets<const Parts extends readonly object[]>(
  ...parts: Parts
): UnionToIntersection<Parts[number]> {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const part of parts) {
    for (const key of Object.keys(part)) {
      if (seen.has(key)) duplicates.add(key);
      seen.add(key);
    }
    for (const key of duplicateKeys(part)) duplicates.add(key);
  }
  const merged = Object.assign({}, ...parts) as UnionToIntersection<Parts[number]> & object;
  Object.defineProperty(merged, DUPLICATES, { value: [...duplicates], enumerable: false });
  return merged;
}

/** Keys that were merged more than once. */
export function duplicateKeys(secrets: unknown): readonly string[] {
  if (typeof secrets !== "object" || secrets === null) return [];
  return (secrets as { [DUPLICATES]?: readonly string[] })[DUPLICATES] ?? [];
}
