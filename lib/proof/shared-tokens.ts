import { TAKING } from "./actions";
import { allowanceOf, requestsOf, trustPlace } from "./allowance";
import type { EnvironmentPolicies, ProtectedRole } from "./environment-policies";
import { type Finding, findingOf } from "./finding";
import { statementsIn, textsIn } from "./grants-by-name";
import { type Allowance, NOTHING } from "./request-set";
import { podRequests } from "./widened-roles";
import { search } from "./widened-secrets";

interface Taken {
  readonly policies: EnvironmentPolicies;
  readonly role: ProtectedRole;
}

/**
 * Tokens with which two roles of all environments can be taken: whoever holds one chooses which role to be. Roles by EKS Pod Identity
 * are given by an association each, of which a ServiceAccount has one.
 */
export function sharedTokens(environments: readonly EnvironmentPolicies[]): readonly Finding[] {
  const byProvider = new Map<string, Taken[]>();
  for (const policies of environments) {
    for (const role of policies.roles) {
      for (const provider of providersOf(role)) {
        byProvider.set(provider, [...(byProvider.get(provider) ?? []), { policies, role }]);
      }
    }
  }
  return [...[...byProvider.values()].flatMap(sharedOf), ...sharedAssociations(environments)];
}

/** `true` where a finding about a token of two roles is about a role of this environment. */
export const opensRoleOf = (
  { resource }: Pick<Finding, "resource">,
  { roles }: Pick<EnvironmentPolicies, "roles">,
): boolean => roles.some(({ arn }) => resource.split(AND).includes(arn));

/** Text between the ARNs of two roles. */
const AND = " and ";

const providersOf = ({ trust }: ProtectedRole): readonly string[] => [
  ...new Set(
    statementsIn(trust)
      .flatMap(({ Principal }) => textsIn(Principal))
      .filter((text) => /:(?:oidc|saml)-provider\//.test(text)),
  ),
];

function sharedOf(roles: readonly Taken[]): readonly Finding[] {
  return nearPairs(roles).flatMap(([one, other]) => {
    const [first, second] = [one, other].map(({ policies, role }) =>
      allowanceOf({ kind: "token" }, trustPlace(policies), role.trust, true),
    ) as [Allowance, Allowance];
    const result = search(
      requestsOf({ kind: "token" }, trustPlace(one.policies)),
      { groups: [...first.groups, ...second.groups], denials: [...first.denials, ...second.denials] },
      NOTHING,
    );
    if (result === undefined) return [];
    const about = [one, other]
      .map(({ policies, role }) => `${role.name} of ${policies.environment}`)
      .join(" and ");
    return [
      {
        ...findingOf("token of two roles", about, result, TAKING),
        resource: [one.role.arn, other.role.arn].join(AND),
      },
    ];
  });
}

/** Pairs that may meet: subjects without a wildcard meet only those that name the same. */
function nearPairs(roles: readonly Taken[]): readonly (readonly [Taken, Taken])[] {
  const bySubject = new Map<string, Taken[]>();
  const wide: Taken[] = [];
  for (const taken of roles) {
    const subjects = subjectsOf(taken.role);
    if (subjects === undefined) wide.push(taken);
    else for (const subject of subjects) bySubject.set(subject, [...(bySubject.get(subject) ?? []), taken]);
  }
  const pairs = new Map<string, readonly [Taken, Taken]>();
  const add = (one: Taken, other: Taken): void => {
    if (one === other) return;
    const [first, second] = [one, other].sort((a, b) => (a.role.arn < b.role.arn ? -1 : 1)) as [Taken, Taken];
    pairs.set(`${first.role.arn} ${second.role.arn}`, [first, second]);
  };
  for (const group of bySubject.values()) {
    for (const [index, one] of group.entries()) for (const other of group.slice(index + 1)) add(one, other);
  }
  for (const one of wide) for (const other of roles) add(one, other);
  return [...pairs.values()];
}

/** Subjects that every statement of a trust policy names exactly; `undefined`: one does not. */
function subjectsOf({ trust }: ProtectedRole): readonly string[] | undefined {
  const named = statementsIn(trust)
    .filter(({ Effect, Principal }) => Effect === "Allow" && /-provider\//.test(textsIn(Principal).join()))
    .map(({ Condition }) =>
      Object.entries((Condition as Record<string, Record<string, unknown>> | undefined)?.StringEquals ?? {})
        .filter(([key]) => key.endsWith(":sub"))
        .flatMap(([, value]) => textsIn(value)),
    );
  return named.some((subjects) => subjects.length === 0) ? undefined : named.flat();
}

/** EKS takes one association of a ServiceAccount in a cluster; with two, either may be given. */
function sharedAssociations(environments: readonly EnvironmentPolicies[]): readonly Finding[] {
  const all = environments.flatMap((policies) =>
    policies.associations.map((association) => ({ policies, association })),
  );
  const byPod = new Map<string, typeof all>();
  for (const one of all) {
    const { clusterArn, namespace, serviceAccount } = one.association;
    const pod = `${clusterArn} ${namespace} ${serviceAccount}`;
    byPod.set(pod, [...(byPod.get(pod) ?? []), one]);
  }
  return [...byPod.values()].flatMap((group) => {
    const taken = group.filter(({ policies, association }) => {
      const role = policies.roles.find(({ arn }) => arn === association.roleArn);
      return (
        role &&
        search(
          podRequests(policies, association),
          allowanceOf({ kind: "service" }, trustPlace(policies), role.trust, true),
          NOTHING,
        )
      );
    });
    const [first, second] = taken;
    if (first === undefined || second === undefined) return [];
    const { association, policies } = first;
    return [
      {
        is: "possible",
        way: "token of two roles",
        about: [first, second].map((one) => one.association.roleArn.replace(/.*\//, "")).join(" and "),
        caller: `system:serviceaccount:${association.namespace}:${association.serviceAccount} of ${association.cluster}`,
        action: "sts:AssumeRole",
        resource: [first.association.roleArn, second.association.roleArn].join(AND),
        context: { "aws:sourcearn": association.clusterArn, "aws:sourceaccount": policies.account },
        because: [],
      } satisfies Finding,
    ];
  });
}
