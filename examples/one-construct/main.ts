import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformStack } from "cdktf";
import { blueprint, days, defineRegistry, secretReference } from "cdktf-secrets-registry";
import { SecretsKey } from "cdktf-secrets-registry/constructs";
import type { Construct } from "constructs";

const registry = defineRegistry({
  id: "example",
  environments: {
    prod: {
      tier: "production",
      account: "111122223333",
      awsTokenIssuer: "https://1a2b3c4d-5e6f-4a1b-8c2d-3e4f5a6b7c8d.tokens.sts.global.api.aws",
      regions: { primary: "eu-central-1", replicas: ["eu-west-1"] },
      principals: {
        deployer: "arn:aws:iam::111122223333:role/deployer",
        approvers: ["arn:aws:iam::111122223333:role/approver"],
      },
      vaults: [
        { name: "main", address: "https://vault.example.com:8200", regions: ["eu-central-1", "eu-west-1"] },
      ],
      clusters: [
        {
          name: "main",
          region: "eu-central-1",
          issuer: "https://oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
          apiServer: "https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com",
          vault: "main",
        },
      ],
    },
  },
  workloads: { api: { namespace: "api" } },
  secrets: {
    "crypto/webhook": {
      kind: "hmac-key",
      description: "HMAC secret for webhooks",
      owner: "team-api",
      consumers: ["api"],
      rotateEvery: days(180),
      store: "aws",
    },
  },
});

/** Somebody else's stack, with just the key of the registry's secrets in it. */
class TheirStack extends TerraformStack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    new AwsProvider(this, "aws", { region: "eu-central-1" });
    const { key, regions } = blueprint(registry, "prod");
    new SecretsKey(this, "secrets-key", { plan: key, regions });
  }
}

// What another repository may know of a secret: names, never a value.
process.stdout.write(
  `${JSON.stringify(secretReference(registry, { environment: "prod", key: "crypto/webhook", region: "eu-west-1" }))}\n`,
);

const app = new App();
new TheirStack(app, "theirs");
app.synth();
