import { readFileSync } from "node:fs";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePoliciesExclusive } from "@cdktf/provider-aws/lib/iam-role-policies-exclusive";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { IamRolePolicyAttachmentsExclusive } from "@cdktf/provider-aws/lib/iam-role-policy-attachments-exclusive";
import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { KmsReplicaKey } from "@cdktf/provider-aws/lib/kms-replica-key";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketObjectLockConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-object-lock-configuration";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import { SecretsmanagerSecret } from "@cdktf/provider-aws/lib/secretsmanager-secret";
import { SecretsmanagerSecretPolicy } from "@cdktf/provider-aws/lib/secretsmanager-secret-policy";
import { SecretsmanagerSecretRotation } from "@cdktf/provider-aws/lib/secretsmanager-secret-rotation";
import { SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { ServiceAccountV1 } from "@cdktf/provider-kubernetes/lib/service-account-v1";
import { AuthBackend } from "@cdktf/provider-vault/lib/auth-backend";
import { JwtAuthBackend } from "@cdktf/provider-vault/lib/jwt-auth-backend";
import { JwtAuthBackendRole } from "@cdktf/provider-vault/lib/jwt-auth-backend-role";
import { KubernetesAuthBackendConfig } from "@cdktf/provider-vault/lib/kubernetes-auth-backend-config";
import { KubernetesAuthBackendRole } from "@cdktf/provider-vault/lib/kubernetes-auth-backend-role";
import { KvSecretBackendV2 } from "@cdktf/provider-vault/lib/kv-secret-backend-v2";
import { Mount } from "@cdktf/provider-vault/lib/mount";
import { Policy } from "@cdktf/provider-vault/lib/policy";
import { VaultProvider } from "@cdktf/provider-vault/lib/provider";
import { App, TerraformStack } from "cdktf";
import { finish, phase } from "./measured-phases";
import { PLACE, range, registrySizes, SECRETS_PER_WORKLOAD, secretKey, workloadName } from "./sized-registry";

/**
 * The floor: what somebody writes who wants the same resources and no library. Names and policies are put together in
 * place, nothing is checked, no function is packed and no pod's file written. The resources of which there are as many as
 * secrets or workloads have the same attributes, and policies of the same statements; the functions and alarms beside them
 * have what the provider demands.
 */

const [secrets = "10", outdir = "", countsFile = ""] = process.argv.slice(2);
/** Resources by type, of each stack: whatever comes beside the secrets and workloads is made as often. */
const counts: readonly Readonly<Record<string, number>>[] = JSON.parse(readFileSync(countsFile, "utf8"));

const { account, primary, replicas, issuer } = PLACE;
const role = (name: string): string => `arn:aws:iam::${account}:role/acme/prod/acme-prod-${name}`;
const statement = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });
const breakGlass = `arn:aws:iam::${account}:role/break-glass`;
const administrators = [
  `arn:aws:iam::${account}:role/secrets-deployer`,
  breakGlass,
  `arn:aws:iam::${account}:root`,
];
const tags = { environment: "prod", "managed-by": "hand", registry: "acme" };
/** Denies actions to all but some, as a statement of a secret's policy. */
const onlyFor = (
  sid: string,
  principals: readonly string[],
  actions: readonly string[],
  more: object = {},
): object => ({
  Sid: sid,
  Effect: "Deny",
  Principal: "*",
  Action: actions,
  Resource: ["*"],
  Condition: { ArnNotLike: { "aws:PrincipalArn": principals }, ...more },
});

function makeStack(app: App, name: string, size: number, of: Readonly<Record<string, number>>): void {
  const stack = new TerraformStack(app, name);
  // Named in each resource of which there are many, as whoever has several regions, Vaults or clusters does.
  const aws = new AwsProvider(stack, "aws", { region: primary, allowedAccountIds: [account] });
  const vault = new VaultProvider(stack, "vault", {
    alias: "main",
    address: "https://vault.example.com:8200",
  });
  const kubernetes = new KubernetesProvider(stack, "kubernetes", {
    alias: "prod",
    host: "https://kubernetes.example.com",
  });
  const login = new AuthBackend(stack, "login", {
    provider: vault,
    type: "kubernetes",
    path: "kubernetes-prod",
  });

  /** Makes the rest of a type. */
  const others = (type: string, made: number, make: (id: string) => unknown): void => {
    for (const n of range((of[type] ?? 0) - made)) make(`${type}-${n}`);
  };

  const key = new KmsKey(stack, "key", {
    description: "Secrets",
    enableKeyRotation: true,
    multiRegion: true,
    tags,
  });
  const replicaKeys = replicas.map(
    (region) => new KmsReplicaKey(stack, `key-${region}`, { region, primaryKeyArn: key.arn, tags }),
  );
  const keyArn = key.arn;
  const replica = replicas.map((region, n) => ({ region, kmsKeyId: replicaKeys[n]?.arn ?? "" }));
  const rotator = new LambdaFunction(stack, "rotator", {
    functionName: "rotator",
    role: role("rotate"),
    runtime: "nodejs24.x",
    handler: "index.handler",
    filename: "rotator.zip",
    tags,
  });
  const rotatorArn = rotator.arn;
  const permission = new LambdaPermission(stack, "permission", {
    functionName: rotator.functionName,
    action: "lambda:InvokeFunction",
    principal: "secretsmanager.amazonaws.com",
    sourceAccount: account,
  });

  for (const n of range(size)) {
    const reader = workloadName(Math.floor(n / SECRETS_PER_WORKLOAD));
    const secret = new SecretsmanagerSecret(stack, `secret-${n}`, {
      provider: aws,
      forceOverwriteReplicaSecret: false,
      region: primary,
      name: `prod/${secretKey(n)}`,
      description: "HMAC key of a service",
      kmsKeyId: keyArn,
      replica,
      recoveryWindowInDays: 30,
      lifecycle: { preventDestroy: true },
      tags: {
        ...tags,
        "secret-key": secretKey(n),
        owner: "team-services",
        kind: "hmac-key",
        "data-classification": "confidential",
        "rotation-cadence": "90 days",
        "rotation-mode": "automatic",
      },
    });
    const policy = new SecretsmanagerSecretPolicy(stack, `policy-${n}`, {
      provider: aws,
      region: primary,
      secretArn: secret.arn,
      blockPublicPolicy: true,
      policy: statement(
        onlyFor(
          "Readers",
          [role(reader), breakGlass, role("rotate-hmac-key"), role("mirror")],
          ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
        ),
        onlyFor(
          "ServedLabels",
          [breakGlass, role("rotate-hmac-key"), role("mirror")],
          ["secretsmanager:GetSecretValue"],
          {
            "ForAllValues:StringNotEquals": { "secretsmanager:VersionStage": ["AWSCURRENT", "AWSPREVIOUS"] },
            Null: { "secretsmanager:VersionStage": ["false"] },
          },
        ),
        onlyFor(
          "NamedLabels",
          [breakGlass, role("rotate-hmac-key"), role("mirror")],
          ["secretsmanager:GetSecretValue"],
          { Null: { "secretsmanager:VersionId": ["false"], "secretsmanager:VersionStage": ["true"] } },
        ),
        onlyFor(
          "Writers",
          [breakGlass, role("rotate-hmac-key")],
          ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
        ),
        onlyFor("Updates", administrators, ["secretsmanager:UpdateSecret"]),
        onlyFor("Administration", administrators, [
          "secretsmanager:CancelRotateSecret",
          "secretsmanager:DeleteResourcePolicy",
          "secretsmanager:DeleteSecret",
          "secretsmanager:PutResourcePolicy",
          "secretsmanager:RemoveRegionsFromReplication",
          "secretsmanager:ReplicateSecretToRegions",
          "secretsmanager:StopReplicationToReplica",
        ]),
        onlyFor("Rotation", [...administrators, role("dispatcher")], ["secretsmanager:RotateSecret"]),
      ),
    });
    new SecretsmanagerSecretRotation(stack, `rotation-${n}`, {
      provider: aws,
      region: primary,
      secretId: secret.id,
      rotationLambdaArn: rotatorArn,
      rotateImmediately: false,
      rotationRules: { automaticallyAfterDays: 90 },
      dependsOn: [permission, policy],
    });
  }

  const workloads = Math.ceil(size / SECRETS_PER_WORKLOAD);
  for (const n of range(workloads)) {
    const name = workloadName(n);
    const keys = range(SECRETS_PER_WORKLOAD).map((offset) => secretKey(n * SECRETS_PER_WORKLOAD + offset));
    const reader = new IamRole(stack, `role-${n}`, {
      provider: aws,
      description: `Reads the secrets of ${name}`,
      maxSessionDuration: 3_600,
      name: `acme-prod-${name}`,
      path: "/acme/prod/",
      assumeRolePolicy: statement({
        Effect: "Allow",
        Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${issuer.slice("https://".length)}` },
        Action: ["sts:AssumeRoleWithWebIdentity"],
        Condition: {
          StringEquals: {
            [`${issuer}:aud`]: ["sts.amazonaws.com"],
            [`${issuer}:sub`]: [`system:serviceaccount:services:${name}`],
          },
        },
      }),
      tags: { ...tags, workload: name },
    });
    const roleName = reader.name;
    const inline = new IamRolePolicy(stack, `read-${n}`, {
      provider: aws,
      name: "read-secrets",
      role: roleName,
      policy: statement(
        {
          Effect: "Allow",
          Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
          Resource: keys.map((each) => `arn:aws:secretsmanager:*:${account}:secret:prod/${each}-??????`),
        },
        {
          Effect: "Allow",
          Action: ["kms:Decrypt"],
          Resource: [primary, ...replicas].map((region) => `arn:aws:kms:${region}:${account}:key/*`),
          Condition: {
            StringLike: {
              "kms:EncryptionContext:SecretARN": [`arn:aws:secretsmanager:*:${account}:secret:prod/*`],
            },
          },
        },
      ),
    });
    new IamRolePoliciesExclusive(stack, `only-${n}`, {
      provider: aws,
      roleName,
      policyNames: [inline.name],
    });
    new IamRolePolicyAttachmentsExclusive(stack, `attached-${n}`, {
      provider: aws,
      roleName,
      policyArns: [],
    });
    new Policy(stack, `vault-policy-${n}`, {
      provider: vault,
      name: `acme-prod-${name}`,
      policy: [...keys.map((each) => ["read", `kv-prod/data/${each}`]), ["update", "auth/token/renew-self"]]
        .map(([capability, path]) => `path "${path}" {\n  capabilities = ["${capability}"]\n}\n`)
        .join("\n"),
    });
    new KubernetesAuthBackendRole(stack, `vault-role-${n}`, {
      provider: vault,
      dependsOn: [login],
      backend: login.path,
      aliasNameSource: "serviceaccount_uid",
      tokenMaxTtl: 86_400,
      tokenNoDefaultPolicy: true,
      roleName: `acme-prod-${name}`,
      audience: "vault-prod",
      boundServiceAccountNames: [name],
      boundServiceAccountNamespaces: ["services"],
      tokenPolicies: [`acme-prod-${name}`],
      tokenTtl: 3_600,
    });
    new ServiceAccountV1(stack, `service-account-${n}`, {
      provider: kubernetes,
      automountServiceAccountToken: false,
      metadata: { name, namespace: "services", annotations: { "eks.amazonaws.com/role-arn": role(name) } },
    });
  }

  const allowed = statement({ Effect: "Allow", Action: ["secretsmanager:GetSecretValue"], Resource: ["*"] });
  others(
    "aws_iam_role",
    workloads,
    (id) => new IamRole(stack, id, { name: id, assumeRolePolicy: allowed, tags }),
  );
  others(
    "aws_iam_role_policy",
    workloads,
    (id) => new IamRolePolicy(stack, id, { role: id, policy: allowed }),
  );
  others("aws_iam_role_policies_exclusive", workloads, (id) => {
    new IamRolePoliciesExclusive(stack, id, { roleName: id, policyNames: [] });
  });
  others("aws_iam_role_policy_attachments_exclusive", workloads, (id) => {
    new IamRolePolicyAttachmentsExclusive(stack, id, { roleName: id, policyArns: [] });
  });
  others("aws_iam_policy", 0, (id) => new IamPolicy(stack, id, { name: id, policy: allowed, tags }));
  others("aws_iam_role_policy_attachment", 0, (id) => {
    new IamRolePolicyAttachment(stack, id, { role: id, policyArn: role(id) });
  });
  others("aws_kms_key", 1, (id) => new KmsKey(stack, id, { description: id, tags }));
  others("aws_kms_alias", 0, (id) => new KmsAlias(stack, id, { name: `alias/${id}`, targetKeyId: keyArn }));
  others("aws_lambda_function", 1, (id) => {
    new LambdaFunction(stack, id, { functionName: id, role: role(id), filename: `${id}.zip`, tags });
  });
  others("aws_lambda_permission", 1, (id) => {
    new LambdaPermission(stack, id, {
      functionName: id,
      action: "lambda:InvokeFunction",
      principal: "secretsmanager.amazonaws.com",
    });
  });
  others("aws_cloudwatch_log_group", 0, (id) => new CloudwatchLogGroup(stack, id, { name: id, tags }));
  others("aws_cloudwatch_metric_alarm", 0, (id) => {
    new CloudwatchMetricAlarm(stack, id, {
      alarmName: id,
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: 1,
    });
  });
  others("aws_cloudwatch_event_rule", 0, (id) => new CloudwatchEventRule(stack, id, { eventPattern: "{}" }));
  others("aws_cloudwatch_event_target", 0, (id) => {
    new CloudwatchEventTarget(stack, id, { rule: id, arn: rotatorArn });
  });
  others("aws_dynamodb_table", 0, (id) => new DynamodbTable(stack, id, { name: id, tags }));
  others(
    "aws_sfn_state_machine",
    0,
    (id) => new SfnStateMachine(stack, id, { roleArn: role(id), definition: "{}" }),
  );
  others("aws_s3_bucket", 0, (id) => new S3Bucket(stack, id, { bucket: id, tags }));
  others("aws_s3_bucket_policy", 0, (id) => new S3BucketPolicy(stack, id, { bucket: id, policy: allowed }));
  others(
    "aws_s3_bucket_public_access_block",
    0,
    (id) => new S3BucketPublicAccessBlock(stack, id, { bucket: id }),
  );
  others("aws_s3_bucket_object_lock_configuration", 0, (id) => {
    new S3BucketObjectLockConfigurationA(stack, id, { bucket: id });
  });
  others("aws_s3_bucket_ownership_controls", 0, (id) => {
    new S3BucketOwnershipControls(stack, id, {
      bucket: id,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
  });
  others("aws_s3_bucket_server_side_encryption_configuration", 0, (id) => {
    new S3BucketServerSideEncryptionConfigurationA(stack, id, {
      bucket: id,
      rule: [{ bucketKeyEnabled: true }],
    });
  });
  others("aws_s3_bucket_versioning", 0, (id) => {
    new S3BucketVersioningA(stack, id, { bucket: id, versioningConfiguration: { status: "Enabled" } });
  });
  others("aws_sns_topic", 0, (id) => new SnsTopic(stack, id, { name: id, tags }));
  others(
    "aws_sns_topic_policy",
    0,
    (id) => new SnsTopicPolicy(stack, id, { arn: role(id), policy: allowed }),
  );
  others("aws_sqs_queue", 0, (id) => new SqsQueue(stack, id, { name: id, tags }));
  others("aws_sqs_queue_policy", 0, (id) => new SqsQueuePolicy(stack, id, { queueUrl: id, policy: allowed }));
  others("vault_policy", workloads, (id) => new Policy(stack, id, { name: id, policy: "" }));
  others("vault_auth_backend", 1, (id) => new AuthBackend(stack, id, { type: "kubernetes" }));
  others("vault_kubernetes_auth_backend_config", 0, (id) => {
    new KubernetesAuthBackendConfig(stack, id, { kubernetesHost: "https://kubernetes.example.com" });
  });
  others("vault_jwt_auth_backend", 0, (id) => new JwtAuthBackend(stack, id, { type: "jwt" }));
  others("vault_jwt_auth_backend_role", 0, (id) => {
    new JwtAuthBackendRole(stack, id, { roleName: id, userClaim: "sub" });
  });
  others("vault_mount", 0, (id) => new Mount(stack, id, { path: id, type: "kv" }));
  others("vault_kv_secret_backend_v2", 0, (id) => new KvSecretBackendV2(stack, id, { mount: id }));
}

phase("load");
const app = new App({ outdir });
for (const [n, size] of registrySizes(Number(secrets)).entries())
  makeStack(app, `acme${n}`, size, counts[n] ?? {});
phase("constructs");
app.synth();
phase("synth");
finish();
