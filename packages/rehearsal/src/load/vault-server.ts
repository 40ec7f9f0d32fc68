import type {
  DatabaseConnectionPlan,
  DatabasePlan,
  DatabaseRolePlan,
  MirrorLoginPlan,
  VaultAuthPlan,
  VaultPlan,
  VaultRolePlan,
} from "../../../../lib/blueprint";
import { isNamespacePattern } from "../../../../lib/model/namespace-patterns";
import { subjectOf } from "../../../../lib/model/service-account";
import { type RehearsedDatabase, rehearsedUrl } from "./database-server";

/** Calls a Vault API with a token of its own. The path comes after `/v1/`. */
export type VaultCall = (
  method: "GET" | "POST" | "PUT" | "DELETE" | "LIST",
  path: string,
  body?: object,
) => Promise<unknown>;

/** Real address of a cluster's API server, and its keys, in a rehearsal. */
export interface RehearsedCluster {
  readonly apiServer: string;
  readonly caPem?: string;
  /** Token of a ServiceAccount that may review others: what Vault has by itself when it runs in the cluster. */
  readonly reviewerToken: string;
  readonly jwksUrl: string;
}

/** Surroundings of a Vault in a rehearsal. What is left out is not loaded. */
export interface VaultSurroundings {
  /** Public keys in PEM of the issuer by which AWS vouches for its roles. @default no mirror logs in */
  readonly awsTokenKeys?: readonly string[];
  /** By the connection's name. @default no database engine */
  readonly databases?: Readonly<Record<string, RehearsedDatabase>>;
}

/** Loads one Vault of a blueprint: the same calls that Terraform's provider makes for the constructs. */
export async function loadVaultServer(
  call: VaultCall,
  plan: VaultPlan,
  clusters: Readonly<Record<string, RehearsedCluster>>,
  { awsTokenKeys, databases }: VaultSurroundings = {},
): Promise<void> {
  for (const policy of plan.policies) {
    await call("PUT", `sys/policies/acl/${policy.name}`, { policy: policy.text });
  }
  const { mount, maxVersions, casRequired } = plan.kv;
  await call("POST", `sys/mounts/${mount}`, { type: "kv", options: { version: "2" } });
  await call("POST", `${mount}/config`, { max_versions: maxVersions, cas_required: casRequired });
  for (const auth of plan.auths) {
    const cluster = clusters[auth.cluster];
    if (!cluster) throw new Error(`the rehearsal has no cluster ${auth.cluster}`);
    await loadAuth(call, auth, cluster);
  }
  for (const role of plan.roles) await call("POST", `auth/${role.mount}/role/${role.name}`, roleBody(role));
  if (databases) {
    for (const database of plan.databases) await loadDatabase(call, database, databases);
  }
  if (plan.mirror && awsTokenKeys) await loadMirror(call, plan.mirror, awsTokenKeys);
}

async function loadDatabase(
  call: VaultCall,
  { mount, connections, roles }: DatabasePlan,
  databases: Readonly<Record<string, RehearsedDatabase>>,
): Promise<void> {
  await call("POST", `sys/mounts/${mount}`, { type: "database" });
  for (const connection of connections) {
    const database = databases[connection.name];
    if (!database) throw new Error(`the rehearsal has no database for ${connection.name}`);
    await call("POST", `${mount}/config/${connection.name}`, connectionBody(connection, database));
  }
  for (const role of roles) {
    const kind = role.login === "static" ? "static-roles" : "roles";
    await call("POST", `${mount}/${kind}/${role.name}`, databaseRoleBody(role));
  }
}

function connectionBody(
  { plugin, url, username, usernameTemplate, passwordAuthentication, allowedRoles }: DatabaseConnectionPlan,
  database: RehearsedDatabase,
): object {
  return {
    plugin_name: plugin,
    connection_url: rehearsedUrl(url, database),
    username,
    password: database.password,
    username_template: usernameTemplate,
    password_authentication: passwordAuthentication,
    allowed_roles: allowedRoles,
    verify_connection: true,
  };
}

const databaseRoleBody = (role: DatabaseRolePlan): object =>
  role.login === "static"
    ? { db_name: role.connection, username: role.username, rotation_period: role.rotateEvery.seconds }
    : {
        db_name: role.connection,
        creation_statements: role.creationStatements,
        renew_statements: role.renewStatements,
        revocation_statements: role.revocationStatements,
        default_ttl: role.ttl.seconds,
        max_ttl: role.maxTtl.seconds,
      };

async function loadMirror(
  call: VaultCall,
  mirror: MirrorLoginPlan,
  awsTokenKeys: readonly string[],
): Promise<void> {
  const { authMount, issuer, signingAlgorithm, policy } = mirror;
  await call("PUT", `sys/policies/acl/${policy.name}`, { policy: policy.text });
  await call("POST", `sys/auth/${authMount}`, { type: "jwt" });
  // AWS publishes its keys; a rehearsal has no issuer that the world knows.
  await call("POST", `auth/${authMount}/config`, {
    bound_issuer: issuer,
    jwt_validation_pubkeys: awsTokenKeys,
    jwt_supported_algs: [signingAlgorithm],
  });
  await loadMirrorRole(call, mirror);
}

/** The auth role of the mirror: what changes in a Vault when its function runs in another region. */
export async function loadMirrorRole(call: VaultCall, mirror: MirrorLoginPlan): Promise<void> {
  const { authMount, role, audience, subject, boundClaims, policy } = mirror;
  await call("POST", `auth/${authMount}/role/${role}`, {
    role_type: "jwt",
    bound_audiences: [audience],
    bound_subject: subject,
    bound_claims: boundClaims,
    user_claim: "sub",
    token_policies: [policy.name],
    token_no_default_policy: true,
    token_ttl: mirror.tokenTtl.seconds,
    token_max_ttl: mirror.tokenMaxTtl.seconds,
  });
}

async function loadAuth(call: VaultCall, auth: VaultAuthPlan, cluster: RehearsedCluster): Promise<void> {
  await call("POST", `sys/auth/${auth.mount}`, { type: auth.method });
  const ca =
    cluster.caPem === undefined
      ? {}
      : { [auth.method === "jwt" ? "jwks_ca_pem" : "kubernetes_ca_cert"]: cluster.caPem };
  const settings =
    auth.method === "jwt"
      ? { bound_issuer: auth.issuer, jwks_url: cluster.jwksUrl }
      : {
          kubernetes_host: cluster.apiServer,
          disable_iss_validation: true,
          token_reviewer_jwt: cluster.reviewerToken,
        };
  await call("POST", `auth/${auth.mount}/config`, { ...settings, ...ca });
}

function roleBody(role: VaultRolePlan): object {
  const common = {
    token_policies: role.policies,
    token_no_default_policy: true,
    token_ttl: role.tokenTtl.seconds,
    token_max_ttl: role.tokenMaxTtl.seconds,
    ...(role.boundCidrs ? { token_bound_cidrs: role.boundCidrs } : {}),
  };
  return role.method === "jwt"
    ? {
        ...common,
        role_type: "jwt",
        bound_audiences: [role.audience],
        ...(isNamespacePattern(role.namespace)
          ? { bound_claims_type: "glob", bound_claims: { sub: subjectOf(role) } }
          : { bound_subject: subjectOf(role) }),
        user_claim: "sub",
      }
    : {
        ...common,
        bound_service_account_names: [role.serviceAccount],
        bound_service_account_namespaces: [role.namespace],
        audience: role.audience,
        alias_name_source: "serviceaccount_uid",
      };
}
