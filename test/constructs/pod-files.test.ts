import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { App, TerraformStack } from "cdktf";
import { parse } from "yaml";
import { blueprint } from "../../lib/blueprint";
import { PodFiles, podFiles } from "../../lib/constructs/kubernetes/pod-files";
import { defineRegistry } from "../../lib/model";
import { CONTROLLER_KINDS } from "../../lib/model/controller-kinds";
import { type Draft, draft } from "../model/sample";

/** Workload `backend` of a definition in prod, and its parsed files by name. */
function backendFiles(definition: Draft) {
  const plan = blueprint(defineRegistry(definition), "prod" as never);
  const [cluster] = plan.clusters;
  const backend = plan.workloads.find(({ name }) => name === "backend");
  if (!cluster || !backend) throw new Error("the sample has no backend");
  const files = new Map(
    podFiles(backend, cluster).map(({ path, content }) => [path.split("/").at(-1), parse(content)]),
  );
  return { backend, files };
}

describe.each(CONTROLLER_KINDS)("the files of a workload whose pods a %s makes", (controller) => {
  const definition = draft();
  definition.workloads.backend.controller = controller;
  definition.workloads.backend.reload = { how: "redeploy", deployment: "api" };
  const { backend, files } = backendFiles(definition);

  test("patch that kind, by the name that a restart uses as well", () => {
    expect(files.get("kustomization.yaml").patches).toEqual([
      { path: "patch.yaml", target: { kind: controller, name: "^api$" } },
    ]);
    expect(files.get("patch.yaml")).toMatchObject({
      apiVersion: "apps/v1",
      kind: controller,
      metadata: { name: "api" },
    });
    expect(backend.reload).toEqual({ how: "redeploy", controller, deployment: "api" });
  });
});

test("the files of a Rollout add to its lists, which nobody merges, and patch what merges", () => {
  const definition = draft();
  Object.assign(definition.workloads.backend, { controller: "Rollout", reload: { how: "redeploy" } });
  const { backend, files } = backendFiles(definition);
  const target = { kind: "Rollout", name: "^backend$" };
  expect(files.get("kustomization.yaml").patches).toEqual([
    { path: "patch.yaml", target },
    { path: "volumes.yaml", target },
  ]);
  expect(files.get("patch.yaml")).toEqual({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "backend" },
    spec: {
      template: {
        metadata: { annotations: backend.pods[0]?.annotations },
        spec: { serviceAccountName: "backend" },
      },
    },
  });
  expect(files.get("volumes.yaml")).toEqual([
    { op: "add", path: "/spec/template/spec/volumes/-", value: backend.pods[0]?.volumes[0] },
  ]);
});

test("the files patch every object whose pods have the ServiceAccount, each kind in its way", () => {
  const definition = draft();
  Object.assign(definition.workloads.backend, {
    reload: { how: "redeploy", deployment: "api" },
    furtherControllers: [{ name: "worker" }, { kind: "Rollout", name: "web" }],
  });
  const { backend, files } = backendFiles(definition);
  const patches = files.get("kustomization.yaml").patches;
  expect(patches).toEqual([
    { path: "patch.yaml", target: { kind: "Deployment", name: "^api$" } },
    { path: "deployment-worker-patch.yaml", target: { kind: "Deployment", name: "^worker$" } },
    { path: "rollout-web-patch.yaml", target: { kind: "Rollout", name: "^web$" } },
    { path: "rollout-web-volumes.yaml", target: { kind: "Rollout", name: "^web$" } },
  ]);
  const templateOf = (path: string) => files.get(path).spec.template;
  expect(templateOf("deployment-worker-patch.yaml")).toEqual(templateOf("patch.yaml"));
  expect(templateOf("rollout-web-patch.yaml").metadata).toEqual(templateOf("patch.yaml").metadata);
  expect(backend.reload).toMatchObject({
    deployment: "api",
    further: [
      { kind: "Deployment", name: "worker" },
      { kind: "Rollout", name: "web" },
    ],
  });
});

describe("values for a chart", () => {
  const valuesOf = (helm: object | undefined) => {
    const definition = draft();
    if (helm) definition.workloads.backend.helm = helm;
    const plan = blueprint(defineRegistry(definition), "prod" as never);
    const backend = plan.workloads.find(({ name }) => name === "backend");
    const [cluster] = plan.clusters;
    if (!cluster || !backend) throw new Error("the sample has no backend");
    const [values] = podFiles(backend, cluster);
    return { values: parse(values?.content ?? ""), annotations: backend.pods[0]?.annotations ?? {} };
  };

  test("stand where charts of helm create take them", () => {
    const { values, annotations } = valuesOf(undefined);
    expect(values.podAnnotations).toEqual(annotations);
    expect(values.volumes).toHaveLength(1);
    expect(values.serviceAccount.name).toBe("backend");
  });

  test("stand where the chart takes them, beside what is there", () => {
    const { values, annotations } = valuesOf({
      annotationsAt: "controller.podAnnotations",
      volumesAt: "controller.extraVolumes",
    });
    expect(values).toMatchObject({ controller: { podAnnotations: annotations, extraVolumes: [{}] } });
    expect(values.podAnnotations).toBeUndefined();
  });

  test("mean the same after the chart's tpl", () => {
    const { values, annotations } = valuesOf({ tpl: true });
    // What is no action stays; a quoted text in an action is that text (text/template).
    const tpl = (text: string): string => {
      const withoutText = text.replaceAll(/\{\{ "(?:\{\{|\}\})" \}\}/g, "");
      expect(withoutText).not.toMatch(/\{\{|\}\}/);
      return text.replaceAll(/\{\{ "(\{\{|\}\})" \}\}/g, "$1");
    };
    const entries = Object.entries(values.podAnnotations as Record<string, string>);
    expect(Object.fromEntries(entries.map(([name, text]) => [name, tpl(text)]))).toEqual(annotations);
    expect(JSON.stringify(values)).not.toBe(JSON.stringify(valuesOf(undefined).values));
  });
});

test("a synth leaves unchanged files alone, writes the others, and removes what no workload has", () => {
  const plan = blueprint(defineRegistry(draft()), "prod" as never);
  const [cluster] = plan.clusters;
  if (!cluster) throw new Error("the sample has a cluster");
  const outdir = mkdtempSync(join(tmpdir(), "pods-"));
  const synth = (): string[] => {
    const app = new App({ outdir });
    new PodFiles(new TerraformStack(app, "own"), "pods", { workloads: plan.workloads, cluster });
    app.synth();
    return readdirSync(join(outdir, "stacks/own"), { recursive: true }).map(String).sort();
  };
  try {
    const before = synth();
    const file = (path: string): string => join(outdir, "stacks/own/pods", cluster.name, path);
    const [kept, changed, stale] = [
      "backend/values.yaml",
      "backend/patch.yaml",
      "gone/deeper/values.yaml",
    ].map(file);
    if (!kept || !changed || !stale) throw new Error("three paths");
    mkdirSync(dirname(stale), { recursive: true });
    for (const path of [changed, stale]) writeFileSync(path, "changed by hand");
    utimesSync(kept, new Date(0), new Date(0));
    expect(synth()).toEqual(before);
    expect(statSync(kept).mtimeMs).toBe(0);
    expect(statSync(changed).size).toBeGreaterThan("changed by hand".length);
    expect(existsSync(dirname(dirname(stale)))).toBe(false);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
});
