import type { EnvironmentPolicies } from "./environment-policies";
import type { Finding } from "./finding";
import { sharedTokens } from "./shared-tokens";
import { widenedVaults } from "./vault-rights";
import { widenedAssociations, widenedPermissions, widenedReach, widenedTrust } from "./widened-roles";
import { widenedKeys, widenedSecrets } from "./widened-secrets";

/**
 * Requests that the head allows and the base does not, about what both have; none: every request that the head allows, the base allows,
 * for the policies' grammar. What is written alike on both sides is not searched.
 */
export function widened(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  // In another account nothing is what it was.
  if (base.account !== head.account) return [];
  return [
    ...widenedSecrets(base, head),
    ...widenedKeys(base, head),
    ...widenedTrust(base, head),
    ...widenedAssociations(base, head),
    ...widenedReach(base, head),
    ...widenedPermissions(base, head),
    ...widenedVaults(base, head),
  ];
}

/** Tokens with which two roles of the head can be taken and that could take one of them at most before, by the head's environment. */
export function newlySharedTokens(
  base: readonly EnvironmentPolicies[],
  head: readonly EnvironmentPolicies[],
): readonly Finding[] {
  const shared = sharedTokens(head);
  if (shared.length === 0) return [];
  const before = new Set(sharedTokens(base).map(({ resource }) => resource));
  return shared.filter(({ resource }) => !before.has(resource));
}
