import { type PolicyDocument, policyDocument } from "../../model/policy-document";
import type { Cluster, Environment, Registry } from "../../model/registry";
import { trustPolicy } from "../../model/trust-policy";
import { clusterAccountRights } from "../deployer/cluster-account-rights";
import { allow } from "../deployer/deployer-places";
import type { WorkloadPlan } from "../identity/workload-plan";
import { roleArn } from "../platform/aws-arns";
import type { RolePlan } from "../platform/role-plan";
import { byText } from "../platform/sorting";

/** Needs of EKS Pod Identity in an account that has clusters of an environment, but not its secrets. */
export interface ClusterAccountPlan {
  readonly account: string;
  readonly partition: string;
  /** Region of its first cluster, for the account's provider. */
  readonly region: string;
  /** Sorted by workload. */
  readonly roles: readonly PodRolePlan[];
  /** Sorted by cluster and workload. */
  readonly associations: readonly PodAssociationPlan[];
  /** Rights of the role that deploys them, each document small enough for one managed policy. */
  readonly deployer: readonly PolicyDocument[];
}

/** Role that EKS gives to a workload's pods. It can do one thing: take the workload's role in the secrets' account. */
export interface PodRolePlan {
  readonly workload: string;
  readonly role: RolePlan;
}

/** Association of a ServiceAccount with a pod role, and with the role that EKS takes by it. */
export interface PodAssociationPlan {
  readonly cluster: string;
  readonly region: string;
  readonly workload: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** ARN of the workload's role in the secrets' account. */
  readonly targetRoleArn: string;
}

/**
 * Accounts with clusters of an environment in which EKS Pod Identity gives pods a role first. EKS takes a role of the cluster's
 * account only, because whoever associates it must be able to pass it.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
 */
export function clusterAccountPlans(
  registry: Registry,
  environment: Environment,
  clusters: readonly Cluster[],
  workloads: readonly WorkloadPlan[],
): readonly ClusterAccountPlan[] {
  if (environment.identity !== "pod-identity") return [];
  const accounts = new Set(clusters.map(({ account }) => account));
  accounts.delete(environment.account);
  return [...accounts].sort().flatMap((account) => {
    const its = clusters.filter((cluster) => cluster.account === account);
    const roles = workloads.flatMap((workload) => {
      const homes = its.filter(({ name }) => workload.pods.some(({ cluster }) => cluster === name));
      return homes.length > 0 ? [podRole(environment, account, homes, workload)] : [];
    });
    const [first] = its;
    if (first === undefined || roles.length === 0) return [];
    return [
      {
        account,
        partition: environment.partition,
        region: first.region,
        roles,
        associations: its.flatMap((cluster) => associationsIn(cluster, workloads)),
        deployer: clusterAccountRights(
          registry,
          { ...environment, account, ...boundaryIn(environment, account) },
          its.map((cluster) => ({ ...cluster, identity: environment.identity })),
        ),
      },
    ];
  });
}

function podRole(
  environment: Environment,
  account: string,
  clusters: readonly Cluster[],
  workload: WorkloadPlan,
): PodRolePlan {
  const { name, path, arn: target, tags } = workload.role;
  const { partition } = environment;
  return {
    workload: workload.name,
    role: {
      name,
      path,
      arn: roleArn({ partition, account }, path, name),
      trust: trustPolicy({
        partition,
        account,
        role: { path, name },
        identity: "pod-identity",
        clusters,
        namespace: workload.namespace,
        serviceAccount: workload.serviceAccount,
      }),
      policies: {
        inline: [
          {
            name: "take-target-role",
            document: policyDocument(allow("TakeTargetRole", ["sts:AssumeRole", "sts:TagSession"], [target])),
          },
        ],
        managed: [],
      },
      ...boundaryIn(environment, account),
      tags,
    },
  };
}

/** A boundary is a policy of the role's own account: there, the one of the same path and name. */
const boundaryIn = (
  { permissionsBoundary, account }: Environment,
  other: string,
): Pick<RolePlan, "permissionsBoundary"> =>
  permissionsBoundary === undefined
    ? {}
    : { permissionsBoundary: permissionsBoundary.replace(`:${account}:`, `:${other}:`) };

const associationsIn = (
  cluster: Cluster,
  workloads: readonly WorkloadPlan[],
): readonly PodAssociationPlan[] =>
  workloads
    .filter(({ pods }) => pods.some((pod) => pod.cluster === cluster.name))
    .map(({ name, namespace, serviceAccount, role }) => ({
      cluster: cluster.name,
      region: cluster.region,
      workload: name,
      namespace,
      serviceAccount,
      targetRoleArn: role.arn,
    }))
    .sort(byText(({ workload }) => workload));
