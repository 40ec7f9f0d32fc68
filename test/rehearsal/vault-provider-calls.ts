import type {
  DatabasePlan,
  MirrorLoginPlan,
  VaultAuthPlan,
  VaultPlan,
  VaultRolePlan,
} from "../../lib/blueprint";
import { type RehearsedDatabase, rehearsedUrl, type VaultCall } from "../../packages/rehearsal/src/load";

/**
 * The calls of Terraform's Vault provider for the resources that the constructs make, with the bodies that it sends, by its source:
 * https://github.com/hashicorp/terraform-provider-vault/tree/main/vault (`resource_mount.go`, `resource_auth_backend.go`,
 * `resource_jwt_auth_backend*.go`, `resource_kubernetes_auth_backend_*.go`, `resource_database_secret_backend_*.go`,
 * `resource_policy.go`, `auth_token.go`). For where the provider cannot be had.
 */
export interface ProvidedVault {
  readonly plan: VaultPlan;
  readonly issuer: { readonly url: string; readonly caPem: string };
  readonly databases: Readonly<Record<string, RehearsedDatabase>>;
}

interface ProviderResource {
  create(call: VaultCall): Promise<unknown>;
  read(call: VaultCall): Promise<unknown>;
  /** A change in place, of what it may change. */
  update?(call: VaultCall): Promise<unknown>;
  delete?(call: VaultCall): Promise<unknown>;
}

/** The provider works with a short-lived child of the token that it is given. */
export const CHILD_TOKEN = {
  display_name: "terraform",
  ttl: "1200s",
  explicit_max_ttl: "1200s",
  renewable: false,
};

/** The resources of a Vault in an order in which Terraform can make them. */
export function providerResources({ plan, issuer, databases }: ProvidedVault): readonly ProviderResource[] {
  const { kv, auths, roles, mirror } = plan;
  return [
    mount(kv.mount, "kv", { version: "2" }),
    settings(`${kv.mount}/config`, {
      max_versions: kv.maxVersions,
      cas_required: kv.casRequired,
      delete_version_after: "0s",
    }),
    ...auths.flatMap((auth) => authBackend(auth, issuer)),
    ...[...plan.policies, ...(mirror ? [mirror.policy] : [])].map(({ name, text }): ProviderResource => {
      const path = `sys/policies/acl/${name}`;
      const write = (call: VaultCall) => call("PUT", path, { policy: text });
      return {
        create: write,
        update: write,
        read: (call) => call("GET", path),
        delete: (call) => call("DELETE", path),
      };
    }),
    ...(mirror ? mirrorBackend(mirror, issuer) : []),
    ...roles.map(loginRole),
    ...plan.databases.flatMap((engine) => database(engine, databases)),
  ];
}

const MOUNT_CONFIG = { default_lease_ttl: "0s", max_lease_ttl: "0s", force_no_cache: false };

function mount(path: string, type: string, options: object | null): ProviderResource {
  const at = `sys/mounts/${path}`;
  return {
    create: (call) =>
      call("POST", at, {
        type,
        description: "made",
        config: { ...MOUNT_CONFIG, options: null },
        local: false,
        seal_wrap: false,
        external_entropy_access: false,
        options,
      }),
    read: (call) => call("GET", at),
    update: (call) => call("POST", `${at}/tune`, { ...MOUNT_CONFIG, options, description: "changed" }),
    delete: (call) => call("DELETE", at),
  };
}

const settings = (path: string, body: object, changed: object = body): ProviderResource => ({
  create: (call) => call("POST", path, body),
  read: (call) => call("GET", path),
  update: (call) => call("POST", path, changed),
});

const auth = (path: string, type: string): ProviderResource => ({
  create: (call) =>
    call("POST", `sys/auth/${path}`, {
      type,
      description: "made",
      config: { options: null, default_lease_ttl: "", max_lease_ttl: "", force_no_cache: false },
      local: false,
      options: null,
    }),
  read: async (call) => {
    await call("GET", `sys/mounts/auth/${path}`);
    await call("GET", `sys/mounts/auth/${path}/tune`);
  },
  delete: (call) => call("DELETE", `sys/auth/${path}`),
});

function authBackend(plan: VaultAuthPlan, issuer: ProvidedVault["issuer"]): readonly ProviderResource[] {
  const config = `auth/${plan.mount}/config`;
  if (plan.method === "jwt")
    return [auth(plan.mount, "jwt"), settings(config, ...jwtBodies(plan.issuer, issuer, []))];
  const body = {
    kubernetes_host: plan.apiServer,
    ...(plan.caPem ? { kubernetes_ca_cert: plan.caPem } : {}),
    disable_iss_validation: true,
    use_annotations_as_alias_metadata: false,
  };
  return [auth(plan.mount, "kubernetes"), settings(config, body)];
}

/** Of a jwt backend: what is sent when it is made, and with a change, when it sends what it has read as well. */
function jwtBodies(
  boundIssuer: string,
  { url, caPem }: ProvidedVault["issuer"],
  algorithms: readonly string[],
): readonly [object, object] {
  const made = {
    bound_issuer: boundIssuer,
    oidc_discovery_url: url,
    oidc_discovery_ca_pem: caPem,
    ...(algorithms.length > 0 ? { jwt_supported_algs: algorithms } : {}),
  };
  return [
    made,
    {
      ...made,
      jwt_supported_algs: algorithms,
      default_role: "",
      jwks_ca_pem: "",
      jwks_url: "",
      jwt_validation_pubkeys: [],
      oidc_client_id: "",
      oidc_response_mode: "",
      oidc_response_types: [],
      provider_config: {},
      namespace_in_state: true,
    },
  ];
}

/** `auth_token.go`: with a change only what differs. */
const tokenFields = (policies: readonly string[], ttl: number, maxTtl: number) => ({
  token_policies: policies,
  token_max_ttl: maxTtl,
  token_no_default_policy: true,
  token_type: "default",
  token_ttl: ttl,
});

function jwtRole(
  path: string,
  tokens: object,
  audience: string,
  subject: string,
  claims: Readonly<Record<string, string>> = {},
): ProviderResource {
  const own = {
    bound_audiences: [audience],
    user_claim: "sub",
    user_claim_json_pointer: false,
    role_type: "jwt",
    bound_subject: subject,
    bound_claims: Object.fromEntries(Object.entries(claims).map(([claim, value]) => [claim, [value]])),
    clock_skew_leeway: 0,
    expiration_leeway: 0,
    not_before_leeway: 0,
    verbose_oidc_logging: false,
  };
  return {
    create: (call) => call("PUT", path, { ...tokens, ...own }),
    read: (call) => call("GET", path),
    update: (call) =>
      call("PUT", path, { token_ttl: 600, ...own, bound_claims_type: "string", groups_claim: "" }),
    delete: (call) => call("DELETE", path),
  };
}

function mirrorBackend(
  { authMount, issuer: boundIssuer, signingAlgorithm, ...plan }: MirrorLoginPlan,
  issuer: ProvidedVault["issuer"],
): readonly ProviderResource[] {
  const tokens = tokenFields([plan.policy.name], plan.tokenTtl.seconds, plan.tokenMaxTtl.seconds);
  return [
    auth(authMount, "jwt"),
    settings(`auth/${authMount}/config`, ...jwtBodies(boundIssuer, issuer, [signingAlgorithm])),
    jwtRole(`auth/${authMount}/role/${plan.role}`, tokens, plan.audience, plan.subject, plan.boundClaims),
  ];
}

function loginRole(plan: VaultRolePlan): ProviderResource {
  const path = `auth/${plan.mount}/role/${plan.name}`;
  const { namespace, serviceAccount, audience } = plan;
  const tokens = {
    ...tokenFields(plan.policies, plan.tokenTtl.seconds, plan.tokenMaxTtl.seconds),
    ...(plan.boundCidrs ? { token_bound_cidrs: plan.boundCidrs } : {}),
  };
  if (plan.method === "jwt")
    return jwtRole(path, tokens, audience, `system:serviceaccount:${namespace}:${serviceAccount}`);
  const own = {
    bound_service_account_names: [serviceAccount],
    bound_service_account_namespaces: [namespace],
    bound_service_account_namespace_selector: "",
  };
  return {
    create: (call) =>
      call("PUT", path, { ...tokens, ...own, audience, alias_name_source: "serviceaccount_uid" }),
    read: (call) => call("GET", path),
    update: (call) => call("PUT", path, { token_ttl: 600, ...own }),
    delete: (call) => call("DELETE", path),
  };
}

function database(engine: DatabasePlan, databases: ProvidedVault["databases"]): readonly ProviderResource[] {
  const at = (kind: string, name: string, body: object, changed: object): ProviderResource => {
    const path = `${engine.mount}/${kind}/${name}`;
    return {
      create: (call) => call("PUT", path, body),
      read: (call) => call("GET", path),
      update: (call) => call("PUT", path, changed),
      delete: (call) => call("DELETE", path),
    };
  };
  return [
    mount(engine.mount, "database", null),
    ...engine.connections.map((plan) => {
      const rehearsed = databases[plan.name];
      if (!rehearsed) throw new Error(`no database for ${plan.name}`);
      const body = {
        plugin_name: plan.plugin,
        connection_url: rehearsedUrl(plan.url, rehearsed),
        max_open_connections: 2,
        max_idle_connections: 0,
        max_connection_lifetime: "0s",
        username: plan.username,
        username_template: plan.usernameTemplate,
        password_authentication: plan.passwordAuthentication,
        disable_escaping: false,
        verify_connection: true,
        allowed_roles: plan.allowedRoles.join(","),
      };
      return at("config", plan.name, { ...body, password: rehearsed.password }, body);
    }),
    ...engine.roles.map((role) => {
      if (role.login === "static") {
        const body = {
          username: role.username,
          db_name: role.connection,
          rotation_statements: [],
          rotation_period: role.rotateEvery.seconds,
        };
        return at("static-roles", role.name, body, {
          ...body,
          rotation_period: role.rotateEvery.seconds + 5,
        });
      }
      const body = { db_name: role.connection, creation_statements: role.creationStatements };
      const whole = {
        ...body,
        renew_statements: role.renewStatements,
        revocation_statements: role.revocationStatements,
        default_ttl: role.ttl.seconds,
        max_ttl: role.maxTtl.seconds,
      };
      return at("roles", role.name, whole, { ...body, default_ttl: role.ttl.seconds - 1 });
    }),
  ];
}
