import { dirname, join } from "node:path";
import { isRecord } from "../../model/is-record";
import { jsonAt } from "./json-at";
import { findModule } from "./load-registry";

/** Module that is taken where nothing is found, so that the fault names a place that people expect. */
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
  const manifest = jsonAt(file)?.["secrets-registry"];
  return isRecord(manifest) && typeof manifest.registry === "string" ? manifest.registry : undefined;
}

/** Version of this package: from source and from the built package alike, in the nearest `package.json` above. */
export function ownVersion(folder = __dirname): string {
  const version = jsonAt(join(folder, "package.json"))?.version;
  if (typeof version === "string") return version;
  return dirname(folder) === folder ? "unknown" : ownVersion(dirname(folder));
}
