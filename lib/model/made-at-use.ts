/**
 * An object whose entries are made when they are first asked for, each once: a Lambda function starts without what it does
 * not use.
 *
 * @param makers how each entry is made, by name
 */
export function madeAtUse<const M extends Readonly<Record<string, () => unknown>>>(
  makers: M,
): { readonly [N in keyof M]: ReturnType<M[N]> } {
  const entries = {} as { readonly [N in keyof M]: ReturnType<M[N]> };
  for (const [name, make] of Object.entries(makers)) {
    Object.defineProperty(entries, name, {
      configurable: true,
      enumerable: true,
      get: () => {
        const value = make();
        Object.defineProperty(entries, name, { enumerable: true, value });
        return value;
      },
    });
  }
  return entries;
}
