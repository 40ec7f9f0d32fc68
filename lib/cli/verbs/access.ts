import {
  type AccessRow,
  accessOf,
  type Principal,
  type PrincipalAccess,
  principalAccess,
  principalsOf,
} from "../../blueprint";
import { judgeAccess, type Registry } from "../../model";
import { nearest } from "../../model/nearest";
import { UserFault } from "../terminal/user-fault";

/** Workloads that read secrets of an environment. */
export const access = (registry: Registry, environment: string): readonly AccessRow[] =>
  accessOf(registry, environment);

/** Access of every principal that an environment's policies let near a secret, people and functions included. */
export const allAccess = (registry: Registry, environment: string): readonly PrincipalAccess[] =>
  principalAccess(registry, environment);

/**
 * Access of one principal.
 *
 * @throws UserFault for a name or ARN that the environment's policies do not have
 */
export function accessOfPrincipal(
  registry: Registry,
  environment: string,
  name: string,
): { readonly principal: Principal; readonly rows: readonly PrincipalAccess[] } {
  const principal = find(registry, environment, name);
  return {
    principal,
    rows: principalAccess(registry, environment).filter(({ arn }) => arn === principal.arn),
  };
}

/** Reason for which a principal can, or cannot, reach a secret. */
export interface AccessReason {
  readonly principal: Principal;
  readonly secret: string;
  readonly can: PrincipalAccess["can"];
  readonly reasons: readonly string[];
}

/** Reasons for what a principal can do to a secret, or for why it can do nothing. */
export function whyAccess(registry: Registry, environment: string, name: string, key: string): AccessReason {
  const principal = find(registry, environment, name);
  const secret = registry.secretIn(environment, key);
  if (secret === undefined) {
    return { principal, secret: key, can: [], reasons: [`${environment} has no ${key}`] };
  }
  const row = principalAccess(registry, environment).find(
    (candidate) => candidate.arn === principal.arn && candidate.secret === key,
  );
  if (row !== undefined) {
    return {
      principal,
      secret: key,
      can: row.can,
      reasons: [
        ...lastDayOf(registry, environment, principal, row),
        ...(secret.store === "aws"
          ? [`the policy of secret ${environment}/${secret.physicalKey} exempts it from its denials`]
          : []),
        row.grantedBy === "registry"
          ? "its role's own policies, made by this stack, allow it"
          : "its own policies are made elsewhere and decide what of it is used",
      ],
    };
  }
  const verdict =
    principal.kind === "workload" ? judgeAccess(registry.accessRule(principal.name), key) : undefined;
  return {
    principal,
    secret: key,
    can: [],
    reasons: [
      ...(principal.kind === "workload" ? [notConsumer(registry, environment, principal.name, key)] : []),
      ...(verdict && !verdict.allowed
        ? [
            verdict.because === "denied"
              ? `accessRules[${JSON.stringify(principal.name)}].deny forbids ${verdict.pattern}`
              : `accessRules[${JSON.stringify(principal.name)}].allow lists only ${verdict.patterns.join(", ")}`,
          ]
        : []),
      ...(secret.store === "aws"
        ? [
            `the policy of secret ${environment}/${secret.physicalKey} denies it, whatever its own policies say`,
          ]
        : ["no Vault policy of its gives the path"]),
    ],
  };
}

function lastDayOf(
  registry: Registry,
  environment: string,
  { kind, name }: Principal,
  { why, secret }: PrincipalAccess,
): readonly string[] {
  const grant =
    kind === "workload" &&
    registry.endingGrants(environment).find((entry) => entry.workload === name && entry.secret === secret);
  return [grant ? `${why}, until ${grant.until}` : why];
}

function notConsumer(registry: Registry, environment: string, name: string, key: string): string {
  const ended = registry
    .endingGrants(environment)
    .find(({ workload, secret, held }) => workload === name && secret === key && held === false);
  return ended ? `its grant of ${key} ended on ${ended.until}` : `it is no consumer of ${key}`;
}

function find(registry: Registry, environment: string, name: string): Principal {
  const all = principalsOf(registry, environment);
  const found = all.find((principal) => principal.arn === name || principal.name === name);
  if (found) return found;
  const hint = nearest(
    name,
    all.map((principal) => principal.name),
  );
  throw new UserFault(
    `${environment} names no principal ${JSON.stringify(name)}.${hint === undefined ? "" : ` Did you mean ${JSON.stringify(hint)}?`} See secrets-registry access --env ${environment} --all.`,
  );
}
