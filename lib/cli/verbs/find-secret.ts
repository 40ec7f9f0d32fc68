import { type Blueprint, blueprint, type SecretPlan } from "../../blueprint";
import { type EnvironmentSecret, formatDuration, type Registry, UnknownNameError } from "../../model";
import type { RotatedPlan } from "../driver/driven-rotation";
import { UserFault } from "../terminal/user-fault";

/** A secret that a function rotates, as the blueprint and as the registry have it. */
export interface FoundSecret {
  readonly plan: Blueprint;
  readonly secret: RotatedPlan;
  /** Kind and settings, which belong together. */
  readonly resolved: EnvironmentSecret;
}

/** Fault for an unknown key. */
export const unknownSecret = (registry: Pick<Registry, "secretKeys">, key: string): UnknownNameError =>
  new UnknownNameError("secret", key, registry.secretKeys);

/**
 * A secret of an environment that can be rotated from here.
 *
 * @throws UnknownNameError for an environment or a key that the registry does not have
 * @throws UserFault for a key that the environment does not have, and for what no function rotates
 */
export function findSecret(registry: Registry, environment: string, key: string): FoundSecret {
  const plan = blueprint(registry, registry.environment(environment).name);
  if (!registry.secretKeys.includes(key)) throw unknownSecret(registry, key);
  const resolved = registry.secretIn(environment, key);
  const secret = plan.secrets.find((candidate) => candidate.key === key);
  if (resolved === undefined || secret === undefined) {
    const others = registry.environmentNames.filter((name) => registry.secretIn(name, key) !== undefined);
    throw new UserFault(
      `${environment} does not have ${key}; ${others.join(" and ")} ${others.length === 1 ? "has" : "have"}. Its presence is set in secrets[${JSON.stringify(key)}].environments.${environment}.`,
    );
  }
  if (!isRotated(secret)) throw new UserFault(whyNot(secret));
  return { plan, secret, resolved };
}

/** `true` when one of our functions rotates a secret. */
export const isRotated = (secret: SecretPlan): secret is RotatedPlan =>
  secret.store === "aws" && secret.rotatedBy !== undefined && secret.retired === undefined;

function whyNot(secret: SecretPlan): string {
  if (secret.retired !== undefined) {
    return `${secret.key} is retired since ${secret.retired}: nobody reads it, and it is not rotated.`;
  }
  return `${secret.key} is Vault's own: each Vault makes its users and changes their passwords by itself (${secret.vaultPath}), and the mirror has it change its connection's password every ${formatDuration(secret.rotateEvery)}. For a leak: vault lease revoke -prefix ${secret.vaultPath}.`;
}
