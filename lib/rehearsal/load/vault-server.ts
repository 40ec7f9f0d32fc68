import type { VaultAuthPlan, VaultPlan, VaultRolePlan } from "../../blueprint";

/** Calls a Vault API with a token of its own. The path comes after `/v1/`. */
export type VaultCall = (
  method: "GET" | "POST" | "PUT" | "DELETE" | "LIST",
  path: string,
  body?: object,
) => Promise<unknown>;

/** Where a cluster's API server and keys really are, in a rehearsal. */
export interface RehearsedCluster {
  readonly apiServer: string;
  readonly caPem?: string;
  /** Token of a ServiceAccount that may review others: what Vault has by itself when it runs in the cluster. */
  readonly reviewerToken: string;
  readonly jwksUrl: string;
}

/** Loads one Vault of a blueprint: the same calls that Terraform's provider makes for the constructs. */
export async function loadVaultServer(
  call: VaultCall,
  plan: VaultPlan,
  clusters: Readonly<Record<string, RehearsedCluster>>,
): Promise<void> {
  for (const policy of [plan.deployer, ...plan.policies]) {
    await call("PUT", `sys/policies/acl/${policy.name}`, { policy: policy.text });
  }
  if (plan.manage === "create") {
    const { mount, maxVersions, casRequired } = plan.kv;
    await call("POST", `sys/mounts/${mount}`, { type: "kv", options: { version: "2" } });
    await call("POST", `${mount}/config`, { max_versions: maxVersions, cas_required: casRequired });
    for (const auth of plan.auths) {
      const cluster = clusters[auth.cluster];
      if (!cluster) throw new Error(`the rehearsal has no cluster ${auth.cluster}`);
      await loadAuth(call, auth, cluster);
    }
  }
  for (const role of plan.roles) await call("POST", `auth/${role.mount}/role/${role.name}`, roleBody(role));
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
    token_ttl: role.tokenTtl.seconds,
    token_max_ttl: role.tokenMaxTtl.seconds,
  };
  return role.method === "jwt"
    ? {
        ...common,
        role_type: "jwt",
        bound_audiences: [role.audience],
        bound_subject: `system:serviceaccount:${role.namespace}:${role.serviceAccount}`,
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
