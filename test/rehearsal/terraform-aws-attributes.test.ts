import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as eventbridge from "@aws-sdk/client-eventbridge";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import * as secretsmanager from "@aws-sdk/client-secrets-manager";
import * as sfn from "@aws-sdk/client-sfn";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import type { Registry } from "../../lib/model";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { registry } from "../../registry";
import { synthesize, type TerraformJson } from "../stacks/synthesized";
import { sendSigned } from "./signed-request";

/**
 * A plan is empty when AWS tells Terraform's provider just what the stack says. Where that provider cannot be had, this shows
 * that the embedded AWS behind its shim keeps what a stack's resources are made of: one resource of each type below, made with
 * the stack's own values and read by the calls by which the provider reads it.
 */
const ACCOUNT = "222222222222";
const REGION = "eu-central-1";
const OTHER = "eu-west-1";

const ENVIRONMENT = "stage";
const made = synthesize(
  { registry: registry as unknown as Registry, environment: ENVIRONMENT },
  (terraform, folder) => ({
    resource: terraform.resource as TerraformJson,
    zip: readFileSync(join(folder, "functions", `acme-${ENVIRONMENT}--rotate-hmac-key.zip`)),
  }),
);
const { resource } = made;

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group });
}, 300_000);

afterAll(() => group?.stop(), 60_000);

const settings = (region = REGION) => ({
  endpoint: shim.endpoint,
  region,
  credentials: aws.rootCredentials(ACCOUNT),
  maxAttempts: 1,
});

const keyValues = (tags: Record<string, string>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const asRecord = (tags: readonly { Key?: string | undefined; Value?: string | undefined }[] = []) =>
  Object.fromEntries(tags.map(({ Key = "", Value }) => [Key, Value]));
const FUNCTION_ARN = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:acme-${ENVIRONMENT}--rotate-hmac-key`;

async function multiRegionKey() {
  const client = new kms.KMSClient(settings());
  const primary = resource.aws_kms_key[`secrets_${REGION}`];
  const replica = resource.aws_kms_replica_key[`secrets_${OTHER}`];
  const Tags = Object.entries<string>(primary.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  const { KeyMetadata } = await client.send(
    new kms.CreateKeyCommand({
      MultiRegion: primary.multi_region,
      Description: primary.description,
      Policy: primary.policy,
      Tags,
    }),
  );
  const KeyId = KeyMetadata?.KeyId ?? "";
  await client.send(new kms.EnableKeyRotationCommand({ KeyId }));
  await client.send(
    new kms.ReplicateKeyCommand({
      KeyId,
      ReplicaRegion: OTHER,
      Description: replica.description,
      Policy: replica.policy,
      Tags,
    }),
  );
  return { KeyId, primary, replica };
}

async function readKey(region: string, KeyId: string) {
  const client = new kms.KMSClient(settings(region));
  const { KeyMetadata } = await client.send(new kms.DescribeKeyCommand({ KeyId }));
  const { Policy } = await client.send(new kms.GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
  const { Tags = [] } = await client.send(new kms.ListResourceTagsCommand({ KeyId }));
  const { KeyRotationEnabled } = await client.send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  return {
    description: KeyMetadata?.Description,
    multi_region: KeyMetadata?.MultiRegion,
    enabled: KeyMetadata?.Enabled,
    enable_key_rotation: KeyRotationEnabled,
    policy: Policy,
    tags: Object.fromEntries(Tags.map(({ TagKey = "", TagValue }) => [TagKey, TagValue])),
  };
}

/** Attributes of the stack, read back. */
interface ReadBack {
  readonly read: object;
  readonly said: object;
}

const pick = (from: TerraformJson, ...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, from[name]]));

/**
 * CloudWatch in the form protocol, which the Go SDK of the provider speaks (service/cloudwatch up to 1.52, AWS's "query"), and
 * this one only when it is told to. For all other services both speak the same.
 */
function formsOfCloudWatch(): cloudwatch.CloudWatchClient {
  const { protocol } = new sns.SNSClient(settings()).config;
  return new cloudwatch.CloudWatchClient({
    ...settings(),
    protocol: protocol.constructor as unknown as typeof protocol,
    protocolSettings: {
      defaultNamespace: "com.amazonaws.cloudwatch",
      xmlNamespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
      version: "2010-08-01",
    },
  });
}

async function alarmBy(client: cloudwatch.CloudWatchClient): Promise<ReadBack> {
  const planned = resource.aws_cloudwatch_metric_alarm["secrets_dead-letters"];
  const said = {
    ActionsEnabled: true,
    AlarmDescription: planned.alarm_description,
    AlarmActions: ["arn:topic"],
    OKActions: ["arn:topic"],
    ComparisonOperator: planned.comparison_operator,
    Dimensions: Object.entries<string>(planned.dimensions).map(([Name, Value]) => ({ Name, Value })),
    EvaluationPeriods: planned.evaluation_periods,
    MetricName: planned.metric_name,
    Namespace: planned.namespace,
    Period: planned.period,
    Statistic: planned.statistic,
    Threshold: planned.threshold,
    TreatMissingData: planned.treat_missing_data,
  };
  const AlarmNames = [planned.alarm_name];
  const describe = async () =>
    (await client.send(new cloudwatch.DescribeAlarmsCommand({ AlarmNames, AlarmTypes: ["MetricAlarm"] })))
      .MetricAlarms ?? [];
  await client.send(
    new cloudwatch.PutMetricAlarmCommand({
      ...said,
      AlarmName: planned.alarm_name,
      Tags: keyValues(planned.tags),
    }),
  );
  const [found] = await describe();
  const ResourceARN = found?.AlarmArn;
  await client.send(
    new cloudwatch.TagResourceCommand({ ResourceARN, Tags: keyValues({ added: "one", removed: "one" }) }),
  );
  await client.send(new cloudwatch.UntagResourceCommand({ ResourceARN, TagKeys: ["removed"] }));
  const { Tags } = await client.send(new cloudwatch.ListTagsForResourceCommand({ ResourceARN }));
  await client.send(new cloudwatch.DeleteAlarmsCommand({ AlarmNames }));
  return {
    read: {
      ...pick(found, ...Object.keys(said)),
      dated: found?.AlarmConfigurationUpdatedTimestamp instanceof Date,
      tags: asRecord(Tags),
      deleted: await describe(),
    },
    said: { ...said, dated: true, tags: { ...planned.tags, added: "one" }, deleted: [] },
  };
}

/** Tags of a bucket, as the provider asks for them: at a host with the account in front. */
async function tagsByS3Control(bucket: string): Promise<Record<string, string>> {
  const { body } = await sendSigned({
    ...settings(),
    service: "s3",
    method: "GET",
    path: `/v20180820/tags/${encodeURIComponent(`arn:aws:s3:::${bucket}`)}`,
    headers: { "x-amz-account-id": ACCOUNT },
    proxiedHost: `${ACCOUNT}.${new URL(shim.endpoint).host}`,
  });
  const tags = [...body.matchAll(/<Tag><Key>(.*?)<\/Key><Value>(.*?)<\/Value><\/Tag>/g)];
  return Object.fromEntries(tags.map(([, key, value]) => [key, value]));
}

const TYPES: Record<string, () => Promise<ReadBack>> = {
  async aws_kms_key() {
    const { KeyId, primary } = await multiRegionKey();
    return {
      read: await readKey(REGION, KeyId),
      said: {
        ...pick(primary, "description", "multi_region", "enable_key_rotation", "policy", "tags"),
        enabled: true,
      },
    };
  },
  "aws_kms_key, of fingerprints": async () => {
    const planned = resource.aws_kms_key.secrets_audit;
    const client = new kms.KMSClient(settings());
    const { KeyMetadata } = await client.send(
      new kms.CreateKeyCommand({
        KeyUsage: planned.key_usage,
        CustomerMasterKeySpec: planned.customer_master_key_spec,
        Description: planned.description,
        Policy: planned.policy,
        Tags: Object.entries<string>(planned.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      }),
    );
    const KeyId = KeyMetadata?.KeyId ?? "";
    const { KeyMetadata: found } = await client.send(new kms.DescribeKeyCommand({ KeyId }));
    return {
      read: {
        ...(await readKey(REGION, KeyId)),
        key_usage: found?.KeyUsage,
        customer_master_key_spec: found?.CustomerMasterKeySpec,
      },
      said: {
        ...pick(planned, "description", "enable_key_rotation", "policy", "tags"),
        ...pick(planned, "key_usage", "customer_master_key_spec"),
        multi_region: false,
        enabled: true,
      },
    };
  },
  async aws_kms_replica_key() {
    const { KeyId, replica } = await multiRegionKey();
    const { enable_key_rotation: _, multi_region: __, ...read } = await readKey(OTHER, KeyId);
    return { read, said: { ...pick(replica, "description", "policy", "tags"), enabled: true } };
  },
  async aws_secretsmanager_secret() {
    const client = new secretsmanager.SecretsManagerClient(settings());
    // Inboxes have no replicas.
    const secret = Object.values<TerraformJson>(resource.aws_secretsmanager_secret).find(
      ({ replica }) => replica !== undefined,
    );
    const [policy] = Object.values<TerraformJson>(resource.aws_secretsmanager_secret_policy);
    const [rotation] = Object.values<TerraformJson>(resource.aws_secretsmanager_secret_rotation);
    const keys = { [REGION]: "key/one", [OTHER]: "key/two" };
    const { ARN: SecretId } = await client.send(
      new secretsmanager.CreateSecretCommand({
        ClientRequestToken: `terraform-${randomBytes(13).toString("hex")}`,
        Name: secret.name,
        Description: secret.description,
        KmsKeyId: keys[REGION],
        Tags: keyValues(secret.tags),
        AddReplicaRegions: secret.replica.map(({ region }: TerraformJson) => ({
          Region: region,
          KmsKeyId: keys[OTHER],
        })),
      }),
    );
    await client.send(
      new secretsmanager.PutResourcePolicyCommand({ SecretId, ResourcePolicy: policy.policy }),
    );
    await new lambda.LambdaClient(settings())
      .send(new lambda.GetFunctionCommand({ FunctionName: FUNCTION_ARN }))
      .catch(() => makeFunction());
    await client.send(
      new secretsmanager.RotateSecretCommand({
        SecretId,
        RotationLambdaARN: FUNCTION_ARN,
        RotateImmediately: rotation.rotate_immediately,
        RotationRules: {
          AutomaticallyAfterDays: rotation.rotation_rules.automatically_after_days,
        },
      }),
    );
    await shim.rotations.settled(secret.name);
    const found = await client.send(new secretsmanager.DescribeSecretCommand({ SecretId }));
    const { ResourcePolicy } = await client.send(new secretsmanager.GetResourcePolicyCommand({ SecretId }));
    await client.send(new secretsmanager.CancelRotateSecretCommand({ SecretId }));
    await client.send(
      new secretsmanager.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [OTHER] }),
    );
    await client.send(new secretsmanager.DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 30 }));
    const { DeletedDate, RotationEnabled, ReplicationStatus } = await client.send(
      new secretsmanager.DescribeSecretCommand({ SecretId }),
    );
    return {
      read: {
        name: found.Name,
        description: found.Description,
        kms_key_id: found.KmsKeyId,
        tags: asRecord(found.Tags),
        replica: found.ReplicationStatus?.map(({ Region, KmsKeyId }) => [Region, KmsKeyId]),
        policy: ResourcePolicy,
        rotation_rules: {
          automatically_after_days: found.RotationRules?.AutomaticallyAfterDays,
        },
        rotation_lambda_arn: found.RotationLambdaARN,
        destroyed: [DeletedDate !== undefined, RotationEnabled, ReplicationStatus ?? []],
      },
      said: {
        ...pick(secret, "name", "description", "tags"),
        kms_key_id: keys[REGION],
        replica: secret.replica.map(({ region }: TerraformJson) => [region, keys[OTHER]]),
        policy: policy.policy,
        ...pick(rotation, "rotation_rules"),
        rotation_lambda_arn: FUNCTION_ARN,
        destroyed: [true, false, []],
      },
    };
  },
  async aws_iam_role() {
    const client = new iam.IAMClient(settings());
    const role = resource.aws_iam_role["secrets_function--rotate-stripe"];
    const policy = resource.aws_iam_role_policy["secrets_function--rotate-stripe_function"];
    const RoleName = role.name;
    await client.send(
      new iam.CreateRoleCommand({
        RoleName,
        Path: role.path,
        Description: role.description,
        MaxSessionDuration: role.max_session_duration,
        AssumeRolePolicyDocument: role.assume_role_policy,
        Tags: keyValues(role.tags),
      }),
    );
    await client.send(
      new iam.PutRolePolicyCommand({ RoleName, PolicyName: policy.name, PolicyDocument: policy.policy }),
    );
    const { Role } = await client.send(new iam.GetRoleCommand({ RoleName }));
    const { PolicyDocument = "" } = await client.send(
      new iam.GetRolePolicyCommand({ RoleName, PolicyName: policy.name }),
    );
    const { PolicyNames } = await client.send(new iam.ListRolePoliciesCommand({ RoleName }));
    const { AttachedPolicies } = await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
    return {
      read: {
        path: Role?.Path,
        description: Role?.Description,
        max_session_duration: Role?.MaxSessionDuration,
        assume_role_policy: decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""),
        tags: asRecord(Role?.Tags),
        policy: decodeURIComponent(PolicyDocument),
        exclusive: [PolicyNames, AttachedPolicies],
      },
      said: {
        ...pick(role, "path", "description", "max_session_duration", "assume_role_policy", "tags"),
        policy: policy.policy,
        exclusive: [[policy.name], []],
      },
    };
  },
  async aws_lambda_function() {
    const planned = resource.aws_lambda_function["secrets_function--rotate-hmac-key"];
    await makeFunction();
    const { Configuration: found, Tags } = await new lambda.LambdaClient(settings()).send(
      new lambda.GetFunctionCommand({ FunctionName: FUNCTION_ARN }),
    );
    return {
      read: {
        ...Object.fromEntries(
          ["Description", "Handler", "Runtime", "Timeout", "MemorySize", "Architectures"].map((name) => [
            name.replace(/(?<=.)[A-Z]/, (letter) => `_${letter}`).toLowerCase(),
            found?.[name as keyof typeof found],
          ]),
        ),
        source_code_hash: found?.CodeSha256,
        logging_config: [found?.LoggingConfig?.LogFormat, found?.LoggingConfig?.LogGroup],
        dead_letter: found?.DeadLetterConfig?.TargetArn,
        tags: Tags,
      },
      said: {
        ...pick(planned, "description", "handler", "runtime", "timeout", "memory_size", "architectures"),
        ...pick(planned, "source_code_hash", "tags"),
        logging_config: ["JSON", `/aws/lambda/${planned.function_name}`],
        dead_letter: deadLetters,
      },
    };
  },
  async aws_lambda_permission() {
    const planned = resource.aws_lambda_permission["secrets_function--rotate-hmac-key"];
    await makeFunction();
    const { Policy = "" } = await new lambda.LambdaClient(settings()).send(
      new lambda.GetPolicyCommand({ FunctionName: FUNCTION_ARN }),
    );
    const found = JSON.parse(Policy).Statement.map((statement: TerraformJson) => ({
      statement_id: statement.Sid,
      action: statement.Action,
      function_name: statement.Resource,
      principal: statement.Principal.Service,
      source_account: statement.Condition.StringEquals["AWS:SourceAccount"],
    }));
    return {
      read: found,
      said: [
        {
          ...pick(planned, "statement_id", "action", "principal", "source_account"),
          function_name: FUNCTION_ARN,
        },
      ],
    };
  },
  async aws_sfn_state_machine() {
    const client = new sfn.SFNClient(settings());
    const planned = resource.aws_sfn_state_machine.secrets_procedure;
    const role = resource.aws_iam_role["secrets_machine--procedure"];
    const { Role } = await new iam.IAMClient(settings()).send(
      new iam.CreateRoleCommand({
        RoleName: role.name,
        Path: role.path,
        AssumeRolePolicyDocument: role.assume_role_policy,
      }),
    );
    const roleArn = Role?.Arn;
    const tags = Object.entries<string>(planned.tags).map(([key, value]) => ({ key, value }));
    const { definition, name } = planned;
    const checked = await client.send(new sfn.ValidateStateMachineDefinitionCommand({ definition }));
    const { stateMachineArn } = await client.send(
      new sfn.CreateStateMachineCommand({ name, definition, roleArn, type: "STANDARD", tags }),
    );
    const found = await client.send(new sfn.DescribeStateMachineCommand({ stateMachineArn }));
    const listed = await client.send(new sfn.ListTagsForResourceCommand({ resourceArn: stateMachineArn }));
    const { stateMachineVersions } = await client.send(
      new sfn.ListStateMachineVersionsCommand({ stateMachineArn }),
    );
    return {
      read: {
        ...pick(found, "name", "definition", "roleArn", "type", "status"),
        checked: checked.result,
        tags: listed.tags,
        versions: stateMachineVersions,
      },
      said: {
        name,
        definition,
        roleArn,
        type: "STANDARD",
        status: "ACTIVE",
        checked: "OK",
        tags,
        versions: [],
      },
    };
  },
  async aws_s3_bucket() {
    const client = new s3.S3Client(settings());
    const of = (type: string) => resource[`aws_s3_bucket${type}`].secrets_records;
    const Bucket: string = of("").bucket;
    const { days: Days, mode: Mode } = of("_object_lock_configuration").rule.default_retention;
    const [{ apply_server_side_encryption_by_default: encryption }] = of(
      "_server_side_encryption_configuration",
    ).rule;
    const blocks = of("_public_access_block");
    const said = {
      Versioning: of("_versioning").versioning_configuration.status,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled" as const,
        Rule: { DefaultRetention: { Mode, Days } },
      },
      SSEAlgorithm: encryption.sse_algorithm,
      OwnershipControls: { Rules: [{ ObjectOwnership: of("_ownership_controls").rule.object_ownership }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: blocks.block_public_acls,
        BlockPublicPolicy: blocks.block_public_policy,
        IgnorePublicAcls: blocks.ignore_public_acls,
        RestrictPublicBuckets: blocks.restrict_public_buckets,
      },
      Policy: of("_policy").policy,
    };
    await client.send(
      new s3.CreateBucketCommand({
        Bucket,
        ObjectLockEnabledForBucket: of("").object_lock_enabled,
        CreateBucketConfiguration: { LocationConstraint: REGION, Tags: keyValues(of("").tags) },
      }),
    );
    await client.send(
      new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: said.Versioning } }),
    );
    const { ObjectLockConfiguration, OwnershipControls, PublicAccessBlockConfiguration, Policy } = said;
    await client.send(new s3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    await client.send(
      new s3.PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: said.SSEAlgorithm } }],
        },
      }),
    );
    await client.send(new s3.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    await client.send(new s3.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    await client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy }));
    const { ServerSideEncryptionConfiguration } = await client.send(
      new s3.GetBucketEncryptionCommand({ Bucket }),
    );
    const encrypted = ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    const read = {
      Versioning: (await client.send(new s3.GetBucketVersioningCommand({ Bucket }))).Status,
      ...pick(
        await client.send(new s3.GetObjectLockConfigurationCommand({ Bucket })),
        "ObjectLockConfiguration",
      ),
      SSEAlgorithm: encrypted?.SSEAlgorithm,
      ...pick(await client.send(new s3.GetBucketOwnershipControlsCommand({ Bucket })), "OwnershipControls"),
      ...pick(
        await client.send(new s3.GetPublicAccessBlockCommand({ Bucket })),
        "PublicAccessBlockConfiguration",
      ),
      ...pick(await client.send(new s3.GetBucketPolicyCommand({ Bucket })), "Policy"),
      tags: await tagsByS3Control(Bucket),
    };
    await client.send(new s3.DeleteBucketPolicyCommand({ Bucket }));
    await client.send(new s3.DeleteBucketCommand({ Bucket }));
    return { read, said: { ...said, tags: of("").tags } };
  },
  async aws_cloudwatch_log_group() {
    const client = new logs.CloudWatchLogsClient(settings());
    const planned = resource.aws_cloudwatch_log_group["secrets_function--rotate-stripe"];
    await client.send(
      new logs.CreateLogGroupCommand({
        logGroupName: planned.name,
        kmsKeyId: "key/one",
        tags: planned.tags,
      }),
    );
    await client.send(
      new logs.PutRetentionPolicyCommand({
        logGroupName: planned.name,
        retentionInDays: planned.retention_in_days,
      }),
    );
    const { logGroups: [found] = [] } = await client.send(
      new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: planned.name }),
    );
    const { tags } = await client.send(
      new logs.ListTagsForResourceCommand({ resourceArn: found?.logGroupArn }),
    );
    return {
      read: { retention_in_days: found?.retentionInDays, kms_key_id: found?.kmsKeyId, tags },
      said: { ...pick(planned, "retention_in_days", "tags"), kms_key_id: "key/one" },
    };
  },
  async aws_sqs_queue() {
    const client = new sqs.SQSClient(settings());
    const planned = resource.aws_sqs_queue["secrets_dead-letters"];
    const { policy } = resource.aws_sqs_queue_policy["secrets_dead-letters"];
    const MessageRetentionPeriod = String(planned.message_retention_seconds);
    const { QueueUrl } = await client.send(
      new sqs.CreateQueueCommand({
        QueueName: planned.name,
        Attributes: { KmsMasterKeyId: "key/one", MessageRetentionPeriod },
        tags: planned.tags,
      }),
    );
    await client.send(new sqs.SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: policy } }));
    const { Attributes } = await client.send(
      new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
    );
    const { Tags: tags } = await client.send(new sqs.ListQueueTagsCommand({ QueueUrl }));
    return {
      read: { ...pick(Attributes, "KmsMasterKeyId", "MessageRetentionPeriod", "Policy"), tags },
      said: { KmsMasterKeyId: "key/one", MessageRetentionPeriod, Policy: policy, tags: planned.tags },
    };
  },
  "aws_sqs_queue, of the audit trail": async () => {
    const client = new sqs.SQSClient(settings());
    const planned = resource.aws_sqs_queue["secrets_audit-events"];
    const { policy } = resource.aws_sqs_queue_policy["secrets_audit-events"];
    const said = {
      MessageRetentionPeriod: String(planned.message_retention_seconds),
      VisibilityTimeout: String(planned.visibility_timeout_seconds),
      SqsManagedSseEnabled: String(planned.sqs_managed_sse_enabled),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters, maxReceiveCount: 1_000 }),
    };
    await client.send(new sqs.CreateQueueCommand({ QueueName: deadLetters.split(":").at(-1) }));
    const { QueueUrl } = await client.send(
      new sqs.CreateQueueCommand({ QueueName: planned.name, Attributes: said, tags: planned.tags }),
    );
    await client.send(new sqs.SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: policy } }));
    const { Attributes } = await client.send(
      new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }),
    );
    await client.send(new sqs.DeleteQueueCommand({ QueueUrl }));
    return {
      read: pick(Attributes, "Policy", ...Object.keys(said)),
      said: { Policy: policy, ...said },
    };
  },
  async aws_lambda_event_source_mapping() {
    const client = new lambda.LambdaClient(settings());
    const planned = resource.aws_lambda_event_source_mapping["secrets_audit-sink-datadog"];
    await makeFunction();
    const queues = new sqs.SQSClient(settings());
    await queues.send(new sqs.CreateQueueCommand({ QueueName: "mapped" }));
    const EventSourceArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:mapped`;
    const { UUID = "", EventSourceMappingArn: Resource } = await client.send(
      new lambda.CreateEventSourceMappingCommand({
        FunctionName: FUNCTION_ARN,
        EventSourceArn,
        BatchSize: planned.batch_size,
        MaximumBatchingWindowInSeconds: planned.maximum_batching_window_in_seconds,
        FunctionResponseTypes: planned.function_response_types,
      }),
    );
    const found = await client.send(new lambda.GetEventSourceMappingCommand({ UUID }));
    const { Tags } = await client.send(new lambda.ListTagsCommand({ Resource }));
    await client.send(new lambda.DeleteEventSourceMappingCommand({ UUID }));
    // The provider waits until it is gone.
    const gone = await client
      .send(new lambda.GetEventSourceMappingCommand({ UUID }))
      .catch(({ name }) => name);
    return {
      read: {
        batch_size: found.BatchSize,
        maximum_batching_window_in_seconds: found.MaximumBatchingWindowInSeconds,
        function_response_types: found.FunctionResponseTypes,
        event_source_arn: found.EventSourceArn,
        function_arn: found.FunctionArn,
        state: found.State,
        tags: Tags,
        gone,
      },
      said: {
        ...pick(planned, "batch_size", "maximum_batching_window_in_seconds", "function_response_types"),
        event_source_arn: EventSourceArn,
        function_arn: FUNCTION_ARN,
        state: "Enabled",
        tags: {},
        gone: "ResourceNotFoundException",
      },
    };
  },
  async aws_sns_topic() {
    const client = new sns.SNSClient(settings());
    const planned = resource.aws_sns_topic.secrets_alarms;
    const { policy } = resource.aws_sns_topic_policy.secrets_alarms;
    const { TopicArn } = await client.send(
      new sns.CreateTopicCommand({
        Name: planned.name,
        Attributes: { KmsMasterKeyId: "key/one" },
        Tags: keyValues(planned.tags),
      }),
    );
    await client.send(
      new sns.SetTopicAttributesCommand({ TopicArn, AttributeName: "Policy", AttributeValue: policy }),
    );
    const { Attributes } = await client.send(new sns.GetTopicAttributesCommand({ TopicArn }));
    const { Tags } = await client.send(new sns.ListTagsForResourceCommand({ ResourceArn: TopicArn }));
    return {
      read: { ...pick(Attributes, "KmsMasterKeyId", "Policy"), tags: asRecord(Tags) },
      said: { KmsMasterKeyId: "key/one", Policy: policy, tags: planned.tags },
    };
  },
  async aws_dynamodb_table() {
    const client = new dynamodb.DynamoDBClient(settings());
    const [planned] = Object.values<TerraformJson>(resource.aws_dynamodb_table);
    const TableName = planned.name;
    const AttributeDefinitions = planned.attribute.map(({ name, type }: TerraformJson) => ({
      AttributeName: name,
      AttributeType: type,
    }));
    const KeySchema = [
      { AttributeName: planned.hash_key, KeyType: "HASH" as const },
      ...(planned.range_key ? [{ AttributeName: planned.range_key, KeyType: "RANGE" as const }] : []),
    ];
    await client.send(
      new dynamodb.CreateTableCommand({
        TableName,
        BillingMode: planned.billing_mode,
        AttributeDefinitions,
        KeySchema,
        DeletionProtectionEnabled: planned.deletion_protection_enabled,
        Tags: keyValues(planned.tags),
      }),
    );
    await client.send(
      new dynamodb.UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: planned.point_in_time_recovery.enabled,
        },
      }),
    );
    const { Table } = await client.send(new dynamodb.DescribeTableCommand({ TableName }));
    const { ContinuousBackupsDescription: backups } = await client.send(
      new dynamodb.DescribeContinuousBackupsCommand({ TableName }),
    );
    const { Tags } = await client.send(
      new dynamodb.ListTagsOfResourceCommand({ ResourceArn: Table?.TableArn }),
    );
    return {
      read: {
        ...pick(Table, "AttributeDefinitions", "KeySchema", "DeletionProtectionEnabled"),
        billing_mode: Table?.BillingModeSummary?.BillingMode,
        point_in_time_recovery: backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus,
        tags: asRecord(Tags),
      },
      said: {
        AttributeDefinitions,
        KeySchema,
        DeletionProtectionEnabled: planned.deletion_protection_enabled,
        ...pick(planned, "billing_mode", "tags"),
        point_in_time_recovery: "ENABLED",
      },
    };
  },
  aws_cloudwatch_event_rule: () => ruleAt("secrets_label-updated", FUNCTION_ARN),
  "aws_cloudwatch_event_rule, of calls that read": () => ruleAt("secrets_audit-calls", deadLetters),
  aws_cloudwatch_metric_alarm: () => alarmBy(new cloudwatch.CloudWatchClient(settings())),
  "aws_cloudwatch_metric_alarm, by the provider's forms": () => alarmBy(formsOfCloudWatch()),
};

/** A rule of the stack, made and read with its target. Without a planned state it is enabled. */
async function ruleAt(address: string, Arn: string) {
  const client = new eventbridge.EventBridgeClient(settings());
  const planned = resource.aws_cloudwatch_event_rule[address];
  const { retry_policy: retry } = resource.aws_cloudwatch_event_target[address];
  const { name: Rule, state = "ENABLED" } = planned;
  const Targets = [
    {
      Id: "terraform",
      Arn,
      DeadLetterConfig: { Arn: deadLetters },
      RetryPolicy: {
        MaximumEventAgeInSeconds: retry.maximum_event_age_in_seconds,
        MaximumRetryAttempts: retry.maximum_retry_attempts,
      },
    },
  ];
  await client.send(
    new eventbridge.PutRuleCommand({
      Name: Rule,
      Description: planned.description,
      EventPattern: planned.event_pattern,
      State: state,
    }),
  );
  await client.send(new eventbridge.PutTargetsCommand({ Rule, Targets }));
  const found = await client.send(new eventbridge.DescribeRuleCommand({ Name: Rule }));
  const targets = await client.send(new eventbridge.ListTargetsByRuleCommand({ Rule }));
  return {
    read: {
      description: found.Description,
      event_pattern: found.EventPattern,
      state: found.State,
      targets: targets.Targets,
    },
    said: { ...pick(planned, "description", "event_pattern"), state, targets: Targets },
  };
}

const deadLetters = `arn:aws:sqs:${REGION}:${ACCOUNT}:acme-${ENVIRONMENT}-secrets-dead-letters`;

/** The function with its role and the right of Secrets Manager to call it; nothing where it is already. */
async function makeFunction(): Promise<void> {
  const client = new lambda.LambdaClient(settings());
  const planned = resource.aws_lambda_function["secrets_function--rotate-hmac-key"];
  const role = resource.aws_iam_role["secrets_function--rotate-hmac-key"];
  try {
    await new iam.IAMClient(settings()).send(
      new iam.CreateRoleCommand({
        RoleName: role.name,
        Path: role.path,
        AssumeRolePolicyDocument: role.assume_role_policy,
      }),
    );
  } catch {
    return;
  }
  await client.send(
    new lambda.CreateFunctionCommand({
      FunctionName: planned.function_name,
      Description: planned.description,
      Role: `arn:aws:iam::${ACCOUNT}:role${role.path}${role.name}`,
      Runtime: planned.runtime,
      Handler: planned.handler,
      Code: { ZipFile: made.zip },
      Timeout: planned.timeout,
      MemorySize: planned.memory_size,
      Architectures: planned.architectures,
      DeadLetterConfig: { TargetArn: deadLetters },
      LoggingConfig: { LogFormat: "JSON", LogGroup: `/aws/lambda/${planned.function_name}` },
      Tags: planned.tags,
    }),
  );
  await lambda.waitUntilFunctionActiveV2(
    { client, maxWaitTime: 30 },
    { FunctionName: planned.function_name },
  );
  await client.send(
    new lambda.AddPermissionCommand({
      FunctionName: planned.function_name,
      StatementId: "SecretsManager",
      Action: "lambda:InvokeFunction",
      Principal: "secretsmanager.amazonaws.com",
      SourceAccount: ACCOUNT,
    }),
  );
}

test.each(Object.keys(TYPES))(
  "%s is read as it was said",
  async (type) => {
    const found = await TYPES[type]?.();
    expect(found?.read).toEqual(found?.said);
  },
  60_000,
);
