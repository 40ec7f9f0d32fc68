import { hours } from "../../../lib/model";
import { draft } from "../sample";
import { type FaultCase, faultsOf, testFaults } from "./fault-case";

/** Faults of workloads and their files: the change that brings each about, and all that is said about it. */
const CASES: readonly FaultCase[] = [
  {
    name: "a Rollout that Terraform would patch",
    change: (d) => {
      d.workloads.backend.controller = "Rollout";
      d.workloads.backend.delivery = { how: "patch", deployment: "backend" };
    },
    faults: [
      {
        path: "workloads.backend.delivery",
        found: '"patch", for a Rollout',
        allowed:
          "files: Kubernetes merges no lists of Argo's kinds, so that a patch would take the pods' other volumes away",
        change: "remove it, and use the files where the Rollout is made",
      },
    ],
  },
  {
    name: "variables of two secrets that become one",
    change: (d) => {
      d.secrets["db-app"] = { ...d.secrets["admin/db"], consumers: ["backend"] };
      for (const key of ["db/app", "db-app"]) d.secrets[key].files = [{ format: "env" }];
    },
    ways: [
      (d) => {
        d.secrets["db-app"].files[0].prefix = "OTHER_";
      },
      (d) => {
        d.secrets["db/app"].files = [{ format: "json" }];
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: 'DB_APP_USERNAME for backend, which secrets["db-app"] has too',
        allowed: "variables that differ among the env files of a workload: a shell keeps the later one",
        change: "give one of the files another `prefix`",
      },
    ],
  },
  {
    name: "a CronJob beside a Deployment",
    change: (d) => {
      d.workloads.backend.furtherControllers = [{ kind: "CronJob", name: "cleanup" }];
    },
    ways: [
      (d) => {
        delete d.workloads.backend.furtherControllers;
        d.workloads.cleanup = { namespace: "backend", controller: "CronJob", longestRun: hours(1) };
        d.secrets["db/app"].consumers.push("cleanup");
      },
    ],
    faults: [
      {
        path: "workloads.backend.furtherControllers[0].kind",
        found: "CronJob cleanup, of a workload whose controller is a Deployment",
        allowed:
          "kinds whose pods all stay, or whose pods all end: an agent beside a Job's would keep it from its end",
        change: "make it a workload of its own, with its own serviceAccount and the same consumers",
      },
    ],
  },
  {
    name: "a further Rollout that Terraform would patch",
    change: (d) => {
      Object.assign(d.workloads.backend, {
        delivery: { how: "patch", deployment: "api" },
        furtherControllers: [{ kind: "Rollout", name: "web" }],
      });
    },
    ways: [
      (d) => {
        delete d.workloads.backend.delivery;
      },
    ],
    faults: [
      {
        path: "workloads.backend.furtherControllers[0].kind",
        found: 'Rollout web, with delivery "patch"',
        allowed: "kinds that Terraform can patch: Deployment, StatefulSet, DaemonSet and CronJob",
        change: "remove workloads.backend.delivery, and use the files",
      },
    ],
  },
  {
    name: "an object that is named twice",
    change: (d) => {
      d.workloads.backend.furtherControllers = [{ name: "backend" }];
    },
    faults: [
      {
        path: "workloads.backend.furtherControllers[0]",
        found: "Deployment backend in namespace backend, which makes pods of workload backend already",
        allowed: "an object that is named once: its pods have one ServiceAccount",
        change: "remove it",
      },
    ],
  },
  {
    name: "an object of two workloads",
    change: (d) => {
      d.workloads.other = { namespace: "backend", reload: { how: "redeploy", deployment: "backend" } };
    },
    ways: [
      (d) => {
        d.workloads.other.reload.deployment = "other";
      },
      (d) => {
        delete d.workloads.other;
      },
    ],
    faults: [
      {
        path: "workloads.other.controller",
        found: "Deployment backend in namespace backend, which makes pods of workload backend",
        allowed: "an object that is named once: its pods have one ServiceAccount",
        change:
          "name the object of this workload (furtherControllers, reload.deployment or delivery.deployment), or let backend have the secrets too",
      },
    ],
  },
  {
    name: "two Deployments of one name that Terraform would patch",
    change: (d) => {
      for (const name of ["backend", "payments"])
        d.workloads[name].delivery = { how: "patch", deployment: "api" };
    },
    ways: [
      (d) => {
        d.workloads.payments.delivery.deployment = "payments-api";
      },
      (d) => {
        delete d.workloads.payments.delivery;
      },
    ],
    faults: [
      {
        path: "workloads.payments.delivery",
        found:
          "api from Deployment api of workload payments, the same as from Deployment api of workload backend",
        allowed: "names that differ among the Terraform addresses of patched Deployments in dev",
        change: "rename one of the two, or let one of the workloads have files (delivery)",
      },
    ],
  },
  ...["/", "/etc", "/usr/lib", "/proc/1", "/vault/tls/x", "/home/vault", "/a/../b", "secrets", "/a b"].map(
    (path): FaultCase => ({
      name: `${path} for the folder of secrets`,
      change: (d) => {
        d.workloads.backend.secretVolumePath = path;
      },
      ways: [
        (d) => {
          d.workloads.backend.secretVolumePath = "/etc/app/secrets";
        },
      ],
      faults: [
        {
          path: "workloads.backend.secretVolumePath",
          found: JSON.stringify(path),
          allowed:
            "the absolute path of a folder of its own, of letters, digits, dots, hyphens and underscores, such as /etc/app/secrets",
          change:
            "name a folder that holds nothing else: the volume hides what an image or the agent has there",
        },
      ],
    }),
  ),
  {
    name: "the version in a file that does not show it",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "template", path: "x", template: "SECRET_PATH", version: true }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].version',
        found: "true",
        allowed: "the version in formats json and env",
        change: "remove it; a template writes {{ .Data.data._version }} itself",
      },
    ],
  },
  {
    name: "two workloads on one ServiceAccount",
    change: (d) => {
      d.workloads.payments = { namespace: "backend", serviceAccount: "backend" };
      d.accessRules = {};
    },
    ways: [
      (d) => {
        d.workloads.payments.serviceAccount = "payments";
      },
    ],
    faults: [
      {
        path: "workloads.payments.serviceAccount",
        found: 'backend/backend, the ServiceAccount of "backend"',
        allowed: "a ServiceAccount of its own for each workload",
        change: "give one of them another ServiceAccount, or make them one workload",
      },
    ],
  },
  {
    name: "a public file of a kind without a public half",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "public" }];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].files[0].format = "json";
      },
      (d) => {
        d.secrets["db/app"].files[0].format = "env";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: 'format "public" of a postgresql-user',
        allowed: "format public where the kind has a public half, such as a JWKS",
        change: "choose json, env or template",
      },
    ],
  },
  {
    name: "two files of a workload at one path",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", path: "all.json" }];
      d.secrets["crypto/webhook"].files = [{ format: "json", path: "all.json" }];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].files[0].path = "db.json";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: 'all.json for backend, which secrets["crypto/webhook"] renders too',
        allowed: "a path of its own for each file of a workload",
        change: "give one of them another `path`",
      },
    ],
  },
  {
    name: "a template without the secret's path",
    change: (d) => {
      d.secrets["db/app"].files = [
        { format: "template", path: "x.conf", template: '{{ with secret "kv/data/x" }}{{ end }}' },
      ];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].files[0].template = '{{ with secret "SECRET_PATH" }}{{ end }}';
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files[0].template',
        found: '"{{ with secret \\"kv/data/x\\" }}{{ end }}"',
        allowed: "a template that reads the secret at SECRET_PATH",
        change: 'write {{ with secret "SECRET_PATH" }} … {{ end }}: the path differs per environment',
      },
    ],
  },
  {
    name: "a template in another format",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", template: "SECRET_PATH" }];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].files[0] = { format: "template", path: "x", template: "SECRET_PATH" };
      },
      (d) => {
        d.secrets["db/app"].files[0] = { format: "json" };
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files[0].template',
        found: '"SECRET_PATH"',
        allowed: "`template` text with format `template`, and only there",
        change: "add the template, or choose another format",
      },
    ],
  },
  {
    name: "a template without a path of its file",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "template", template: "SECRET_PATH" }];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].files[0].path = "x.conf";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files[0].path',
        found: "nothing",
        allowed: "a path for a template's file",
        change: "add `path`: a template has no ending of its own",
      },
    ],
  },
  {
    name: "a file path that leaves the folder",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", path: "../x" }];
    },
    ways: [
      (d) => {
        d.secrets["db/app"].files[0].path = "x";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files[0].path',
        found: '"../x"',
        allowed: "a relative path of letters, digits, dots, hyphens and underscores",
        change: "give a path below /vault/secrets, without ..",
      },
    ],
  },
  {
    name: "a file mode that is none",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", mode: "rw" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].mode',
        found: '"rw"',
        allowed: "four octal digits such as 0644",
        change: "write the mode as a string of four octal digits",
      },
    ],
  },
  {
    name: "an environment prefix that no shell takes",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "env", prefix: "db-" }];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].prefix',
        found: '"db-"',
        allowed: "capitals, digits and underscores, such as DB_",
        change: "use a prefix that a shell takes",
      },
    ],
  },
  {
    name: "a workload in a cluster that no environment has",
    change: (d) => {
      d.workloads.backend.clusters = ["dev-one", "prod-on"];
    },
    faults: [
      {
        path: "workloads.backend.clusters[1]",
        found: '"prod-on"',
        allowed: "clusters: dev-one, prod-one",
        change: 'write "prod-one"',
      },
    ],
  },
  {
    name: "a workload that lives nowhere in an environment in which it has secrets",
    change: (d) => {
      d.workloads.payments.clusters = ["prod-one"];
    },
    ways: [
      (d) => {
        d.workloads.payments.environments = { dev: { clusters: ["dev-one"] } };
      },
    ],
    faults: [
      {
        path: "workloads.payments.clusters",
        found: "prod-one, none of which is in dev, where it consumes payments/stripe",
        allowed: "a cluster of dev: dev-one",
        change: "name one of them in workloads.payments.environments.dev.clusters",
      },
    ],
  },
  {
    name: "a file that the application cannot read",
    change: (d) => {
      d.secrets["db/app"].files = [{ format: "json", mode: "0400" }];
    },
    ways: [
      (d) => {
        d.workloads.backend.runAsUser = 1_000;
      },
      (d) => {
        d.secrets["db/app"].files[0].mode = "0644";
      },
    ],
    faults: [
      {
        path: 'secrets["db/app"].files',
        found: "mode 0400 for backend, whose agent runs as a user of its own",
        allowed: "a mode by which the application can read the file",
        change: "name workloads.backend.runAsUser, as whom the agent runs too, or choose mode 0644",
      },
    ],
  },
  {
    name: "an agent that asks for more than it may have",
    change: (d) => {
      d.workloads.backend.agentResources = { limits: { cpu: "", memory: "32Mi" } };
    },
    ways: [
      (d) => {
        d.workloads.backend.agentResources.limits.memory = "256Mi";
      },
      (d) => {
        d.workloads.backend.agentResources.requests = { memory: "16Mi" };
      },
      (d) => {
        d.workloads.backend.agentResources.limits.memory = "";
      },
    ],
    faults: [
      {
        path: "workloads.backend.agentResources.limits.memory",
        found: "64Mi requested, and at most 32Mi",
        allowed: "a request that is not above its limit",
        change: "lower the request, or raise the limit",
      },
    ],
  },
  ...[
    { kind: "cpu", text: "64MI" },
    { kind: "cpu", text: "1,5" },
    { kind: "cpu", text: "-1" },
    { kind: "cpu", text: "1K" },
    { kind: "memory", text: "64m" },
    { kind: "memory", text: "1e" },
    { kind: "memory", text: "1 Gi" },
  ].map(
    ({ kind, text }): FaultCase => ({
      name: `${text} of ${kind}`,
      change: (d) => {
        d.workloads.backend.agentResources = { limits: { [kind]: text } };
      },
      ways: [
        (d) => {
          d.workloads.backend.agentResources.limits[kind] = kind === "cpu" ? "0.5" : "1G";
        },
        (d) => {
          d.workloads.backend.agentResources.limits[kind] = kind === "cpu" ? "1500m" : "128Mi";
        },
      ],
      faults: [
        {
          path: `workloads.backend.agentResources.limits.${kind}`,
          found: JSON.stringify(text),
          allowed:
            kind === "cpu"
              ? 'CPUs as Kubernetes has them, such as 250m or 0.5, or "" for no limit'
              : 'bytes as Kubernetes has them, such as 64Mi or 1G, or "" for no limit',
          change:
            kind === "cpu"
              ? "write thousandths with m, or a number of CPUs"
              : "write Mi or Gi: m is a thousandth of a byte",
        },
      ],
    }),
  ),
  {
    name: "a template with a longer word than the one that stands for the path",
    change: (d) => {
      d.secrets["db/app"].files = [
        { format: "template", path: "x", template: "MY_SECRET_PATH SECRET_PATHS" },
      ];
    },
    faults: [
      {
        path: 'secrets["db/app"].files[0].template',
        found: '"MY_SECRET_PATH SECRET_PATHS"',
        allowed: "a template that reads the secret at SECRET_PATH",
        change: 'write {{ with secret "SECRET_PATH" }} … {{ end }}: the path differs per environment',
      },
    ],
    ways: [
      (d) => {
        d.secrets["db/app"].files[0].template =
          '{{ with secret "SECRET_PATH" }}{{ .Data.data.password }}{{ end }}';
      },
    ],
  },
  {
    name: "a restart of another Deployment than the one that is patched",
    change: (d) => {
      d.workloads.backend.delivery = { how: "patch", deployment: "api" };
      d.workloads.backend.reload = { how: "redeploy", deployment: "web" };
    },
    faults: [
      {
        path: "workloads.backend.reload.deployment",
        found: '"web"',
        allowed: '"api", the Deployment that delivery patches',
        change: "remove it, or name the same Deployment in both places",
      },
    ],
  },
];

testFaults(CASES);

test.each<[string, { runAsUser?: number; runAsGroup?: number }, boolean]>([
  ["0004", {}, true],
  ["0440", {}, false],
  ["0400", { runAsUser: 1_000 }, true],
  ["0040", { runAsUser: 1_000 }, false],
  ["0040", { runAsGroup: 1_000 }, true],
  ["0400", { runAsGroup: 1_000 }, false],
  ["0440", { runAsUser: 1_000, runAsGroup: 1_000 }, true],
])("mode %s with %j: the application reads its file: %s", (mode, ids, isRead) => {
  const definition = draft();
  definition.secrets["db/app"].files = [{ format: "json", mode }];
  Object.assign(definition.workloads.backend, ids);
  expect(faultsOf(definition).map(({ path }) => path)).toEqual(isRead ? [] : ['secrets["db/app"].files']);
});

test("a restart of the Deployment that is patched is no fault", () => {
  const definition = draft();
  definition.workloads.backend.delivery = { how: "patch", deployment: "api" };
  definition.workloads.backend.reload = { how: "redeploy", deployment: "api" };
  expect(faultsOf(definition)).toEqual([]);
});
