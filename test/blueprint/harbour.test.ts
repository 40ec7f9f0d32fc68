import { blueprint } from "../../lib/blueprint";
import type { Registry } from "../../lib/model";
import { injectedAgent } from "../../packages/rehearsal/src/agent";
import { harbour } from "../fixtures/harbour";
import { synthesize } from "../stacks/synthesized";

const registry = harbour as unknown as Registry;

test("has the size of a company that is not ours", () => {
  expect(registry.secretKeys).toHaveLength(60);
  expect(registry.workloadNames).toHaveLength(25);
  expect(registry.environmentNames).toHaveLength(4);
  const environments = registry.environmentNames.map((name) => registry.environment(name));
  expect(new Set(environments.map(({ account }) => account)).size).toBe(2);
  expect(new Set(environments.flatMap(({ clusters }) => clusters.map(({ name }) => name))).size).toBe(3);
});

describe.each(registry.environmentNames)("its environment %s", (environment) => {
  const plan = blueprint(registry, environment);

  test("gives every pod an agent that starts, in the clusters of its workload", () => {
    const { clusters } = registry.environment(environment);
    for (const { name, pods, controller } of plan.workloads) {
      const isElsewhere = environment === "sea" && name.endsWith("-etl");
      expect(pods.map(({ cluster }) => cluster).sort()).toEqual(
        isElsewhere ? ["data"] : clusters.map((cluster) => cluster.name).sort(),
      );
      for (const pod of pods) {
        const settings = { root: "/pod", vaultAddress: "http://127.0.0.1:8200" };
        const files = pod.files.length + (name.endsWith("-edge") ? 1 : 0);
        expect(injectedAgent(pod, "init", settings).files).toHaveLength(files);
        if (controller === "CronJob") continue;
        expect(injectedAgent(pod, "sidecar", settings).files).toHaveLength(files);
      }
    }
  });

  test("lets each workload read what it consumes, and nothing else", () => {
    for (const { name, secrets } of plan.workloads) {
      const consumed = plan.secrets.filter(({ consumers }) => consumers.includes(name));
      expect(secrets).toEqual(consumed.map(({ key }) => key));
    }
  });

  test("is synthesized, with a login for each of its workloads' clusters", () => {
    synthesize({ registry, environment }, ({ resource }) => {
      expect(Object.keys(resource.aws_iam_role)).toEqual(
        expect.arrayContaining(plan.workloads.map(({ name }) => `secrets_${name}`)),
      );
      const logins = plan.workloads.reduce((sum, { pods }) => sum + pods.length, 0);
      expect(Object.keys(resource.kubernetes_service_account_v1)).toHaveLength(logins);
    });
  });
});
