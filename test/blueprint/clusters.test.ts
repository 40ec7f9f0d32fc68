import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import { type Draft, draft } from "../model/sample";

/** The sample's production with two clusters on one Vault, and a workload in one of them. */
function planWith(change: (definition: Draft) => void = () => undefined) {
  const definition = draft();
  const { prod } = definition.environments;
  prod.vaultAuth = "jwt";
  prod.clusters.push({
    ...prod.clusters[0],
    name: "data",
    issuer: "https://oidc.example.com/id/DATA",
    apiServer: "https://api.data.example.com",
  });
  definition.workloads.payments.environments = { prod: { clusters: ["data"] } };
  definition.workloads.payments.reload = { how: "redeploy" };
  definition.workloads.idle = { namespace: "idle" };
  change(definition);
  return blueprint(defineRegistry(definition) as Registry, "prod");
}

describe("a workload of some clusters", () => {
  test("has a pod, a Vault role and trust there, and nowhere else", () => {
    const plan = planWith();
    const [backend, payments] = plan.workloads;
    expect(backend?.pods.map(({ cluster }) => cluster)).toEqual(["data", "prod-one"]);
    expect(payments?.pods.map(({ cluster }) => cluster)).toEqual(["data"]);
    expect(JSON.stringify(payments?.role.trust)).toContain("oidc.example.com/id/DATA");
    expect(JSON.stringify(payments?.role.trust)).not.toContain("oidc.example.com/id/PROD");
    expect(
      plan.vaults[0]?.roles.filter(({ workload }) => workload === "payments").map(({ mount }) => mount),
    ).toEqual(["jwt-data"]);
  });

  test("with EKS Pod Identity is trusted from there alone", () => {
    const plan = planWith((d) => {
      d.environments.prod.identity = "pod-identity";
    });
    const trust = JSON.stringify(plan.workloads.find(({ name }) => name === "payments")?.role.trust);
    expect(trust).toContain("cluster/data");
    expect(trust).not.toContain("cluster/prod-one");
  });

  test("is restarted there", () => {
    const restarter = planWith().functions.find(({ bundle }) => bundle === "restarter");
    expect(restarter?.settings).toMatchObject({ workloads: { payments: { clusters: ["data"] } } });
  });

  test("shares a ServiceAccount's name with another environment's where they never meet", () => {
    // The same cluster in both environments, and payments in the other one only.
    const definition = draft();
    const { dev, prod } = definition.environments;
    dev.clusters.push({ ...prod.clusters[0] });
    prod.vaultAuth = "jwt";
    dev.vaultAuth = "jwt";
    for (const workload of Object.values<Draft>(definition.workloads)) {
      workload.environments = { dev: { clusters: ["dev-one"] } };
    }
    expect(() => defineRegistry(definition)).not.toThrow();
  });
});

test("a workload that consumes nothing in an environment has nothing there", () => {
  const plan = planWith();
  expect(plan.workloads.map(({ name }) => name)).toEqual(["backend", "payments"]);
  expect(JSON.stringify(plan)).not.toContain("idle");
});
