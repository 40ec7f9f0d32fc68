import type { Blueprint, MirrorLoginPlan, RolePlan, VaultPlan } from "../blueprint";
import { eksClusterArn } from "../blueprint/platform/aws-arns";
import { isRecord } from "../model/is-record";
import type {
  EnvironmentPolicies,
  HandedOut,
  PodAssociation,
  ProtectedRole,
  ProtectedSecret,
  VaultLogin,
  VaultPolicies,
} from "./environment-policies";

/** Finished policies of an environment, from its blueprint. */
export function policiesOf(plan: Blueprint): EnvironmentPolicies {
  const roles = rolesOf(plan);
  return {
    environment: plan.environment,
    partition: plan.partition,
    account: plan.account,
    regions: plan.regions.all,
    secrets: plan.secrets.flatMap((secret): readonly ProtectedSecret[] =>
      secret.store === "vault"
        ? []
        : [
            { key: secret.key, name: secret.name, regions: secret.regions, policy: secret.policy },
            ...(secret.inbox
              ? [
                  {
                    key: `inbox of ${secret.key}`,
                    name: secret.inbox.name,
                    regions: [plan.regions.primary],
                    policy: secret.inbox.policy,
                  },
                ]
              : []),
          ],
    ),
    keys: [
      ...Object.entries(plan.key.policies).map(([region, policy]) => ({
        use: "secrets" as const,
        region,
        policy,
      })),
      ...(plan.procedure
        ? [
            {
              use: "audit" as const,
              region: plan.regions.primary,
              policy: plan.procedure.auditKey.policy,
            },
          ]
        : []),
    ],
    roles,
    functions: plan.functions.map(({ name, arn }) => ({ name, arn })),
    associations: associationsOf(plan),
    vaults: plan.vaults.map(vaultPolicies),
    handedOut: handedOutOf(plan),
  };
}

/** Roles of workloads, functions and of everything around them. */
function rolesOf(plan: Blueprint): readonly ProtectedRole[] {
  const workloads = new Map(plan.workloads.map(({ name, role }) => [role.arn, name]));
  const found = new Map<string, RolePlan>();
  collectRoles([plan.workloads, plan.functions, plan.operations, plan.procedure, plan.audit], found);
  return [...found.values()].map((role) => ({
    arn: role.arn,
    name: workloads.get(role.arn) ?? role.name,
    isWorkload: workloads.has(role.arn),
    trust: role.trust,
    policies: [...role.policies.inline, ...role.policies.managed].map(({ document }) => document),
    attached: [],
    ...(role.permissionsBoundary === undefined ? {} : { boundary: role.permissionsBoundary }),
  }));
}

/** A part that is added to the blueprint later has its roles proved without being named here. */
function collectRoles(value: unknown, found: Map<string, RolePlan>): void {
  if (Array.isArray(value)) {
    for (const entry of value) collectRoles(entry, found);
  } else if (isRecord(value)) {
    if (isRole(value)) found.set(value.arn, value);
    else for (const entry of Object.values(value)) collectRoles(entry, found);
  }
}

const isRole = (value: object): value is RolePlan =>
  "arn" in value && "trust" in value && "policies" in value;

function associationsOf(plan: Blueprint): readonly PodAssociation[] {
  return plan.workloads.flatMap(({ namespace, serviceAccount, role, pods }) =>
    plan.clusters
      .filter(
        ({ name, identity, account }) =>
          identity === "pod-identity" &&
          // Elsewhere EKS gives a pod the pod role of that account, and this role's trust says which.
          account === plan.account &&
          pods.some(({ cluster }) => cluster === name),
      )
      .map((cluster) => ({
        cluster: cluster.name,
        clusterArn: eksClusterArn(
          { partition: plan.partition, account: cluster.account },
          cluster.region,
          cluster.name,
        ),
        namespace,
        serviceAccount,
        roleArn: role.arn,
      })),
  );
}

const vaultPolicies = ({ name, roles, policies, mirror }: VaultPlan): VaultPolicies => ({
  name,
  logins: [
    ...roles.map((role) => ({
      name: role.name,
      mount: role.mount,
      serviceAccounts: [role.serviceAccount],
      namespaces: [role.namespace],
      audiences: [role.audience],
      ...(role.boundCidrs ? { networks: role.boundCidrs } : {}),
      policies: role.policies,
      others: [],
    })),
    ...(mirror ? [mirrorLogin(mirror)] : []),
  ],
  policies: [...policies, ...(mirror ? [mirror.policy] : [])].map((policy) => ({
    name: policy.name,
    rules: policy.rules.map(({ path, capabilities, allowed, denied }) => ({
      path,
      capabilities,
      ...(allowed || denied ? { constraints: JSON.stringify({ allowed, denied }) } : {}),
    })),
  })),
});

const mirrorLogin = ({
  role,
  authMount,
  audience,
  subject,
  boundClaims,
  policy,
}: MirrorLoginPlan): VaultLogin => ({
  name: role,
  mount: authMount,
  serviceAccounts: [],
  namespaces: [],
  bearer: {
    subject,
    claims: Object.fromEntries(Object.entries(boundClaims).map(([claim, value]) => [claim, [value]])),
  },
  audiences: [audience],
  policies: [policy.name],
  others: [],
});

function handedOutOf({ deployer, principals, procedure }: Blueprint): readonly HandedOut[] {
  const people = procedure?.people;
  return [
    {
      to: "deployer",
      arns: [principals.deployer],
      policies: deployer.policies,
      boundary: deployer.boundary,
    },
    ...(people ? [{ to: "operator", arns: principals.operators, policies: [people.operator] }] : []),
    ...(people ? [{ to: "approver", arns: principals.approvers, policies: [people.approver] }] : []),
    ...(people?.ci && principals.ci ? [{ to: "ci", arns: [principals.ci], policies: [people.ci] }] : []),
  ];
}
