import { RotationError } from "../protocol/rotation-error";

/**
 * The three keys that our own workloads hold at a time (docs/explanation/architecture.md, decision 3). `next` and `previous` are
 * accepted, `current` is accepted and used. `P` is what is left of a key that is not used any more.
 */
export interface Generations<K, P = K> {
  readonly next: K | null;
  readonly current: K;
  readonly previous: P | null;
}

/** Generations of which none need be there. */
type Nullable<G> = { readonly [N in keyof G]: G[N] | null };

/** The keys that a value holds, in the order in which they are looked for. */
export const keysOf = <K, P>({ current, next, previous }: Nullable<Generations<K, P>>): readonly (K | P)[] =>
  [current, next, previous].filter((key): key is NonNullable<typeof key> => key !== null);

/** The first keys of a secret. `next` is there from the start where rotations put it to use by themselves. */
export const firstGenerations = <K, P>(current: K, next: K | null): Generations<K, P> => ({
  next,
  current,
  previous: null,
});

/** `fresh` is accepted from now on, and used by nobody. */
export const publish = <K, P>(keys: Generations<K, P>, fresh: K): Generations<K, P> => ({
  ...keys,
  next: fresh,
});

/** `next` is used from now on; `current` stays accepted. `undefined` when no `next` was published. */
export function promote<K, P>(
  { next, current }: Generations<K, P>,
  asPrevious: (key: K) => P,
): Generations<K, P> | undefined {
  return next === null ? undefined : { next: null, current: next, previous: asPrevious(current) };
}

/**
 * One automatic rotation: what was published is used, and another one is published. Where nothing was (the mode was
 * manual before) it only publishes.
 */
export const advance = <K, P>(
  keys: Generations<K, P>,
  fresh: K,
  asPrevious: (key: K) => P,
): Generations<K, P> => publish(promote(keys, asPrevious) ?? keys, fresh);

/**
 * `true` when `previous` was in use while `before` was served, the version before: what it signed may be on its way. Where
 * nobody knows that version any more, it may have been.
 */
export const dropsUsed = <K, P>(
  { previous }: Nullable<Generations<K, P>>,
  before: Nullable<Generations<K, P>> | undefined,
  isSame: (a: K | P, b: K | P) => boolean,
): boolean =>
  previous !== null &&
  (before === undefined || (before.current !== null && isSame(before.current, previous)));

/** The old key is not accepted any more. */
export const retire = <K, P>(keys: Generations<K, P>): Generations<K, P> => ({ ...keys, previous: null });

/**
 * Checks that `pending` keeps the promises of `predecessor`: a key that is used was accepted before, the key that
 * it replaces stays accepted, and a key that was retired in the meantime does not come back.
 *
 * @throws RotationError `stale-version`
 */
export function checkGenerations<K, P>(
  pending: Generations<K, P>,
  predecessor: Generations<K, P> | undefined,
  idOf: (key: K | P) => string,
): void {
  if (predecessor === undefined) return;
  const id = (key: K | P | null): string | undefined => (key === null ? undefined : idOf(key));
  const switches = id(pending.current) !== id(predecessor.current);
  const valid = switches
    ? id(pending.current) === id(predecessor.next) && id(pending.previous) === id(predecessor.current)
    : id(pending.previous) === id(predecessor.previous);
  if (!valid) {
    throw new RotationError(
      "stale-version",
      `the version with key ${id(pending.current)} was not made from the one with key ${id(predecessor.current)}`,
    );
  }
}

/**
 * Refuses a `pending` that still holds a key of `leaked`. What such a key signs would be taken for genuine.
 *
 * @throws RotationError `stale-version`
 */
export function checkReplaced<K, P>(
  pending: Generations<K, P>,
  leaked: Generations<K, P>,
  idOf: (key: K | P) => string,
): void {
  const known = new Set(keysOf(leaked).map(idOf));
  const left = keysOf(pending).find((key) => known.has(idOf(key)));
  if (left === undefined) return;
  throw new RotationError(
    "stale-version",
    `key ${idOf(left)} is in the version and in the one that leaked: in an emergency every key is thrown away`,
  );
}

/**
 * Refuses a value in which two keys have one name: whoever looks a key up by its name would find either.
 *
 * @throws RotationError `target-refused`
 */
export function checkDistinct<K, P>(keys: Generations<K, P>, idOf: (key: K | P) => string): void {
  const names = keysOf(keys).map(idOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RotationError("target-refused", `two keys are called ${twice}`);
}
