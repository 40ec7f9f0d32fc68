import type { Registry } from "../../model/registry";
import { type Blueprint, blueprint } from "../environment/blueprint";
import { rotates } from "../functions/function-plan";
import type { AwsSecretPlan, SecretPlan } from "../store/secret-plan";
import { type AccessVerb, GrantIndex, possibleAccess } from "./policy-access";

/** Part of a principal in an environment. */
export type PrincipalKind =
  | "workload"
  | "operator"
  | "break-glass"
  | "deployer"
  | "rotation function"
  | "mirror"
  | "procedure function"
  | "other";

/** Somebody or something that an environment's policies name. */
export interface Principal {
  readonly kind: PrincipalKind;
  /** Workload, function or role by its name. */
  readonly name: string;
  readonly arn: string;
}

/** Everything that one principal can do to one secret. */
export interface PrincipalAccess extends Principal {
  readonly secret: string;
  readonly store: SecretPlan["store"];
  /** Sorted: `read`, `write`, `administer`. */
  readonly can: readonly AccessVerb[];
  /**
   * Owner of the policies that give it. `registry`: this registry's stack makes them. `others`: the role is somebody
   * else's.
   */
  readonly grantedBy: "registry" | "others";
  readonly why: string;
}

/** Every principal that the environment's policies name, sorted by kind and name. */
export function principalsOf(registry: Registry, environment: string): readonly Principal[] {
  const plan = blueprint(registry, environment);
  const { deployer, operators, breakGlass } = plan.principals;
  const named = (kind: PrincipalKind, arn: string): Principal => ({
    kind,
    name: arn.slice(arn.lastIndexOf("/") + 1),
    arn,
  });
  return [
    ...plan.workloads.map(({ name, role }): Principal => ({ kind: "workload", name, arn: role.arn })),
    ...plan.functions.map(
      (entry): Principal => ({
        kind: rotates(entry)
          ? "rotation function"
          : entry.bundle === "mirror"
            ? "mirror"
            : "procedure function",
        name: entry.name,
        arn: entry.role.arn,
      }),
    ),
    ...operators.map((arn) => named("operator", arn)),
    ...breakGlass.map((arn) => named("break-glass", arn)),
    named("deployer", deployer),
  ].sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
}

/**
 * Access of each principal to each secret, functions and people included, from the finished policies: whoever a secret's
 * policy does not exempt is denied, whatever other policies say. Roles of people have policies that this registry does
 * not make, so for them the row says what remains possible.
 */
export function principalAccess(registry: Registry, environment: string): readonly PrincipalAccess[] {
  const plan = blueprint(registry, environment);
  const principals = principalsOf(registry, environment);
  const known = new Map(principals.map((principal) => [principal.arn, principal]));
  const grants = new GrantIndex(
    [...plan.workloads, ...plan.functions].map(({ role }) => [
      role.arn,
      [...role.policies.inline, ...role.policies.managed].map(({ document }) => document),
    ]),
  );
  return plan.secrets
    .flatMap((secret) =>
      secret.store === "aws"
        ? inSecretsManager(plan, known, grants, secret)
        : inVault(plan, principals, secret),
    )
    .map((row) => [`${row.secret} ${row.kind} ${row.name}`, row] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
}

function inSecretsManager(
  plan: Blueprint,
  known: ReadonlyMap<string, Principal>,
  grants: GrantIndex,
  secret: AwsSecretPlan,
): readonly PrincipalAccess[] {
  return possibleAccess(secret, grants).map(({ arn, can, own }): PrincipalAccess => {
    const principal = known.get(arn) ?? { kind: "other", name: arn, arn };
    return {
      ...principal,
      secret: secret.key,
      store: "aws",
      can,
      grantedBy: own ? "registry" : "others",
      why: whyOf(plan, principal, secret),
    };
  });
}

function whyOf(plan: Blueprint, { kind, name, arn }: Principal, secret: AwsSecretPlan): string {
  switch (kind) {
    case "workload":
      return "consumer";
    case "operator":
      return `environments.${plan.environment}.principals.operators`;
    case "break-glass":
      return `environments.${plan.environment}.principals.breakGlass`;
    case "deployer":
      return `environments.${plan.environment}.principals.deployer`;
    case "mirror":
      return "copies it into Vault";
    case "rotation function": {
      if (secret.rotatedBy === name) return "rotates it";
      const users = plan.secrets
        .filter((other) => other.admin === secret.key && other.store === "aws" && other.rotatedBy === name)
        .map(({ key }) => key);
      return `changes ${users.join(", ")} with it`;
    }
    case "procedure function":
      return "follows rotations";
    case "other":
      return arn.endsWith(":root") ? "root user of the account: so that nobody is locked out for good" : arn;
  }
}

function inVault(
  plan: Blueprint,
  principals: readonly Principal[],
  secret: SecretPlan,
): readonly PrincipalAccess[] {
  const consumers = principals.filter(
    ({ kind, name }) => kind === "workload" && secret.consumers.includes(name),
  );
  return [
    ...consumers.map(
      (principal): PrincipalAccess => ({
        ...principal,
        secret: secret.key,
        store: "vault",
        can: ["read"],
        grantedBy: "registry",
        why: `consumer: Vault policy ${plan.workloads.find(({ name }) => name === principal.name)?.vault?.roleName ?? ""}`,
      }),
    ),
    ...principals
      .filter(({ kind }) => kind === "mirror")
      .map(
        (principal): PrincipalAccess => ({
          ...principal,
          secret: secret.key,
          store: "vault",
          can: ["administer"],
          grantedBy: "registry",
          why: "has Vault rotate its connection's password",
        }),
      ),
  ];
}
