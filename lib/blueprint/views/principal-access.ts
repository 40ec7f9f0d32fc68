import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";
import type { Registry } from "../../model/registry";
import { type Blueprint, blueprint } from "../environment/blueprint";
import { rotates } from "../functions/function-plan";
import type { AwsSecretPlan, SecretPlan } from "../store/secret-plan";

/** What a principal is to an environment. */
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
  readonly can: readonly ("read" | "write" | "administer")[];
  /** Whose own policies give it. `registry`: this one's stack makes them. `others`: the role is somebody else's. */
  readonly grantedBy: "registry" | "others";
  readonly why: string;
}

const VERBS: readonly (readonly [RegExp, PrincipalAccess["can"][number]])[] = [
  [/:(Batch)?GetSecretValue$/, "read"],
  [/:(PutSecretValue|UpdateSecretVersionStage)$/, "write"],
  [/./, "administer"],
];

const verbOf = (action: string): PrincipalAccess["can"][number] =>
  VERBS.find(([pattern]) => pattern.test(action))?.[1] ?? "administer";

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
 * Who can do what to each secret, functions and people included, from the finished policies: whoever a secret's policy does
 * not exempt is denied, whatever other policies say. Roles of people have policies that this registry does not make, so for
 * them the row says what remains possible.
 */
export function principalAccess(registry: Registry, environment: string): readonly PrincipalAccess[] {
  const plan = blueprint(registry, environment);
  const principals = principalsOf(registry, environment);
  return plan.secrets
    .flatMap((secret) =>
      secret.store === "aws" ? inSecretsManager(plan, principals, secret) : inVault(plan, principals, secret),
    )
    .sort((a, b) => (`${a.secret} ${a.kind} ${a.name}` < `${b.secret} ${b.kind} ${b.name}` ? -1 : 1));
}

function inSecretsManager(
  plan: Blueprint,
  principals: readonly Principal[],
  secret: AwsSecretPlan,
): readonly PrincipalAccess[] {
  const verbs = new Map<string, Set<PrincipalAccess["can"][number]>>();
  for (const statement of secret.policy.Statement) {
    for (const arn of exemptOf(statement)) {
      const can = verbs.get(arn) ?? new Set();
      for (const action of statement.Action) can.add(verbOf(action));
      verbs.set(arn, can);
    }
  }
  return [...verbs].flatMap(([arn, can]): PrincipalAccess[] => {
    const known = principals.find((principal) => principal.arn === arn);
    const principal = known ?? { kind: "other", name: arn, arn };
    const own = grantsOf(plan, principal, secret);
    const possible = own === undefined ? [...can] : [...can].filter((verb) => own.has(verb));
    if (possible.length === 0) return [];
    return [
      {
        ...principal,
        secret: secret.key,
        store: "aws",
        can: possible.sort(),
        grantedBy: own === undefined ? "others" : "registry",
        why: whyOf(plan, principal, secret),
      },
    ];
  });
}

/** Roles that a denial leaves out. */
const exemptOf = ({ Effect, Action, Condition }: PolicyStatement): readonly string[] =>
  Effect === "Deny" && !Action.includes("secretsmanager:RotateSecret")
    ? (Condition?.ArnNotLike?.["aws:PrincipalArn"] ?? [])
    : [];

/** Verbs that a role's own policies give; `undefined`: the role is somebody else's. */
function grantsOf(
  plan: Blueprint,
  { kind, arn }: Principal,
  secret: AwsSecretPlan,
): ReadonlySet<PrincipalAccess["can"][number]> | undefined {
  const role =
    kind === "workload"
      ? plan.workloads.find((workload) => workload.role.arn === arn)?.role
      : plan.functions.find((entry) => entry.role.arn === arn)?.role;
  if (role === undefined) return undefined;
  const documents: readonly PolicyDocument[] = [...role.policies.inline, ...role.policies.managed].map(
    ({ document }) => document,
  );
  const covers = (resource: string): boolean =>
    resource.includes(`:secret:${secret.name}-`) ||
    (resource.endsWith("/*") && coversPrefix(resource, secret));
  return new Set(
    documents.flatMap(({ Statement }) =>
      Statement.filter(
        ({ Effect, Resource = [] }) => Effect === "Allow" && Resource.some((resource) => covers(resource)),
      ).flatMap(({ Action }) => Action.filter((action) => action.startsWith("secretsmanager:")).map(verbOf)),
    ),
  );
}

const coversPrefix = (resource: string, { name }: AwsSecretPlan): boolean => {
  const prefix = /:secret:(.+)\*$/.exec(resource)?.[1];
  return prefix !== undefined && name.startsWith(prefix);
};

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
