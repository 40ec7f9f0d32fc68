import { blueprint } from "../../../lib/blueprint";
import { defineRegistry, type Fault, type Registry } from "../../../lib/model";
import { namespacesMeet } from "../../../lib/model/namespace-patterns";
import { type Draft, draft } from "../sample";
import { type FaultCase, faultsOf, testFaults } from "./fault-case";

const PREVIEWS = '"preview-*"';

/** One workload in namespaces by a pattern. */
const byPattern =
  (environment: string, namespace = "preview-*-{namespace}") =>
  (d: Draft): void => {
    d.environments[environment].namespacePattern = namespace;
  };

const CASES: readonly FaultCase[] = [
  {
    name: "a pattern outside of development",
    change: (d) => {
      d.workloads.backend.environments = { prod: { namespace: "preview-*" } };
    },
    ways: [
      (d) => {
        d.workloads.backend.environments.prod.namespace = "preview";
      },
    ],
    faults: [
      {
        path: "workloads.backend.environments.prod.namespace",
        found: `${PREVIEWS} for backend, in production`,
        allowed:
          "namespaces by their names: whoever may create one that matches a pattern reads what its workloads read",
        change: "write the namespace without *, or keep the pattern for an environment of tier development",
      },
    ],
  },
  {
    name: "a pattern that takes in the cluster's own namespaces",
    change: (d) => {
      d.workloads.backend.environments = { dev: { namespace: "kube-*" } };
    },
    ways: [
      (d) => {
        d.workloads.backend.environments.dev.namespace = "preview-*";
      },
    ],
    faults: [
      {
        path: "workloads.backend.environments.dev.namespace",
        found: '"kube-*" for backend, which kube-example matches',
        allowed:
          "a pattern that begins with a word of at least three characters and a hyphen, and takes in no namespace of the cluster's own",
        change: "choose another beginning, such as preview-*",
      },
    ],
  },
  {
    name: "a pattern that begins with next to nothing",
    change: (d) => {
      d.workloads.backend.environments = { dev: { namespace: "a-*" } };
    },
    ways: [
      (d) => {
        d.workloads.backend.environments.dev.namespace = "preview-*";
      },
    ],
    faults: [
      {
        path: "workloads.backend.environments.dev.namespace",
        found: '"a-*" for backend',
        allowed:
          "a pattern that begins with a word of at least three characters and a hyphen, and takes in no namespace of the cluster's own",
        change: "choose another beginning, such as preview-*",
      },
    ],
  },
  {
    name: "a pattern with Pod Identity",
    change: (d) => {
      byPattern("dev")(d);
      d.environments.dev.identity = "pod-identity";
    },
    faults: ["backend", "payments"].map(
      (name): Fault => ({
        path: "environments.dev.identity",
        found: `"pod-identity", with the namespaces "preview-*-${name}" for ${name}`,
        allowed: '"irsa": EKS Pod Identity has an association for each namespace',
        change: 'write "irsa", or name the namespace',
      }),
    ),
  },
  {
    name: "a pattern with jwt on a Vault whose deployer is bound by contents",
    change: (d) => {
      byPattern("dev")(d);
      d.environments.dev.vaultAuth = "jwt";
    },
    ways: [
      (d) => {
        Object.assign(d.environments.dev.vaults[0], { deployer: "names", namespace: "dev" });
      },
      (d) => {
        d.environments.dev.vaultAuth = "kubernetes";
      },
    ],
    faults: [
      {
        path: "environments.dev.vaults[0].deployer",
        found: '"contents", with vaultAuth jwt and namespaces by a pattern',
        allowed:
          '"names": Vault has patterns of subjects in an object, whose contents no policy can bind, so that the deployer of main could widen them',
        change:
          'write "names", with a namespace of Vault that is this environment\'s alone, or set environments.dev.vaultAuth to "kubernetes"',
      },
    ],
  },
  {
    name: "a pattern for a workload that would be restarted",
    change: (d) => {
      d.workloads.backend.environments = { dev: { namespace: "preview-*" } };
      d.workloads.backend.reload = { how: "redeploy" };
    },
    ways: [
      (d) => {
        d.workloads.backend.reload = { how: "file-watch" };
      },
      (d) => {
        d.workloads.backend.environments.dev.namespace = "preview";
      },
    ],
    faults: [
      {
        path: "workloads.backend.reload",
        found: `"redeploy", with the namespaces ${PREVIEWS} in dev`,
        allowed: "file-watch or command: nobody knows the namespaces in which it would be restarted",
        change: "choose one of them, or name one namespace in workloads.backend.environments.dev.namespace",
      },
    ],
  },
  {
    name: "all workloads in one preview namespace, of which one is denied what another reads",
    change: byPattern("dev", "preview-*"),
    ways: [byPattern("dev"), (d) => delete d.accessRules.backend],
    faults: [
      {
        path: "workloads.payments.namespace",
        found:
          'preview-* in dev, beside workload backend, which accessRules["backend"].deny keeps from payments/stripe',
        allowed:
          "a namespace without workloads that are denied what payments reads: whoever creates pods in a namespace picks any of its ServiceAccounts",
        change: "give it a namespace of its own",
      },
    ],
  },
  {
    name: "a namespace that another workload's pattern takes in, where one is denied what the other reads",
    change: (d) => {
      d.workloads.backend.environments = { dev: { namespace: "pay-*" } };
      d.workloads.payments.environments = { dev: { namespace: "pay-live" } };
    },
    ways: [
      (d) => {
        d.workloads.payments.environments.dev.namespace = "payments";
      },
    ],
    faults: [
      {
        path: "workloads.payments.namespace",
        found:
          'pay-live in dev, beside workload backend, which accessRules["backend"].deny keeps from payments/stripe',
        allowed:
          "a namespace without workloads that are denied what payments reads: whoever creates pods in a namespace picks any of its ServiceAccounts",
        change: "give it a namespace of its own",
      },
    ],
  },
  {
    name: "a pattern that takes in another workload's ServiceAccount",
    change: (d) => {
      d.accessRules = {};
      d.workloads.backend.environments = { dev: { namespace: "web-*", serviceAccount: "app" } };
      d.workloads.payments.environments = { dev: { namespace: "web-pay", serviceAccount: "app" } };
    },
    ways: [
      (d) => {
        d.workloads.payments.environments.dev.serviceAccount = "pay";
      },
    ],
    faults: [
      {
        path: "workloads.payments.serviceAccount",
        found: 'web-pay/app, the ServiceAccount of "backend"',
        allowed: "a ServiceAccount of its own for each workload",
        change: "give one of them another ServiceAccount, or make them one workload",
      },
    ],
  },
  {
    name: "a pattern that takes in another environment's namespace on the same cluster",
    change: (d) => {
      d.environments.prod.clusters[0].issuer = d.environments.dev.clusters[0].issuer;
      d.workloads.backend.environments = { dev: { namespace: "web-*" }, prod: { namespace: "web-live" } };
      d.workloads.payments.environments = { prod: { namespace: "payments-live" } };
    },
    ways: [
      (d) => {
        d.workloads.backend.environments.prod.namespace = "live-web";
      },
    ],
    faults: [
      {
        path: "environments.prod.clusters[0].issuer",
        found:
          "the issuer of a cluster of dev too, where web-*/backend is workload backend; here it is workload backend, so that a pod of dev could take the role of prod",
        allowed: "on one cluster, a namespace or ServiceAccount of its own for each environment's workload",
        change:
          'give the environment namespaces of its own, such as namespacePattern: "{namespace}-{environment}", or name them in workloads.<workload>.environments.<environment>.namespace',
      },
    ],
  },
];

testFaults(CASES);

test.each(["*", "preview*", "*-x", "a-*-*", "preview-*-", "preview_*"])(
  "%s is no pattern of namespaces",
  (namespace) => {
    const definition = draft();
    definition.workloads.backend.environments = { dev: { namespace } };
    expect(faultsOf(definition).map(({ path }) => path)).toEqual([
      "workloads.backend.environments.dev.namespace",
    ]);
  },
);

test.each([
  ["preview-*", "preview-1", true],
  ["preview-*", "previews", false],
  ["preview-*", "prod", false],
  ["preview-*-web", "preview-1-web", true],
  ["preview-*-web", "preview-1-pay", false],
  ["preview-*-web", "preview-*-pay", false],
  ["preview-*", "preview-*-pay", true],
  ["a-*-b", "a-x-*", true],
  ["web", "web", true],
] as const)("%s and %s meet: %s", (one, other, meet) => {
  expect([namespacesMeet(one, other), namespacesMeet(other, one)]).toEqual([meet, meet]);
});

test("roles trust the pattern and nothing beyond it; Terraform makes nothing in namespaces that nobody knows", () => {
  const definition = draft();
  definition.environments.dev.namespacePattern = "preview-*-{namespace}";
  definition.workloads.backend.delivery = { how: "patch", deployment: "web" };
  const [backend] = blueprint(defineRegistry(definition) as Registry, "dev").workloads;
  expect(backend).toMatchObject({
    namespace: "preview-*-backend",
    manage: "external",
    delivery: { how: "files" },
  });
  expect(backend?.role.trust.Statement.map(({ Condition }) => Condition)).toEqual([
    {
      StringEquals: { "oidc.example.com/id/DEV:aud": ["sts.amazonaws.com"] },
      StringLike: { "oidc.example.com/id/DEV:sub": ["system:serviceaccount:preview-*-backend:backend"] },
    },
  ]);
  const [prod] = blueprint(defineRegistry(definition) as Registry, "prod").workloads;
  expect(prod).toMatchObject({ namespace: "backend", manage: "create", delivery: { how: "patch" } });
  expect(JSON.stringify(prod?.role.trust)).not.toContain("StringLike");
});
