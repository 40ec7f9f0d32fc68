/** Numbers of cases that a property tries. */
export interface PropertySizes {
  /** With every change. */
  readonly ci: number;
  /** In the night, by `PROPERTY_SIZE=nightly`. */
  readonly nightly: number;
}

/** `true` in the nightly size: `PROPERTY_SIZE=nightly`. Nothing else reads that variable. */
const isNightly = (): boolean => process.env.PROPERTY_SIZE === "nightly";

/** A number of cases for the size in use. */
export const propertyCases = ({ ci, nightly }: PropertySizes): number => (isNightly() ? nightly : ci);

/**
 * fast-check's parameters of a property. The seed is printed before the first case, so that a run that dies can be
 * repeated too: `PROPERTY_SEED=<seed>` takes it again.
 */
export function propertyRuns(
  name: string,
  sizes: PropertySizes,
): { readonly numRuns: number; readonly seed: number } {
  const numRuns = propertyCases(sizes);
  const asked = process.env.PROPERTY_SEED;
  const seed = asked === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(asked);
  process.stdout.write(`property "${name}": ${numRuns} cases, PROPERTY_SEED=${seed}\n`);
  return { numRuns, seed };
}
