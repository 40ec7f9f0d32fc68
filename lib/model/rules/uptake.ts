import { formatDuration } from "../duration";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault } from "../faults";
import { SHARE_LEFT } from "../lease-law";
import type { EnvironmentSecret } from "../resolve";
import { forEnvironments, type RuleContext } from "./context";

/**
 * Faults of consumers that read at their start only, of a secret that Vault changes: that restarts nobody, so they would
 * keep a login that ends.
 */
function reloadFaults({ parsed }: RuleContext, secret: EnvironmentSecret): readonly Fault[] {
  if (secret.store !== "vault") return [];
  const isStatic = secret.kind === "postgresql-user" && secret.settings.login === "static";
  return secret.consumers.flatMap(({ workload }) =>
    parsed.workloads.get(workload)?.reload.how === "redeploy"
      ? [
          fault(
            ["secrets", secret.key, "consumers"],
            `${workload}, which reads at its start only (reload "redeploy")`,
            isStatic
              ? "consumers that take up a changed file: Vault changes this password on its own cadence, and no rotation restarts anybody"
              : "consumers that take up a changed file: Vault makes a user for each of a pod's two agents, and each ends with its agent's token, while the pod lives",
            `set workloads.${workload}.reload to { how: "file-watch" } or { how: "command", … }, or let it consume a secret with store "aws"`,
          ),
        ]
      : [],
  );
}

/** A user that nobody renews further must outlive the time in which applications take up its successor. */
function leaseFaults(environment: ParsedEnvironment, secret: EnvironmentSecret): readonly Fault[] {
  if (secret.store !== "vault" || secret.kind !== "postgresql-user" || secret.settings.login === "static")
    return [];
  const { ttl } = secret.settings;
  const least = { seconds: environment.reloadMargin.seconds / SHARE_LEFT };
  if (ttl.seconds >= least.seconds) return [];
  return [
    fault(
      ["secrets", secret.key, "settings", "ttl"],
      `${formatDuration(ttl)}, with a reloadMargin of ${formatDuration(environment.reloadMargin)} in ${secret.environment}`,
      `at least ${formatDuration(least)}: an agent asks for the next user when a tenth of a lease is left, and applications have the reload margin to take it up`,
      `lengthen it, or shorten environments.${secret.environment}.reloadMargin`,
    ),
  ];
}

/** Faults of the ways in which applications take up a file, held against the ways in which its secret changes. */
export const uptakeFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (_, environment, secrets) =>
    secrets.flatMap((secret) => [...reloadFaults(context, secret), ...leaseFaults(environment, secret)]),
  );
