import { blastRadius, blueprint, type PodPlan } from "../../lib/blueprint";
import { podFiles } from "../../lib/constructs/kubernetes/pod-files";
import { defineRegistry, hours, type Registry } from "../../lib/model";
import { injectedAgent } from "../../packages/rehearsal/src/agent";
import { type Draft, draft, genericPassword, vaultDatabase } from "../model/sample";

const SETTINGS = { root: "/pod", vaultAddress: "http://127.0.0.1:8200" };

/** The backend's pod in prod, with as many files of as many bytes. */
function podWith(
  files: number,
  bytes: number,
  change: (definition: Draft) => void = () => undefined,
): PodPlan {
  const definition = draft();
  definition.secrets = Object.fromEntries(
    Array.from({ length: files }, (_, index) => [
      `app/key-${index}`,
      {
        ...genericPassword(),
        files: [
          {
            format: "template",
            path: `app/${index}.conf`,
            template: `{{ with secret "SECRET_PATH" }}{{ .Data.data.value }}{{ end }}${"<x".repeat(bytes / 2)}`,
          },
        ],
      },
    ]),
  );
  definition.accessRules = {};
  change(definition);
  const plan = blueprint(defineRegistry(definition) as Registry, "prod");
  const pod = plan.workloads.find(({ name }) => name === "backend")?.pods[0];
  if (!pod) throw new Error("the sample has no pod of backend");
  return pod;
}

describe("the configuration of a pod's agents", () => {
  test.each([1, 30, 100, 400, 1_000, 2_500, 4_000])("reaches both, with 40 files of %d bytes", (bytes) => {
    const pod = podWith(40, bytes);
    for (const container of ["init", "sidecar"] as const) {
      expect(injectedAgent(pod, container, SETTINGS).files).toHaveLength(40);
    }
  });

  test("stays in annotations as long as the injector's variable takes it", () => {
    expect(podWith(40, 400).agentConfig).toBeUndefined();
    expect(podWith(40, 2_500).agentConfig).toBeDefined();
  });

  test("in a ConfigMap says the same as in annotations, without a command for init", () => {
    const reload = (definition: Draft): void => {
      definition.workloads.backend.reload = { how: "command", command: "true" };
    };
    const configOf = (pod: PodPlan, container: "init" | "sidecar") =>
      injectedAgent(pod, container, SETTINGS).config as Draft;
    const small = podWith(2, 10, reload);
    const large = podWith(2, 60_000, reload);
    expect(large.agentConfig).toBeDefined();
    for (const container of ["init", "sidecar"] as const) {
      const { template: _, ...rest } = configOf(large, container);
      const { template: __, ...expected } = configOf(small, container);
      expect(rest).toEqual(expected);
    }
    expect(configOf(large, "init").template.filter(({ command }: Draft) => command)).toEqual([]);
    expect(configOf(large, "sidecar").template.filter(({ command }: Draft) => command)).toHaveLength(1);
  });

  test("replaces pods when it changes", () => {
    const marks = [2_500, 2_502].map(
      (bytes) => podWith(40, bytes).annotations["secrets-registry/agent-config"],
    );
    expect(new Set(marks).size).toBe(2);
  });

  test("is a fault where one ConfigMap does not hold it", () => {
    expect(() => podWith(40, 30_000)).toThrow(
      /workloads\.backend[\s\S]*1048576 bytes in one ConfigMap[\s\S]*split/,
    );
  });

  test("comes with the files where nothing else brings it", () => {
    const definition = draft();
    definition.workloads.backend.manage = "external";
    definition.secrets["crypto/webhook"].files = [
      { format: "template", path: "x", template: `SECRET_PATH ${"x".repeat(120_000)}` },
    ];
    const plan = blueprint(defineRegistry(definition) as Registry, "prod");
    const [cluster] = plan.clusters;
    const backend = plan.workloads.find(({ name }) => name === "backend");
    const files = podFiles(backend as never, cluster as never).map(({ path }) => path.split("/").at(-1));
    expect(files).toContain("agent-config.yaml");
  });
});

describe("a pod's Vault token", () => {
  const tokenIn = (change: (definition: Draft) => void) => {
    const definition = draft();
    definition.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
    change(definition);
    const plan = blueprint(defineRegistry(definition) as Registry, "prod");
    const role = plan.vaults[0]?.roles.find(({ workload }) => workload === "backend");
    return { ttl: role?.tokenTtl.seconds, max: role?.tokenMaxTtl.seconds };
  };

  test.each([
    { reads: "nothing of Vault's own", change: (d: Draft) => delete d.secrets["db/ro"], ttl: 1, max: 24 },
    { reads: "a user that Vault makes", change: () => undefined, ttl: 10, max: 24 },
    {
      reads: "such a user, with two hours to take it up",
      change: (d: Draft) => {
        d.environments.prod.reloadMargin = hours(2);
        d.secrets["db/ro"].settings.ttl = hours(20);
      },
      ttl: 20,
      max: 40,
    },
    {
      reads: "a login whose password Vault changes",
      change: (d: Draft) => Object.assign(d.secrets["db/ro"].settings, { login: "static" }),
      ttl: 1,
      max: 24,
    },
  ])("of a workload that reads $reads lives $ttl hours, $max at most", ({ change, ttl, max }) => {
    const token = tokenIn(change);
    expect(token).toEqual({ ttl: ttl * 3_600, max: max * 3_600 });
  });
});

describe("what an author writes reaches the pod as it is meant", () => {
  const backendOf = (change: (definition: Draft) => void) => {
    const definition = draft();
    change(definition);
    const plan = blueprint(defineRegistry(definition) as Registry, "prod");
    return { plan, backend: plan.workloads.find(({ name }) => name === "backend") };
  };

  test("SECRET_PATH is replaced where it is a word of its own", () => {
    const { backend } = backendOf((d) => {
      d.secrets["db/app"].files = [
        {
          format: "template",
          path: "x",
          template: 'MY_SECRET_PATH={{ with secret "SECRET_PATH" }}x{{ end }} SECRET_PATHS $SECRET_PATH',
        },
      ];
    });
    const file = backend?.pods[0]?.files.find(({ secret }) => secret === "db/app");
    expect(file?.template).toBe(
      'MY_SECRET_PATH={{ with secret "kv-prod/data/db/app" }}x{{ end }} SECRET_PATHS $kv-prod/data/db/app',
    );
  });

  test("a limit that is none stays none: the injector sets its own where there is no annotation", () => {
    const { backend } = backendOf((d) => {
      d.workloads.backend.agentResources = { limits: { cpu: "" } };
    });
    expect(backend?.pods[0]?.annotations["vault.hashicorp.com/agent-limits-cpu"]).toBe("");
    expect(backend?.pods[0]?.annotations["vault.hashicorp.com/agent-limits-mem"]).toBe("128Mi");
  });

  test("a folder of the author's own is where the agents write, the command looks and people are told", () => {
    const folder = "/etc/app/secrets";
    const change = (d: Draft): void => {
      d.workloads.backend.secretVolumePath = folder;
      d.workloads.backend.reload = { how: "command", command: "wget -qO- http://localhost/reload" };
    };
    const { backend } = backendOf(change);
    const [pod] = backend?.pods ?? [];
    if (!pod) throw new Error("no pod");
    expect(pod.annotations["vault.hashicorp.com/secret-volume-path"]).toBe(folder);
    const agent = injectedAgent(pod, "sidecar", { ...SETTINGS, commands: "run" });
    expect(agent.files.length).toBeGreaterThan(0);
    for (const { path } of agent.files) expect(path.startsWith(`/pod${folder}/`)).toBe(true);
    expect(JSON.stringify(agent.config)).toContain(`cd /pod${folder} `);
    expect(JSON.stringify(pod)).not.toContain("/vault/secrets");
    const definition = draft();
    change(definition);
    const radius = blastRadius(defineRegistry(definition) as Registry, "prod", "db/app");
    expect(radius.consumers[0]?.files).toEqual([{ path: `${folder}/db/app.json`, format: "json" }]);
  });

  test("a folder of the author's own reaches a ConfigMap, too", () => {
    const { annotations, agentConfig } = podWith(40, 4_000, (d) => {
      d.workloads.backend.secretVolumePath = "/etc/app/secrets";
    });
    expect(annotations["vault.hashicorp.com/secret-volume-path"]).toBe("/etc/app/secrets");
    for (const text of Object.values(agentConfig?.data ?? {})) {
      for (const { destination } of JSON.parse(text).template)
        expect(destination).toMatch(/^\/etc\/app\/secrets\//);
    }
  });

  test("OpenShift's pods have the ids that it gives them, and those of another cluster the author's", () => {
    const { backend } = backendOf((d) => {
      const [cluster] = d.environments.prod.clusters;
      d.environments.prod.vaultAuth = "jwt";
      d.environments.prod.clusters.push({
        ...cluster,
        name: "open",
        issuer: "https://oidc.example.com/open",
        apiServer: "https://api.open.example.com",
        platform: "openshift",
      });
      Object.assign(d.workloads.backend, { runAsUser: 2_000, runAsGroup: 3_000 });
    });
    const idsIn = (name: string) => {
      const pod = backend?.pods.find(({ cluster }) => cluster === name);
      return {
        ids: Object.entries(pod?.annotations ?? {})
          .filter(([annotation]) => /run-as|security-context/.test(annotation))
          .map(([annotation, value]) => `${annotation.split("/")[1]}=${value}`),
        modes: [...new Set(pod?.files.map(({ mode }) => mode))],
      };
    };
    expect(idsIn("open")).toEqual({ ids: ["agent-set-security-context=false"], modes: ["0644"] });
    expect(idsIn("prod-one")).toEqual({
      ids: ["agent-run-as-group=3000", "agent-run-as-user=2000"],
      modes: ["0400"],
    });
  });

  test("a mode for the application's user alone is taken where OpenShift gives both one user, and nowhere else", () => {
    const change = (d: Draft): void => {
      d.secrets["db/app"].files = [{ format: "json", mode: "0400" }];
      d.environments.prod.clusters[0].platform = "openshift";
    };
    expect(() => backendOf(change)).toThrow("mode 0400 for backend");
    const { backend } = backendOf((d) => {
      change(d);
      d.environments.dev.clusters[0].platform = "openshift";
    });
    expect(backend?.pods[0]?.files.find(({ secret }) => secret === "db/app")?.mode).toBe("0400");
  });

  test.each([
    { of: "EKS", issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/ABCD" },
    {
      of: "AKS",
      issuer: "https://westeurope.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000001/2/",
    },
    { of: "GKE", issuer: "https://container.googleapis.com/v1/projects/p/locations/europe-west1/clusters/c" },
    { of: "a cluster of one's own", issuer: "https://kubernetes.example.com:6443" },
  ])("the issuer of $of stands everywhere as its tokens say it", ({ issuer }) => {
    const { plan, backend } = backendOf((d) => {
      Object.assign(d.environments.prod.clusters[0], { issuer, oidcProvider: "create" });
      d.environments.prod.vaultAuth = "jwt";
    });
    const bare = issuer.replace("https://", "");
    expect(plan.oidcProviders[0]).toMatchObject({ issuer });
    expect(plan.oidcProviders[0]?.arn.endsWith(`:oidc-provider/${bare}`)).toBe(true);
    const [statement] = backend?.role.trust.Statement ?? [];
    expect(Object.keys(statement?.Condition?.StringEquals ?? {}).sort()).toEqual([
      `${bare}:aud`,
      `${bare}:sub`,
    ]);
    expect(plan.vaults[0]?.auths[0]?.issuer).toBe(issuer);
  });
});
