import { isSameJson } from "../model/is-same-json";
import { CODE, REWRITING, TAKING } from "./actions";
import { allowanceOf, type CallerSet, type RequestPlace, requestsOf, trustPlace } from "./allowance";
import type {
  EnvironmentPolicies,
  FunctionPermission,
  PodAssociation,
  ProtectedRole,
} from "./environment-policies";
import { type Finding, findingOf } from "./finding";
import { statementsIn } from "./grants-by-name";
import { type Allowance, NOTHING, type RequestSet } from "./request-set";
import { oneOf } from "./texts";
import { among } from "./values";
import { search, somebody } from "./widened-secrets";

/** Tokens, principals and services that can take a role of both sides, and could not. */
export function widenedTrust(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  const before = new Map(base.roles.map((role) => [role.arn, role]));
  const callers: readonly CallerSet[] = [
    { kind: "token" },
    { kind: "account", except: [] },
    { kind: "foreign" },
    { kind: "service" },
  ];
  return head.roles.flatMap((role) => {
    const was = before.get(role.arn);
    if (was === undefined || isSameJson(was.trust, role.trust)) return [];
    return callers.flatMap((caller) => {
      const result = search(
        requestsOf(caller, trustPlace(head)),
        allowanceOf(caller, trustPlace(head), role.trust, true),
        allowanceOf(caller, trustPlace(base), was.trust, true),
        somebody(head),
      );
      return result ? [{ ...findingOf("trust", role.name, result, TAKING), resource: role.arn }] : [];
    });
  });
}

/** Associations by which pods take a role of both sides, and could not. */
export function widenedAssociations(
  base: EnvironmentPolicies,
  head: EnvironmentPolicies,
): readonly Finding[] {
  const known = new Map(base.roles.map((role) => [role.arn, role]));
  const roles = new Map(head.roles.map((role) => [role.arn, role]));
  return head.associations.flatMap((association) => {
    const [was, is] = [known.get(association.roleArn), roles.get(association.roleArn)];
    if (was === undefined || is === undefined) return [];
    const isOld = base.associations.some((one) => isSameJson(one, association));
    if (isOld && isSameJson(was.trust, is.trust)) return [];
    const result = search(
      podRequests(head, association),
      allowanceOf({ kind: "service" }, trustPlace(head), is.trust, true),
      isOld ? allowanceOf({ kind: "service" }, trustPlace(base), was.trust, true) : NOTHING,
    );
    const who = `system:serviceaccount:${association.namespace}:${association.serviceAccount} of ${association.cluster}`;
    return result
      ? [{ ...findingOf("pod identity", is.name, result, TAKING), resource: is.arn, caller: who }]
      : [];
  });
}

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html */
const POD_IDENTITY_SERVICE = "pods.eks.amazonaws.com";

/** Requests that EKS makes for a pod of an association. */
export function podRequests(
  policies: EnvironmentPolicies,
  { clusterArn, namespace, serviceAccount }: PodAssociation,
): RequestSet {
  const within = requestsOf({ kind: "service" }, trustPlace(policies));
  const is = (value: string) => among(oneOf([value]));
  return {
    ...within,
    action: oneOf(["sts:assumerole"]),
    caller: oneOf([POD_IDENTITY_SERVICE]),
    keys: new Map([
      ["aws:sourcearn", is(clusterArn)],
      ["aws:sourceaccount", is(policies.account)],
      ["aws:requesttag/kubernetes-namespace", is(namespace)],
      ["aws:requesttag/kubernetes-service-account", is(serviceAccount)],
    ]),
  };
}

/** A holder of policies that may rewrite, take or be something of the environment. */
interface Holder {
  readonly name: string;
  readonly head: ProtectedRole;
  readonly base: ProtectedRole | undefined;
}

/** New access to roles and functions of both sides: of roles, and of people by the policies that are handed out to them. */
export function widenedReach(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  const roles = inBoth(base.roles, head.roles);
  const functions = inBoth(base.functions, head.functions);
  return holdersOf(base, head)
    .filter(({ head: now, base: then }) => !isSameJson(reaching(now), then && reaching(then)))
    .flatMap((holder) => [
      ...roles
        .filter(([, target]) => target.arn !== holder.head.arn)
        .flatMap(([was, is]) => overRole(base, head, holder, was, is)),
      ...functions.flatMap(([, { arn, name }]) =>
        widenedRight(base, head, holder, "code or call of a function", name, arn, CODE),
      ),
    ]);
}

function inBoth<T extends { readonly arn: string }>(
  before: readonly T[],
  after: readonly T[],
): readonly (readonly [T, T])[] {
  const known = new Map(before.map((one) => [one.arn, one]));
  return after.flatMap((one) => {
    const was = known.get(one.arn);
    return was ? [[was, one] as const] : [];
  });
}

function holdersOf(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Holder[] {
  const before = new Map(base.roles.map((role) => [role.arn, role]));
  return [
    ...head.roles.map((role): Holder => ({ name: role.name, head: role, base: before.get(role.arn) })),
    ...handedOutRoles(head).map(
      (role): Holder => ({
        name: role.name,
        head: role,
        base: handedOutRoles(base).find((one) => one.arn === role.arn && one.name === role.name),
      }),
    ),
  ];
}

/** Policies that are handed out, as roles that have nothing else. */
export const handedOutRoles = (policies: EnvironmentPolicies): readonly ProtectedRole[] =>
  policies.handedOut.flatMap(({ to, arns, policies: documents, boundary }) =>
    arns.map((arn) => ({
      arn,
      name: to,
      isWorkload: false,
      trust: { Statement: [] },
      policies: [...documents, ...(boundary === undefined ? [] : [denialsOf(boundary)])],
      attached: [],
    })),
  );

/** A boundary allows nothing; what it denies is denied. */
const denialsOf = (boundary: unknown) => ({
  Statement: statementsIn(boundary).filter(({ Effect }) => Effect === "Deny"),
});

const REACHING = /(^|,)(iam:|sts:|lambda:|\*|\?)/i;

/** Statements of a role that may be about roles and functions. */
const reaching = ({ policies, attached, boundary }: ProtectedRole): unknown => {
  const found = policies
    .flatMap(statementsIn)
    .filter(({ Action, NotAction }) => NotAction !== undefined || REACHING.test(String(Action)));
  return found.length === 0 && attached.length === 0 ? undefined : [found, attached, boundary];
};

function overRole(
  base: EnvironmentPolicies,
  head: EnvironmentPolicies,
  holder: Holder,
  was: ProtectedRole,
  is: ProtectedRole,
): readonly Finding[] {
  const rewritten = widenedRight(base, head, holder, "role of another", is.name, is.arn, REWRITING);
  const [now, then] = [head, base].map(
    (policies): RequestPlace => ({
      policies,
      family: is.arn,
      actions: ["sts:AssumeRole"],
    }),
  ) as [RequestPlace, RequestPlace];
  const caller: CallerSet = { kind: "role", role: holder.head };
  const taken = search(
    requestsOf(caller, now),
    allowanceOf(caller, now, is.trust, true),
    holder.base ? allowanceOf({ kind: "role", role: holder.base }, then, was.trust, true) : NOTHING,
  );
  return [...rewritten, ...(taken ? [findingOf("role of another", is.name, taken, ["sts:AssumeRole"])] : [])];
}

function widenedRight(
  base: EnvironmentPolicies,
  head: EnvironmentPolicies,
  holder: Holder,
  way: Finding["way"],
  name: string,
  arn: string,
  actions: readonly string[],
): readonly Finding[] {
  const result = search(
    requestsOf({ kind: "role", role: holder.head }, { policies: head, family: arn, actions }),
    rightsOver(head, holder.head, arn, actions),
    holder.base ? rightsOver(base, holder.base, arn, actions) : NOTHING,
  );
  return result ? [findingOf(way, name, result, actions)] : [];
}

/** Requests about an ARN that a role's own policies allow. */
export const rightsOver = (
  policies: EnvironmentPolicies,
  role: ProtectedRole,
  arn: string,
  actions: readonly string[],
): Allowance => allowanceOf({ kind: "role", role }, { policies, family: arn, actions }, undefined, false);

/** Statements by which somebody newly calls a function of both sides. */
export function widenedPermissions(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  return inBoth(base.functions, head.functions).flatMap(([was, is]) => {
    if (was.permissions === undefined || is.permissions === undefined) return [];
    const before = was.permissions;
    return is.permissions
      .filter((permission) => !before.some((one) => covers(one, permission)))
      .map(
        ({ action, principal, from }): Finding => ({
          is: "possible",
          way: "code or call of a function",
          about: is.name,
          caller: principal,
          action,
          resource: is.arn,
          context: from,
          because: [],
        }),
      );
  });
}

/** The one asks for nothing that the other does not ask for. */
const covers = (one: FunctionPermission, other: FunctionPermission): boolean =>
  one.action === other.action &&
  one.principal === other.principal &&
  Object.entries(one.from).every(([key, value]) => other.from[key] === value);
