import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Registry } from "../model";
import { UserFault } from "./user-fault";

const ENDINGS = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/** A path as people give it: the file, the file without its ending, or the folder with an index. */
function findModule(path: string): string | undefined {
  const candidates = [
    path,
    ...ENDINGS.map((ending) => path + ending),
    ...ENDINGS.map((ending) => join(path, `index${ending}`)),
  ];
  return candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  // Running from source, a TypeScript loader is active already; from the built package there is none.
  if (/\.[cm]?ts$/.test(file) && !require.extensions[".ts"]) {
    const { createJiti } = await import("jiti");
    return createJiti(__filename).import<Record<string, unknown>>(file);
  }
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}

/** Told by its shape: the registry may come from another copy of this package. */
function isRegistry(value: unknown): value is Registry {
  return typeof value === "object" && value !== null && "secretsIn" in value && "environmentNames" in value;
}

/**
 * Loads the registry that a module exports as `registry` (or as its default).
 *
 * @param path the module, absolute or from the current folder
 * @throws UserFault when there is no such module or it exports no registry
 */
export async function loadRegistry(path: string): Promise<Registry> {
  const wanted = resolve(path);
  const file = findModule(wanted);
  if (!file) {
    throw new UserFault(
      `No registry at ${wanted}. Give the module with --registry, such as --registry ./registry.`,
    );
  }
  const module = await importModule(file);
  const inner = module.default;
  const found = [module.registry, inner, (inner as Record<string, unknown> | undefined)?.registry].find(
    isRegistry,
  );
  if (!found) {
    throw new UserFault(
      `${file} exports no registry. Export what defineRegistry returns: export const registry = defineRegistry({ … }).`,
    );
  }
  return found;
}
