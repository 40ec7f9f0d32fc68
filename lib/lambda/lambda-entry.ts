/** A Lambda handler: takes any event. */
export type LambdaHandler<O> = (event: unknown) => Promise<O>;

/**
 * A handler as Lambda loads it. Everything is made at the first event, so that a fault in the settings is an answer
 * and not a function that does not start. One that could not be made is made again at the next event.
 */
export function lambdaEntry<O>(assemble: () => Promise<LambdaHandler<O>>): LambdaHandler<O> {
  let ready: Promise<LambdaHandler<O>> | undefined;
  const assembled = async (): Promise<LambdaHandler<O>> => {
    ready ??= assemble();
    try {
      return await ready;
    } catch (failure) {
      ready = undefined;
      throw failure;
    }
  };
  return async (event) => (await assembled())(event);
}
