import type { AwsSecretPlan } from "../../blueprint";
import type { SecretInRegion } from "../cloud/failover-cloud";
import { versionLabels } from "../driver/version-labels";

/** Region that was lost, and the one that takes over. */
export interface Loss {
  readonly environment: string;
  /** Region that is lost. */
  readonly from: string;
  /** Region that takes its place. */
  readonly to: string;
}

/** Step for one secret. */
export interface FailoverRow {
  readonly secret: string;
  /** Name in Secrets Manager. */
  readonly name: string;
  /** `promote`: its replica is cut loose. `nothing`: it stands on its own. `blocked`: `fault` says why. */
  readonly does: "promote" | "nothing" | "blocked";
  readonly fault?: string;
  /** Things to know of it, as sentences. */
  readonly warnings: readonly string[];
  readonly arn?: string;
  /** AWSCURRENT. */
  readonly version?: string;
  /** `true` when AWSCURRENT has passed its test. */
  readonly verified: boolean;
  /** Time at which AWSCURRENT was made: ISO 8601, UTC. */
  readonly since?: string;
}

/** `true` when a secret belongs to a region: AWS names the primary region only of secrets that have replicas. */
export const ownedBy = (region: string, { primaryRegion }: Pick<SecretInRegion, "primaryRegion">): boolean =>
  primaryRegion === undefined || primaryRegion === region;

/**
 * Row of a secret when its primary region is lost.
 *
 * @param here as the region that takes over has it
 * @param there as the lost region has it, where that still answers
 */
export function failoverRow(
  { key, name }: Pick<AwsSecretPlan, "key" | "name">,
  { environment, from, to }: Loss,
  here: SecretInRegion | undefined,
  there?: SecretInRegion,
): FailoverRow {
  const blocked = (fault: string, more: Partial<FailoverRow> = {}): FailoverRow => ({
    secret: key,
    name,
    verified: false,
    warnings: [],
    ...more,
    does: "blocked",
    fault,
  });
  if (here === undefined) {
    return blocked(
      `${to} has no replica of ${name}. Its value is in ${from} alone: give it a new one after Terraform has made it in ${to} (secrets-registry bootstrap --env ${environment}).`,
    );
  }
  if (here.deleted) {
    return blocked(
      `${name} is scheduled for deletion in ${to}. Restore it there: aws secretsmanager restore-secret --secret-id ${name} --region ${to}.`,
      { arn: here.arn },
    );
  }
  const labels = versionLabels(here);
  const since = labels.current === undefined ? undefined : here.createdAt.get(labels.current);
  const seen: Omit<FailoverRow, "does"> = {
    secret: key,
    name,
    arn: here.arn,
    verified: labels.verified,
    warnings: [
      ...(labels.current === undefined
        ? [`it has no value; nothing is lost. Afterwards: secrets-registry bootstrap --env ${environment}.`]
        : labels.verified
          ? []
          : [
              `AWSCURRENT has not passed its test, so no Vault has it. Afterwards: secrets-registry rotate ${key} --env ${environment} --phase verify.`,
            ]),
      ...(labels.pending === undefined
        ? []
        : [
            `a rotation was under way (AWSPENDING ${labels.pending}): the target may accept that value already. Rotate it first of all.`,
          ]),
    ],
    ...(labels.current === undefined ? {} : { version: labels.current }),
    ...(since === undefined ? {} : { since: since.toISOString() }),
  };
  if (ownedBy(to, here)) return { ...seen, does: "nothing" };
  if (here.primaryRegion !== from) {
    return blocked(
      `${name} in ${to} is a replica of ${here.primaryRegion}, and the registry says that ${from} is the primary region. Correct environments.${environment}.regions.`,
      seen,
    );
  }
  const ahead = there === undefined ? undefined : versionLabels(there).current;
  if (ahead !== undefined && ahead !== labels.current) {
    return blocked(
      `${to} lags behind: ${from} has version ${ahead} as AWSCURRENT, and ${to} ${labels.current ?? "none"}. Wait until the replica is in sync; ${from} answers.`,
      seen,
    );
  }
  return { ...seen, does: "promote" };
}

/** Plan for a secret in a region that comes back, or that was a replica of the lost one. */
export interface RejoinRow {
  readonly secret: string;
  readonly name: string;
  /** `replicate`: its copy there becomes a replica, over what it was. `nothing`: it is one. `blocked`: `fault` says why. */
  readonly does: "replicate" | "nothing" | "blocked";
  readonly fault?: string;
  /** `true` when its rotation there must be ended first. */
  readonly stopsRotation: boolean;
  /** AWSCURRENT of the copy that is replaced. */
  readonly stale?: string;
  /** Key for the replica. */
  readonly kmsKeyId?: string;
}

/** Region that comes back, the one to which it does, and what each of the others believes. */
export interface Return {
  readonly environment: string;
  /** Primary region, which keeps that role. */
  readonly primary: string;
  /** Region that becomes a replica. */
  readonly region: string;
  /** `true` when values that the primary region never saw may be replaced. */
  readonly overwriteDiverged: boolean;
}

/**
 * Row of a secret's copy in a region that is to be a replica again.
 *
 * @param owner as the primary region has it
 * @param copy as the region has it
 * @param dependent regions whose replica still hangs on the copy
 */
export function rejoinRow(
  { key, name }: Pick<AwsSecretPlan, "key" | "name">,
  { environment, primary, region, overwriteDiverged }: Return,
  owner: SecretInRegion | undefined,
  copy: SecretInRegion | undefined,
  dependent: readonly string[],
): RejoinRow {
  const common = {
    secret: key,
    name,
    stopsRotation: copy !== undefined && !copy.deleted && ownedBy(region, copy) && copy.rotationEnabled,
  };
  const blocked = (fault: string): RejoinRow => ({ ...common, does: "blocked", fault });
  if (owner === undefined || owner.deleted || !ownedBy(primary, owner)) {
    return blocked(
      `${name} does not stand on its own in ${primary}. First: secrets-registry failover --env ${environment} --to ${primary}, with the registry as it was before the loss.`,
    );
  }
  if (copy?.primaryRegion === primary && owner.replicas.get(region)?.status !== "Failed") {
    return { ...common, does: "nothing" };
  }
  if (copy?.deleted) {
    return blocked(
      `${name} is scheduled for deletion in ${region}, and keeps its name until then. Restore it there: aws secretsmanager restore-secret --secret-id ${name} --region ${region}.`,
    );
  }
  const [first] = dependent;
  if (first !== undefined) {
    return blocked(
      `${name} in ${first} is still a replica of ${region}, and its readers would lose it. First: secrets-registry failover --env ${environment} --rejoin ${first}.`,
    );
  }
  const stale = copy && versionLabels(copy).current;
  if (stale !== undefined && !owner.createdAt.has(stale) && !overwriteDiverged) {
    return blocked(
      `${region} has version ${stale} as AWSCURRENT (made ${copy?.createdAt.get(stale)?.toISOString() ?? "at an unknown time"}), which ${primary} never saw: it was written there after the loss, and the target may accept nothing else. Rotate ${key} in ${primary}, see that its consumers work, then: --overwrite-diverged.`,
    );
  }
  const kmsKeyId = keyIn(region, owner);
  return {
    ...common,
    does: "replicate",
    ...(stale === undefined ? {} : { stale }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
  };
}

/**
 * The key with which a replica is encrypted: what Terraform asked for, or the primary's own multi-region key there, whose id is
 * the same in every region (https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html).
 */
function keyIn(region: string, { replicas, kmsKeyId }: SecretInRegion): string | undefined {
  const asked = replicas.get(region)?.kmsKeyId;
  if (asked !== undefined) return asked;
  const parts = kmsKeyId?.split(":") ?? [];
  return parts[5]?.startsWith("key/mrk-") ? parts.with(3, region).join(":") : undefined;
}
