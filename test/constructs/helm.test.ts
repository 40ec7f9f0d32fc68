import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { blueprint } from "../../lib/blueprint";
import { podFiles } from "../../lib/constructs/kubernetes/pod-files";
import { roleAnnotations } from "../../lib/constructs/kubernetes/workload-service-account";
import { defineRegistry } from "../../lib/model";
import { type Draft, draft } from "../model/sample";

/** Values for charts, rendered by Helm itself: a chart as `helm create` makes it, and one that runs annotations through `tpl`. */

const HELM = process.env.HELM ?? "helm";
const hasHelm = spawnSync(HELM, ["version"]).status === 0;
if (!hasHelm) {
  process.stderr.write(
    "helm is not on the PATH: charts are not rendered. go install helm.sh/helm/v3/cmd/helm@v3.18.4\n",
  );
}

/** Objects that a chart makes of the values of backend in prod. */
function rendered(chart: string, change: (workload: Draft) => void) {
  const definition = draft();
  change(definition.workloads.backend);
  const plan = blueprint(defineRegistry(definition), "prod" as never);
  const backend = plan.workloads.find(({ name }) => name === "backend");
  const [cluster] = plan.clusters;
  const [pod] = backend?.pods ?? [];
  if (!cluster || !backend || !pod) throw new Error("the sample has no backend");
  const [values] = podFiles(backend, cluster);
  const folder = mkdtempSync(join(tmpdir(), "values-"));
  try {
    const file = join(folder, "values.yaml");
    writeFileSync(file, values?.content ?? "");
    const path = join(__dirname, "../fixtures/charts", chart);
    const { status, stdout, stderr } = spawnSync(HELM, ["template", "release", path, "-f", file], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    const objects = parseAllDocuments(stdout).map((document) => document.toJS());
    return { pod, backend, of: (kind: string): Draft => objects.find((object) => object?.kind === kind) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const AT = { annotationsAt: "controller.podAnnotations", volumesAt: "controller.extraVolumes" };

/** Annotations with all that could break on the way: quotes, braces, line breaks, what YAML takes for something else. */
const hostile = (workload: Draft): void => {
  workload.reload = { how: "command", command: `printf '%s' "{{ a }}" '}}' "\\"` };
};

(hasHelm ? describe : describe.skip)("Helm, with the values of a workload", () => {
  test.each([
    { chart: "created", helm: {}, how: "of helm create" },
    { chart: "tpl", helm: { ...AT, tpl: true }, how: "that runs annotations through tpl" },
  ])("gives the pods of a chart $how what the registry says", ({ chart, helm }) => {
    const { pod, of } = rendered(chart, (workload) => {
      hostile(workload);
      workload.helm = helm;
    });
    const { template } = of("Deployment").spec;
    expect(template.metadata.annotations).toEqual(pod.annotations);
    expect(template.spec).toEqual({ serviceAccountName: "backend", volumes: pod.volumes });
  });

  test("fails in such a chart without the escape, as the guide says", () => {
    expect(() => rendered("tpl", (workload) => Object.assign(workload, { helm: AT }))).toThrow(
      'function "secret" not defined',
    );
  });

  test.each([
    { manage: "create", makes: false },
    { manage: "annotate", makes: true },
    { manage: "external", makes: true },
  ])(
    "lets a chart make the ServiceAccount where Terraform does not (manage: $manage)",
    ({ manage, makes }) => {
      const { of, backend } = rendered("created", (workload) => Object.assign(workload, { manage }));
      const account = of("ServiceAccount");
      expect(account !== undefined).toBe(makes);
      if (!makes) return;
      expect(account.metadata).toEqual({
        name: "backend",
        annotations: roleAnnotations(backend, "irsa"),
      });
    },
  );
});
