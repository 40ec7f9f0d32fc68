import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isRecord } from "../../model/is-record";
import { findModule } from "./load-registry";

/** What is taken where nothing is found, so that the fault names a place that people expect. */
const USUAL = "registry";

/**
 * The registry that is meant where nobody names one: in the folder, or in the nearest above it, the module that the folder's
 * `package.json` names (`"secrets-registry": { "registry": "./infra/registry" }`), or else its module `registry`.
 */
export function findRegistry(folder: string): string {
  for (let place = folder; ; place = dirname(place)) {
    const named = namedIn(join(place, "package.json"));
    if (named !== undefined) return join(place, named);
    if (findModule(join(place, USUAL)) !== undefined) return join(place, USUAL);
    if (dirname(place) === place) return USUAL;
  }
}

function namedIn(file: string): string | undefined {
  const manifest = manifestAt(file)?.["secrets-registry"];
  return isRecord(manifest) && typeof manifest.registry === "string" ? manifest.registry : undefined;
}

/** A `package.json` that does not parse is for its own tools to say. */
function manifestAt(file: string): Record<string, unknown> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isRecord(manifest) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Version of this package: from source and from the built package alike, in the nearest `package.json` above. */
export function ownVersion(folder = __dirname): string {
  const version = manifestAt(join(folder, "package.json"))?.version;
  if (typeof version === "string") return version;
  return dirname(folder) === folder ? "unknown" : ownVersion(dirname(folder));
}
