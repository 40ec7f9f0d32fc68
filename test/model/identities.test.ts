import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Fault, RegistryError } from "../../lib/model";
import { type Draft, draft } from "./sample";

/** Both environments on one cluster: the same issuer, each with its own Vault. */
function onOneCluster(): Draft {
  const definition = draft();
  definition.environments.prod.clusters[0].issuer = definition.environments.dev.clusters[0].issuer;
  return definition;
}

function faultsOf(definition: Draft): readonly Fault[] {
  try {
    defineRegistry(definition);
  } catch (error) {
    if (error instanceof RegistryError) return error.faults;
    throw error;
  }
  return [];
}

const APART =
  'give the environment namespaces of its own, such as namespacePattern: "{namespace}-{environment}", or name them in workloads.<workload>.environments.<environment>.namespace';

const shared = (workload: string, subject: string): Fault => ({
  path: "environments.prod.clusters[0].issuer",
  found: `the issuer of a cluster of dev too, where ${subject} is workload ${workload}; here it is workload ${workload}, so that a pod of dev could take the role of prod`,
  allowed: "on one cluster, a namespace or ServiceAccount of its own for each environment's workload",
  change: APART,
});

describe("one subject of one issuer takes one role", () => {
  test.each(["irsa", "pod-identity"])("two environments on one cluster, identity %s", (identity) => {
    const definition = onOneCluster();
    for (const name of ["dev", "prod"]) definition.environments[name].identity = identity;
    expect(faultsOf(definition)).toEqual([
      shared("backend", "backend/backend"),
      shared("payments", "payments/payments"),
    ]);
  });

  test("the advice of the fault leads to a registry whose roles trust other subjects", () => {
    const definition = onOneCluster();
    definition.environments.prod.namespacePattern = "{namespace}-{environment}";
    const registry = defineRegistry(definition);
    const trusts = (["dev", "prod"] as never[]).map((environment) =>
      JSON.stringify(blueprint(registry, environment).workloads.map(({ role }) => role.trust)),
    );
    expect(trusts[0]).toContain("system:serviceaccount:backend:backend");
    expect(trusts[1]).toContain("system:serviceaccount:backend-prod:backend");
    expect(trusts[1]).not.toContain("system:serviceaccount:backend:backend");
  });

  test("a namespace that a workload names for the environment stands as it is", () => {
    const definition = onOneCluster();
    definition.environments.prod.namespacePattern = "{namespace}-{environment}";
    definition.workloads.backend.environments = { prod: { namespace: "live" } };
    const [backend] = blueprint(defineRegistry(definition), "prod" as never).workloads;
    expect(backend?.namespace).toBe("live");
  });

  test("a pattern that outgrows a DNS label is a fault", () => {
    const definition = draft();
    definition.workloads.backend.namespace = "n".repeat(60);
    definition.environments.prod.namespacePattern = "{namespace}-{environment}";
    expect(faultsOf(definition)).toEqual([
      {
        path: "workloads.backend.namespace",
        found: `${"n".repeat(60)}-prod in prod, 65 characters by {namespace}-{environment}`,
        allowed: "a namespace of at most 63 characters (RFC 1123 label)",
        change: "shorten it, or name one for the environment: workloads.backend.environments.prod.namespace",
      },
    ]);
  });

  test.each(["backend", "{environment}", "{namespace}_x", "{namespace}-", "{other}-{namespace}"])(
    "%s is no pattern",
    (pattern) => {
      const definition = draft();
      definition.environments.prod.namespacePattern = pattern;
      expect(faultsOf(definition).map(({ path }) => path)).toEqual(["environments.prod.namespacePattern"]);
    },
  );
});

describe("whoever creates pods in a namespace picks any of its ServiceAccounts", () => {
  const beside = (namespace: string, environment: string): Fault => ({
    path: "workloads.payments.namespace",
    found: `${namespace} in ${environment}, beside workload backend, which accessRules["backend"].deny keeps from payments/stripe`,
    allowed:
      "a namespace without workloads that are denied what payments reads: whoever creates pods in a namespace picks any of its ServiceAccounts",
    change: "give it a namespace of its own",
  });

  test("a reader beside a workload that is denied the same secret", () => {
    const definition = draft();
    definition.workloads.payments.namespace = "backend";
    expect(faultsOf(definition)).toEqual([beside("backend", "dev")]);
  });

  test("also where the two meet in one environment alone", () => {
    const definition = draft();
    definition.workloads.payments.environments = { prod: { namespace: "backend" } };
    expect(faultsOf(definition)).toEqual([beside("backend", "prod")]);
  });

  test("also where the two are of different environments on one cluster", () => {
    const definition = onOneCluster();
    definition.workloads.payments.environments = { prod: { namespace: "backend" } };
    definition.workloads.backend.environments = { prod: { namespace: "backend-live" } };
    expect(faultsOf(definition)).toEqual([beside("backend", "prod")]);
  });

  test("not where nobody there is denied it, nor where the reader has nothing that is denied", () => {
    const definition = draft();
    definition.workloads.payments.namespace = "backend";
    definition.accessRules = { backend: { allow: ["db/*", "crypto/*"] } };
    expect(faultsOf(definition)).toEqual([]);
  });
});
