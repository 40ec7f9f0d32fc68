import { isNamespacePattern } from "./namespace-patterns";
import type { PolicyDocument, PolicyStatement } from "./policy-document";
import { subjectOf } from "./service-account";

/** Trust policies of IAM roles: 2,048 characters (IAM quota). */
export const TRUST_POLICY_LIMIT = 2_048;

/** Takers of a workload's role: its ServiceAccount, in each of the environment's clusters. */
export interface TrustPolicyInput {
  readonly partition: string;
  /** Account of the secrets, in which the role and the OIDC providers are. */
  readonly account: string;
  /** Path and name of the role, with which its pod roles in other accounts are named too. */
  readonly role: { readonly path: string; readonly name: string };
  readonly identity: "irsa" | "pod-identity";
  /** Sorted by name. */
  readonly clusters: readonly {
    readonly name: string;
    readonly region: string;
    readonly account: string;
    readonly issuer: string;
  }[];
  /** Or a pattern: `preview-*`. */
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * Audience of IRSA tokens, in every partition: a word of EKS's webhook, not an endpoint's name.
 * https://github.com/eksctl-io/eksctl/issues/1910
 */
export const STS_AUDIENCE = "sts.amazonaws.com";

/** `prod-eu-west` as a Sid, which takes letters and digits only. */
const sidOf = (name: string, index: number): string =>
  `Cluster${index + 1}${name.replace(/[^A-Za-z0-9]/g, "")}`;

function webIdentity(input: TrustPolicyInput): readonly PolicyStatement[] {
  return input.clusters.map((cluster, index) => {
    const issuer = cluster.issuer.replace(/^https:\/\//, "");
    const subject = { [`${issuer}:sub`]: [subjectOf(input)] };
    // A subject has three colons, and no name in it has one: a star stays within the namespace.
    const isPattern = isNamespacePattern(input.namespace);
    return {
      Sid: sidOf(cluster.name, index),
      Effect: "Allow",
      Principal: { Federated: `arn:${input.partition}:iam::${input.account}:oidc-provider/${issuer}` },
      Action: ["sts:AssumeRoleWithWebIdentity"],
      Condition: {
        StringEquals: {
          [`${issuer}:aud`]: [STS_AUDIENCE],
          ...(isPattern ? {} : subject),
        },
        ...(isPattern ? { StringLike: subject } : {}),
      },
    };
  });
}

const clusterArn = (
  partition: string,
  { region, account, name }: TrustPolicyInput["clusters"][number],
): string => `arn:${partition}:eks:${region}:${account}:cluster/${name}`;

/**
 * Pod Identity takes a role of the cluster's own account only, and by that role the one of the secrets' account. It passes its
 * session tags on; an external id it sets only where these are disabled.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
 */
function podIdentity(input: TrustPolicyInput): readonly PolicyStatement[] {
  const accounts = [...new Set(input.clusters.map(({ account }) => account))].sort();
  const others = accounts.filter((account) => account !== input.account);
  const of = (account: string): TrustPolicyInput => ({
    ...input,
    clusters: input.clusters.filter((cluster) => cluster.account === account),
  });
  return [
    ...(accounts.length > others.length ? [podIdentityService(of(input.account))] : []),
    ...others.map((account) => podIdentityRole(account, of(account))),
  ];
}

/** Trust in the pod role of another account, as EKS takes this one by it. */
function podIdentityRole(
  account: string,
  { partition, role, clusters, namespace, serviceAccount }: TrustPolicyInput,
): PolicyStatement {
  return {
    Sid: `EksPodIdentityIn${account}`,
    Effect: "Allow",
    // A role as the principal would have to be there before this one.
    Principal: { AWS: `arn:${partition}:iam::${account}:root` },
    Action: ["sts:AssumeRole", "sts:TagSession"],
    Condition: {
      ArnEquals: { "aws:PrincipalArn": [`arn:${partition}:iam::${account}:role${role.path}${role.name}`] },
      StringEquals: {
        "aws:RequestTag/eks-cluster-arn": clusters.map((cluster) => clusterArn(partition, cluster)),
        "aws:RequestTag/kubernetes-namespace": [namespace],
        "aws:RequestTag/kubernetes-service-account": [serviceAccount],
      },
    },
  };
}

function podIdentityService(input: TrustPolicyInput): PolicyStatement {
  return {
    Sid: "EksPodIdentity",
    Effect: "Allow",
    Principal: { Service: "pods.eks.amazonaws.com" },
    Action: ["sts:AssumeRole", "sts:TagSession"],
    Condition: {
      ArnEquals: { "aws:SourceArn": input.clusters.map((cluster) => clusterArn(input.partition, cluster)) },
      StringEquals: {
        "aws:SourceAccount": [input.account],
        "aws:RequestTag/kubernetes-namespace": [input.namespace],
        "aws:RequestTag/kubernetes-service-account": [input.serviceAccount],
      },
    },
  };
}

/**
 * The trust policy of a workload's role (docs/explanation/architecture.md, decision 10): pinned to issuer, audience and the exact
 * ServiceAccount (with a pattern for the namespaces of preview environments), one statement per cluster; or to EKS Pod Identity with the clusters and the ServiceAccount as
 * session tags, directly or by its pod roles of other accounts.
 */
export const trustPolicy = (input: TrustPolicyInput): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: input.identity === "irsa" ? webIdentity(input) : podIdentity(input),
});
