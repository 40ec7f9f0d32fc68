import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { Deployment } from "@cdktf/provider-kubernetes/lib/deployment";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { App, TerraformStack } from "cdktf";
import { blueprint } from "../../lib/blueprint";
import {
  AddressCollisionError,
  ReplicatedSecret,
  SecretsKey,
  SecretsRegistry,
  SharedProviderError,
  VaultAclPolicy,
  WorkloadIdentity,
} from "../../lib/constructs";
import { defineRegistry, type Registry } from "../../lib/model";
import { registry } from "../../registry";
import { draft } from "../model/sample";

const plan = blueprint(registry, "prod");

function stack(): TerraformStack {
  const made = new TerraformStack(new App(), "theirs");
  new AwsProvider(made, "aws", { region: "eu-central-1" });
  return made;
}

function firstSecret() {
  const found = plan.secrets.find((secret) => secret.key === "db/app-primary");
  if (found?.store !== "aws") throw new Error("no secret");
  return found;
}

describe("a construct alone in somebody else's stack", () => {
  test("has addresses made of the ids that the user chose", () => {
    const theirs = stack();
    const key = new SecretsKey(theirs, "team-key", { plan: plan.key, regions: plan.regions });
    new ReplicatedSecret(theirs, "db", {
      plan: firstSecret(),
      regions: plan.regions,
      keyArnIn: (region) => key.arnIn(region),
    });
    const [workload] = plan.workloads;
    const [policy] = plan.vaults[0]?.policies ?? [];
    if (!workload || !policy) throw new Error("no workload");
    new WorkloadIdentity(theirs, "identity", { plan: workload });
    new VaultAclPolicy(theirs, "acl", { plan: policy });
    const { resource } = theirs.toTerraform();
    expect(Object.keys(resource.aws_kms_key)).toEqual(["team-key_eu-central-1"]);
    expect(Object.keys(resource.aws_secretsmanager_secret)).toEqual(["db_db--app-primary"]);
    expect(resource.aws_secretsmanager_secret["db_db--app-primary"].kms_key_id).toBe(
      "${aws_kms_key.team-key_eu-central-1.arn}",
    );
    expect(Object.keys(resource.aws_iam_role)).toEqual(["identity_backend"]);
    expect(Object.keys(resource.vault_policy)).toEqual(["acl_acme-prod-backend"]);
  });

  test("says which regions a key has, when asked for another", () => {
    const key = new SecretsKey(stack(), "key", { plan: plan.key, regions: plan.regions });
    expect(() => key.arnIn("ap-south-1")).toThrow(
      "theirs/key: no key in ap-south-1; it was made for eu-central-1, eu-west-1, us-east-1",
    );
  });

  test("cannot take another's address in silence", () => {
    const theirs = stack();
    new SecretsKey(theirs, "key.one", { plan: plan.key, regions: plan.regions });
    expect(() => new SecretsKey(theirs, "keyone", { plan: plan.key, regions: plan.regions })).toThrow(
      AddressCollisionError,
    );
  });
});

describe("SecretsRegistry", () => {
  const secrets = () =>
    new SecretsRegistry(stack(), "secrets", {
      registry,
      environment: "dev",
      parts: { vaults: [], clusters: [] },
    });

  test("gives a Deployment of the same app all that its pods need", () => {
    const made = secrets();
    const { pod, roleArn, namespace } = made.workload("backend");
    const deployment = new Deployment(TerraformStack.of(made), "backend", {
      metadata: { name: "backend", namespace },
      spec: {
        selector: { matchLabels: { app: "backend" } },
        template: {
          metadata: { labels: { app: "backend" }, annotations: pod.annotations },
          spec: {
            serviceAccountName: pod.serviceAccountName,
            volume: pod.volume,
            container: [{ name: "app", image: "app" }],
          },
        },
      },
    });
    expect(roleArn).toBe("arn:aws:iam::111111111111:role/acme/dev/acme-dev-backend");
    const { resource } = TerraformStack.of(deployment).toTerraform();
    const { template } = resource.kubernetes_deployment.backend.spec;
    expect(template.metadata.annotations["vault.hashicorp.com/role"]).toBe("acme-dev-backend");
    expect(template.spec).toMatchObject({
      service_account_name: "backend",
      volume: [
        {
          name: "vault-token",
          projected: [
            {
              sources: [
                {
                  service_account_token: { audience: "vault-dev", expiration_seconds: 3_600, path: "token" },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test("lets Terraform run nothing of an author's text: templates and commands keep their ${…}", () => {
    const definition = draft();
    definition.workloads.backend.reload = { how: "command", command: "kill -HUP ${PID} %{x}" };
    definition.workloads.backend.delivery = { how: "patch", deployment: "api" };
    const theirs = stack();
    const made = new SecretsRegistry(theirs, "secrets", {
      registry: defineRegistry(definition) as Registry,
      environment: "prod",
      parts: { aws: false, vaults: [], clusters: ["prod-one"] },
    });
    const { annotations } = made.workload("backend").pod;
    expect(annotations["vault.hashicorp.com/agent-inject-command-reload"]).toContain(
      "sh -c 'kill -HUP $${PID} %%{x}'",
    );
    const patch = theirs.toTerraform().resource.terraform_data["secrets_prod-one--api"];
    expect(patch.triggers_replace.patch).toContain("kill -HUP $${PID} %%{x}");
    expect(patch.provisioner[0]["local-exec"].environment.PATCH).toBe(patch.triggers_replace.patch);
  });

  test("asks for the cluster where there are several", () => {
    const made = new SecretsRegistry(stack(), "secrets", {
      registry,
      environment: "prod",
      parts: { vaults: [], clusters: [] },
    });
    expect(() => made.workload("backend").pod).toThrow(
      /podIn\(cluster\)[\s\S]*prod-eu-central, prod-eu-west/,
    );
    expect(made.workload("backend").podIn("prod-eu-west").annotations["vault.hashicorp.com/service"]).toBe(
      "https://vault.eu-west.example.com:8200",
    );
    expect(() => made.workload("backend").podIn("nowhere")).toThrow('Unknown cluster "nowhere"');
  });

  test("refuses parts that the environment does not have", () => {
    const plain = registry as unknown as Registry;
    expect(
      () =>
        new SecretsRegistry(stack(), "secrets", {
          registry: plain,
          environment: "dev",
          parts: { vaults: ["vlt"] },
        }),
    ).toThrow('Unknown Vault of dev "vlt". The registry has: dev.');
  });

  describe("where a stack has several Vaults, clusters or accounts", () => {
    const prod = (
      theirs: TerraformStack,
      parts: object,
      providers?: object,
    ): SecretsRegistry<"dev" | "stage" | "prod"> =>
      new SecretsRegistry(theirs, "secrets", {
        registry,
        environment: "prod",
        parts: { aws: false, vaults: [], clusters: [], ...parts },
        ...(providers ? { providers } : {}),
      });
    const vaultProvider = (theirs: TerraformStack, alias: string): VaultProvider =>
      new VaultProvider(theirs, alias, { alias, address: `https://${alias}.example.com` });
    const names = plan.vaults.map(({ name }) => name);
    const [one = "", two = ""] = names;

    test("refuses to send all of them to the default provider", () => {
      expect(names).toHaveLength(2);
      expect(() => prod(stack(), { vaults: undefined })).toThrow(SharedProviderError);
      expect(() => prod(stack(), { vaults: undefined })).toThrow(
        new RegExp(
          `^theirs/secrets\\.providers\\.vault\\n {2}found: {3}2 of kind Vault \\("${one}", "${two}"\\), and no provider for "${one}", "${two}"\\n` +
            `[\\s\\S]*change: {2}providers: \\{ vault: \\{ "${one}": …, "${two}": … \\} \\}`,
        ),
      );
      expect(() => prod(stack(), { clusters: undefined })).toThrow(
        /theirs\/secrets\.providers\.kubernetes[\s\S]*2 of kind cluster/,
      );
    });

    test("refuses to send one of them there, and two to the same provider", () => {
      const theirs = stack();
      const provider = vaultProvider(theirs, "first");
      expect(() => prod(theirs, { vaults: undefined }, { vault: { [one]: provider } })).toThrow(
        `and no provider for "${two}"`,
      );
      const others = stack();
      const shared = vaultProvider(others, "first");
      expect(() => prod(others, { vaults: undefined }, { vault: { [one]: shared, [two]: shared } })).toThrow(
        `one provider for "${one}", "${two}"`,
      );
    });

    test("refuses a provider for what it does not have", () => {
      const theirs = stack();
      const vault = { [one]: vaultProvider(theirs, "first"), vlt: vaultProvider(theirs, "second") };
      expect(() => prod(theirs, { vaults: undefined }, { vault })).toThrow(
        'Unknown Vault, in providers.vault, "vlt"',
      );
    });

    test("takes a provider for each, and a part alone without", () => {
      const theirs = stack();
      const vault = { [one]: vaultProvider(theirs, "first"), [two]: vaultProvider(theirs, "second") };
      prod(theirs, { vaults: undefined }, { vault });
      const used = Object.values(
        theirs.toTerraform().resource.vault_policy as Record<string, { provider?: string }>,
      ).map(({ provider }) => provider);
      expect([...new Set(used)].sort()).toEqual(["vault.first", "vault.second"]);
      expect(() => prod(stack(), { vaults: [one] })).not.toThrow();
    });

    test("refuses a second environment's account, Vault and cluster behind the same default provider", () => {
      const theirs = stack();
      const of = (id: string, environment: "dev" | "stage", parts: object) =>
        new SecretsRegistry(theirs, id, {
          registry,
          environment,
          parts: { aws: false, vaults: [], clusters: [], ...parts },
        });
      of("dev-secrets", "dev", { aws: true, vaults: undefined, clusters: undefined });
      expect(() => of("a", "stage", { aws: true })).toThrow(
        'no provider for the AWS account "222222222222", nor for "111111111111" of theirs/dev-secrets',
      );
      expect(() => of("b", "stage", { vaults: undefined })).toThrow(
        /no provider for the Vault "stage", nor for "dev"/,
      );
      expect(() => of("c", "stage", { clusters: undefined })).toThrow(
        /no provider for the cluster "[a-z-]+", nor for/,
      );
      of("own", "stage", { aws: false, vaults: [], clusters: [] });
    });
  });
});
