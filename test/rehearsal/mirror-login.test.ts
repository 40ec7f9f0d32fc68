import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import type { VaultCall } from "../../packages/rehearsal/src/load";
import {
  type OpenBao,
  type Postgres,
  ServerGroup,
  startOpenBao,
  startPostgres,
} from "../../packages/rehearsal/src/servers";
import { callWith, isRefusal } from "./rehearsed-environment";
import {
  AwsIssuer,
  type AwsTokenClaims,
  type RehearsedVault,
  rehearseVault,
  vaultDraft,
} from "./rehearsed-vault";

let group: ServerGroup;
let postgres: Postgres;
let vault: RehearsedVault;

beforeAll(async () => {
  group = ServerGroup.open();
  postgres = await startPostgres({ group });
  vault = await rehearseVault(group, postgres);
}, 120_000);

afterAll(() => group?.stop(), 60_000);

async function login(claims: Partial<AwsTokenClaims> = {}, issuer: AwsIssuer = vault.awsIssuer) {
  const { authMount, role, subject, audience } = vault.mirror;
  const jwt = issuer.token({ subject, audience, ...claims });
  const { auth } = await vault.server.call("POST", `auth/${authMount}/login`, {
    token: null,
    body: { role, jwt },
  });
  if (!auth) throw new Error("no token");
  return auth;
}

const asMirror = async (): Promise<VaultCall> => callWith(vault.server, (await login()).client_token);

async function outcome(call: () => Promise<unknown>): Promise<"allowed" | "refused"> {
  try {
    await call();
    return "allowed";
  } catch (error) {
    if (isRefusal(error)) return "refused";
    throw error;
  }
}

test("AWS's token for the mirror's role gives a short-lived token with the mirror's policy and no other", async () => {
  const auth = await login();
  expect(auth.token_policies).toEqual(["acme-dev--mirror"]);
  expect(auth.lease_duration).toBe(900);
  const self = callWith(vault.server, auth.client_token);
  expect(await outcome(() => self("GET", "auth/token/lookup-self"))).toBe("refused");
});

test.each<{ what: string; claims?: Partial<AwsTokenClaims>; issuer?: () => Promise<AwsIssuer> }>([
  { what: "another role of the account", claims: { subject: "arn:aws:iam::111122223333:role/other" } },
  {
    what: "a role whose name goes on",
    claims: { subject: "arn:aws:iam::111122223333:role/acme/dev/acme-dev--mirror-2" },
  },
  {
    what: "the same role without its path",
    claims: { subject: "arn:aws:iam::111122223333:role/acme-dev--mirror" },
  },
  {
    what: "the role of another account",
    claims: { subject: "arn:aws:iam::444455556666:role/acme/dev/acme-dev--mirror" },
  },
  { what: "another service", claims: { audience: "sts.amazonaws.com" } },
  { what: "another environment's mirror", claims: { audience: "vault-mirror-prod.main" } },
  { what: "another Vault of this environment", claims: { audience: "vault-mirror-dev.other" } },
  {
    what: "another function with the mirror's role",
    claims: { functionArn: "arn:aws:lambda:eu-central-1:111122223333:function:evil" },
  },
  { what: "a session of the mirror's role that no function has", claims: { functionArn: undefined } },
  {
    what: "who acts on the mirror's behalf, and has its subject",
    claims: { principal: "arn:aws:iam::111122223333:role/evil" },
  },
  {
    what: "another issuer that signs with the same key",
    claims: { issuer: "https://prod.tokens.sts.global.api.aws" },
  },
  { what: "yesterday", claims: { lifeSeconds: -3_600 } },
  { what: "another key", issuer: () => AwsIssuer.create(vault.mirror.issuer) },
  { what: "another algorithm", issuer: () => AwsIssuer.create(vault.mirror.issuer, "RS256") },
])("a token of $what is refused", async ({ claims, issuer }) => {
  await expect(login(claims, await issuer?.())).rejects.toMatchObject({ status: 400 });
  await expect(login()).resolves.toHaveProperty("client_token");
});

test("a pod's token does not log in as the mirror, and the mirror's not as a pod", async () => {
  const [role] = vault.plan.roles;
  if (!role) throw new Error("no role");
  const pod = vault.issuer.token({ ...role, audience: vault.mirror.audience });
  const { authMount, role: mirror, subject } = vault.mirror;
  await expect(
    vault.server.call("POST", `auth/${authMount}/login`, { token: null, body: { role: mirror, jwt: pod } }),
  ).rejects.toMatchObject({ status: 400 });
  const jwt = vault.awsIssuer.token({ subject, audience: role.audience });
  await expect(
    vault.server.call("POST", `auth/${role.mount}/login`, { token: null, body: { role: role.name, jwt } }),
  ).rejects.toMatchObject({ name: "OpenBaoRefusal" });
});

test("it writes and reads exactly the copies, by check-and-set", async () => {
  const call = await asMirror();
  const mirrored = vault.blueprint.secrets.filter(
    ({ store, consumers }) => store === "aws" && consumers.length > 0,
  );
  expect(mirrored.map(({ key }) => key)).toEqual(["crypto/webhook", "db/app", "payments/stripe"]);
  for (const { vaultPath } of mirrored) {
    // Nothing there yet is an answer, not a refusal.
    await expect(call("GET", vaultPath)).rejects.toMatchObject({ status: 404 });
    for (const cas of [0, 1, 2]) await call("POST", vaultPath, { options: { cas }, data: { turn: cas } });
    expect(await call("GET", vaultPath)).toMatchObject({ data: { turn: 2 }, metadata: { version: 3 } });
    expect(await call("GET", `${vaultPath}?version=2`)).toMatchObject({ data: { turn: 1 } });
    await expect(
      call("POST", vaultPath, { options: { cas: 1 }, data: { turn: "late" } }),
    ).rejects.toMatchObject({ status: 400 });
    await expect(call("POST", vaultPath, { data: { turn: "unconditional" } })).rejects.toMatchObject({
      status: 400,
    });
  }
});

test("it may do nothing else", async () => {
  const call = await asMirror();
  const root = callWith(vault.server, vault.server.rootToken);
  const data = { options: { cas: 0 }, data: { probe: "x" } };
  await root("POST", "kv-dev/data/other", data);
  const tries: [string, string, string, object?][] = [];
  for (const { vaultPath } of vault.blueprint.secrets.filter(({ store }) => store === "aws")) {
    const metadata = vaultPath.replace("/data/", "/metadata/");
    tries.push(
      ["DELETE", vaultPath, "the latest version"],
      ["GET", metadata, "metadata"],
      ["POST", metadata, "metadata", { cas_required: false }],
      ["DELETE", metadata, "all versions"],
      ["POST", vaultPath.replace("/data/", "/destroy/"), "old versions", { versions: [1] }],
      ["POST", vaultPath.replace("/data/", "/undelete/"), "deleted versions", { versions: [1] }],
      ["LIST", metadata, "names below"],
      ["POST", `${vaultPath}/more`, "a path that goes on", data],
      ["GET", `${vaultPath}-2`, "a name that goes on"],
    );
  }
  // The admin secret has no consumer, so nobody reads it in Vault.
  tries.push(
    ["POST", "kv-dev/data/admin/db", "a secret without consumers", data],
    ["GET", "kv-dev/data/other", "a path of nobody's"],
    ["POST", "kv-dev/config", "the mount", { cas_required: false }],
    ["LIST", "kv-dev/metadata", "names"],
    ["POST", "kv-prod/data/db/app", "another environment", data],
    ["GET", "sys/mounts", "mounts"],
    ["PUT", "sys/policies/acl/acme-dev--mirror", "its own policy", { policy: "" }],
    ["POST", `auth/${vault.mirror.authMount}/role/${vault.mirror.role}`, "its own role", {}],
    ["POST", "auth/token/create", "tokens", {}],
  );
  for (const { mount, connections, roles } of vault.plan.databases) {
    for (const { name } of connections) {
      tries.push(
        ["GET", `${mount}/config/${name}`, "a connection"],
        ["POST", `${mount}/config/${name}`, "a connection", {}],
        ["DELETE", `${mount}/config/${name}`, "a connection"],
        ["POST", `${mount}/reset/${name}`, "a connection"],
        ["POST", `${mount}/rotate-root/${name}-2`, "another connection"],
      );
    }
    for (const { name } of roles) {
      tries.push(
        ["GET", `${mount}/creds/${name}`, "a user"],
        ["GET", `${mount}/static-creds/${name}`, "a user"],
        ["POST", `${mount}/rotate-role/${name}`, "a static login"],
        ["DELETE", `${mount}/roles/${name}`, "a role"],
      );
    }
  }
  const allowed: string[] = [];
  for (const [method, path, what, body] of tries) {
    if ((await outcome(() => call(method as "GET", path, body))) === "allowed")
      allowed.push(`${method} ${path}: ${what}`);
  }
  process.stdout.write(`mirror's policy: ${tries.length} calls refused\n`);
  expect(allowed).toEqual([]);
});

test("each line of its policy is needed: without it, what the mirror does is refused", async () => {
  const root = callWith(vault.server, vault.server.rootToken);
  const { policy } = vault.mirror;
  const path = "kv-dev/data/db/app";
  const write = async (call: VaultCall): Promise<void> => {
    await root("DELETE", path.replace("/data/", "/metadata/"));
    await call("GET", path).catch((error: { status?: number }) => {
      if (error.status !== 404) throw error;
    });
    for (const cas of [0, 1]) await call("POST", path, { options: { cas }, data: { turn: cas } });
  };
  const rotate = (call: VaultCall): Promise<unknown> => call("POST", "database-dev/rotate-root/db--ro");
  const cases = policy.rules
    .filter((rule) => rule.path === path || rule.path === "database-dev/rotate-root/db--ro")
    .flatMap((rule) => rule.capabilities.map((capability) => ({ path: rule.path, capability })));
  expect(cases).toHaveLength(4);
  for (const left of cases) {
    const text = policy.rules
      .map((rule) => ({
        path: rule.path,
        capabilities: rule.capabilities.filter(
          (capability) => rule.path !== left.path || capability !== left.capability,
        ),
      }))
      .filter(({ capabilities }) => capabilities.length > 0)
      .map((rule) => `path "${rule.path}" { capabilities = ${JSON.stringify(rule.capabilities)} }`)
      .join("\n");
    await root("PUT", `sys/policies/acl/${policy.name}`, { policy: text });
    const call = await asMirror();
    expect([left, await outcome(() => (left.path === path ? write(call) : rotate(call)))]).toEqual([
      left,
      "refused",
    ]);
  }
  await root("PUT", `sys/policies/acl/${policy.name}`, { policy: policy.text });
  const call = await asMirror();
  await write(call);
  await rotate(call);
}, 30_000);

test("a hostile Vault cannot pass the mirror's token on to another Vault of the environment", async () => {
  const definition = vaultDraft();
  // One login cannot be two Vaults'.
  delete definition.secrets["db/legacy"];
  const [first] = definition.environments.dev.vaults;
  definition.environments.dev.vaults.push({
    ...first,
    name: "hostile",
    address: "https://hostile.example.com",
  });
  const plans = blueprint(defineRegistry(definition) as Registry, "dev").vaults;
  const [hostile, main] = ["hostile", first.name].map(
    (name) => plans.find((plan) => plan.name === name)?.mirror,
  );
  if (!hostile || !main) throw new Error("a Vault without a mirror");
  expect(main.audience).toBe(vault.mirror.audience);
  // Every token that the mirror gives a Vault is for that Vault.
  const given = vault.awsIssuer.token({ subject: hostile.subject, audience: hostile.audience });
  const other = await startOpenBao({ group });
  const logIn = (server: OpenBao, jwt: string) =>
    server.call("POST", `auth/${main.authMount}/login`, { token: null, body: { role: main.role, jwt } });
  await expect(logIn(vault.server, given)).rejects.toMatchObject({ status: 400 });
  // The hostile one itself takes it, so it is a good token.
  const root = callWith(other, other.rootToken);
  await root("POST", `sys/auth/${hostile.authMount}`, { type: "jwt" });
  await root("POST", `auth/${hostile.authMount}/config`, {
    bound_issuer: hostile.issuer,
    jwt_validation_pubkeys: [vault.awsIssuer.publicKeyPem],
  });
  await root("POST", `auth/${hostile.authMount}/role/${hostile.role}`, {
    role_type: "jwt",
    bound_audiences: [hostile.audience],
    bound_subject: hostile.subject,
    bound_claims: hostile.boundClaims,
    user_claim: "sub",
  });
  await expect(logIn(other, given)).resolves.toHaveProperty("auth.client_token");
}, 60_000);
