import { defineRegistry, type Registry } from "../../lib/model";
import { takeWorkloadRole } from "../../packages/rehearsal/src/load";
import { rehearse } from "../../packages/rehearsal/src/rehearse/rehearse";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import { type Draft, draft } from "../model/sample";

const STS = "sts.amazonaws.com";

/** Preview environments of a development cluster, each in a namespace that nobody knows beforehand. */
function registry(change: (definition: Draft) => void): Registry {
  const sample = draft();
  const definition = {
    ...sample,
    environments: { dev: { ...sample.environments.dev, namespacePattern: "preview-*" } },
    workloads: { backend: sample.workloads.backend },
    secrets: {
      "partner/key": {
        ...sample.secrets["admin/db"],
        consumers: ["backend"],
        settings: { fields: ["api-key"] },
      },
    },
    accessRules: {},
  };
  change(definition);
  return defineRegistry(definition) as unknown as Registry;
}

let group: ServerGroup;

beforeEach(() => {
  group = ServerGroup.open();
});

afterEach(() => group?.stop(), 60_000);

const inNamespace = (namespace: string, serviceAccount = "backend") => ({ namespace, serviceAccount });

test.each([
  { method: "kubernetes", change: () => undefined },
  {
    method: "jwt",
    change: ({ environments: { dev } }: Draft) => {
      dev.vaultAuth = "jwt";
      Object.assign(dev.vaults[0], { deployer: "names", namespace: "dev" });
    },
  },
])(
  "by $method, pods of each preview environment read, and of no other namespace",
  async ({ change }) => {
    const { report, world } = await rehearse({
      registry: registry(change),
      environment: "dev",
      group,
      logFolder: group.folder,
      progress: { step: (_, work) => work(() => undefined) },
    });
    expect(report.differences).toEqual([]);
    expect(report.secrets).toMatchObject([{ secret: "partner/key", readBy: ["backend"] }]);

    const { plan, shim } = world;
    const issuer = world.issuers.get("dev-one");
    const server = world.vaults.get("main");
    const [workload] = plan.workloads;
    const [role] = plan.vaults[0]?.roles ?? [];
    if (!issuer || !server || !workload || !role) throw new Error("the rehearsal has no cluster");
    const attempts = (account: { readonly namespace: string; readonly serviceAccount: string }) => [
      () =>
        takeWorkloadRole(
          shim.endpoint,
          plan.regions.primary,
          workload.role.arn,
          issuer.token({ ...account, audience: STS, audienceForm: "text" }),
        ),
      () =>
        server.call("POST", `auth/${role.mount}/login`, {
          token: null,
          body: { role: role.name, jwt: issuer.token({ ...account, audience: role.audience }) },
        }),
    ];
    for (const namespace of ["preview-1", "preview-login-page-42"]) {
      for (const attempt of attempts(inNamespace(namespace))) await expect(attempt()).resolves.toBeDefined();
    }
    for (const stranger of [
      inNamespace("preview"),
      inNamespace("previews-1"),
      inNamespace("a-preview-1"),
      inNamespace("default"),
      inNamespace("preview-1", "default"),
      inNamespace("preview-1", "backend-x"),
      inNamespace("preview-1", "x-backend"),
      inNamespace("dev", "preview-1"),
    ]) {
      for (const attempt of attempts(stranger)) await expect(attempt()).rejects.toThrow();
    }
  },
  240_000,
);
