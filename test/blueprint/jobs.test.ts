import { parse } from "yaml";
import { blueprint } from "../../lib/blueprint";
import { podFiles } from "../../lib/constructs/kubernetes/pod-files";
import { defineRegistry, hours, type Registry, RegistryError } from "../../lib/model";
import { InjectionError, injectedAgent } from "../../packages/rehearsal/src/agent";
import { type Draft, draft, vaultDatabase } from "../model/sample";

const SETTINGS = { root: "/pod", vaultAddress: "http://127.0.0.1:8200" };

function definitionOf(controller: string, change: (definition: Draft) => void = () => undefined): Draft {
  const definition = draft();
  Object.assign(definition.workloads.backend, { controller, longestRun: hours(10) });
  change(definition);
  return definition;
}

const planOf = (definition: Draft) => {
  const plan = blueprint(defineRegistry(definition) as Registry, "prod");
  const backend = plan.workloads.find(({ name }) => name === "backend");
  const [cluster] = plan.clusters;
  const pod = backend?.pods[0];
  if (!backend || !pod || !cluster) throw new Error("the sample has no backend");
  return { plan, backend, pod, cluster };
};

describe.each(["Job", "CronJob"])("a %s", (controller) => {
  test("has an agent that renders once, and none that would keep its pods from ending", () => {
    const { pod } = planOf(definitionOf(controller));
    expect(pod.annotations["vault.hashicorp.com/agent-pre-populate-only"]).toBe("true");
    expect(injectedAgent(pod, "init", SETTINGS).files.length).toBeGreaterThan(0);
    expect(() => injectedAgent(pod, "sidecar", SETTINGS)).toThrow(InjectionError);
  });

  test("keeps an old value alive until a run that has started just before is over", () => {
    const overlapOf = (definition: Draft) =>
      (defineRegistry(definition) as Registry).secretIn("prod", "db/app")?.overlap;
    // Longest run, and twice the reload margin; for pods that stay, six hours of refreshing instead.
    expect(overlapOf(definitionOf(controller))).toEqual(hours(12));
    expect(overlapOf(draft())).toEqual(hours(8));
    expect(() =>
      overlapOf(
        definitionOf(controller, (d) => {
          d.secrets["db/app"].overlap = hours(11);
        }),
      ),
    ).toThrow(/longer than 11 hours/);
  });

  test("takes up a new value in its next run, and is restarted by nothing", () => {
    const { plan, backend } = planOf(definitionOf(controller));
    expect(backend.reload).toEqual({ how: "next-run" });
    const restarter = plan.functions.find(({ bundle }) => bundle === "restarter");
    expect(JSON.stringify(restarter?.settings ?? {})).not.toContain("backend");
  });

  test("is patched where its pod template is", () => {
    const { backend, cluster, pod } = planOf(definitionOf(controller));
    const files = new Map(
      podFiles(backend, cluster).map(({ path, content }) => [path.split("/").at(-1), parse(content)]),
    );
    const patch = files.get("patch.yaml");
    expect(patch).toMatchObject({ apiVersion: "batch/v1", kind: controller });
    const { template } = controller === "CronJob" ? patch.spec.jobTemplate.spec : patch.spec;
    expect(template.metadata.annotations).toEqual(pod.annotations);
    expect(files.get("kustomization.yaml").patches[0].target.kind).toBe(controller);
  });

  test("has a user that Vault makes for as long as it runs", () => {
    const withUser = (ttl: number) =>
      definitionOf(controller, (d) => {
        d.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
        d.secrets["db/ro"].settings.ttl = hours(ttl);
        d.workloads.backend.longestRun = hours(20);
      });
    const role = planOf(withUser(20)).plan.vaults[0]?.roles.find(({ workload }) => workload === "backend");
    expect(role?.tokenTtl).toEqual(hours(20));
    expect(() => planOf(withUser(19))).toThrow(
      /settings\.ttl[\s\S]*19 hours, for backend, whose runs take up to 20 hours/,
    );
  });

  test.each([
    {
      what: "no longest run",
      change: (d: Draft) => delete d.workloads.backend.longestRun,
      fault: /workloads\.backend\.longestRun[\s\S]*add it, such as hours\(2\)/,
    },
    {
      what: "a command after a change",
      change: (d: Draft) => {
        d.workloads.backend.reload = { how: "command", command: "true" };
      },
      fault: /workloads\.backend\.reload[\s\S]*the next run has the new value/,
    },
    {
      what: "a restart",
      change: (d: Draft) => {
        d.workloads.backend.reload = { how: "redeploy" };
      },
      fault: /workloads\.backend\.reload[\s\S]*the next run has the new value/,
    },
  ])("with $what is a fault", ({ change, fault }) => {
    const definition = definitionOf(controller);
    change(definition);
    expect(() => defineRegistry(definition)).toThrow(fault);
  });
});

test("a Job cannot be patched, and what is no job has no longest run", () => {
  const patched = definitionOf("Job", (d) => {
    d.workloads.backend.delivery = { how: "patch", deployment: "x" };
  });
  expect(() => defineRegistry(patched)).toThrow(/workloads\.backend\.delivery[\s\S]*template of a Job/);
  expect(() => defineRegistry(definitionOf("StatefulSet"))).toThrow(RegistryError);
});
