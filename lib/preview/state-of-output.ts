import { GrantIndex, type PrincipalKind, possibleAccess } from "../blueprint";
import { digestOf } from "../model/canonical-json";
import { isRecord } from "../model/is-record";
import { type OutputRole, rolesOf, stackPlaceOf } from "./output-roles";
import { policiesOfOutput } from "./policies-of-output";
import type {
  AccessCell,
  EnvironmentState,
  RegistryState,
  ResourceState,
  SecretState,
  TakerCell,
} from "./registry-state";
import { takersOf } from "./takers-of";
import { type Attributes, policyOf, referred, type TerraformJson, textOf, textsOf } from "./terraform-json";

/**
 * State of a synthesized output, for comparison: the Terraform of each environment, whatever the registry says. Settings
 * that are in no resource (overlaps, approvals, the pods' files) is not compared.
 *
 * @param stacks text of `cdk.tf.json` by the stack's name, which is the environment's
 */
export function stateOfOutput(stacks: ReadonlyMap<string, TerraformJson>): RegistryState {
  return {
    source: "output",
    environments: [...stacks].map(([name, stack]) => environmentState(name, stack)),
  };
}

function environmentState(name: string, stack: TerraformJson): EnvironmentState {
  const { account, region } = stackPlaceOf(stack);
  const secrets = [...stack.of("aws_secretsmanager_secret")].flatMap(([resource, secret]) => {
    const tags = isRecord(secret.tags) ? secret.tags : {};
    const key = textOf(tags["secret-key"]);
    const isInbox = (textOf(secret.name) ?? "").includes("/_inbox/");
    return key === undefined || isInbox ? [] : [{ resource, secret, tags, key }];
  });
  const roles = rolesOf(stack);
  const access = [...awsAccess(stack, secrets, roles), ...vaultAccess(stack, roles)];
  const readers = new Map<string, Set<string>>();
  for (const { secret, kind, name: workload } of access) {
    if (kind === "workload") readers.set(secret, (readers.get(secret) ?? new Set()).add(workload));
  }
  const consumers = (key: string): readonly string[] => [...(readers.get(key) ?? [])].sort();
  const regions = [
    region,
    ...[...stack.of("aws_kms_replica_key").values()].flatMap((key) => textOf(key.region) ?? []).sort(),
  ];
  return {
    name,
    account,
    regions,
    secrets: [
      ...secrets.map(({ secret, tags, key }) =>
        awsSecret(account, region, secret, tags, key, consumers(key)),
      ),
      ...vaultSecrets(stack, consumers),
    ].sort((a, b) => (a.key < b.key ? -1 : 1)),
    access,
    takers: [
      ...roles.flatMap((role) =>
        takersOf(role.trust).map((taker) => ({ name: role.workload ?? role.name, at: "aws", taker })),
      ),
      ...vaultTakers(stack),
    ],
    people: [],
    workloads: [],
    workloadNames: [],
    functions: [...stack.of("aws_lambda_function").values()].map((fn) => ({
      name: textOf(fn.function_name) ?? "",
      code: textOf(fn.source_code_hash) ?? "",
    })),
    facts: { account, "primary region": region, "replica regions": regions.slice(1).join(", ") || "none" },
    guards: {},
    handedOut: {},
    vaults: Object.fromEntries(
      stack
        .providers("vault")
        .map((vault) => [
          textOf(vault.alias) ?? "default",
          `${textOf(vault.address) ?? ""}${vault.namespace === undefined ? "" : ` namespace ${String(vault.namespace)}`}`,
        ]),
    ),
    cost: {
      secrets: [...stack.of("aws_secretsmanager_secret").values()].reduce(
        (sum, secret) => sum + 1 + replicasOf(secret).length,
        0,
      ),
      keys: stack.of("aws_kms_key").size + stack.of("aws_kms_replica_key").size,
      alarms: stack.of("aws_cloudwatch_metric_alarm").size,
      runs: 0,
      calls: 0,
    },
    policies: policiesOfOutput(name, stack, roles),
    resources: resourcesOf(stack),
  };
}

const replicasOf = (secret: Attributes): readonly string[] =>
  Array.isArray(secret.replica)
    ? secret.replica.filter(isRecord).flatMap((replica) => textOf(replica.region) ?? [])
    : [];

function awsSecret(
  account: string,
  region: string,
  secret: Attributes,
  tags: Attributes,
  key: string,
  consumers: readonly string[],
): SecretState {
  const lifecycle = isRecord(secret.lifecycle) ? secret.lifecycle : {};
  const primary = textOf(secret.region) ?? region;
  const kind = textOf(tags.kind) ?? "unknown";
  const cadence = /^(\d+) days?$/.exec(textOf(tags["rotation-cadence"]) ?? "")?.[1];
  return {
    key,
    store: "aws",
    place: `aws ${account} ${primary} ${textOf(secret.name) ?? key}`,
    kind,
    regions: [primary, ...replicasOf(secret)],
    consumers,
    ...(cadence === undefined ? {} : { cadenceSeconds: Number(cadence) * 86_400 }),
    ...(typeof secret.recovery_window_in_days === "number"
      ? { recoveryDays: secret.recovery_window_in_days }
      : {}),
    preventDestroy: lifecycle.prevent_destroy === true,
    facts: {
      kind,
      cadence: textOf(tags["rotation-cadence"]) ?? "unknown",
      mode: textOf(tags["rotation-mode"]) ?? "unknown",
      classification: textOf(tags["data-classification"]) ?? "unknown",
      owner: textOf(tags.owner) ?? "unknown",
      retired: textOf(tags.retired) ?? "no",
      store: "aws",
    },
    hidden: { description: digestOf(secret.description ?? "") },
  };
}

/** Key of a role of the database engine: no key has two hyphens in a row. */
const keyOf = (word: string): string => word.replaceAll("--", "/");

function vaultSecrets(
  stack: TerraformJson,
  consumers: (key: string) => readonly string[],
): readonly SecretState[] {
  const roles = ["vault_database_secret_backend_role", "vault_database_secret_backend_static_role"].flatMap(
    (type) => [...stack.of(type).values()].map((role) => ({ type, role })),
  );
  // One in each Vault; the secret is the same.
  const byKey = new Map(
    roles.map(({ type, role }) => {
      const { "//": _, provider, depends_on, ...rest } = role;
      return [textOf(role.name) ?? "", { type, backend: textOf(role.backend) ?? "", digest: digestOf(rest) }];
    }),
  );
  return [...byKey].map(([name, { type, backend, digest }]) => ({
    key: keyOf(name),
    store: "vault",
    place: `vault ${backend}/${type.includes("static") ? "static-creds" : "creds"}/${name}`,
    kind: "postgresql-user",
    regions: [],
    consumers: consumers(keyOf(name)),
    facts: { store: "vault", kind: "postgresql-user" },
    hidden: { settings: digest },
  }));
}

function awsAccess(
  stack: TerraformJson,
  secrets: readonly { readonly resource: string; readonly secret: Attributes; readonly key: string }[],
  roles: readonly OutputRole[],
): readonly AccessCell[] {
  const policies = new Map(
    [...stack.of("aws_secretsmanager_secret_policy").values()].map((entry) => [
      referred(entry.secret_arn, "aws_secretsmanager_secret"),
      policyOf(entry.policy),
    ]),
  );
  const grants = new GrantIndex(roles.map(({ arn, policies: documents }) => [arn, documents]));
  const known = new Map(roles.map((role) => [role.arn, role]));
  return secrets.flatMap(({ resource, secret, key }) => {
    const policy = policies.get(resource);
    if (policy === undefined) return [];
    return possibleAccess({ name: textOf(secret.name) ?? key, policy }, grants).flatMap(({ arn, can }) => {
      const role = known.get(arn);
      const kind: PrincipalKind = role?.workload ? "workload" : role ? "rotation function" : "other";
      const name = role?.workload ?? role?.name ?? arn.slice(arn.lastIndexOf("/") + 1);
      return can.map((verb): AccessCell => ({ kind, name, arn, secret: key, store: "aws", can: verb }));
    });
  });
}

/** Readers of what Vault's database engine makes, by the texts of their policies. */
function vaultAccess(stack: TerraformJson, roles: readonly OutputRole[]): readonly AccessCell[] {
  // The role in IAM and the policy in Vault have one name: `<registry>-<environment>-<workload>`.
  const workloads = new Map(roles.map((role) => [role.name, role.workload]));
  const cells = [...stack.of("vault_policy").values()].flatMap((policy) => {
    const name = textOf(policy.name) ?? "";
    const paths = [
      ...(textOf(policy.policy) ?? "").matchAll(/^path "[\w-]+\/(?:static-)?creds\/([\w.-]+)"/gm),
    ];
    return paths.map(
      ([, role = ""]): AccessCell => ({
        kind: "workload",
        name: workloads.get(name) ?? name,
        arn: `Vault policy ${name}`,
        secret: keyOf(role),
        store: "vault",
        can: "read",
      }),
    );
  });
  return [...new Map(cells.map((cell) => [`${cell.arn} ${cell.secret}`, cell])).values()];
}

function vaultTakers(stack: TerraformJson): readonly TakerCell[] {
  return ["vault_kubernetes_auth_backend_role", "vault_jwt_auth_backend_role"].flatMap((type) =>
    [...stack.of(type).values()].map((role) => {
      const list = (name: string): string => textsOf(role[name]).join("|") || textOf(role[name]) || "";
      const who = list("bound_service_account_names")
        ? `${list("bound_service_account_namespaces")}:${list("bound_service_account_names")}`
        : list("bound_subject");
      const claims = isRecord(role.bound_claims) ? ` with ${digestOf(role.bound_claims).slice(7, 19)}` : "";
      const from = list("token_bound_cidrs") ? ` from ${list("token_bound_cidrs")}` : "";
      const audience = list("audience") || list("bound_audiences");
      return {
        name: textOf(role.role_name) ?? "",
        at: `Vault ${(textOf(role.provider) ?? "").replace(/^vault\./, "")}`,
        taker: `${who} by ${list("backend")} for ${audience} as ${list("token_policies")}${claims}${from}`,
      };
    }),
  );
}

/** Attributes of a function that follow from its code. */
const CODE = ["source_code_hash", "filename"];

function resourcesOf(stack: TerraformJson): ReadonlyMap<string, ResourceState> {
  return new Map(
    stack.types.flatMap((type) =>
      [...stack.of(type)].map(([name, { "//": _, ...attributes }]): [string, ResourceState] => [
        `${type}.${name}`,
        {
          type,
          digest: digestOf(attributes),
          withoutCode: digestOf(
            Object.fromEntries(Object.entries(attributes).filter(([attribute]) => !CODE.includes(attribute))),
          ),
        },
      ]),
    ),
  );
}
