import type { VaultParameters, VaultRule } from "../platform/vault-policy";
import type { DatabaseConnectionPlan, DatabaseRolePlan } from "./database-plan";
import type { MirrorLoginPlan } from "./mirror-login";
import type { VaultAuthPlan, VaultPlan, VaultRolePlan } from "./vault-server-plan";

/** Input of the deployer's policy: all else of the same Vault. */
export type DeployedVault = Omit<VaultPlan, "deployer">;

const WRITE = ["create", "read", "update", "delete"] as const;

/** Parameters that are not named are free. */
const OTHERS = { "*": [] } as const;
/** No value of a parameter is taken. */
const NEVER = [] as const;

/**
 * Rights that Terraform needs to deploy, change and destroy this environment's part of a Vault, and no path under which a value
 * lies: neither `data/` of KV nor `creds/` and `static-creds/` of an engine, nor its own policy. Each line was left out once and
 * missed, with Terraform's provider against OpenBao.
 *
 * With `deployerBound: "contents"` a path takes what the registry says and nothing else: the exact text of a policy, the policies
 * and subjects of a role, addresses, statements. Whoever holds the deployer's token can then put this environment as the registry
 * has it, or take it away, and cannot reach what others have in the same Vault.
 *
 * Vault compares a parameter as a whole, by the rules of https://developer.hashicorp.com/vault/docs/concepts/policies#parameter-constraints.
 * Numbers never compare equal, so times are free. `required_parameters` are asked of a read as well, which sends none, so a
 * parameter can be left out; ADR 6 says what that leaves open.
 */
export function deployerRules(vault: DeployedVault): readonly VaultRule[] {
  const rules = [
    // The provider works with a short-lived child token of its own.
    { path: "auth/token/create", capabilities: ["update"] } satisfies VaultRule,
    ...mountRules(vault),
    ...vault.roles.map(workloadRoleRule),
    ...(vault.mirror ? [mirrorRoleRule(vault.mirror)] : []),
    ...vault.databases.flatMap(({ mount, roles }) => roles.map((role) => databaseRoleRule(mount, role))),
    ...[...vault.policies, ...(vault.mirror ? [vault.mirror.policy] : [])].map(
      ({ name, text }): VaultRule => ({
        path: `sys/policies/acl/${name}`,
        // Vault asks of policies no right to create.
        capabilities: ["read", "update", "delete"],
        allowed: { policy: [text] },
      }),
    ),
  ];
  return vault.deployerBound === "contents"
    ? rules
    : rules.map(({ path, capabilities }) => ({ path, capabilities }));
}

function mountRules({ kv, auths, databases, mirror }: DeployedVault): readonly VaultRule[] {
  return [
    ...engineRules(kv.mount, "kv"),
    { path: `${kv.mount}/config`, capabilities: ["read", "update"] },
    ...auths.flatMap((auth) => authRules(auth.mount, auth.method, loginSettings(auth))),
    ...(mirror ? authRules(mirror.authMount, "jwt", mirrorSettings(mirror)) : []),
    ...databases.flatMap(({ mount, connections }): VaultRule[] => [
      ...engineRules(mount, "database"),
      ...connections.map((connection) => connectionRule(mount, connection)),
    ]),
  ];
}

const engineRules = (mount: string, type: string): readonly VaultRule[] => [
  {
    path: `sys/mounts/${mount}`,
    capabilities: ["read", "update", "delete"],
    allowed: { type: [type], ...OTHERS },
  },
  { path: `sys/mounts/${mount}/tune`, capabilities: ["update"] },
];

const authRules = (mount: string, type: string, settings: Settings): readonly VaultRule[] => [
  {
    path: `sys/auth/${mount}`,
    capabilities: ["update", "delete", "sudo"],
    allowed: { type: [type], ...OTHERS },
  },
  { path: `sys/mounts/auth/${mount}`, capabilities: ["read"] },
  { path: `sys/mounts/auth/${mount}/tune`, capabilities: ["read"] },
  { path: `auth/${mount}/config`, capabilities: ["read", "update"], ...settings },
];

type Settings = Pick<VaultRule, "allowed" | "denied">;

/** Settings that would have Vault believe other tokens: whoever could change it could log in as any workload. */
const loginSettings = (auth: VaultAuthPlan): Settings =>
  auth.method === "jwt"
    ? jwtSettings(auth.issuer, auth.issuerKeys, auth.issuerCaPem)
    : {
        allowed: {
          kubernetes_host: [auth.apiServer],
          ...(auth.caPem ? { kubernetes_ca_cert: [auth.caPem] } : {}),
          pem_keys: [""],
          ...OTHERS,
        },
        ...(auth.caPem ? {} : { denied: { kubernetes_ca_cert: NEVER } }),
      };

const mirrorSettings = ({ issuer, signingAlgorithm }: MirrorLoginPlan): Settings => {
  const { allowed, ...rest } = jwtSettings(issuer, undefined, undefined);
  return { ...rest, allowed: { jwt_supported_algs: [[signingAlgorithm]], ...allowed } };
};

/** Terraform's provider sends what it has read back, so empty settings come along with a change. */
function jwtSettings(
  issuer: string,
  keys: readonly string[] | undefined,
  caPem: string | undefined,
): { readonly allowed: VaultParameters } {
  return {
    allowed: {
      bound_issuer: [issuer],
      oidc_discovery_url: [keys ? "" : issuer],
      oidc_discovery_ca_pem: [keys ? "" : (caPem ?? "")],
      jwt_validation_pubkeys: [keys ?? []],
      jwks_url: [""],
      jwks_ca_pem: [""],
      jwks_pairs: [[]],
      oidc_client_id: [""],
      ...OTHERS,
    },
  };
}

/** A role gives a token its policies: these, to these pods. The older name of `token_policies` and endless tokens are denied. */
const ROLE_NEVER = { policies: NEVER, token_period: NEVER, period: NEVER } as const;

function workloadRoleRule(role: VaultRolePlan): VaultRule {
  const tokens = {
    token_policies: [role.policies],
    token_no_default_policy: [true],
    token_type: ["default"],
    ...(role.boundCidrs ? { token_bound_cidrs: [role.boundCidrs] } : {}),
  };
  const path = `auth/${role.mount}/role/${role.name}`;
  const { audience, namespace, serviceAccount } = role;
  return role.method === "jwt"
    ? {
        path,
        capabilities: WRITE,
        ...jwtRole(tokens, audience, `system:serviceaccount:${namespace}:${serviceAccount}`),
      }
    : {
        path,
        capabilities: WRITE,
        denied: ROLE_NEVER,
        allowed: {
          ...tokens,
          bound_service_account_names: [[serviceAccount]],
          bound_service_account_namespaces: [[namespace]],
          bound_service_account_namespace_selector: [""],
          audience: [audience],
          alias_name_source: ["serviceaccount_uid"],
          ...OTHERS,
        },
      };
}

const mirrorRoleRule = ({ authMount, role, policy, audience, subject }: MirrorLoginPlan): VaultRule => ({
  path: `auth/${authMount}/role/${role}`,
  capabilities: WRITE,
  ...jwtRole(
    { token_policies: [[policy.name]], token_no_default_policy: [true], token_type: ["default"] },
    audience,
    subject,
  ),
});

/** `bound_claims` is an object, which compares with nothing; it can only narrow a role. */
const jwtRole = (tokens: VaultParameters, audience: string, subject: string): Settings => ({
  // An empty text is in every list of allowed ones, by Vault's way of taking texts for lists; an empty subject binds nobody.
  denied: { ...ROLE_NEVER, bound_subject: [""] },
  allowed: {
    ...tokens,
    role_type: ["jwt"],
    bound_audiences: [[audience]],
    bound_subject: [subject],
    user_claim: ["sub"],
    groups_claim: [""],
    ...OTHERS,
  },
});

/** An address of somebody else's would receive the password; statements run as the connection's login. */
function connectionRule(mount: string, connection: DatabaseConnectionPlan): VaultRule {
  const { name, plugin, url, caPem, username, usernameTemplate, passwordAuthentication, allowedRoles } =
    connection;
  return {
    path: `${mount}/config/${name}`,
    capabilities: WRITE,
    denied: {
      root_rotation_statements: NEVER,
      ...(caPem ? {} : { tls_ca: NEVER }),
      tls_certificate: NEVER,
      private_key: NEVER,
    },
    allowed: {
      plugin_name: [plugin],
      connection_url: [url],
      ...(caPem ? { tls_ca: [caPem] } : {}),
      username: [username],
      username_template: [usernameTemplate],
      password_authentication: [passwordAuthentication],
      allowed_roles: [allowedRoles.join(","), allowedRoles],
      ...OTHERS,
    },
  };
}

function databaseRoleRule(mount: string, role: DatabaseRolePlan): VaultRule {
  return role.login === "static"
    ? {
        path: `${mount}/static-roles/${role.name}`,
        capabilities: WRITE,
        denied: { password: NEVER, self_managed_password: NEVER },
        allowed: {
          db_name: [role.connection],
          username: [role.username],
          rotation_statements: [[]],
          ...OTHERS,
        },
      }
    : {
        path: `${mount}/roles/${role.name}`,
        capabilities: WRITE,
        denied: { rollback_statements: NEVER },
        allowed: {
          db_name: [role.connection],
          creation_statements: [role.creationStatements],
          renew_statements: [role.renewStatements],
          revocation_statements: [role.revocationStatements],
          ...OTHERS,
        },
      };
}
