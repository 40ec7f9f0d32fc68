import { isDeepStrictEqual } from "node:util";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget } from "../protocol/target";

/** Settings of {@link endedByPeople}. */
export interface EndedByPeopleProps<V> {
  /** The credential and where it is from, for people: `the API key of SendGrid account staging`. */
  readonly what: string;
  /** `true` when the vendor still takes something of the retired value that no living value has. */
  isAlive(retired: V, living: readonly V[]): Promise<boolean>;
}

/**
 * Keys of a vendor for whom no admin secret is named: a person makes them, supplies them, and ends them in the vendor's
 * dashboard. They are tried by themselves; decommission is done when the vendor refuses the old one, and asks for that
 * until then.
 */
export function endedByPeople<V>(
  target: AcceptingTarget<V>,
  { what, isAlive }: EndedByPeopleProps<V>,
): AcceptingTarget<V> {
  return {
    acceptedBy: "target",
    schema: target.schema,

    async generate(_predecessor, _attempt, staged) {
      if (staged !== undefined) return staged;
      throw new RotationError("operator-needed", `no admin secret is named for ${what}`);
    },

    checkSuccession: (...versions) => target.checkSuccession(...versions),

    // The vendor accepts a key since a person made it.
    install: async () => undefined,

    test: (value) => target.test(value),

    async retire({ retired, kept, elsewhere = [] }) {
      const living = [...kept, ...elsewhere];
      if (living.some((value) => isDeepStrictEqual(value, retired))) return undefined;
      if (await isAlive(retired, living)) {
        throw new RotationError(
          "still-accepted",
          `a person ends ${what}: the vendor still takes the old one`,
        );
      }
      return undefined;
    },
  };
}
