import { isKeyPattern } from "../access-rules";
import { allConsumers, ownConsumers } from "../consumers";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault, type PathStep } from "../faults";
import { nearest, nearestOf } from "../nearest";
import { forEnvironments, forSecrets, type RuleContext } from "./context";

/** Names that stand for something else must stand for something that exists. */

/** More names than anybody reads. */
const MANY = 12;

function unknown(
  path: readonly PathStep[],
  name: string,
  what: string,
  known: readonly string[],
): readonly Fault[] {
  // Nothing known at all is a part that is missing as a whole, which is a fault of its own.
  if (known.length === 0 || known.includes(name)) return [];
  const near = nearest(name, known);
  return [
    fault(
      path,
      `${JSON.stringify(name)}, which is no ${what}`,
      known.length > MANY
        ? `one of ${known.length} names, such as ${nearestOf(name, known, 3).join(", ")}`
        : `one of ${[...known].sort().join(", ")}`,
      near ? `did you mean ${JSON.stringify(near)}?` : `correct the name, or add the ${what}`,
    ),
  ];
}

/** Unknown names, wherever one part of a registry names another. */
export function unknownNames(context: RuleContext): readonly Fault[] {
  const { declared, workloads, accessRules } = context.parsed;
  return [
    ...forSecrets(context, (key, secret) => [
      ...allConsumers(secret).flatMap(({ workload, namedAt }) =>
        unknown(["secrets", key, ...namedAt], workload, "workload", declared.workloads),
      ),
      ...ownConsumers(secret).flatMap(({ environments = [], path }) =>
        environments.flatMap((name, index) =>
          unknown(
            ["secrets", key, ...path, "environments", index],
            name,
            "environment",
            declared.environments,
          ),
        ),
      ),
      ...Object.keys(secret.environments).flatMap((name) =>
        unknown(["secrets", key, "environments", name], name, "environment", declared.environments),
      ),
      ...(secret.admin === undefined
        ? []
        : unknown(["secrets", key, "admin"], secret.admin, "secret", declared.secrets)),
    ]),
    ...[...workloads].flatMap(([workload, { environments }]) =>
      Object.keys(environments).flatMap((name) =>
        unknown(["workloads", workload, "environments", name], name, "environment", declared.environments),
      ),
    ),
    ...[...accessRules].flatMap(([workload, rule]) => [
      ...unknown(["accessRules", workload], workload, "workload", declared.workloads),
      ...(["allow", "deny"] as const).flatMap((list) =>
        (rule[list] ?? []).flatMap((pattern, index) =>
          patternFaults(["accessRules", workload, list, index], pattern, declared.secrets),
        ),
      ),
    ]),
    ...forEnvironments(context, (name, environment) => [
      ...environment.clusters.flatMap((cluster, index) =>
        vaultOfClusterFaults(["environments", name, "clusters", index, "vault"], cluster.vault, environment),
      ),
      ...environment.optIn.flatMap((key, index) => {
        const path = ["environments", name, "optIn", index];
        const missing = unknown(path, key, "secret", declared.secrets);
        const secret = context.parsed.secrets.get(key);
        if (missing.length > 0 || !secret) return missing;
        const presence = secret.environments[name]?.presence ?? "required";
        return presence === "optional"
          ? []
          : [
              fault(
                path,
                `${JSON.stringify(key)}, which is ${presence} in ${name}`,
                "a secret that is optional there",
                presence === "required"
                  ? "remove it: the environment has the secret anyway"
                  : `remove it, or make the secret optional at secrets[${JSON.stringify(key)}].environments.${name}.presence`,
              ),
            ];
      }),
    ]),
  ];
}

/** Pods of every cluster have a Vault, or those of none. */
function vaultOfClusterFaults(
  path: readonly PathStep[],
  found: string | undefined,
  { vaults }: ParsedEnvironment,
): readonly Fault[] {
  if (vaults.length === 0) {
    return found === undefined
      ? []
      : [
          fault(
            path,
            `${JSON.stringify(found)}, in an environment without a Vault`,
            "no name: pods read Secrets Manager",
            "remove it, or add the Vault to the environment's vaults",
          ),
        ];
  }
  const names = vaults.map((vault) => vault.name);
  if (found !== undefined) return unknown(path, found, "Vault of this environment", names);
  return [
    fault(
      path,
      "nothing, in an environment with Vaults",
      `the Vault that its pods use: ${names.join(", ")}`,
      "name one of them",
    ),
  ];
}

function patternFaults(
  path: readonly PathStep[],
  pattern: string,
  keys: readonly string[],
): readonly Fault[] {
  if (!isKeyPattern(pattern)) {
    return [
      fault(
        path,
        JSON.stringify(pattern),
        "a secret key, everything below a prefix (payments/*), or *",
        "write it in one of these three forms",
      ),
    ];
  }
  // A pattern may wait for secrets to come; an exact key that names nothing is a slip that would guard nothing.
  return pattern.endsWith("*") ? [] : unknown(path, pattern, "secret", keys);
}
