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
        clusters: [one, two],
      },
    },
    workloads: {
      ...sample.workloads,
      payments: { namespace: "payments", environments: { dev: { clusters: ["dev-two"] } } },
    },
    secrets: {
      "partner/key": {
        ...sample.secrets["admin/db"],
        consumers: ["backend", "payments"],
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
