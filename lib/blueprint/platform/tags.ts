import type { Environment, Registry } from "../../model/registry";

/** AWS tags. */
export type Tags = Readonly<Record<string, string>>;

/** Tags of everything that the registry makes in an environment. */
export const commonTags = (registry: Registry, environment: Environment): Record<string, string> => ({
  "managed-by": "cdktf-secrets-registry",
  registry: registry.id,
  environment: environment.name,
});
