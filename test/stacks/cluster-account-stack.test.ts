import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry, UnknownNameError } from "../../lib/model";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { ClusterAccountStack } from "../../stacks";
import { type Draft, draft } from "../model/sample";
import { PROVIDER_SOURCE } from "./aws-provider-source";
import { synthesize, type TerraformJson } from "./synthesized";

const SECRETS = "444455556666";
const PLATFORM = "777788889999";
const SECRETS_ROLE = `arn:aws:iam::${SECRETS}:role/acme/prod/acme-prod-backend`;
const POD_ROLE = `arn:aws:iam::${PLATFORM}:role/acme/prod/acme-prod-backend`;
const CLUSTER = `arn:aws:eks:eu-central-1:${PLATFORM}:cluster/prod-one`;

/** Production's cluster in an account of the platform's, by EKS Pod Identity. */
function registryWith(change: (d: Draft) => void = () => undefined): Registry {
  const definition = draft();
  definition.environments.prod.identity = "pod-identity";
  definition.environments.prod.clusters[0].account = PLATFORM;
  change(definition);
  return defineRegistry(definition) as unknown as Registry;
}

const registry = registryWith();
const plan = blueprint(registry, "prod");
const backend = plan.workloads.find(({ name }) => name === "backend");
const [account] = plan.clusterAccounts;
const podRole = account?.roles.find(({ workload }) => workload === "backend")?.role;
if (!backend || !account || !podRole) throw new Error("no backend");

interface Made {
  readonly terraform: TerraformJson;
  readonly policies: Readonly<Record<string, TerraformJson>>;
}

function made(id = "prod-pods"): Made {
  const outdir = mkdtempSync(join(tmpdir(), "pods-"));
  try {
    const app = new App({ outdir });
    new ClusterAccountStack(app, id, { registry, environment: "prod", account: PLATFORM });
    app.synth();
    const folder = join(outdir, "stacks", id);
    return {
      terraform: JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8")),
      policies: Object.fromEntries(
        readdirSync(join(folder, "policies")).map((file) => [
          file,
          JSON.parse(readFileSync(join(folder, "policies", file), "utf8")),
        ]),
      ),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

test("the names are those that the tests go by", () => {
  expect([backend.role.arn, podRole.arn]).toEqual([SECRETS_ROLE, POD_ROLE]);
});

describe("the stack of the cluster's account", () => {
  const { terraform, policies } = made();
  const { resource, provider } = terraform;

  test("associates each ServiceAccount with a role there, and with the one beside the secrets as its target", () => {
    expect(resource.aws_eks_pod_identity_association["pods_prod-one--backend"]).toMatchObject({
      cluster_name: "prod-one",
      region: "eu-central-1",
      namespace: "backend",
      service_account: "backend",
      role_arn: "${aws_iam_role.pods_backend.arn}",
      target_role_arn: SECRETS_ROLE,
      disable_session_tags: false,
    });
    expect(Object.keys(resource.aws_eks_pod_identity_association)).toHaveLength(plan.workloads.length);
  });

  test("holds nothing but these roles, and is deployed with that account's credentials alone", () => {
    expect(Object.keys(resource).sort()).toEqual([
      "aws_eks_pod_identity_association",
      "aws_iam_role",
      "aws_iam_role_policies_exclusive",
      "aws_iam_role_policy",
      "aws_iam_role_policy_attachments_exclusive",
    ]);
    expect(provider.aws).toEqual([{ allowed_account_ids: [PLATFORM], region: "eu-central-1" }]);
  });

  test("has its deployer allowed what the provider calls for it, there, and nothing else", () => {
    const statements: readonly TerraformJson[] = Object.values(policies).flatMap(
      ({ Statement }) => Statement,
    );
    const rights = new Set<string>(statements.flatMap(({ Action }) => Action));
    const asked = new Set(
      Object.keys(resource).flatMap((type) => {
        const source = PROVIDER_SOURCE[type];
        if (!source) throw new Error(type);
        const { create, read, update, destroy, tags = [] } = source;
        return [...create, ...read, ...update, ...destroy, ...tags];
      }),
    );
    asked.delete("iam:PutRolePermissionsBoundary");
    asked.add("iam:PassRole");
    // Of managed policies, which these roles do not have.
    asked.delete("iam:AttachRolePolicy");
    expect([...rights].sort()).toEqual([...asked].sort());
    const places = statements.flatMap(({ Resource }) => Resource) as readonly string[];
    expect(places.filter((place) => !place.includes(`:${PLATFORM}:`))).toEqual([]);
  });

  test("is refused for an account that has none of the environment's pods", () => {
    expect(
      () => new ClusterAccountStack(new App(), "other", { registry, environment: "prod", account: SECRETS }),
    ).toThrow(UnknownNameError);
  });
});

test("the environment's own stack makes no association there, and its deployer has no right to one", () => {
  synthesize({ registry, environment: "prod" }, ({ resource }) => {
    expect(resource).not.toHaveProperty("aws_eks_pod_identity_association");
    expect(resource.aws_iam_role.secrets_backend).toBeDefined();
  });
  const text = JSON.stringify(plan.deployer.policies);
  expect(text).not.toContain("eks:");
  expect(text).not.toContain("pods.eks.amazonaws.com");
});

describe("the role beside the secrets is taken (evaluated)", () => {
  const TAGS = {
    "aws:RequestTag/eks-cluster-arn": CLUSTER,
    "aws:RequestTag/kubernetes-namespace": "backend",
    "aws:RequestTag/kubernetes-service-account": "backend",
  };
  const takes = (principal: string, context: Readonly<Record<string, string>>): boolean =>
    evaluateAccess(
      { action: "sts:AssumeRole", resource: SECRETS_ROLE, principal, context },
      {
        identity: podRole.policies.inline.map(({ document }) => document),
        resource: backend.role.trust,
        resourceMustAllow: true,
      },
    ).allowed;

  test("by the pod role with the tags of its own ServiceAccount", () => {
    expect(takes(POD_ROLE, TAGS)).toBe(true);
  });

  test.each([
    ["another role of that account", POD_ROLE.replace("backend", "payments"), TAGS],
    ["a role of another account", POD_ROLE.replace(PLATFORM, "123456789012"), TAGS],
    ["a session without tags", POD_ROLE, {}],
    ["another namespace", POD_ROLE, { ...TAGS, "aws:RequestTag/kubernetes-namespace": "other" }],
    ["another ServiceAccount", POD_ROLE, { ...TAGS, "aws:RequestTag/kubernetes-service-account": "default" }],
    ["another cluster", POD_ROLE, { ...TAGS, "aws:RequestTag/eks-cluster-arn": `${CLUSTER}-two` }],
  ])("and not by %s", (_, principal, context) => {
    expect(takes(principal, context)).toBe(false);
  });

  test("and by it no other role can be taken", () => {
    expect(podRole.policies).toEqual({
      inline: [
        {
          name: "take-target-role",
          document: {
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "TakeTargetRole",
                Effect: "Allow",
                Action: ["sts:AssumeRole", "sts:TagSession"],
                Resource: [SECRETS_ROLE],
              },
            ],
          },
        },
      ],
      managed: [],
    });
  });
});

test("a pod role is taken by EKS for its own cluster, namespace and ServiceAccount, and by nobody else", () => {
  expect(podRole.trust.Statement).toEqual([
    {
      Sid: "EksPodIdentity",
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        ArnEquals: { "aws:SourceArn": [CLUSTER] },
        StringEquals: {
          "aws:SourceAccount": [PLATFORM],
          "aws:RequestTag/kubernetes-namespace": ["backend"],
          "aws:RequestTag/kubernetes-service-account": ["backend"],
        },
      },
    },
  ]);
});

test("clusters of the secrets' own account beside it are associated by the environment's stack, as ever", () => {
  const both = registryWith((d) => {
    const [first] = d.environments.prod.clusters;
    d.environments.prod.vaultAuth = "jwt";
    d.environments.prod.clusters.push({
      ...first,
      name: "own",
      account: SECRETS,
      issuer: "https://oidc.example.com/id/OWN",
    });
  });
  const { workloads, clusterAccounts } = blueprint(both, "prod");
  const role = workloads.find(({ name }) => name === "backend")?.role;
  expect(role?.trust.Statement.map(({ Sid, Principal }) => [Sid, Principal])).toEqual([
    ["EksPodIdentity", { Service: "pods.eks.amazonaws.com" }],
    [`EksPodIdentityIn${PLATFORM}`, { AWS: `arn:aws:iam::${PLATFORM}:root` }],
  ]);
  expect(clusterAccounts.flatMap(({ associations }) => associations.map(({ cluster }) => cluster))).toEqual(
    clusterAccounts[0]?.roles.map(() => "prod-one"),
  );
  synthesize({ registry: both, environment: "prod" }, ({ resource }) => {
    const names = Object.keys(resource.aws_eks_pod_identity_association);
    expect(names.every((name) => name.startsWith("secrets_own--"))).toBe(true);
    expect(names).not.toHaveLength(0);
  });
});

test("the boundary of roles is that account's own, of the same path and name", () => {
  const bounded = registryWith((d) => {
    d.environments.prod.permissionsBoundary = `arn:aws:iam::${SECRETS}:policy/teams/boundary`;
  });
  const [there] = blueprint(bounded, "prod").clusterAccounts;
  const boundary = `arn:aws:iam::${PLATFORM}:policy/teams/boundary`;
  expect(there?.roles.map(({ role }) => role.permissionsBoundary)).toEqual(there?.roles.map(() => boundary));
  expect(JSON.stringify(there?.deployer)).toContain(`"iam:PermissionsBoundary":["${boundary}"]`);
});
