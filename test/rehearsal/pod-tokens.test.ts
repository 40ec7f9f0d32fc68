import { blueprint } from "../../lib/blueprint";
import { defineRegistry, hours, type Registry } from "../../lib/model";
import { loadVaultServer } from "../../packages/rehearsal/src/load";
import {
  type ClusterIssuer,
  type OpenBao,
  ServerGroup,
  startClusterIssuer,
  startOpenBao,
} from "../../packages/rehearsal/src/servers";
import { draft } from "../model/sample";
import { callWith } from "./rehearsed-environment";

/** Vault tokens of pods, with the settings that keep them short and at home. */
let group: ServerGroup;
let issuer: ClusterIssuer;
let vault: OpenBao;

const HERE = ["127.0.0.0/8", "::1/128"];
const ELSEWHERE = ["10.0.0.0/8"];

/** The environment's part of the Vault, for pods of these networks. */
function planWith(podCidrs: readonly string[], vaultAuth: "kubernetes" | "jwt") {
  const definition = draft();
  const { dev } = definition.environments;
  dev.vaultAuth = vaultAuth;
  dev.podTokenMaxTtl = hours(2);
  for (const cluster of dev.clusters) cluster.podCidrs = podCidrs;
  const [plan] = blueprint(defineRegistry(definition) as Registry, "dev").vaults;
  const role = plan?.roles.find(({ workload }) => workload === "backend");
  if (plan === undefined || role === undefined) throw new Error("no role");
  return { plan, role };
}

async function logIn(podCidrs: readonly string[], vaultAuth: "kubernetes" | "jwt") {
  const { plan, role } = planWith(podCidrs, vaultAuth);
  const call = callWith(vault, vault.rootToken);
  await loadVaultServer(call, plan, {
    [role.cluster]: {
      apiServer: issuer.url,
      jwksUrl: issuer.jwksUrl,
      reviewerToken: issuer.reviewerToken,
      ...(issuer.caPem ? { caPem: issuer.caPem } : {}),
    },
  });
  const jwt = issuer.token({
    namespace: role.namespace,
    serviceAccount: role.serviceAccount,
    audience: role.audience,
  });
  const { auth } = await vault.call("POST", `auth/${role.mount}/login`, {
    token: null,
    body: { role: role.name, jwt },
  });
  return auth?.client_token ?? "";
}

beforeAll(async () => {
  group = ServerGroup.open();
  issuer = await startClusterIssuer({ group, issuer: planWith(HERE, "jwt").plan.auths[0]?.issuer ?? "" });
}, 120_000);

beforeEach(async () => {
  vault = await startOpenBao({ group });
}, 60_000);

afterEach(() => vault.stop());
afterAll(() => group?.stop(), 60_000);

describe.each(["kubernetes", "jwt"] as const)("by %s", (method) => {
  test("a pod of the cluster's networks logs in, and its token dies with the environment's maximum", async () => {
    const token = await logIn(HERE, method);
    const asRoot = callWith(vault, vault.rootToken);
    const { bound_cidrs, ttl } = (await asRoot("POST", "auth/token/lookup", { token })) as {
      readonly bound_cidrs: readonly string[];
      readonly ttl: number;
    };
    expect(bound_cidrs).toHaveLength(HERE.length);
    expect(ttl).toBeLessThanOrEqual(3_600);
    await callWith(vault, token)("POST", "auth/token/renew-self", { increment: "24h" });
    const renewed = (await asRoot("POST", "auth/token/lookup", { token })) as { readonly ttl: number };
    expect(renewed.ttl).toBeLessThanOrEqual(2 * 3_600);
  }, 60_000);

  test("whoever asks from elsewhere gets no token, with the pod's own ServiceAccount token", async () => {
    await expect(logIn(ELSEWHERE, method)).rejects.toMatchObject({ status: 403 });
  }, 60_000);
});
