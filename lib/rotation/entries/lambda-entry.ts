import { RotationError } from "../protocol/rotation-error";

/** A Lambda handler: takes any event. */
export type LambdaHandler<O> = (event: unknown) => Promise<O>;

/**
 * A handler as Lambda loads it. Everything is made at the first event, so that a fault in the settings is an answer
 * and not a function that does not start.
 */
export function lambdaEntry<O>(assemble: () => Promise<LambdaHandler<O>>): LambdaHandler<O> {
  let ready: Promise<LambdaHandler<O>> | undefined;
  return async (event) => {
    ready ??= assemble();
    try {
      return await (await ready)(event);
    } catch (failure) {
      // A failed start is tried again with the next event.
      if (failure instanceof RotationError && failure.code === "settings-malformed") ready = undefined;
      throw failure;
    }
  };
}
