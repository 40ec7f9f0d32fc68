import { parse } from "yaml";
import { blueprint } from "../../lib/blueprint";
import { podFiles } from "../../lib/constructs/kubernetes/pod-files";
import { defineRegistry } from "../../lib/model";
import { CONTROLLER_KINDS } from "../../lib/model/definition";
import { draft } from "../model/sample";

describe.each(CONTROLLER_KINDS)("the files of a workload whose pods a %s makes", (controller) => {
  const definition = draft();
  definition.workloads.backend.controller = controller;
  definition.workloads.backend.reload = { how: "redeploy", deployment: "api" };
  const plan = blueprint(defineRegistry(definition), "prod" as never);
  const [cluster] = plan.clusters;
  const backend = plan.workloads.find(({ name }) => name === "backend");
  if (!cluster || !backend) throw new Error("the sample has no backend");
  const files = new Map(
    podFiles(backend, cluster).map(({ path, content }) => [path.split("/").at(-1), parse(content)]),
  );

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
