import { type Registry, UnknownNameError } from "../../model/registry";
import { blueprint } from "../environment/blueprint";
import { secretArnPattern } from "../platform/aws-arns";

/** A secret as it may be named outside: names, never a value. The only thing that may go into build arguments. */
export interface SecretReference {
  /** Secrets Manager name; absent for a secret that Vault owns. */
  readonly name?: string;
  /** ARN pattern in the region asked for; absent for a secret that Vault owns. */
  readonly arnPattern?: string;
  readonly vaultPath: string;
}

/** Choice of a secret. */
export interface SecretReferenceInput<E extends string, K extends string> {
  readonly environment: E;
  readonly key: K;
  /** One of the environment's regions. Default: the primary. */
  readonly region?: string;
}

/**
 * Refers to a secret from another repository, without remote state: names follow from the registry.
 *
 * @throws UnknownNameError when the environment does not have the secret or the region
 * @example
 * secretReference(registry, { environment: "prod", key: "db/app-primary", region: "eu-west-1" }).arnPattern;
 */
export function secretReference<E extends string, K extends string>(
  registry: Registry<E, string, K>,
  { environment, key, region }: SecretReferenceInput<NoInfer<E>, NoInfer<K>>,
): SecretReference {
  const plan = blueprint(registry, environment);
  const secret = plan.secrets.find((candidate) => candidate.key === key);
  if (!secret) {
    throw new UnknownNameError(
      `secret of ${environment}`,
      key,
      plan.secrets.map((candidate) => candidate.key),
    );
  }
  const place = region ?? plan.regions.primary;
  if (!secret.regions.includes(place))
    throw new UnknownNameError(`region of ${environment}`, place, secret.regions);
  if (secret.store === "vault") return { vaultPath: secret.vaultPath };
  return {
    name: secret.name,
    arnPattern: secretArnPattern(plan, place, secret.name),
    vaultPath: secret.vaultPath,
  };
}
