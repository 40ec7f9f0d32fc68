import { secretArnPattern } from "../blueprint/platform/aws-arns";
import { KEY_ACTIONS, TAKING } from "./actions";
import { type EnvironmentPolicies, keyFamily, type ProtectedRole } from "./environment-policies";
import { ALL_REQUESTS, type Allowance, type RequestSet } from "./request-set";
import { type PolicyJson, type Scene, statementsOf } from "./statement";
import { ANY, both, matching, oneOf, others, type Texts } from "./texts";
import { among } from "./values";

/**
 * Kinds of callers, apart because each is judged by another rule:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * - `role`: a role whose policies are known;
 * - `account`: anybody of the account but some, with every right that policies of their own could give;
 * - `foreign`: another account, with every right there;
 * - `service`: a service of AWS; `token`: whoever an identity provider vouches for.
 */
export type CallerSet =
  | { readonly kind: "role"; readonly role: ProtectedRole }
  | { readonly kind: "account"; readonly except: readonly string[] }
  | { readonly kind: "foreign" | "service" | "token" };

/** Place of a question: region, resources and actions. */
export interface RequestPlace {
  readonly policies: Pick<EnvironmentPolicies, "partition" | "account">;
  /** `undefined`: a service without regions. */
  readonly region?: string;
  /** ARN with `?` and `*`; `undefined`: resources are not looked at. */
  readonly family?: string;
  /** Actions that are asked about. */
  readonly actions: readonly string[];
}

/** Place of a secret in a region. */
export const secretPlace = (
  policies: RequestPlace["policies"],
  name: string,
  region: string,
  actions: readonly string[],
): RequestPlace => ({ policies, region, family: secretArnPattern(policies, region, name), actions });

/** Place of the keys of a region. */
export const keyPlace = (policies: RequestPlace["policies"], region: string): RequestPlace => ({
  policies,
  region,
  family: keyFamily(policies, region),
  actions: KEY_ACTIONS,
});

/** Place of a trust policy. */
export const trustPlace = (policies: RequestPlace["policies"]): RequestPlace => ({
  policies,
  actions: TAKING,
});

/** A provider's ARN. */
const PROVIDERS = ["arn:*:iam::*:oidc-provider/*", "arn:*:iam::*:saml-provider/*"];

/** Callers of a kind by what they are called. */
function callersOf(caller: CallerSet, { policies: { partition, account }, family }: RequestPlace): Texts {
  const own = matching([`arn:${partition}:iam::${account}:*`]);
  // Only a trust policy names providers.
  const [notProvider = ANY] = family === undefined ? others(matching(PROVIDERS)) : [];
  switch (caller.kind) {
    case "role":
      return oneOf([caller.role.arn]);
    case "account":
      return both(both(own, notProvider), { ...ANY, not: new Set(caller.except) });
    case "foreign": {
      const [elsewhere = ANY] = others(own);
      return both(both(matching(["arn:*:iam::*:*"]), elsewhere), notProvider);
    }
    case "service": {
      const [noArn = ANY] = others(matching(["arn:*"]));
      return noArn;
    }
    case "token":
      return matching(PROVIDERS);
  }
}

/** Requests of a kind of callers at a place. */
export function requestsOf(caller: CallerSet, place: RequestPlace): RequestSet {
  const { account } = place.policies;
  const elsewhere = among({ ...ANY, not: new Set([account]) });
  return {
    ...ALL_REQUESTS,
    action: oneOf(place.actions.map((action) => action.toLowerCase())),
    resource: place.family === undefined ? ANY : matching([place.family]),
    caller: callersOf(caller, place),
    keys:
      caller.kind === "foreign"
        ? new Map([
            ["aws:principalaccount", elsewhere],
            ["kms:calleraccount", elsewhere],
          ])
        : new Map(),
  };
}

/** Facts that hold for every request of a kind of callers at a place. */
function sceneOf(caller: CallerSet, { policies, region, family }: RequestPlace): Scene {
  const isOwn = caller.kind === "role" || caller.kind === "account";
  const constants: (readonly [string, string | undefined])[] = [
    ...(region === undefined ? [] : [["aws:requestedregion", region] as const]),
    ["aws:resourceaccount", policies.account],
    ...(isOwn
      ? [
          ["aws:principalaccount", policies.account] as const,
          ["kms:calleraccount", policies.account] as const,
        ]
      : []),
    ...(caller.kind === "service" || caller.kind === "token"
      ? [["aws:principalaccount", undefined] as const]
      : []),
  ];
  return {
    callerHasArn: caller.kind !== "service" && caller.kind !== "token",
    constants: new Map(constants),
    ...(family === undefined ? {} : { resources: { pattern: family } }),
  };
}

const isAllow = ({ effect }: { readonly effect: string }): boolean => effect === "Allow";

/**
 * Requests that a kind of callers may make at a place.
 *
 * @param resourcePolicy of the secret, key or role; `undefined`: there is none
 * @param mustAllow the resource's own policy has to allow too: a key's and a role's must, a secret's need not within its account
 */
export function allowanceOf(
  caller: CallerSet,
  place: RequestPlace,
  resourcePolicy: PolicyJson | undefined,
  mustAllow: boolean,
): Allowance {
  const scene = sceneOf(caller, place);
  const onResource = resourcePolicy === undefined ? [] : statementsOf(resourcePolicy, scene);
  const denials = onResource.filter((one) => !isAllow(one)).map(({ set }) => set);
  const byResource = onResource.filter(isAllow);
  const direct = byResource.filter(({ delegates }) => !delegates).map(({ set }) => set);
  const any = byResource.map(({ set }) => set);
  if (caller.kind === "service" || caller.kind === "token") return { groups: [any], denials };
  const isOwn = caller.kind !== "foreign";
  const own = caller.kind === "role" ? ownRights(caller.role, scene) : UNKNOWN_RIGHTS;
  return {
    groups: [
      // Within an account a resource's policy that names the caller is enough.
      [...own.allows, ...(isOwn ? direct : [])],
      ...(mustAllow || !isOwn ? [any] : []),
      ...own.boundary,
    ],
    denials: [...denials, ...own.denials],
  };
}

interface OwnRights {
  readonly allows: readonly RequestSet[];
  readonly denials: readonly RequestSet[];
  readonly boundary: readonly (readonly RequestSet[])[];
}

/** Policies of others may allow everything. */
const UNKNOWN_RIGHTS: OwnRights = { allows: [ALL_REQUESTS], denials: [], boundary: [] };

function ownRights({ policies, attached, boundary }: ProtectedRole, scene: Scene): OwnRights {
  const statements = policies.flatMap((policy) => statementsOf(policy, scene));
  return {
    allows: [
      ...statements.filter(isAllow).map(({ set }) => set),
      ...attached.map(asUnknown("attached policy")),
    ],
    denials: statements.filter((one) => !isAllow(one)).map(({ set }) => set),
    boundary: boundary === undefined ? [] : [[asUnknown("permissions boundary")(boundary)]],
  };
}

const asUnknown =
  (what: string) =>
  (arn: string): RequestSet => ({ ...ALL_REQUESTS, unknown: new Map([[`${what} ${arn}`, true]]) });
