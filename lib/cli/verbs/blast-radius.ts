import { type BlastRadius, blastRadius, environmentsWith } from "../../blueprint";
import type { Registry } from "../../model";

/**
 * Blast radius of a secret: in one environment, or in a list of all environments that have it.
 *
 * @throws UnknownNameError when the registry, or the named environment, does not have the secret
 */
export function blastRadiusOf(
  registry: Registry,
  key: string,
  environment: string | undefined,
): BlastRadius | readonly BlastRadius[] {
  return environment === undefined
    ? environmentsWith(registry, key).map((name) => blastRadius(registry, name, key))
    : blastRadius(registry, environment, key);
}
