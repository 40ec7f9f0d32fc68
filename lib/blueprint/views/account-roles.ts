import { type Fault, fault } from "../../model/faults";
import { groupBy } from "../../model/group-by";
import type { Registry } from "../../model/registry";
import { prerequisitesOf } from "./prerequisites";

/** Roles of an account, unless AWS was asked for more (quota L-FE177D64). */
const DEFAULT_ROLES = 1_000;
/** Roles that AWS gives an account at most. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MOST_ROLES = 5_000;

/** IAM roles that a registry makes in its accounts, beside IAM's quota. */
export interface AccountRoles {
  /** Accounts for which the registry makes more roles than AWS ever gives, by the first of their environments. */
  readonly faults: readonly Fault[];
  /** Sentences about accounts whose quota must be raised before a deployment. */
  readonly advice: readonly string[];
}

/**
 * Roles of all environments of an account together, because the quota is the account's. Others' roles count as well, and only
 * `preflight` sees them.
 *
 * @param environments those whose blueprint can be made
 */
export function accountRoles(registry: Registry, environments: readonly string[]): AccountRoles {
  const accounts = groupBy(environments, (name) => [registry.environment(name).account]);
  const faults: Fault[] = [];
  const advice: string[] = [];
  for (const [account, names] of accounts) {
    const roles = names.reduce((sum, name) => sum + prerequisitesOf(registry, name).roleCount, 0);
    const [first = ""] = names;
    if (roles > MOST_ROLES) {
      faults.push(
        fault(
          ["environments", first, "account"],
          `account ${account}, in which ${names.join(", ")} make ${roles} IAM roles`,
          `${MOST_ROLES} roles in an account (IAM, quota L-FE177D64 when raised)`,
          "give environments accounts of their own, or spread the workloads over several registries",
        ),
      );
    } else if (roles > DEFAULT_ROLES) {
      advice.push(
        `${names.join(", ")} make ${roles} IAM roles in account ${account}; AWS gives ${DEFAULT_ROLES} unless asked for more (quota L-FE177D64, at most ${MOST_ROLES}). preflight says how many the account has.`,
      );
    }
  }
  return { faults, advice };
}
