import { InjectionError, injectedAgent } from "../../packages/rehearsal/src/agent";
import recorded from "../fixtures/injected-pods.json";
import type { Draft } from "../model/sample";
import { admittedPods } from "./injected-pods";

/**
 * The rehearsal's picture of the Vault Agent Injector, and the ConfigMap that takes the injector's place, against answers of the injector's
 * own code, recorded by `scripts/record-injector.ts`.
 */

const ROOT = "/root-of-the-pod";
const CONTAINERS = { init: "vault-agent-init", sidecar: "vault-agent" } as const;
const SERVICE = "vault.hashicorp.com/service";
const CA = "vault.hashicorp.com/ca-cert";

type InjectablePod = Parameters<typeof injectedAgent>[0];
type Recorded = (typeof recorded.pods)[number];

const named = (list: readonly Draft[] | undefined, name: string): Draft =>
  (list ?? []).find((entry: Draft) => entry.name === name);

const containerOf = ({ answer }: Recorded, container: "init" | "sidecar"): Draft => {
  const { spec }: Draft = answer.pod ?? { spec: {} };
  return named(container === "init" ? spec.initContainers : spec.containers, CONTAINERS[container]);
};

const mountOf = (container: Draft, volume: string): string | undefined =>
  named(container.volumeMounts, volume)?.mountPath;

/** ConfigMaps of the pods that have one: the injector names them and reads none. */
const agentConfigs = new Map(admittedPods().map(({ name, agentConfig }) => [name, agentConfig]));

const inputOf = ({ name, pod }: Draft): InjectablePod => {
  const agentConfig = agentConfigs.get(name);
  return {
    annotations: pod.metadata.annotations,
    volumes: pod.spec.volumes,
    ...(agentConfig ? { agentConfig } : {}),
  };
};

const ours = (entry: Recorded, container: "init" | "sidecar") => {
  const pod = inputOf(entry);
  return injectedAgent(pod, container, {
    root: ROOT,
    vaultAddress: pod.annotations[SERVICE] ?? "",
    commands: "run",
    ...(pod.annotations[CA] ? { caFile: pod.annotations[CA] } : {}),
  });
};

/** A configuration whatever the order of its files; what is written although it is the agent's default does not count. */
const canonical = (config: Draft): object => ({
  ...config,
  vault: { ...config.vault, tls_skip_verify: config.vault.tls_skip_verify ?? false },
  template: config.template
    .map((template: Draft) => ({ left_delimiter: "{{", right_delimiter: "}}", ...template }))
    .sort((a: Draft, b: Draft) => (a.destination < b.destination ? -1 : 1)),
});

const inContainer = (config: object, home: string): Draft =>
  JSON.parse(JSON.stringify(config).replaceAll(home, "/home/vault").replaceAll(ROOT, ""));

const admitted = recorded.pods.filter(({ answer }) => answer.pod !== undefined);
const refused = recorded.pods.filter(({ answer }) => answer.pod === undefined);

const recordedPod = (name: string): Recorded => {
  const entry = admitted.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`no pod ${name}`);
  return entry;
};

describe.each(admitted)("the injector's pod $name", (entry) => {
  test("has the agents that the rehearsal starts", () => {
    expect(containerOf(entry, "init")).toBeDefined();
    const hasSidecar = containerOf(entry, "sidecar") !== undefined;
    if (hasSidecar) expect(ours(entry, "sidecar").container).toBe("sidecar");
    else expect(() => ours(entry, "sidecar")).toThrow(InjectionError);
  });

  test.each(["init", "sidecar"] as const)("configures %s as the rehearsal does", (name) => {
    const container = containerOf(entry, name);
    if (container === undefined) return;
    const agent = ours(entry, name);
    const variable = named(container.env, "VAULT_CONFIG")?.value;
    if (variable === undefined) {
      const [, file] = /-config=\/vault\/configs\/(\S+)$/.exec(container.args[0]) ?? [];
      expect(mountOf(container, "vault-config")).toBe("/vault/configs");
      expect(Object.keys(agentConfigs.get(entry.name)?.data ?? {})).toContain(file);
    } else {
      const theirs = JSON.parse(Buffer.from(variable, "base64").toString("utf8"));
      expect(canonical(inContainer(agent.config, agent.home))).toEqual(canonical(theirs));
    }
    expect(`${ROOT}${mountOf(container, "vault-token")}/token`).toBe(agent.tokenFile);
    expect(`${ROOT}${mountOf(container, "vault-secrets")}`).toBe(agent.secrets);
  });

  test("keeps the homes of the two agents apart", () => {
    expect(mountOf(containerOf(entry, "init"), "home-init")).toBe("/home/vault");
    const sidecar = containerOf(entry, "sidecar");
    if (sidecar) expect(mountOf(sidecar, "home-sidecar")).toBe("/home/vault");
  });
});

test.each(refused)("the injector refuses a pod $name, and so does the rehearsal", (entry) => {
  const { refusal = "" } = entry.answer;
  expect(refusal).not.toBe("");
  const found = (() => {
    try {
      return ours(entry, "init");
    } catch (error) {
      return error;
    }
  })();
  expect(found).toBeInstanceOf(InjectionError);
  expect(refusal).toContain((found as InjectionError).message);
});

describe("what a registry says of a pod's agents", () => {
  const sidecarOf = (name: string): Draft => containerOf(recordedPod(name), "sidecar");

  test("is what the injector gives the containers", () => {
    expect(sidecarOf("without a limit of CPU, with resources of its own").resources).toEqual({
      limits: { memory: "1Gi" },
      requests: { cpu: "10m", memory: "32Mi" },
    });
    expect(sidecarOf("with ids of its own").securityContext).toMatchObject({
      runAsUser: 2_000,
      runAsGroup: 3_000,
    });
    expect(sidecarOf("in a cluster that gives ids itself").securityContext).toBeUndefined();
  });

  test("of files for one container leaves the others without", () => {
    const { spec }: Draft = recordedPod("with files for one of its containers").answer.pod;
    expect(mountOf(named(spec.containers, "app"), "vault-secrets")).toBe("/vault/secrets");
    expect(mountOf(named(spec.containers, "proxy"), "vault-secrets")).toBeUndefined();
  });
});

test("a reload command knows the init container's agent by the file that the injector writes", () => {
  const { args, env } = containerOf(recordedPod("with a command after changes"), "init");
  expect(args[0]).toContain("base64 -d > /home/vault/config.json");
  expect(Buffer.from(named(env, "VAULT_CONFIG").value, "base64").toString()).toContain(
    '"exit_after_auth":true',
  );
});

test("the recording has every annotation that pods have today", () => {
  const names = ({ pod }: Draft): readonly string[] => Object.keys(pod.metadata.annotations).sort();
  const today = Object.fromEntries(admittedPods().map((pod) => [pod.name, names(pod)]));
  // Otherwise: npx tsx scripts/record-injector.ts
  expect(Object.fromEntries(recorded.pods.map((pod) => [pod.name, names(pod)]))).toEqual(today);
});
