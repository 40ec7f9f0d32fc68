import type { RetirementEvidence } from "../../contracts/procedure-events";

/**
 * Evidence from a vendor's times of last use of the retired keys; `undefined`: there is none. A vendor that says nothing
 * of one of them may not have noticed: that is no evidence of anything.
 *
 * @param uses of each key; `undefined`: the vendor says nothing
 * @param usedUntil by when everybody should have had the new value; `undefined`: nobody looked
 */
export function lastUse(
  uses: readonly (Date | undefined)[],
  usedUntil: Date | undefined,
): RetirementEvidence | undefined {
  if (usedUntil === undefined) return { lookedBy: "not-looked" };
  const known = uses.filter((use) => use !== undefined);
  if (known.length < uses.length || known.length === 0) return undefined;
  const latest = new Date(Math.max(...known.map((use) => use.getTime())));
  return { lookedBy: "last-use", since: latest.toISOString() };
}
