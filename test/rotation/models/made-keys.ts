import type { VendorKeys } from "../../../lib/rotation/targets/vendor-keys";

/** Ids of keys by their names, which are unique: vendors' lists show both, the models' only names. */
export class MadeKeys {
  readonly #ids = new Map<string, string>();

  /** The same keys, of which those that are made are noted. */
  of<T extends VendorKeys>(keys: T): T {
    return {
      ...keys,
      create: async (name) => {
        const key = await keys.create(name);
        this.#ids.set(name, key.id);
        return key;
      },
    };
  }

  /** Ids of what has these names. */
  liveIn(names: readonly string[]): readonly string[] {
    return names.flatMap((name) => this.#ids.get(name) ?? []);
  }
}
