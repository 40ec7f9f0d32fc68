import * as cloudtrail from "@aws-sdk/client-cloudtrail";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as events from "@aws-sdk/client-eventbridge";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import * as secrets from "@aws-sdk/client-secrets-manager";
import * as sfn from "@aws-sdk/client-sfn";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import type { Blueprint } from "../../lib/blueprint";
import { type AwsAccess, clientSettings } from "../../packages/rehearsal/src/load/aws-account";

/**
 * Calls by which Terraform's AWS provider makes, reads, changes and removes the types of resources in a stack, as requests of the SDK,
 * by the action that each asks for. Which calls these are, its source says: `test/stacks/aws-provider-source.ts`.
 */
export interface ProviderCall {
  readonly action: string;
  readonly send: () => Promise<unknown>;
}

/** Ids of things that AWS made, and that have no name of the blueprint's. */
export interface MadeThings {
  readonly keyId: string;
  readonly secretsKeyId: string;
  readonly functionArn: string;
  /** The mapping that has the normaliser read its queue, and one of its tags' ARN. */
  readonly mapping: { readonly id: string; readonly arn: string };
}

type Sender = { send(command: never): Promise<unknown> };

/** Calls on what is there, in an order in which each finds what it needs; what removes things is last. */
export function providerCalls(access: AwsAccess, plan: Blueprint, made: MadeThings): readonly ProviderCall[] {
  const region = plan.regions.primary;
  const settings = clientSettings(access, region);
  const by =
    (service: string, client: Sender) =>
    (operation: string, command: object): ProviderCall => ({
      action: `${service}:${operation}`,
      send: () => client.send(command as never),
    });
  const { account, partition } = plan;
  const { operations, procedure } = plan;
  const { audit } = plan;
  if (operations === undefined || procedure === undefined) throw new Error("no functions");
  if (audit?.trail === undefined) throw new Error("no trail");
  const tagList = [{ Key: "note", Value: "x" }];
  const [secret] = plan.secrets.filter(({ store }) => store === "aws");
  if (secret?.store !== "aws") throw new Error("no secret");
  const SecretId = secret.name;
  const rotated = plan.secrets.find((other) => other.store === "aws" && other.schedule !== undefined);
  const scheduled = rotated?.store === "aws" ? rotated.name : SecretId;
  const rotator = plan.functions.find(
    ({ name }) => name === (rotated?.store === "aws" ? rotated.rotatedBy : ""),
  );
  const [replica] = plan.regions.replicas;

  const ofSecrets = by("secretsmanager", new secrets.SecretsManagerClient(settings));
  const ofKeys = by("kms", new kms.KMSClient(settings));
  const ofIam = by("iam", new iam.IAMClient(settings));
  const ofLambda = by("lambda", new lambda.LambdaClient(settings));
  const ofLogs = by("logs", new logs.CloudWatchLogsClient(settings));
  const ofEvents = by("events", new events.EventBridgeClient(settings));
  const ofAlarms = by("cloudwatch", new cloudwatch.CloudWatchClient(settings));
  const ofQueues = by("sqs", new sqs.SQSClient(settings));
  const ofTopics = by("sns", new sns.SNSClient(settings));
  const ofTrails = by("cloudtrail", new cloudtrail.CloudTrailClient(settings));
  const ofTables = by("dynamodb", new dynamodb.DynamoDBClient(settings));
  const ofMachines = by("states", new sfn.SFNClient(settings));
  const ofBuckets = by("s3", new s3.S3Client({ ...settings, forcePathStyle: true }));

  const [role] = plan.workloads.map((workload) => workload.role);
  const RoleName = role?.name ?? "";
  const PolicyArn = `arn:${partition}:iam::${account}:policy${role?.path}${RoleName}-read-1`;
  const FunctionName = rotator?.name ?? "";
  const logGroupName = rotator?.logGroup ?? "";
  const logArn = `arn:${partition}:logs:${region}:${account}:log-group:${logGroupName}`;
  const [rule] = operations.rules.filter(({ region: place }) => place === undefined || place === region);
  const Name = rule?.name ?? "";
  const AlarmName = `${plan.registry}-${plan.environment}-secrets-dead-letters`;
  const alarmArn = `arn:${partition}:cloudwatch:${region}:${account}:alarm:${AlarmName}`;
  const QueueUrl = `${access.endpoint}/${account}/${operations.deadLetters.name}`;
  const TopicArn = `arn:${partition}:sns:${region}:${account}:${operations.alarms.name}`;
  const TableName = procedure.changesTable;
  const tableArn = `arn:${partition}:dynamodb:${region}:${account}:table/${TableName}`;
  const stateMachineArn = procedure.stateMachine.arn;
  const Bucket = procedure.records.name;
  const KeyId = made.keyId;
  const { trail } = audit;
  const UUID = made.mapping.id;
  const tags = Object.entries(plan.key.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));

  return [
    ofSecrets("DescribeSecret", new secrets.DescribeSecretCommand({ SecretId })),
    ofSecrets("GetResourcePolicy", new secrets.GetResourcePolicyCommand({ SecretId })),
    ofSecrets("UpdateSecret", new secrets.UpdateSecretCommand({ SecretId, Description: "changed" })),
    ofSecrets("TagResource", new secrets.TagResourceCommand({ SecretId, Tags: tagList })),
    ofSecrets("UntagResource", new secrets.UntagResourceCommand({ SecretId, TagKeys: ["note"] })),
    ofSecrets(
      "RotateSecret",
      new secrets.RotateSecretCommand({
        SecretId: scheduled,
        RotationLambdaARN: made.functionArn,
        RotationRules: { AutomaticallyAfterDays: 30 },
        RotateImmediately: false,
      }),
    ),
    ofSecrets("CancelRotateSecret", new secrets.CancelRotateSecretCommand({ SecretId: scheduled })),
    ...(replica
      ? [
          ofSecrets(
            "RemoveRegionsFromReplication",
            new secrets.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [replica] }),
          ),
          ofSecrets(
            "ReplicateSecretToRegions",
            new secrets.ReplicateSecretToRegionsCommand({
              SecretId,
              AddReplicaRegions: [{ Region: replica, KmsKeyId: made.secretsKeyId }],
            }),
          ),
        ]
      : []),
    ofSecrets(
      "PutResourcePolicy",
      new secrets.PutResourcePolicyCommand({
        SecretId,
        ResourcePolicy: JSON.stringify(secret.policy),
        BlockPublicPolicy: true,
      }),
    ),
    ofKeys("DescribeKey", new kms.DescribeKeyCommand({ KeyId })),
    ofKeys("GetKeyPolicy", new kms.GetKeyPolicyCommand({ KeyId, PolicyName: "default" })),
    ofKeys("GetKeyRotationStatus", new kms.GetKeyRotationStatusCommand({ KeyId })),
    ofKeys("ListResourceTags", new kms.ListResourceTagsCommand({ KeyId })),
    ofKeys("EnableKey", new kms.EnableKeyCommand({ KeyId })),
    ofKeys("EnableKeyRotation", new kms.EnableKeyRotationCommand({ KeyId })),
    ofKeys("UpdateKeyDescription", new kms.UpdateKeyDescriptionCommand({ KeyId, Description: "changed" })),
    ofKeys(
      "PutKeyPolicy",
      new kms.PutKeyPolicyCommand({
        KeyId,
        PolicyName: "default",
        Policy: JSON.stringify(operations.key.policy),
      }),
    ),
    ofKeys("TagResource", new kms.TagResourceCommand({ KeyId, Tags: tags })),
    ofKeys("UntagResource", new kms.UntagResourceCommand({ KeyId, TagKeys: ["note"] })),
    ofKeys("ListAliases", new kms.ListAliasesCommand({})),
    ofKeys(
      "UpdateAlias",
      new kms.UpdateAliasCommand({ AliasName: operations.key.alias, TargetKeyId: KeyId }),
    ),
    ofIam("GetRole", new iam.GetRoleCommand({ RoleName })),
    ofIam("UpdateRole", new iam.UpdateRoleCommand({ RoleName, Description: "changed" })),
    ofIam(
      "UpdateRoleDescription",
      new iam.UpdateRoleDescriptionCommand({ RoleName, Description: "changed" }),
    ),
    ofIam(
      "UpdateAssumeRolePolicy",
      new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: JSON.stringify(role?.trust) }),
    ),
    ofIam("TagRole", new iam.TagRoleCommand({ RoleName, Tags: tagList })),
    ofIam("UntagRole", new iam.UntagRoleCommand({ RoleName, TagKeys: ["note"] })),
    ofIam("ListRolePolicies", new iam.ListRolePoliciesCommand({ RoleName })),
    ofIam("ListAttachedRolePolicies", new iam.ListAttachedRolePoliciesCommand({ RoleName })),
    ofIam("ListInstanceProfilesForRole", new iam.ListInstanceProfilesForRoleCommand({ RoleName })),
    ofIam("GetRolePolicy", new iam.GetRolePolicyCommand({ RoleName, PolicyName: "read-secrets" })),
    ofIam(
      "CreatePolicy",
      new iam.CreatePolicyCommand({
        PolicyName: `${RoleName}-read-1`,
        ...(role?.path ? { Path: role.path } : {}),
        PolicyDocument: JSON.stringify(plan.deployer.boundary),
      }),
    ),
    ofIam("TagPolicy", new iam.TagPolicyCommand({ PolicyArn, Tags: tagList })),
    ofIam("UntagPolicy", new iam.UntagPolicyCommand({ PolicyArn, TagKeys: ["note"] })),
    ofIam("GetPolicy", new iam.GetPolicyCommand({ PolicyArn })),
    ofIam("GetPolicyVersion", new iam.GetPolicyVersionCommand({ PolicyArn, VersionId: "v1" })),
    ofIam("ListPolicyVersions", new iam.ListPolicyVersionsCommand({ PolicyArn })),
    ofIam(
      "CreatePolicyVersion",
      new iam.CreatePolicyVersionCommand({
        PolicyArn,
        PolicyDocument: JSON.stringify(plan.deployer.boundary),
        SetAsDefault: true,
      }),
    ),
    ofIam("AttachRolePolicy", new iam.AttachRolePolicyCommand({ RoleName, PolicyArn })),
    ofIam("DetachRolePolicy", new iam.DetachRolePolicyCommand({ RoleName, PolicyArn })),
    ofIam("DeletePolicyVersion", new iam.DeletePolicyVersionCommand({ PolicyArn, VersionId: "v1" })),
    ofIam("DeletePolicy", new iam.DeletePolicyCommand({ PolicyArn })),
    ofLambda("GetFunction", new lambda.GetFunctionCommand({ FunctionName })),
    ofLambda(
      "GetFunctionCodeSigningConfig",
      new lambda.GetFunctionCodeSigningConfigCommand({ FunctionName }),
    ),
    ofLambda("ListVersionsByFunction", new lambda.ListVersionsByFunctionCommand({ FunctionName })),
    ofLambda("ListTags", new lambda.ListTagsCommand({ Resource: made.functionArn })),
    ofLambda(
      "TagResource",
      new lambda.TagResourceCommand({ Resource: made.functionArn, Tags: { note: "x" } }),
    ),
    ofLambda(
      "UntagResource",
      new lambda.UntagResourceCommand({ Resource: made.functionArn, TagKeys: ["note"] }),
    ),
    ofLambda("GetPolicy", new lambda.GetPolicyCommand({ FunctionName })),
    ofLambda(
      "UpdateFunctionConfiguration",
      new lambda.UpdateFunctionConfigurationCommand({ FunctionName, Description: "changed" }),
    ),
    ofLambda(
      "UpdateFunctionCode",
      new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: new Uint8Array() }),
    ),
    ofLambda("DeleteFunctionConcurrency", new lambda.DeleteFunctionConcurrencyCommand({ FunctionName })),
    ofLambda(
      "RemovePermission",
      new lambda.RemovePermissionCommand({ FunctionName, StatementId: "SecretsManager" }),
    ),
    ofLogs("DescribeLogGroups", new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName })),
    ofLogs("PutRetentionPolicy", new logs.PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 })),
    ofLogs(
      "AssociateKmsKey",
      new logs.AssociateKmsKeyCommand({
        logGroupName,
        kmsKeyId: `arn:${partition}:kms:${region}:${account}:key/${KeyId}`,
      }),
    ),
    ofLogs("ListTagsForResource", new logs.ListTagsForResourceCommand({ resourceArn: logArn })),
    ofLogs("TagResource", new logs.TagResourceCommand({ resourceArn: logArn, tags: { note: "x" } })),
    ofLogs("UntagResource", new logs.UntagResourceCommand({ resourceArn: logArn, tagKeys: ["note"] })),
    ofEvents("DescribeRule", new events.DescribeRuleCommand({ Name })),
    ofEvents("ListTagsForResource", new events.ListTagsForResourceCommand({ ResourceARN: rule?.arn })),
    ofEvents("TagResource", new events.TagResourceCommand({ ResourceARN: rule?.arn, Tags: tagList })),
    ofEvents("UntagResource", new events.UntagResourceCommand({ ResourceARN: rule?.arn, TagKeys: ["note"] })),
    ofEvents("ListTargetsByRule", new events.ListTargetsByRuleCommand({ Rule: Name })),
    ofEvents("RemoveTargets", new events.RemoveTargetsCommand({ Rule: Name, Ids: [rule?.word ?? ""] })),
    ofEvents("DeleteRule", new events.DeleteRuleCommand({ Name })),
    ofAlarms(
      "PutMetricAlarm",
      new cloudwatch.PutMetricAlarmCommand({
        AlarmName,
        ComparisonOperator: "GreaterThanThreshold",
        EvaluationPeriods: 1,
        MetricName: "ApproximateNumberOfMessagesVisible",
        Namespace: "AWS/SQS",
        Period: 60,
        Statistic: "Maximum",
        Threshold: 0,
      }),
    ),
    ofAlarms("DescribeAlarms", new cloudwatch.DescribeAlarmsCommand({ AlarmNames: [AlarmName] })),
    ofAlarms("ListTagsForResource", new cloudwatch.ListTagsForResourceCommand({ ResourceARN: alarmArn })),
    ofAlarms("TagResource", new cloudwatch.TagResourceCommand({ ResourceARN: alarmArn, Tags: tagList })),
    ofAlarms(
      "UntagResource",
      new cloudwatch.UntagResourceCommand({ ResourceARN: alarmArn, TagKeys: ["note"] }),
    ),
    ofAlarms("DeleteAlarms", new cloudwatch.DeleteAlarmsCommand({ AlarmNames: [AlarmName] })),
    ofQueues("GetQueueAttributes", new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] })),
    ofQueues(
      "SetQueueAttributes",
      new sqs.SetQueueAttributesCommand({ QueueUrl, Attributes: { MessageRetentionPeriod: "1209600" } }),
    ),
    ofQueues("ListQueueTags", new sqs.ListQueueTagsCommand({ QueueUrl })),
    ofQueues("TagQueue", new sqs.TagQueueCommand({ QueueUrl, Tags: { note: "x" } })),
    ofQueues("UntagQueue", new sqs.UntagQueueCommand({ QueueUrl, TagKeys: ["note"] })),
    ofQueues("DeleteQueue", new sqs.DeleteQueueCommand({ QueueUrl })),
    ofTopics("GetTopicAttributes", new sns.GetTopicAttributesCommand({ TopicArn })),
    ofTopics(
      "SetTopicAttributes",
      new sns.SetTopicAttributesCommand({ TopicArn, AttributeName: "DisplayName", AttributeValue: "alarms" }),
    ),
    ofTopics("ListTagsForResource", new sns.ListTagsForResourceCommand({ ResourceArn: TopicArn })),
    ofTopics("TagResource", new sns.TagResourceCommand({ ResourceArn: TopicArn, Tags: tagList })),
    ofTopics("UntagResource", new sns.UntagResourceCommand({ ResourceArn: TopicArn, TagKeys: ["note"] })),
    ofTopics("DeleteTopic", new sns.DeleteTopicCommand({ TopicArn })),
    ofTables("DescribeTable", new dynamodb.DescribeTableCommand({ TableName })),
    ofTables("DescribeContinuousBackups", new dynamodb.DescribeContinuousBackupsCommand({ TableName })),
    ofTables("DescribeTimeToLive", new dynamodb.DescribeTimeToLiveCommand({ TableName })),
    ofTables("ListTagsOfResource", new dynamodb.ListTagsOfResourceCommand({ ResourceArn: tableArn })),
    ofTables(
      "UpdateContinuousBackups",
      new dynamodb.UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    ),
    ofTables("TagResource", new dynamodb.TagResourceCommand({ ResourceArn: tableArn, Tags: tagList })),
    ofTables(
      "UntagResource",
      new dynamodb.UntagResourceCommand({ ResourceArn: tableArn, TagKeys: ["note"] }),
    ),
    ofTables("UpdateTable", new dynamodb.UpdateTableCommand({ TableName, DeletionProtectionEnabled: false })),
    ofTables("DeleteTable", new dynamodb.DeleteTableCommand({ TableName })),
    ofMachines(
      "ValidateStateMachineDefinition",
      new sfn.ValidateStateMachineDefinitionCommand({
        definition: JSON.stringify(procedure.stateMachine.definition),
      }),
    ),
    ofMachines("DescribeStateMachine", new sfn.DescribeStateMachineCommand({ stateMachineArn })),
    ofMachines("ListStateMachineVersions", new sfn.ListStateMachineVersionsCommand({ stateMachineArn })),
    ofMachines("ListTagsForResource", new sfn.ListTagsForResourceCommand({ resourceArn: stateMachineArn })),
    ofMachines(
      "TagResource",
      new sfn.TagResourceCommand({ resourceArn: stateMachineArn, tags: [{ key: "note", value: "x" }] }),
    ),
    ofMachines(
      "UntagResource",
      new sfn.UntagResourceCommand({ resourceArn: stateMachineArn, tagKeys: ["note"] }),
    ),
    ofMachines(
      "UpdateStateMachine",
      new sfn.UpdateStateMachineCommand({ stateMachineArn, roleArn: procedure.stateMachine.role.arn }),
    ),
    ofMachines("DeleteStateMachine", new sfn.DeleteStateMachineCommand({ stateMachineArn })),
    ofLambda("GetEventSourceMapping", new lambda.GetEventSourceMappingCommand({ UUID })),
    ofLambda("ListTags", new lambda.ListTagsCommand({ Resource: made.mapping.arn })),
    ofLambda(
      "UpdateEventSourceMapping",
      new lambda.UpdateEventSourceMappingCommand({ UUID, FunctionName: audit.normaliser.name, BatchSize: 5 }),
    ),
    ofLambda("DeleteEventSourceMapping", new lambda.DeleteEventSourceMappingCommand({ UUID })),
    ofTrails(
      "CreateTrail",
      new cloudtrail.CreateTrailCommand({
        Name: trail.name,
        S3BucketName: trail.bucket.name,
        IsMultiRegionTrail: true,
        TagsList: tagList,
      }),
    ),
    ofTrails("StartLogging", new cloudtrail.StartLoggingCommand({ Name: trail.arn })),
    ofTrails("DescribeTrails", new cloudtrail.DescribeTrailsCommand({ trailNameList: [trail.arn] })),
    ofTrails("GetTrailStatus", new cloudtrail.GetTrailStatusCommand({ Name: trail.arn })),
    ofTrails("GetEventSelectors", new cloudtrail.GetEventSelectorsCommand({ TrailName: trail.arn })),
    ofTrails("GetInsightSelectors", new cloudtrail.GetInsightSelectorsCommand({ TrailName: trail.arn })),
    ofTrails("ListTags", new cloudtrail.ListTagsCommand({ ResourceIdList: [trail.arn] })),
    ofTrails("AddTags", new cloudtrail.AddTagsCommand({ ResourceId: trail.arn, TagsList: tagList })),
    ofTrails("RemoveTags", new cloudtrail.RemoveTagsCommand({ ResourceId: trail.arn, TagsList: tagList })),
    ofTrails(
      "PutEventSelectors",
      new cloudtrail.PutEventSelectorsCommand({
        TrailName: trail.arn,
        EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true }],
      }),
    ),
    ofTrails("UpdateTrail", new cloudtrail.UpdateTrailCommand({ Name: trail.arn, IsMultiRegionTrail: true })),
    ofTrails("DeleteTrail", new cloudtrail.DeleteTrailCommand({ Name: trail.arn })),
    ofBuckets("ListBucket", new s3.HeadBucketCommand({ Bucket })),
    ofBuckets("GetAccelerateConfiguration", new s3.GetBucketAccelerateConfigurationCommand({ Bucket })),
    ofBuckets("GetBucketAcl", new s3.GetBucketAclCommand({ Bucket })),
    ofBuckets("GetBucketCORS", new s3.GetBucketCorsCommand({ Bucket })),
    ofBuckets("GetBucketLogging", new s3.GetBucketLoggingCommand({ Bucket })),
    ofBuckets("GetBucketObjectLockConfiguration", new s3.GetObjectLockConfigurationCommand({ Bucket })),
    ofBuckets("GetBucketOwnershipControls", new s3.GetBucketOwnershipControlsCommand({ Bucket })),
    ofBuckets("GetBucketPolicy", new s3.GetBucketPolicyCommand({ Bucket })),
    ofBuckets("GetBucketPublicAccessBlock", new s3.GetPublicAccessBlockCommand({ Bucket })),
    ofBuckets("GetBucketRequestPayment", new s3.GetBucketRequestPaymentCommand({ Bucket })),
    ofBuckets("GetBucketTagging", new s3.GetBucketTaggingCommand({ Bucket })),
    ofBuckets("GetBucketVersioning", new s3.GetBucketVersioningCommand({ Bucket })),
    ofBuckets("GetBucketWebsite", new s3.GetBucketWebsiteCommand({ Bucket })),
    ofBuckets("GetEncryptionConfiguration", new s3.GetBucketEncryptionCommand({ Bucket })),
    ofBuckets("GetLifecycleConfiguration", new s3.GetBucketLifecycleConfigurationCommand({ Bucket })),
    ofBuckets("GetReplicationConfiguration", new s3.GetBucketReplicationCommand({ Bucket })),
    ofBuckets(
      "PutBucketObjectLockConfiguration",
      new s3.PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: {
            DefaultRetention: { Mode: procedure.records.lockMode, Days: procedure.records.retentionDays },
          },
        },
      }),
    ),
    ofBuckets(
      "PutBucketOwnershipControls",
      new s3.PutBucketOwnershipControlsCommand({
        Bucket,
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
      }),
    ),
    ofBuckets(
      "PutBucketPublicAccessBlock",
      new s3.PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: { BlockPublicAcls: true },
      }),
    ),
    ofBuckets("PutBucketTagging", new s3.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tagList } })),
    ofBuckets(
      "PutBucketVersioning",
      new s3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    ),
    ofBuckets(
      "PutEncryptionConfiguration",
      new s3.PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: KeyId } }],
        },
      }),
    ),
    ofBuckets("DeleteBucketPolicy", new s3.DeleteBucketPolicyCommand({ Bucket })),
    ofBuckets("DeleteBucket", new s3.DeleteBucketCommand({ Bucket })),
    ofLambda("DeleteFunction", new lambda.DeleteFunctionCommand({ FunctionName })),
    ofLogs("DeleteLogGroup", new logs.DeleteLogGroupCommand({ logGroupName })),
    ofIam("DeleteRolePolicy", new iam.DeleteRolePolicyCommand({ RoleName, PolicyName: "read-secrets" })),
    ofIam("DeleteRole", new iam.DeleteRoleCommand({ RoleName })),
    ofSecrets("DeleteResourcePolicy", new secrets.DeleteResourcePolicyCommand({ SecretId })),
    ofSecrets("DeleteSecret", new secrets.DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 30 })),
    ofKeys("DeleteAlias", new kms.DeleteAliasCommand({ AliasName: operations.key.alias })),
    ofKeys("ScheduleKeyDeletion", new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 30 })),
  ];
}
