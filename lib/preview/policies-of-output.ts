import { eksClusterArn, functionArn } from "../blueprint/platform/aws-arns";
import { isRecord } from "../model/is-record";
import { partitionOf } from "../model/partitions";
import type {
  BearerLogin,
  EnvironmentPolicies,
  EnvironmentVaultPolicy,
  FunctionPermission,
  PodAssociation,
  ProtectedKey,
  ProtectedSecret,
  VaultAclRule,
  VaultLogin,
  VaultPolicies,
} from "../proof";
import { type OutputRole, rolesOf, stackPlaceOf } from "./output-roles";
import {
  type Attributes,
  referred,
  type TerraformJson,
  textOf,
  textsOf,
  writtenPolicy,
} from "./terraform-json";

/**
 * Finished policies of one environment as its Terraform has them, whoever wrote it.
 *
 * @param roles the stack's roles, where they were read already
 */
export function policiesOfOutput(
  name: string,
  stack: TerraformJson,
  roles: readonly OutputRole[] = rolesOf(stack),
): EnvironmentPolicies {
  const { account, region } = stackPlaceOf(stack);
  const partition = partitionOf(region);
  const replicas = [...stack.of("aws_kms_replica_key").values()].flatMap((key) => textOf(key.region) ?? []);
  return {
    environment: name,
    partition,
    account,
    regions: [region, ...replicas.sort()],
    secrets: secretsOf(stack, region),
    keys: keysOf(stack, region),
    roles: roles.map((role) => ({
      arn: role.arn,
      name: role.workload ?? role.name,
      isWorkload: role.workload !== undefined,
      trust: role.written.trust,
      policies: role.written.policies,
      attached: role.attached,
      ...(role.boundary === undefined ? {} : { boundary: role.boundary }),
    })),
    functions: functionsOf(stack, (called) => functionArn({ partition, account }, region, called)),
    associations: associationsOf(stack, roles, { partition, account, region }),
    vaults: vaultsOf(stack),
    handedOut: [],
  };
}

function secretsOf(stack: TerraformJson, region: string): readonly ProtectedSecret[] {
  const policies = new Map(
    [...stack.of("aws_secretsmanager_secret_policy").values()].map((entry) => [
      referred(entry.secret_arn, "aws_secretsmanager_secret"),
      writtenPolicy(entry.policy),
    ]),
  );
  return [...stack.of("aws_secretsmanager_secret")].map(([resource, secret]) => {
    const name = textOf(secret.name) ?? resource;
    const tags = isRecord(secret.tags) ? secret.tags : {};
    const key = textOf(tags["secret-key"]) ?? name;
    const copies = Array.isArray(secret.replica)
      ? secret.replica.filter(isRecord).flatMap((replica) => textOf(replica.region) ?? [])
      : [];
    return {
      key: name.includes("/_inbox/") ? `inbox of ${key}` : key,
      name,
      regions: [textOf(secret.region) ?? region, ...copies],
      policy: policies.get(resource) ?? writtenPolicy(secret.policy),
    };
  });
}

/** The key of values is the one with replicas, or under which a secret lies; the one for MACs proves. Others hold no value. */
function keysOf(stack: TerraformJson, primary: string): readonly ProtectedKey[] {
  const used = new Set(
    [...stack.of("aws_secretsmanager_secret").values()].flatMap(
      ({ kms_key_id }) => referred(kms_key_id, "aws_kms_key") ?? [],
    ),
  );
  const policies = new Map(
    [...stack.of("aws_kms_key_policy").values()].map((entry) => [
      referred(entry.key_id, "aws_kms_key") ?? referred(entry.key_id, "aws_kms_replica_key"),
      entry.policy,
    ]),
  );
  const keyOf = (use: ProtectedKey["use"], resource: string, key: Attributes): ProtectedKey => ({
    use,
    region: textOf(key.region) ?? primary,
    policy: writtenPolicy(key.policy ?? policies.get(resource)),
  });
  return [
    ...[...stack.of("aws_kms_key")].flatMap(([resource, key]) =>
      key.key_usage === "GENERATE_VERIFY_MAC"
        ? [keyOf("audit", resource, key)]
        : used.has(resource)
          ? [keyOf("secrets", resource, key)]
          : [],
    ),
    ...[...stack.of("aws_kms_replica_key")].map(([resource, key]) => keyOf("secrets", resource, key)),
  ];
}

function functionsOf(
  stack: TerraformJson,
  arnOf: (name: string) => string,
): EnvironmentPolicies["functions"] {
  const permissions = [...stack.of("aws_lambda_permission").values()];
  return [...stack.of("aws_lambda_function")].map(([resource, entry]) => {
    const name = textOf(entry.function_name) ?? resource;
    return {
      name,
      arn: arnOf(name),
      permissions: permissions
        .filter(
          ({ function_name }) =>
            referred(function_name, "aws_lambda_function") === resource || function_name === name,
        )
        .map(permissionOf),
    };
  });
}

const permissionOf = (permission: Attributes): FunctionPermission => ({
  action: textOf(permission.action) ?? "lambda:InvokeFunction",
  principal: textOf(permission.principal) ?? "*",
  from: Object.fromEntries(
    (
      [
        ["source_arn", "aws:sourcearn"],
        ["source_account", "aws:sourceaccount"],
        ["principal_org_id", "aws:principalorgid"],
        ["function_url_auth_type", "lambda:functionurlauthtype"],
      ] as const
    ).flatMap(([attribute, key]) => {
      const value = textOf(permission[attribute]);
      return value === undefined ? [] : [[key, value]];
    }),
  ),
});

function associationsOf(
  stack: TerraformJson,
  roles: readonly OutputRole[],
  {
    partition,
    account,
    region,
  }: { readonly partition: string; readonly account: string; readonly region: string },
): readonly PodAssociation[] {
  return [...stack.of("aws_eks_pod_identity_association").values()].map((entry) => {
    const role = referred(entry.role_arn, "aws_iam_role");
    const cluster = textOf(entry.cluster_name) ?? "";
    return {
      cluster,
      clusterArn: eksClusterArn({ partition, account }, textOf(entry.region) ?? region, cluster),
      namespace: textOf(entry.namespace) ?? "",
      serviceAccount: textOf(entry.service_account) ?? "",
      roleArn: roles.find(({ resource }) => resource === role)?.arn ?? textOf(entry.role_arn) ?? "",
    };
  });
}

const LOGINS = ["vault_kubernetes_auth_backend_role", "vault_jwt_auth_backend_role"] as const;

function vaultsOf(stack: TerraformJson): readonly VaultPolicies[] {
  const of = (entry: Attributes): string =>
    (textOf(entry.provider) ?? "vault").replace(/^vault\.?/, "") || "default";
  const logins = LOGINS.flatMap((type) => [...stack.of(type)]);
  const policies = [...stack.of("vault_policy")];
  const names = new Set([...logins, ...policies].map(([, entry]) => of(entry)));
  return [...names].sort().map((name) => ({
    name,
    logins: logins.filter(([, entry]) => of(entry) === name).map(([, entry]) => loginOf(entry)),
    policies: policies.filter(([, entry]) => of(entry) === name).map(([, entry]) => aclPolicyOf(entry)),
  }));
}

/** Attributes that say who logs in and what the token may be, whose meaning is not followed. */
const UNREAD = ["token_type", "claim_mappings"];

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]*):([^:]*)$/;

/** Claims that are compared as they are; `undefined`: they are patterns, or no texts. */
function claimsOf({ bound_claims, bound_claims_type }: Attributes): BearerLogin["claims"] | undefined {
  if (bound_claims !== undefined && !isRecord(bound_claims)) return undefined;
  const claims = Object.entries(bound_claims ?? {}).map(([claim, value]) => {
    // The provider takes several values as one text:
    // https://registry.terraform.io/providers/hashicorp/vault/latest/docs/resources/jwt_auth_backend_role#bound_claims
    const values = textOf(value)?.split(/,\s*/) ?? [];
    return [claim, values] as const;
  });
  const isExact = bound_claims_type === undefined || bound_claims_type === "string";
  return isExact && claims.every(([, values]) => values.length > 0) ? Object.fromEntries(claims) : undefined;
}

/** Subject of a pattern's ServiceAccounts: the only claim, in place of `bound_subject`. */
const patternOf = ({ bound_claims, bound_claims_type }: Attributes): string | undefined =>
  bound_claims_type === "glob" && isRecord(bound_claims) && Object.keys(bound_claims).join() === "sub"
    ? textOf(bound_claims.sub)
    : undefined;

function loginOf(entry: Attributes): VaultLogin {
  const list = (name: string): readonly string[] =>
    textsOf(entry[name]).length > 0 ? textsOf(entry[name]) : [textOf(entry[name]) ?? []].flat();
  const bound = textOf(entry.bound_subject);
  const pattern = bound === undefined ? patternOf(entry) : undefined;
  const subject = SERVICE_ACCOUNT.exec(bound ?? pattern ?? "");
  const claims = pattern === undefined ? claimsOf(entry) : {};
  const bearer = bound !== undefined && subject === null && claims ? { subject: bound, claims } : undefined;
  const networks = list("token_bound_cidrs");
  const unread = [
    ...(bearer === undefined && bound !== undefined && subject === null ? ["bound_subject"] : []),
    ...(bearer === undefined && (claims === undefined || Object.keys(claims).length > 0)
      ? ["bound_claims", "bound_claims_type"]
      : []),
  ];
  return {
    name: textOf(entry.role_name) ?? "",
    mount: textOf(entry.backend) ?? "",
    ...(bearer
      ? { serviceAccounts: [], namespaces: [], bearer }
      : {
          serviceAccounts: subject ? [subject[2] ?? ""] : orAny(list("bound_service_account_names")),
          namespaces: subject ? [subject[1] ?? ""] : orAny(list("bound_service_account_namespaces")),
        }),
    audiences: [...list("audience"), ...list("bound_audiences")],
    ...(networks.length > 0 ? { networks } : {}),
    policies: [...list("token_policies"), ...(entry.token_no_default_policy === true ? [] : ["default"])],
    others: [...UNREAD, ...unread].flatMap((name) =>
      entry[name] === undefined ? [] : [`${name} ${JSON.stringify(entry[name])}`],
    ),
  };
}

const orAny = (names: readonly string[]): readonly string[] => (names.length === 0 ? ["*"] : names);

const aclPolicyOf = (entry: Attributes): EnvironmentVaultPolicy => ({
  name: textOf(entry.name) ?? "",
  rules: rulesOf(textOf(entry.policy) ?? ""),
});

const RULE = /^path "([^"]*)" \{\n((?: {2}[^\n]*\n)*)\}\n?$/;

/** Rules of a policy in the form that this program writes; `undefined`: it is in another. */
function rulesOf(text: string): readonly VaultAclRule[] | undefined {
  const rules = text
    .split(/\n(?=path ")/)
    .map((block) => RULE.exec(`${block.trim()}\n`))
    .map((block) => {
      const [, path = "", lines = ""] = block ?? [];
      const capabilities = /^ {2}capabilities = \[([^\]]*)\]\n/.exec(lines);
      if (block === null || capabilities === null) return undefined;
      const constraints = lines.slice(capabilities[0].length);
      return {
        path,
        capabilities: [...(capabilities[1] ?? "").matchAll(/"([^"]*)"/g)].map(([, name = ""]) => name),
        ...(constraints === "" ? {} : { constraints }),
      };
    });
  return rules.every((rule) => rule !== undefined) ? rules : undefined;
}
