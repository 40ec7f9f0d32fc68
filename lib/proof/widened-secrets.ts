import { isRecord } from "../model/is-record";
import { isSameJson } from "../model/is-same-json";
import { KEY_ACTIONS, SECRET_ACTIONS } from "./actions";
import { allowanceOf, type CallerSet, keyPlace, requestsOf, secretPlace } from "./allowance";
import { concerning } from "./concerning";
import type { EnvironmentPolicies, ProtectedRole, ProtectedSecret } from "./environment-policies";
import { type Finding, findingOf, type GaveUp } from "./finding";
import { narrowedTo, type Reach, roleReach, statementsIn, textsIn } from "./grants-by-name";
import { type Allowance, type Found, findRequest, NOTHING, type RequestSet } from "./request-set";
import { SearchLimitError } from "./shortest-text";
import { matching, others } from "./texts";
import { ANYTHING } from "./values";

/** A search whose limit is no end of the program, and no proof. */
export function search(
  within: RequestSet,
  allowed: Allowance,
  unless: Allowance,
  callers: readonly string[] = [],
  resources: readonly string[] = [],
): Found | GaveUp | undefined {
  try {
    return findRequest(within, allowed, unless, { callers, resources });
  } catch (failure) {
    if (failure instanceof SearchLimitError || failure instanceof RangeError)
      return { found: "gave up", why: failure.message };
    throw failure;
  }
}

/** A caller on both sides; `undefined`: the base does not have it, so that it had no right there. */
export interface CallerPair {
  readonly head: CallerSet;
  readonly base: CallerSet | undefined;
}

/** ARN of somebody of an account, as a hint for examples. */
export const somebody = ({ partition, account }: EnvironmentPolicies): readonly string[] => [
  `arn:${partition}:iam::${account}:role/somebody`,
  `arn:${partition}:iam::999999999999:role/somebody`,
  "lambda.amazonaws.com",
];

/** Requests on secrets that both sides have which only the head allows. */
export function widenedSecrets(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  const before = new Map(base.secrets.map((secret) => [secret.name, secret]));
  const pairs = head.secrets.flatMap((secret) => {
    const was = before.get(secret.name);
    // In another primary region it is another secret, with another suffix.
    return was && was.regions[0] === secret.regions[0] ? [[was, secret] as const] : [];
  });
  const roles = rolePairs(base, head);
  const moved = movedRoles(roles, pairs);
  return pairs.flatMap(([was, is]) => {
    const isChanged = !isSameJson(was.policy, is.policy) || !isSameJson(was.regions, is.regions);
    const changed = moved.get(is.name) ?? [];
    const callers = isChanged
      ? callersOf(base, is, roles).filter(
          (caller) => isMoved(caller, changed) || !saysTheSame(caller, head.account, was, is),
        )
      : changed.map(asCallers);
    return callers.flatMap((caller) => widenedSecret(base, head, was, is, caller));
  });
}

/** `true` where the caller's own rights on the secret differ. */
const isMoved = ({ head, base }: CallerPair, moved: readonly RolePair[]): boolean =>
  head.kind === "role" &&
  (base?.kind !== "role" || base.role.arn !== head.role.arn || moved.some((pair) => pair.head === head.role));

const saysTheSame = (
  { head }: CallerPair,
  account: string,
  was: ProtectedSecret,
  is: ProtectedSecret,
): boolean =>
  isSameJson(was.regions, is.regions) &&
  [was.policy, is.policy].every(isReadable) &&
  isSameJson(concerning(head, account, was.policy), concerning(head, account, is.policy));

/** A policy of statements alone. */
const isReadable = (policy: unknown): boolean =>
  isRecord(policy) && [policy.Statement].flat().every(isRecord);

/** A role on both sides. */
interface RolePair {
  readonly head: ProtectedRole;
  readonly base: ProtectedRole | undefined;
  readonly reach: Reach;
}

const asCallers = ({ head, base }: RolePair): CallerPair => ({
  head: { kind: "role", role: head },
  base: base && { kind: "role", role: base },
});

function rolePairs(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly RolePair[] {
  const before = new Map(base.roles.map((role) => [role.arn, role]));
  return head.roles.map((role) => ({ head: role, base: before.get(role.arn), reach: roleReach(role) }));
}

/** Roles by the names of secrets on which their own policies may say more than before. */
function movedRoles(
  roles: readonly RolePair[],
  secrets: readonly (readonly [ProtectedSecret, ProtectedSecret])[],
): ReadonlyMap<string, readonly RolePair[]> {
  const moved = new Map<string, RolePair[]>();
  const add = (name: string, pair: RolePair): void => {
    moved.set(name, [...(moved.get(name) ?? []), pair]);
  };
  for (const pair of roles) {
    const { head, base, reach } = pair;
    if (
      base &&
      isSameJson([base.policies, base.attached, base.boundary], [head.policies, head.attached, head.boundary])
    )
      continue;
    const was = base && roleReach(base);
    const isBoundary = base?.boundary !== head.boundary;
    if (reach.wide !== was?.wide || (isBoundary && reach.wide !== undefined)) {
      // Whatever may reach any secret, or denies: all are looked at.
      if (reach.wide !== undefined || was?.wide !== undefined)
        for (const [, { name }] of secrets) add(name, pair);
      continue;
    }
    for (const [name, statements] of reach.names) {
      if (isBoundary || was?.names.get(name) !== statements) add(name, pair);
    }
  }
  return moved;
}

/** Callers whom a changed policy of a secret may concern. */
function callersOf(
  base: EnvironmentPolicies,
  secret: ProtectedSecret,
  roles: readonly RolePair[],
): readonly CallerPair[] {
  const named = new Set(textsIn(statementsIn(secret.policy).map(({ Condition }) => Condition)));
  const near = roles.filter(({ reach }) => reach.names.has(secret.name) || reach.wide !== undefined);
  const known = roles.filter(({ head: { arn } }) => named.has(arn)).map(({ head: { arn } }) => arn);
  const present = new Set(roles.map(({ head: { arn } }) => arn));
  // A role that the stack no longer makes may be made by others, with any policies.
  const gone = base.roles.filter(({ arn }) => named.has(arn) && !present.has(arn));
  const account: CallerSet = { kind: "account", except: [...known, ...gone.map(({ arn }) => arn)] };
  return [
    { head: account, base: account },
    { head: { kind: "foreign" }, base: { kind: "foreign" } },
    { head: { kind: "service" }, base: { kind: "service" } },
    ...near.map(asCallers),
    ...gone.map(
      (role): CallerPair => ({
        head: { kind: "role", role: { ...role, policies: [EVERYTHING], attached: [] } },
        base: { kind: "role", role },
      }),
    ),
  ];
}

const EVERYTHING = { Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };

function widenedSecret(
  base: EnvironmentPolicies,
  head: EnvironmentPolicies,
  was: ProtectedSecret,
  is: ProtectedSecret,
  caller: CallerPair,
): readonly Finding[] {
  const found = new Map<string, Finding>();
  const [asking, before] = [about(caller.head, is.name), caller.base && about(caller.base, was.name)];
  for (const region of regionsOf(caller, was, is)) {
    const regionBefore = was.regions.includes(region) ? region : (was.regions[0] ?? region);
    const searchFor = (actions: readonly string[]) => {
      const [now, then] = [
        secretPlace(head, is.name, region, actions),
        secretPlace(base, was.name, regionBefore, actions),
      ];
      return search(
        requestsOf(asking, now),
        allowanceOf(asking, now, is.policy, false),
        before ? allowanceOf(before, then, was.policy, false) : NOTHING,
        somebody(head),
        [now.family?.replace("??????", "AbCdEf") ?? ""],
      );
    };
    for (;;) {
      const left = Object.entries(SECRET_ACTIONS).filter(([verb]) => !found.has(verb));
      const actions = left.flatMap(([, all]) => all);
      const result = left.length === 0 ? undefined : searchFor(actions);
      if (result === undefined) break;
      const finding = findingOf("secret", is.key, result, actions);
      const verb = left.find(([, all]) => (all as readonly string[]).includes(finding.action))?.[0];
      found.set(verb ?? "", finding);
      if (verb === undefined || result.found === "gave up") break;
    }
  }
  return [...found.values()];
}

const about = (caller: CallerSet, name: string): CallerSet =>
  caller.kind === "role" ? { kind: "role", role: narrowedTo(caller.role, name) } : caller;

/** Regions that can differ: for callers without policies of their own, and a policy that says nothing of regions, one stands for all. */
function regionsOf({ head }: CallerPair, was: ProtectedSecret, is: ProtectedSecret): readonly string[] {
  const isAlike = (policy: unknown): boolean =>
    statementsIn(policy).every(
      ({ Resource, NotResource, Condition }) =>
        NotResource === undefined &&
        textsIn(Resource).every((resource) => resource === "*") &&
        !/requestedregion/i.test(keysIn(Condition)),
    );
  const stand = head.kind !== "role" && isAlike(was.policy) && isAlike(is.policy);
  return stand ? is.regions.slice(0, 1) : is.regions;
}

const keysIn = (condition: unknown): string =>
  isRecord(condition)
    ? Object.values(condition)
        .flatMap((keys) => (isRecord(keys) ? Object.keys(keys) : []))
        .join()
    : "";

/** Requests on keys that both sides have which only the head allows. */
export function widenedKeys(base: EnvironmentPolicies, head: EnvironmentPolicies): readonly Finding[] {
  const before = new Map(base.keys.map((key) => [`${key.use} ${key.region}`, key]));
  const known = new Map(base.roles.map((role) => [role.arn, role]));
  const changedRoles = head.roles.filter((role) => !isSameJson(kmsOf(known.get(role.arn)), kmsOf(role)));
  return head.keys.flatMap((key) => {
    const was = before.get(`${key.use} ${key.region}`);
    if (was === undefined) return [];
    const isChanged = !isSameJson(was.policy, key.policy);
    const named = new Set(
      isChanged ? textsIn(statementsIn(key.policy).map(({ Condition }) => Condition)) : [],
    );
    const roles = isChanged ? head.roles.filter((role) => kmsOf(role) !== undefined) : changedRoles;
    const account: CallerSet = {
      kind: "account",
      except: head.roles.filter(({ arn }) => named.has(arn)).map(({ arn }) => arn),
    };
    const others: readonly CallerPair[] = isChanged
      ? [
          { head: account, base: account },
          { head: { kind: "foreign" }, base: { kind: "foreign" } },
          { head: { kind: "service" }, base: { kind: "service" } },
        ]
      : [];
    const own = roles.flatMap((role): readonly CallerPair[] => {
      const then = known.get(role.arn);
      // A function that is new proves and checks versions as the others do.
      if (then === undefined && key.use === "audit") return [];
      return [{ head: { kind: "role", role }, base: then && { kind: "role", role: then } }];
    });
    return [...others, ...own].flatMap((caller) => {
      const [now, then] = [keyPlace(head, key.region), keyPlace(base, key.region)];
      const within = requestsOf(caller.head, now);
      const result = search(
        caller.head.kind === "role" ? pastSecretsManager(within) : within,
        allowanceOf(caller.head, now, key.policy, true),
        caller.base ? allowanceOf(caller.base, then, was.policy, true) : NOTHING,
        somebody(head),
      );
      return result ? [findingOf("key", `${key.use} key`, result, KEY_ACTIONS)] : [];
    });
  });
}

/** Rights of a role's own policies that may be about keys; `undefined`: none. */
function kmsOf(role: ProtectedRole | undefined): unknown {
  if (role === undefined) return undefined;
  const statements = role.policies
    .flatMap(statementsIn)
    .filter(({ Action, NotAction }) => NotAction !== undefined || /(^|,)(kms:|\*)/i.test(String(Action)));
  return statements.length === 0 && role.attached.length === 0
    ? undefined
    : [statements, role.attached, role.boundary];
}

/**
 * Through Secrets Manager a role of the registry decrypts what its rights on secrets let it read, which is proved apart: asked are the
 * ways past it.
 */
export function pastSecretsManager(within: RequestSet): RequestSet {
  const [rest] = others(matching(["secretsmanager.*"]));
  return {
    ...within,
    keys: new Map([...within.keys, ["kms:viaservice", { ...ANYTHING, ...(rest ? { all: rest } : {}) }]]),
  };
}
