import type { AccessDifference } from "./preview";
import type { AccessCell, EnvironmentState } from "./registry-state";

/** One cell of the access matrix as a word. The key of a renamed secret is the head's on both sides. */
const cellId = ({ arn, secret, store, can }: AccessCell): string => `${arn} ${store} ${secret} ${can}`;

/**
 * Difference of the two access matrices, people and functions included, and of who can take which role.
 *
 * @param renamed former keys and the present ones
 */
export function accessDifference(
  base: EnvironmentState | undefined,
  head: EnvironmentState | undefined,
  renamed: ReadonlyMap<string, string>,
): AccessDifference {
  const before = (base?.access ?? []).map((cell) => ({
    ...cell,
    secret: renamed.get(cell.secret) ?? cell.secret,
  }));
  const cells = difference(before, head?.access ?? [], cellId);
  const takers = difference(
    base?.takers ?? [],
    head?.takers ?? [],
    ({ name, at, taker }) => `${name} ${at} ${taker}`,
  );
  const people = difference(base?.people ?? [], head?.people ?? [], ({ may, arn }) => `${may} ${arn}`);
  return {
    gained: cells.gained,
    lost: cells.lost,
    takersGained: takers.gained,
    takersLost: takers.lost,
    peopleGained: people.gained,
    peopleLost: people.lost,
  };
}

function difference<T>(
  before: readonly T[],
  after: readonly T[],
  idOf: (entry: T) => string,
): { readonly gained: readonly T[]; readonly lost: readonly T[] } {
  const [known, kept] = [new Set(before.map(idOf)), new Set(after.map(idOf))];
  return {
    gained: after.filter((entry) => !known.has(idOf(entry))),
    lost: before.filter((entry) => !kept.has(idOf(entry))),
  };
}
