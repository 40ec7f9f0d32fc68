import { ANY, both, isNone, others, sampleOf, type Texts } from "./texts";

/**
 * Set of values of a condition key in a request: absent, or there with values all of which are in one set, and of which
 * each of some other sets has one. A key has one value at most, unless it is one that AWS lists as multivalued.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export interface Values {
  /** The key may be absent. */
  readonly absent: boolean;
  /** The key may be there. */
  readonly present: boolean;
  readonly all: Texts;
  /** Each has one of the values. Of a key with one value: empty, because that value is in `all`. */
  readonly some: readonly Texts[];
}

/** Anything. */
export const ANYTHING: Values = { absent: true, present: true, all: ANY, some: [] };

/** Values of a key that is there, all of one set. */
export const among = (all: Texts): Values => ({ ...ANYTHING, absent: false, all });

/** Values that hold to both. */
export const meet = (a: Values, b: Values): Values => ({
  absent: a.absent && b.absent,
  present: a.present && b.present,
  all: both(a.all, b.all),
  some: [...a.some, ...b.some],
});

/** `true` where the key can be there. */
const canBePresent = ({ present, all, some }: Values): boolean =>
  present && !isNone(all) && some.every((one) => !isNone(both(all, one)));

/** `true` where no request holds to it. */
export const isImpossible = (values: Values): boolean => !values.absent && !canBePresent(values);

/**
 * Sets that together are everything that does not hold to it.
 *
 * @param many the key may have several values
 */
export function opposite({ absent, present, all, some }: Values, many: boolean): readonly Values[] {
  const there: Values = { ...ANYTHING, absent: false };
  const gone: readonly Values[] = absent ? [] : [{ ...ANYTHING, present: false }];
  if (!present) return [...gone, there];
  return [
    ...gone,
    ...others(all).map((texts): Values => (many ? { ...there, some: [texts] } : { ...there, all: texts })),
    // Every value is outside of what one had to be in: the intersection of the complements of its parts.
    ...some.flatMap((one) => outside(one).map((texts): Values => ({ ...there, all: texts }))),
  ];
}

/** The complement as one set where it is one; else its parts, which is enough for a single value and too little for several. */
function outside(texts: Texts): readonly Texts[] {
  const parts = others(texts);
  if (parts.length <= 1) return parts;
  throw new RangeError("a set operator over a compound set");
}

/** Values of a request that holds to it; `undefined`: the key is absent. */
export function sampleValues(values: Values, hints: readonly string[]): readonly string[] | undefined {
  if (values.absent || !values.present) return undefined;
  if (values.some.length === 0) return [sampleOf(values.all, hints) ?? ""];
  return [...new Set(values.some.map((one) => sampleOf(both(values.all, one), hints) ?? ""))];
}
