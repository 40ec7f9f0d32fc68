import { defineRegistry, Registry } from "../../model";
import { UserFault } from "../terminal/user-fault";
import { loadRegistry } from "./load-registry";

/**
 * Loads a registry as this copy of the library understands it. A module that imports another copy, such as that of an older
 * checkout, exports a registry without the settings that came since: it is defined anew from what it was made of.
 *
 * @param path module, absolute or from the current folder
 * @param side the side of the preview as the caller named it, for faults
 * @throws UserFault for a module that cannot be loaded, and for a registry that this version does not take
 */
export async function loadOwnRegistry(path: string, side: string): Promise<Registry> {
  try {
    const loaded = await loadRegistry(path);
    if (loaded instanceof Registry) return loaded;
    const { definition } = loaded as Partial<Registry>;
    if (definition === undefined) {
      throw new UserFault(
        "Its registry was made by an earlier version of this library, which does not keep what it was made of.",
      );
    }
    return defineRegistry(definition as Parameters<typeof defineRegistry>[0]) as unknown as Registry;
  } catch (failure) {
    if (!(failure instanceof Error) || !REFUSALS.includes(failure.name)) throw failure;
    throw new UserFault(
      `${side} cannot be read by this version of the library. ${ADVICE}\n\n${failure.message}`,
    );
  }
}

/** Refusals by name, because another copy's are of other classes. */
const REFUSALS = ["RegistryError", "UserFault"];

const ADVICE =
  "If it was right for the version that it came with, synthesize base and head, each by its own version, and compare the two outputs (cdktf.out).";
