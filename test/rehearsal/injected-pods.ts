import { rootCertificates } from "node:tls";
import { blueprint, type PodPlan } from "../../lib/blueprint";
import { defineRegistry, hours, type Registry } from "../../lib/model";
import { type Draft, draft, vaultDatabase } from "../model/sample";

/** A pod as the API server hands it to the injector. */
export interface AdmittedPod {
  readonly name: string;
  readonly namespace: string;
  readonly pod: Draft;
  /** ConfigMap of the agents' configurations that the registry brings. */
  readonly agentConfig?: PodPlan["agentConfig"];
}

/** Each way in which a registry changes what the injector reads. */
const VARIANTS: Readonly<Record<string, (definition: Draft) => void>> = {
  "as the sample has it": () => undefined,
  "logged in by a token's issuer": (d) => {
    d.environments.prod.vaultAuth = "jwt";
  },
  "of a Vault with a namespace and a CA of its own": (d) => {
    Object.assign(d.environments.prod.vaults[0], { namespace: "team/payments", caPem: rootCertificates[0] });
  },
  "with a command after changes": (d) => {
    d.workloads.backend.reload = { how: "command", command: `wget -qO- "http://localhost/?a=1,2&b=<3>"` };
  },
  "of a Job": (d) => {
    Object.assign(d.workloads.backend, { controller: "Job", longestRun: hours(1) });
  },
  "in a cluster that gives ids itself": (d) => {
    d.environments.prod.clusters[0].platform = "openshift";
  },
  "with ids of its own": (d) => {
    Object.assign(d.workloads.backend, { runAsUser: 2_000, runAsGroup: 3_000 });
  },
  "with files in a folder of its own": (d) => {
    d.workloads.backend.secretVolumePath = "/etc/app/secrets";
  },
  "with files for one of its containers": (d) => {
    d.workloads.backend.containers = ["app"];
  },
  "without a limit of CPU, with resources of its own": (d) => {
    d.workloads.backend.agentResources = {
      requests: { cpu: "10m", memory: "32Mi" },
      limits: { cpu: "", memory: "1Gi" },
    };
  },
  "with a user that Vault makes": (d) => {
    d.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
  },
  "with several forms of one secret": (d) => {
    d.secrets["db/app"].files = [
      { format: "json" },
      { format: "env", path: "db.env", mode: "0440" },
      { format: "template", path: "a/b.conf", template: '{{ with secret "SECRET_PATH" }}<&>{{ end }}' },
    ];
    d.workloads.backend.runAsUser = 2_000;
  },
  "whose configuration no variable takes": (d) => {
    d.workloads.backend.reload = { how: "command", command: "kill -HUP 1" };
    d.secrets["db/app"].files = [
      { format: "template", path: "large", template: `SECRET_PATH ${"x".repeat(120_000)}` },
    ];
  },
};

/** Pods that somebody has taken a part of. */
const SPOILT: Readonly<Record<string, (spec: Draft) => void>> = {
  "without the volume of its token": (spec) => {
    spec.volumes = [];
  },
  "whose volume has no token": (spec) => {
    spec.volumes = [{ name: "vault-token", emptyDir: {} }];
  },
};

/** Backend's pod in prod for each variant, before the injector sees it. */
export function admittedPods(): readonly AdmittedPod[] {
  const valid = Object.entries(VARIANTS).map(([name, change]) => admitted(name, change));
  const spoilt = Object.entries(SPOILT).map(([name, spoil]) => {
    const pod = admitted(name, () => undefined);
    spoil(pod.pod.spec);
    return pod;
  });
  return [...valid, ...spoilt];
}

function admitted(name: string, change: (definition: Draft) => void): AdmittedPod {
  const definition = draft();
  change(definition);
  const plan = blueprint(defineRegistry(definition) as Registry, "prod");
  const pod = plan.workloads.find((workload) => workload.name === "backend")?.pods[0];
  if (!pod) throw new Error("the sample has no pod of backend");
  return {
    name,
    namespace: pod.namespace,
    pod: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "backend-0", annotations: pod.annotations },
      spec: {
        serviceAccountName: pod.serviceAccountName,
        containers: ["app", "proxy"].map((container) => ({ name: container, image: "example" })),
        volumes: pod.volumes,
      },
    },
    ...(pod.agentConfig ? { agentConfig: pod.agentConfig } : {}),
  };
}
