import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformStack } from "cdktf";
import { type Blueprint, blueprint } from "../../lib/blueprint";
import {
  AwsSecrets,
  OidcProvider,
  ReplicatedSecret,
  SecretsKey,
  WorkloadIdentity,
} from "../../lib/constructs";
import { defineRegistry, type Registry } from "../../lib/model";
import { registry } from "../../registry";
import { type Draft, draft, genericPassword } from "../model/sample";
import type { TerraformJson } from "../stacks/synthesized";

const planOf = (definition: Draft): Blueprint => blueprint(defineRegistry(definition) as Registry, "prod");

/** The resources that constructs make in a stack of their own. */
function resourcesOf(make: (stack: TerraformStack) => void): TerraformJson {
  const stack = new TerraformStack(new App(), "theirs");
  make(stack);
  return stack.toTerraform().resource;
}

describe("SecretsKey", () => {
  const { key: plan } = blueprint(registry, "prod");

  test("refuses a region without a key policy, where KMS would let the whole account decrypt", () => {
    const regions = { primary: "eu-central-1", replicas: ["ap-south-1"] };
    expect(() => resourcesOf((stack) => new SecretsKey(stack, "key", { plan, regions }))).toThrow(
      "theirs/key: the plan has no key policy for ap-south-1; it has eu-central-1, eu-west-1, us-east-1",
    );
  });
});

describe("WorkloadIdentity", () => {
  const definition = draft();
  definition.secrets = Object.fromEntries(
    Array.from({ length: 360 }, (_, index) => [
      `team/secret-${String(index).padStart(7, "0")}`,
      { ...genericPassword(), consumers: ["backend"] },
    ]),
  );
  const plan = planOf(definition).workloads.find(({ name }) => name === "backend");
  if (!plan) throw new Error("no workload");
  const { managed } = plan.role.policies;
  const resources = resourcesOf((stack) => new WorkloadIdentity(stack, "identity", { plan }));
  const words = managed.map((_, index) => `identity_backend_${index + 1}`);

  test("has managed policies of legal size for what no inline policy holds, and attaches each", () => {
    expect(managed.length).toBeGreaterThan(1);
    expect(resources.aws_iam_role_policy).toBeUndefined();
    expect(Object.keys(resources.aws_iam_policy)).toEqual(words);
    for (const [index, word] of words.entries()) {
      const policy = resources.aws_iam_policy[word];
      expect(policy).toMatchObject({ name: managed[index]?.name, path: plan.role.path });
      expect(policy.policy.length).toBeLessThanOrEqual(6_144);
      expect(JSON.parse(policy.policy)).toEqual(managed[index]?.document);
      expect(resources.aws_iam_role_policy_attachment[word]).toMatchObject({
        role: "${aws_iam_role.identity_backend.name}",
        policy_arn: `\${aws_iam_policy.${word}.arn}`,
      });
    }
  });

  test("names just those as the role's, after they are attached, and no inline policy at all", () => {
    expect(resources.aws_iam_role_policy_attachments_exclusive.identity_backend).toMatchObject({
      role_name: "${aws_iam_role.identity_backend.name}",
      policy_arns: words.map((word) => `\${aws_iam_role_policy_attachment.${word}.policy_arn}`),
    });
    expect(resources.aws_iam_role_policies_exclusive.identity_backend).toMatchObject({
      role_name: "${aws_iam_role.identity_backend.name}",
      policy_names: [],
    });
  });
});

describe("OidcProvider", () => {
  test("leaves the certificate's thumbprint to IAM", () => {
    const definition = draft();
    definition.environments.prod.clusters[0].oidcProvider = "create";
    const [plan] = planOf(definition).oidcProviders;
    if (!plan) throw new Error("no provider");
    const resources = resourcesOf((stack) => new OidcProvider(stack, "issuer", { plan }));
    expect(resources.aws_iam_openid_connect_provider).toEqual({
      "issuer_prod-one": expect.objectContaining({
        url: "https://oidc.example.com/id/PROD",
        client_id_list: ["sts.amazonaws.com"],
      }),
    });
    expect(resources.aws_iam_openid_connect_provider["issuer_prod-one"]).not.toHaveProperty(
      "thumbprint_list",
    );
  });
});

describe("AwsSecrets", () => {
  const definition = draft();
  definition.environments.prod.identity = "pod-identity";

  test("gives every resource the provider that it was given", () => {
    const resources = resourcesOf((stack) => {
      new AwsProvider(stack, "default", { region: "eu-central-1" });
      const provider = new AwsProvider(stack, "other", { region: "eu-central-1", alias: "secrets" });
      new AwsSecrets(stack, "secrets", { blueprint: planOf(definition), provider });
    });
    const without = Object.entries<TerraformJson>(resources).flatMap(([type, made]) =>
      Object.entries<TerraformJson>(made).flatMap(([name, { provider }]) =>
        provider === "aws.secrets" ? [] : [`${type}.${name}`],
      ),
    );
    expect(without).toEqual([]);
    expect(Object.keys(resources).sort()).toEqual([
      "aws_cloudwatch_event_rule",
      "aws_cloudwatch_event_target",
      "aws_cloudwatch_log_group",
      "aws_cloudwatch_metric_alarm",
      "aws_dynamodb_table",
      "aws_eks_pod_identity_association",
      "aws_iam_role",
      "aws_iam_role_policies_exclusive",
      "aws_iam_role_policy",
      "aws_iam_role_policy_attachments_exclusive",
      "aws_kms_alias",
      "aws_kms_key",
      "aws_kms_replica_key",
      "aws_lambda_function",
      "aws_lambda_permission",
      "aws_s3_bucket",
      "aws_s3_bucket_object_lock_configuration",
      "aws_s3_bucket_ownership_controls",
      "aws_s3_bucket_policy",
      "aws_s3_bucket_public_access_block",
      "aws_s3_bucket_server_side_encryption_configuration",
      "aws_s3_bucket_versioning",
      "aws_secretsmanager_secret",
      "aws_secretsmanager_secret_policy",
      "aws_secretsmanager_secret_rotation",
      "aws_sfn_state_machine",
      "aws_sns_topic",
      "aws_sns_topic_policy",
      "aws_sqs_queue",
      "aws_sqs_queue_policy",
    ]);
  });

  test("has no resource that waits for a workload's role: a secret needs its keys only", () => {
    const resources = resourcesOf((stack) => {
      new AwsSecrets(stack, "secrets", { blueprint: planOf(definition) });
    });
    const references = (value: unknown): string[] => [
      ...new Set([...JSON.stringify(value).matchAll(/\$\{(\w+)\./g)].flatMap(([, type]) => type ?? [])),
    ];
    expect(references(resources.aws_kms_key)).toEqual([]);
    expect(references(resources.aws_kms_replica_key)).toEqual(["aws_kms_key"]);
    expect(references(resources.aws_secretsmanager_secret)).toEqual(["aws_kms_key", "aws_kms_replica_key"]);
    expect(references(resources.aws_secretsmanager_secret_policy)).toEqual(["aws_secretsmanager_secret"]);
    expect(references(resources.aws_iam_role)).toEqual([]);
  });
});

describe("RotationProcedure", () => {
  const procedureIn = (environment: "dev" | "prod"): TerraformJson =>
    resourcesOf((stack) => {
      new AwsSecrets(stack, "secrets", { blueprint: blueprint(registry, environment) });
    });
  const { procedure } = blueprint(registry, "prod");
  const prod = procedureIn("prod");

  test("runs the blueprint's definition under a role of its own, after the role's rights are there", () => {
    const machine = prod.aws_sfn_state_machine.secrets_procedure;
    expect(JSON.parse(machine.definition)).toEqual(procedure?.stateMachine.definition);
    expect(machine).toMatchObject({
      name: procedure?.stateMachine.name,
      type: "STANDARD",
      role_arn: "${aws_iam_role.secrets_machine--procedure.arn}",
      depends_on: ["aws_iam_role_policy.secrets_machine--procedure_procedure"],
    });
    expect(machine).not.toHaveProperty("logging_configuration");
  });

  test("keeps records in a private bucket under lock, which a destroy empties in development only", () => {
    const { aws_s3_bucket, aws_s3_bucket_versioning, aws_s3_bucket_object_lock_configuration } = prod;
    expect(aws_s3_bucket.secrets_records).toMatchObject({
      bucket: procedure?.records.name,
      object_lock_enabled: true,
      force_destroy: false,
      lifecycle: { prevent_destroy: true },
    });
    expect(aws_s3_bucket_versioning.secrets_records.versioning_configuration).toEqual({ status: "Enabled" });
    expect(aws_s3_bucket_object_lock_configuration.secrets_records).toMatchObject({
      rule: { default_retention: { mode: "COMPLIANCE", days: 400 } },
      depends_on: ["aws_s3_bucket_versioning.secrets_records"],
    });
    expect(JSON.parse(prod.aws_s3_bucket_policy.secrets_records.policy)).toEqual(procedure?.records.policy);
    expect(prod.aws_s3_bucket_public_access_block.secrets_records).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    const dev = procedureIn("dev");
    expect(dev.aws_s3_bucket.secrets_records).toMatchObject({
      force_destroy: true,
      lifecycle: { prevent_destroy: false },
    });
    expect(dev.aws_s3_bucket_object_lock_configuration.secrets_records.rule.default_retention.mode).toBe(
      "GOVERNANCE",
    );
  });

  test("makes fingerprints by an HMAC key, which KMS cannot rotate, and keeps it as long as the records' bucket", () => {
    expect(prod.aws_kms_key.secrets_audit).toMatchObject({
      region: "eu-central-1",
      key_usage: "GENERATE_VERIFY_MAC",
      customer_master_key_spec: "HMAC_256",
      enable_key_rotation: false,
      lifecycle: { prevent_destroy: true },
    });
    expect(JSON.parse(prod.aws_kms_key.secrets_audit.policy)).toEqual(procedure?.auditKey.policy);
    expect(prod.aws_kms_alias.secrets_audit).toMatchObject({
      name: "alias/acme-prod-secrets-audit",
      target_key_id: "${aws_kms_key.secrets_audit.key_id}",
    });
    expect(procedureIn("dev").aws_kms_key.secrets_audit.lifecycle).toEqual({ prevent_destroy: false });
  });

  test("tells on-call what is overdue or failed, and owners what is due", () => {
    const topicsOf = Object.fromEntries(
      Object.values<TerraformJson>(prod.aws_cloudwatch_metric_alarm).map((alarm) => [
        alarm.alarm_name,
        alarm.alarm_actions[0],
      ]),
    );
    const onCall = "${aws_sns_topic.secrets_alarms.arn}";
    expect(topicsOf).toMatchObject({
      "acme-prod-secrets-runs-failed": onCall,
      "acme-prod-secrets-runs-aborted": onCall,
      "acme-prod-secrets-overdue": onCall,
      "acme-prod-secrets-stuck": onCall,
      "acme-prod-secrets-due": "${aws_sns_topic.secrets_reminders.arn}",
    });
  });

  test("writes what people's roles need beside the stack", () => {
    const folder = mkdtempSync(join(tmpdir(), "policies-"));
    try {
      const app = new App({ outdir: folder });
      const stack = new TerraformStack(app, "theirs");
      new AwsProvider(stack, "aws", { region: "eu-central-1" });
      new AwsSecrets(stack, "secrets", { blueprint: blueprint(registry, "prod") });
      app.synth();
      const read = (person: string): unknown =>
        JSON.parse(readFileSync(join(folder, "stacks/theirs/policies", `${person}.json`), "utf8"));
      expect(Object.keys(procedure?.people ?? {})).toEqual([
        "operator",
        "approver",
        "preflight",
        "ci",
        "failover",
        "whose",
      ]);
      for (const [person, policy] of Object.entries(procedure?.people ?? {}))
        expect([person, read(person)]).toEqual([person, policy]);
      for (const [person, trust] of Object.entries(procedure?.trusts ?? {}))
        expect([person, read(`${person}-trust`)]).toEqual([person, trust]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("text of the registry", () => {
  test("is text for Terraform too, never an expression", () => {
    const definition = draft();
    definition.secrets["db/app"].description = "Costs ${1+1}, $${x}, 100% of %{ if true }";
    definition.workloads.backend.description = "Reads ${path.module}";
    const plan = planOf(definition);
    const secret = plan.secrets.find(({ key }) => key === "db/app");
    const workload = plan.workloads.find(({ name }) => name === "backend");
    if (secret?.store !== "aws" || !workload) throw new Error("no secret or workload");
    const resources = resourcesOf((stack) => {
      new ReplicatedSecret(stack, "db", { plan: secret, regions: plan.regions, keyArnIn: () => "arn" });
      new WorkloadIdentity(stack, "identity", { plan: workload });
    });
    expect(resources.aws_secretsmanager_secret["db_db--app"].description).toBe(
      "Costs $${1+1}, $$${x}, 100% of %%{ if true }",
    );
    expect(resources.aws_iam_role.identity_backend.description).toBe("Reads $${path.module}");
  });
});
