import type { Registry } from "../../model/registry";
import { blueprint } from "../environment/blueprint";

/** One right: a workload reads a secret. */
export interface AccessRow {
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly secret: string;
  readonly store: "aws" | "vault";
  /** Regions in which it can be read. */
  readonly regions: readonly string[];
  /** ARN of the workload's IAM role. */
  readonly role: string;
  readonly vaultPath: string;
  /** Last day of the grant; `undefined`: it has none. */
  readonly until?: string;
}

/** Readers of each secret in an environment, sorted by workload and secret. What is not listed is not possible. */
export function accessOf<E extends string>(
  registry: Registry<E, string, string>,
  environment: NoInfer<E>,
): readonly AccessRow[] {
  const plan = blueprint(registry, environment);
  const lastDays = new Map(
    registry.endingGrants(environment).map(({ secret, workload, until }) => [`${workload} ${secret}`, until]),
  );
  return plan.workloads.flatMap((workload) =>
    plan.secrets
      .filter((secret) => secret.consumers.includes(workload.name))
      .map((secret): AccessRow => {
        const until = lastDays.get(`${workload.name} ${secret.key}`);
        return {
          workload: workload.name,
          namespace: workload.namespace,
          serviceAccount: workload.serviceAccount,
          secret: secret.key,
          store: secret.store,
          regions: secret.regions,
          role: workload.role.arn,
          vaultPath: secret.vaultPath,
          ...(until === undefined ? {} : { until }),
        };
      }),
  );
}
