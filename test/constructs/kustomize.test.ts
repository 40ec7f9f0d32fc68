import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { blueprint } from "../../lib/blueprint";
import { podFiles } from "../../lib/constructs/kubernetes/pod-files";
import { defineRegistry } from "../../lib/model";
import { CONTROLLER_KINDS } from "../../lib/model/controller-kinds";
import { type Draft, draft } from "../model/sample";

/** The component of a workload, built by Kustomize itself over objects with volumes and annotations of their own. */

const KUSTOMIZE = process.env.KUSTOMIZE ?? "kustomize";
const hasKustomize = spawnSync(KUSTOMIZE, ["version"]).status === 0;
if (!hasKustomize) {
  process.stderr.write(
    "kustomize is not on the PATH: components are not built. go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1\n",
  );
}

const OWN = { name: "scratch", emptyDir: {} };

const object = (kind: string, name: string): Draft => ({
  apiVersion: kind === "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1",
  kind,
  metadata: { name, namespace: "backend" },
  spec: {
    template: {
      metadata: { annotations: { own: "kept" } },
      spec: { containers: [{ name: "app", image: "example" }], volumes: [OWN] },
    },
  },
});

/** Objects that Kustomize builds of a base and the component of backend in prod. */
function built(change: (definition: Draft) => void, base: readonly Draft[]) {
  const definition = draft();
  change(definition);
  const plan = blueprint(defineRegistry(definition), "prod" as never);
  const backend = plan.workloads.find(({ name }) => name === "backend");
  const [cluster] = plan.clusters;
  const [pod] = backend?.pods ?? [];
  if (!cluster || !backend || !pod) throw new Error("the sample has no backend");
  const folder = mkdtempSync(join(tmpdir(), "component-"));
  try {
    mkdirSync(join(folder, "component"));
    for (const { path, content } of podFiles(backend, cluster))
      writeFileSync(join(folder, "component", basename(path)), content);
    writeFileSync(join(folder, "base.yaml"), base.map((entry) => stringify(entry)).join("---\n"));
    writeFileSync(
      join(folder, "kustomization.yaml"),
      stringify({ resources: ["base.yaml"], components: ["component"] }),
    );
    const { status, stdout, stderr } = spawnSync(KUSTOMIZE, ["build", folder], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return { pod, objects: parseAllDocuments(stdout).map((document): Draft => document.toJS()) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const byName = (one: { name: string }, other: { name: string }): number => (one.name < other.name ? -1 : 1);

(hasKustomize ? describe : describe.skip)("Kustomize, with the component of a workload", () => {
  test("gives every object of the workload what its pods need, beside what it has", () => {
    const further = [...CONTROLLER_KINDS, "Rollout"].map((kind) => ({
      kind,
      name: `a-${kind.toLowerCase()}`,
    }));
    const { pod, objects } = built(
      (d) => {
        d.workloads.backend.furtherControllers = further;
      },
      [{ kind: "Deployment", name: "backend" }, ...further].map(({ kind, name }) => object(kind, name)),
    );
    expect(objects).toHaveLength(5);
    for (const { spec } of objects) {
      expect(spec.template.metadata.annotations).toEqual({ ...pod.annotations, own: "kept" });
      expect(spec.template.spec.serviceAccountName).toBe("backend");
      expect([...spec.template.spec.volumes].sort(byName)).toEqual([OWN, ...pod.volumes].sort(byName));
    }
  });

  test("leaves other objects of the namespace alone", () => {
    const other = object("Deployment", "backend-2");
    const { objects } = built(() => undefined, [object("Deployment", "backend"), other]);
    expect(objects.find(({ metadata }) => metadata.name === "backend-2")).toEqual(other);
  });

  test("brings the ServiceAccount and the ConfigMap of a workload that GitOps makes", () => {
    const { objects } = built(
      (d) => {
        d.workloads.backend.manage = "external";
        d.secrets["db/app"].files = [
          { format: "template", path: "large", template: `SECRET_PATH ${"x".repeat(120_000)}` },
        ];
      },
      [object("Deployment", "backend")],
    );
    expect(objects.map(({ kind }) => kind).sort()).toEqual(["ConfigMap", "Deployment", "ServiceAccount"]);
  });
});
