import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AwsRotationCloud } from "../../lib/cli/cloud/aws-rotation-cloud";
import { versionLabels } from "../../lib/cli/driver/version-labels";
import type { Registry } from "../../lib/model";
import { defineRegistry } from "../../lib/model";
import { rehearse } from "../../packages/rehearsal/src/rehearse/rehearse";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import { draft } from "../model/sample";

/** Two clusters with issuers of their own, on one Vault, whose namespace the environment has for itself. */
function registry(): Registry {
  const sample = draft();
  const { dev } = sample.environments;
  const [vault] = dev.vaults;
  const [one] = dev.clusters;
  const two = {
    ...one,
    name: "dev-two",
    issuer: "https://oidc.example.com/id/TWO",
    apiServer: "https://two.example.com",
  };
  return defineRegistry({
    ...sample,
    environments: {
      dev: {
        ...dev,
        vaultAuth: "jwt",
        vaults: [{ ...vault, namespace: "teams/web/" }],
        // As AKS publishes its issuers, with a slash at the end.
        clusters: [{ ...one, issuer: "https://oidc.example.com/id/ONE/" }, two],
      },
    },
    workloads: {
      ...sample.workloads,
      payments: { namespace: "payments", environments: { dev: { clusters: ["dev-two"] } } },
    },
    secrets: {
      "partner/key": {
        ...sample.secrets["admin/db"],
        consumers: [
          "backend",
          {
            workload: "payments",
            files: [
              { format: "json", path: "key.json", version: true },
              { format: "env", path: "key.env", version: true },
            ],
          },
        ],
        settings: { fields: ["key"] },
      },
    },
    accessRules: {},
  }) as unknown as Registry;
}

let group: ServerGroup;

beforeAll(() => {
  group = ServerGroup.open();
});

afterAll(() => group?.stop());

test("pods of two clusters read one Vault's namespace, each by its own cluster's tokens", async () => {
  const { report, world } = await rehearse({
    registry: registry(),
    environment: "dev",
    group,
    logFolder: group.folder,
    progress: { step: (_, work) => work(() => undefined) },
  });
  expect(report.differences).toEqual([]);
  expect(report.secrets).toMatchObject([{ secret: "partner/key", readBy: ["backend", "payments"] }]);

  // What an application needs to say which version it uses.
  const inPod = (name: string): string =>
    readFileSync(join(group.folder, "pods/dev-two/payments/vault/secrets", name), "utf8");
  const cloud = new AwsRotationCloud({ region: world.plan.regions.primary, ...world.as.root });
  const { current } = versionLabels((await cloud.describe("dev/partner/key")) ?? { labels: new Map() });
  expect(JSON.parse(inPod("key.json"))).toEqual({ _version: current, key: expect.any(String) });
  expect(inPod("key.env")).toContain(`PARTNER_KEY_VERSION='${current}'`);

  const server = world.vaults.get("main");
  const roles = world.plan.vaults.flatMap((vault) => vault.roles);
  expect(roles.map(({ cluster, workload }) => `${workload} in ${cluster}`).sort()).toEqual([
    "backend in dev-one",
    "backend in dev-two",
    "payments in dev-two",
  ]);
  for (const role of roles) {
    for (const [cluster, issuer] of world.issuers) {
      const jwt = issuer.token({ ...role, audience: role.audience });
      const login = server?.call("POST", `auth/${role.mount}/login`, {
        token: null,
        body: { role: role.name, jwt },
      });
      if (cluster === role.cluster) await expect(login).resolves.toMatchObject({ auth: expect.anything() });
      else await expect(login).rejects.toMatchObject({ name: "OpenBaoRefusal" });
    }
    // The server itself knows nothing of what is in the namespace.
    await expect(
      server?.call("POST", `auth/${role.mount}/login`, {
        token: null,
        namespace: "",
        body: { role: role.name },
      }),
    ).rejects.toMatchObject({ name: "OpenBaoRefusal" });
  }
}, 240_000);
