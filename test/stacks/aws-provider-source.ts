/**
 * Calls that Terraform's AWS provider makes for each type of resource that the library synthesizes, as the provider's source has
 * them: https://github.com/hashicorp/terraform-provider-aws, files below `internal/service/`. They were read at versions of the
 * files from around 6.25, the one that the library is built for. Named are the actions that IAM is asked for, in the order of the
 * calls; what a call asks for beside itself stands in `ON_BEHALF`.
 *
 * A call that the library's attributes never lead to (a queue's creation with tags that the partition does not know, `publish` of a
 * function, a policy version with a delay) is left out.
 */
export interface ProviderSource {
  /** Below `internal/service/`. */
  readonly file: string;
  readonly create: readonly string[];
  readonly read: readonly string[];
  readonly update: readonly string[];
  readonly destroy: readonly string[];
  /** The generated `tags_gen.go` of the service, or the transparent tagging of the framework: reads where `read` sets no tags. */
  readonly tags?: readonly string[];
}

/** A bucket's own settings are read by every resource of it, and `aws_s3_bucket` reads all of them. */
const BUCKET_READ = [
  "s3:ListBucket",
  "s3:GetBucketPolicy",
  "s3:GetBucketAcl",
  "s3:GetBucketCORS",
  "s3:GetBucketWebsite",
  "s3:GetBucketVersioning",
  "s3:GetAccelerateConfiguration",
  "s3:GetBucketRequestPayment",
  "s3:GetBucketLogging",
  "s3:GetLifecycleConfiguration",
  "s3:GetReplicationConfiguration",
  "s3:GetEncryptionConfiguration",
  "s3:GetBucketObjectLockConfiguration",
];

const KEY_READ = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"];

export const PROVIDER_SOURCE: Readonly<Record<string, ProviderSource>> = {
  // trail.go: findTrailByARN, setLogging, setEventSelectors (where somebody else has changed them), resourceTrail*
  aws_cloudtrail: {
    file: "cloudtrail/trail.go",
    create: ["cloudtrail:CreateTrail", "cloudtrail:AddTags", "cloudtrail:StartLogging"],
    read: [
      "cloudtrail:DescribeTrails",
      "cloudtrail:GetTrailStatus",
      "cloudtrail:GetEventSelectors",
      "cloudtrail:GetInsightSelectors",
    ],
    update: ["cloudtrail:UpdateTrail", "cloudtrail:StartLogging", "cloudtrail:PutEventSelectors"],
    destroy: ["cloudtrail:DeleteTrail"],
    tags: ["cloudtrail:ListTags", "cloudtrail:AddTags", "cloudtrail:RemoveTags"],
  },
  // rule.go: retryPutRule, findRuleByTwoPartKey, resourceRuleDelete
  aws_cloudwatch_event_rule: {
    file: "events/rule.go",
    create: ["events:PutRule", "events:DescribeRule"],
    read: ["events:DescribeRule"],
    update: ["events:PutRule"],
    destroy: ["events:DeleteRule"],
    tags: ["events:ListTagsForResource", "events:TagResource", "events:UntagResource"],
  },
  // target.go: expandPutTargetsInput, findTargets, resourceTargetDelete
  aws_cloudwatch_event_target: {
    file: "events/target.go",
    create: ["events:PutTargets"],
    read: ["events:ListTargetsByRule"],
    update: ["events:PutTargets"],
    destroy: ["events:RemoveTargets"],
  },
  // group.go: resourceGroup*, findLogGroupByName
  aws_cloudwatch_log_group: {
    file: "logs/group.go",
    create: ["logs:CreateLogGroup", "logs:PutRetentionPolicy"],
    read: ["logs:DescribeLogGroups"],
    update: ["logs:PutRetentionPolicy", "logs:AssociateKmsKey"],
    destroy: ["logs:DeleteLogGroup"],
    tags: ["logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"],
  },
  // metric_alarm.go: resourceMetricAlarm*, findMetricAlarmByName
  aws_cloudwatch_metric_alarm: {
    file: "cloudwatch/metric_alarm.go",
    create: ["cloudwatch:PutMetricAlarm"],
    read: ["cloudwatch:DescribeAlarms"],
    update: ["cloudwatch:PutMetricAlarm"],
    destroy: ["cloudwatch:DeleteAlarms"],
    tags: ["cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource"],
  },
  // table.go: resourceTable*, updatePITR, waitTableActive, waitTableDeleted; no TTL, index, stream or replica
  aws_dynamodb_table: {
    file: "dynamodb/table.go",
    create: [
      "dynamodb:CreateTable",
      "dynamodb:TagResource",
      "dynamodb:DescribeTable",
      "dynamodb:UpdateContinuousBackups",
    ],
    read: ["dynamodb:DescribeTable", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive"],
    update: ["dynamodb:UpdateTable", "dynamodb:UpdateContinuousBackups"],
    destroy: ["dynamodb:DeleteTable", "dynamodb:DescribeTable"],
    tags: ["dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource"],
  },
  // pod_identity_association.go: Create, Read (tags are in the answer), Update, Delete
  aws_eks_pod_identity_association: {
    file: "eks/pod_identity_association.go",
    create: ["eks:CreatePodIdentityAssociation", "eks:TagResource"],
    read: ["eks:DescribePodIdentityAssociation"],
    update: ["eks:UpdatePodIdentityAssociation"],
    destroy: ["eks:DeletePodIdentityAssociation"],
    tags: ["eks:TagResource", "eks:UntagResource"],
  },
  // openid_connect_provider.go: resourceOpenIDConnectProvider*; thumbprints are left to IAM
  aws_iam_openid_connect_provider: {
    file: "iam/openid_connect_provider.go",
    create: ["iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"],
    read: ["iam:GetOpenIDConnectProvider"],
    update: ["iam:AddClientIDToOpenIDConnectProvider", "iam:RemoveClientIDFromOpenIDConnectProvider"],
    destroy: ["iam:DeleteOpenIDConnectProvider"],
    tags: ["iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider"],
  },
  // policy.go: resourcePolicy*, policyPruneVersions; SetDefaultPolicyVersion only with delay_after_policy_creation_in_ms
  aws_iam_policy: {
    file: "iam/policy.go",
    create: ["iam:CreatePolicy", "iam:TagPolicy"],
    read: ["iam:GetPolicy", "iam:GetPolicyVersion"],
    update: ["iam:ListPolicyVersions", "iam:DeletePolicyVersion", "iam:CreatePolicyVersion"],
    destroy: ["iam:ListPolicyVersions", "iam:DeletePolicyVersion", "iam:DeletePolicy"],
    tags: ["iam:TagPolicy", "iam:UntagPolicy"],
  },
  // role.go: resourceRole*, readRoleInlinePolicies, findRoleAttachedPolicies, deleteRoleInstanceProfiles
  aws_iam_role: {
    file: "iam/role.go",
    create: ["iam:CreateRole", "iam:TagRole"],
    read: ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"],
    update: [
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRoleDescription",
      "iam:UpdateRole",
      "iam:PutRolePermissionsBoundary",
    ],
    destroy: ["iam:ListInstanceProfilesForRole", "iam:DeleteRole"],
    tags: ["iam:TagRole", "iam:UntagRole"],
  },
  // role_policies_exclusive.go: syncAttachments, findRolePoliciesByName; nothing is done where it is destroyed
  aws_iam_role_policies_exclusive: {
    file: "iam/role_policies_exclusive.go",
    create: ["iam:ListRolePolicies", "iam:DeleteRolePolicy"],
    read: ["iam:ListRolePolicies"],
    update: ["iam:ListRolePolicies", "iam:DeleteRolePolicy"],
    destroy: [],
  },
  // role_policy.go: resourceRolePolicyPut, FindRolePolicyByTwoPartKey
  aws_iam_role_policy: {
    file: "iam/role_policy.go",
    create: ["iam:PutRolePolicy", "iam:GetRolePolicy"],
    read: ["iam:GetRolePolicy"],
    update: ["iam:PutRolePolicy"],
    destroy: ["iam:DeleteRolePolicy"],
  },
  // role_policy_attachment.go: attachPolicyToRole, detachPolicyFromRole
  aws_iam_role_policy_attachment: {
    file: "iam/role_policy_attachment.go",
    create: ["iam:AttachRolePolicy"],
    read: ["iam:ListAttachedRolePolicies"],
    update: [],
    destroy: ["iam:DetachRolePolicy"],
  },
  // role_policy_attachments_exclusive.go: syncAttachments, which detaches whatever else is attached
  aws_iam_role_policy_attachments_exclusive: {
    file: "iam/role_policy_attachments_exclusive.go",
    create: ["iam:ListAttachedRolePolicies", "iam:AttachRolePolicy", "iam:DetachRolePolicy"],
    read: ["iam:ListAttachedRolePolicies"],
    update: ["iam:ListAttachedRolePolicies", "iam:AttachRolePolicy", "iam:DetachRolePolicy"],
    destroy: [],
  },
  // alias.go: resourceAlias*, findAliasByName
  aws_kms_alias: {
    file: "kms/alias.go",
    create: ["kms:CreateAlias"],
    read: ["kms:ListAliases"],
    update: ["kms:UpdateAlias"],
    destroy: ["kms:DeleteAlias"],
  },
  // key.go: resourceKey*, findKeyInfo, updateKeyRotationEnabled, waitKeyPolicyPropagated, waitTagsPropagated, waitKeyDeleted
  aws_kms_key: {
    file: "kms/key.go",
    create: ["kms:CreateKey", "kms:TagResource", "kms:EnableKeyRotation", ...KEY_READ],
    read: KEY_READ,
    update: ["kms:EnableKey", "kms:EnableKeyRotation", "kms:UpdateKeyDescription", "kms:PutKeyPolicy"],
    destroy: ["kms:ScheduleKeyDeletion", "kms:DescribeKey"],
    tags: ["kms:ListResourceTags", "kms:TagResource", "kms:UntagResource"],
  },
  // replica_key.go: resourceReplicaKey*, with the functions of key.go
  aws_kms_replica_key: {
    file: "kms/replica_key.go",
    create: ["kms:ReplicateKey", "kms:TagResource", ...KEY_READ],
    read: KEY_READ,
    update: ["kms:EnableKey", "kms:UpdateKeyDescription", "kms:PutKeyPolicy"],
    destroy: ["kms:ScheduleKeyDeletion", "kms:DescribeKey"],
    tags: ["kms:ListResourceTags", "kms:TagResource", "kms:UntagResource"],
  },
  // code_signing_config.go: resourceCodeSigningConfig*
  aws_lambda_code_signing_config: {
    file: "lambda/code_signing_config.go",
    create: ["lambda:CreateCodeSigningConfig", "lambda:TagResource"],
    read: ["lambda:GetCodeSigningConfig"],
    update: ["lambda:UpdateCodeSigningConfig"],
    destroy: ["lambda:DeleteCodeSigningConfig"],
    tags: ["lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"],
  },
  // event_source_mapping.go: resourceEventSourceMapping*, findEventSourceMappingByID; it has no tags of ours, but they are read
  aws_lambda_event_source_mapping: {
    file: "lambda/event_source_mapping.go",
    create: ["lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping"],
    read: ["lambda:GetEventSourceMapping"],
    update: ["lambda:UpdateEventSourceMapping"],
    destroy: ["lambda:DeleteEventSourceMapping", "lambda:GetEventSourceMapping"],
    tags: ["lambda:ListTags"],
  },
  // function.go: resourceFunction*, findFunctionByName (the waits too), findLatestFunctionVersionByName
  aws_lambda_function: {
    file: "lambda/function.go",
    create: ["lambda:CreateFunction", "lambda:TagResource", "lambda:GetFunction"],
    read: ["lambda:GetFunction", "lambda:ListVersionsByFunction", "lambda:GetFunctionCodeSigningConfig"],
    update: [
      "lambda:UpdateFunctionConfiguration",
      "lambda:UpdateFunctionCode",
      "lambda:DeleteFunctionConcurrency",
      "lambda:PutFunctionCodeSigningConfig",
      "lambda:DeleteFunctionCodeSigningConfig",
    ],
    destroy: ["lambda:DeleteFunction", "lambda:GetFunction"],
    tags: ["lambda:TagResource", "lambda:UntagResource"],
  },
  // permission.go: resourcePermission*, findPolicyStatementByTwoPartKey
  aws_lambda_permission: {
    file: "lambda/permission.go",
    create: ["lambda:AddPermission"],
    read: ["lambda:GetPolicy"],
    update: [],
    destroy: ["lambda:RemovePermission", "lambda:GetPolicy"],
  },
  // bucket.go: resourceBucket*, findBucket; tags.go: S3 Control first, GetBucketTagging and PutBucketTagging where it is refused
  aws_s3_bucket: {
    file: "s3/bucket.go",
    create: [
      "s3:CreateBucket",
      "s3:TagResource",
      "s3:PutBucketObjectLockConfiguration",
      "s3:PutBucketVersioning",
      ...BUCKET_READ,
    ],
    read: BUCKET_READ,
    update: [],
    destroy: ["s3:DeleteBucket", "s3:ListBucket"],
    tags: [
      "s3:ListTagsForResource",
      "s3:TagResource",
      "s3:UntagResource",
      "s3:GetBucketTagging",
      "s3:PutBucketTagging",
    ],
  },
  // bucket_object_lock_configuration.go: resourceBucketObjectLockConfiguration*
  aws_s3_bucket_object_lock_configuration: {
    file: "s3/bucket_object_lock_configuration.go",
    create: ["s3:PutBucketObjectLockConfiguration"],
    read: ["s3:GetBucketObjectLockConfiguration"],
    update: ["s3:PutBucketObjectLockConfiguration"],
    destroy: ["s3:PutBucketObjectLockConfiguration"],
  },
  // bucket_ownership_controls.go; DeleteBucketOwnershipControls asks for the right to put
  aws_s3_bucket_ownership_controls: {
    file: "s3/bucket_ownership_controls.go",
    create: ["s3:PutBucketOwnershipControls"],
    read: ["s3:GetBucketOwnershipControls"],
    update: ["s3:PutBucketOwnershipControls"],
    destroy: ["s3:PutBucketOwnershipControls"],
  },
  // bucket_policy.go: resourceBucketPolicy*, findBucketPolicy
  aws_s3_bucket_policy: {
    file: "s3/bucket_policy.go",
    create: ["s3:PutBucketPolicy", "s3:GetBucketPolicy"],
    read: ["s3:GetBucketPolicy"],
    update: ["s3:PutBucketPolicy"],
    destroy: ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy"],
  },
  // bucket_public_access_block.go; DeletePublicAccessBlock asks for the right to put
  aws_s3_bucket_public_access_block: {
    file: "s3/bucket_public_access_block.go",
    create: ["s3:PutBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock"],
    read: ["s3:GetBucketPublicAccessBlock"],
    update: ["s3:PutBucketPublicAccessBlock"],
    destroy: ["s3:PutBucketPublicAccessBlock", "s3:GetBucketPublicAccessBlock"],
  },
  // bucket_server_side_encryption_configuration.go; DeleteBucketEncryption asks for the right to put
  aws_s3_bucket_server_side_encryption_configuration: {
    file: "s3/bucket_server_side_encryption_configuration.go",
    create: ["s3:PutEncryptionConfiguration", "s3:GetEncryptionConfiguration"],
    read: ["s3:GetEncryptionConfiguration"],
    update: ["s3:PutEncryptionConfiguration"],
    destroy: ["s3:PutEncryptionConfiguration"],
  },
  // bucket_versioning.go: resourceBucketVersioning*
  aws_s3_bucket_versioning: {
    file: "s3/bucket_versioning.go",
    create: ["s3:PutBucketVersioning", "s3:GetBucketVersioning"],
    read: ["s3:GetBucketVersioning"],
    update: ["s3:PutBucketVersioning"],
    destroy: ["s3:PutBucketVersioning"],
  },
  // secret.go (at 00c21ce): resourceSecret*, addSecretReplicas, removeSecretReplicas
  aws_secretsmanager_secret: {
    file: "secretsmanager/secret.go",
    create: ["secretsmanager:CreateSecret", "secretsmanager:TagResource", "secretsmanager:DescribeSecret"],
    read: ["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"],
    update: [
      "secretsmanager:RemoveRegionsFromReplication",
      "secretsmanager:ReplicateSecretToRegions",
      "secretsmanager:UpdateSecret",
    ],
    destroy: ["secretsmanager:RemoveRegionsFromReplication", "secretsmanager:DeleteSecret"],
    tags: ["secretsmanager:TagResource", "secretsmanager:UntagResource"],
  },
  // secret_policy.go: resourceSecretPolicy*
  aws_secretsmanager_secret_policy: {
    file: "secretsmanager/secret_policy.go",
    create: ["secretsmanager:PutResourcePolicy", "secretsmanager:GetResourcePolicy"],
    read: ["secretsmanager:GetResourcePolicy"],
    update: ["secretsmanager:PutResourcePolicy"],
    destroy: ["secretsmanager:DeleteResourcePolicy", "secretsmanager:GetResourcePolicy"],
  },
  // secret_rotation.go (at 0413c66): resourceSecretRotation*
  aws_secretsmanager_secret_rotation: {
    file: "secretsmanager/secret_rotation.go",
    create: ["secretsmanager:RotateSecret"],
    read: ["secretsmanager:DescribeSecret"],
    update: ["secretsmanager:RotateSecret"],
    destroy: ["secretsmanager:CancelRotateSecret"],
  },
  // state_machine.go: resourceStateMachine*, stateMachineDefinitionValidate (at the plan)
  aws_sfn_state_machine: {
    file: "sfn/state_machine.go",
    create: ["states:ValidateStateMachineDefinition", "states:CreateStateMachine", "states:TagResource"],
    read: ["states:DescribeStateMachine", "states:ListStateMachineVersions"],
    update: [
      "states:ValidateStateMachineDefinition",
      "states:UpdateStateMachine",
      "states:DescribeStateMachine",
    ],
    destroy: ["states:DeleteStateMachine", "states:DescribeStateMachine"],
    tags: ["states:ListTagsForResource", "states:TagResource", "states:UntagResource"],
  },
  // topic.go: resourceTopic*, putTopicAttributes, findTopicAttributesByARN
  aws_sns_topic: {
    file: "sns/topic.go",
    create: ["sns:CreateTopic", "sns:TagResource", "sns:SetTopicAttributes"],
    read: ["sns:GetTopicAttributes"],
    update: ["sns:SetTopicAttributes"],
    destroy: ["sns:DeleteTopic"],
    tags: ["sns:ListTagsForResource", "sns:TagResource", "sns:UntagResource"],
  },
  // topic_policy.go: resourceTopicPolicyUpsert, resourceTopicPolicyDelete (which sets the default policy)
  aws_sns_topic_policy: {
    file: "sns/topic_policy.go",
    create: ["sns:SetTopicAttributes"],
    read: ["sns:GetTopicAttributes"],
    update: ["sns:SetTopicAttributes"],
    destroy: ["sns:SetTopicAttributes"],
  },
  // queue.go: resourceQueue*, waitQueueAttributesPropagated, waitQueueDeleted; its URL is its id
  aws_sqs_queue: {
    file: "sqs/queue.go",
    create: ["sqs:CreateQueue", "sqs:TagQueue", "sqs:GetQueueAttributes"],
    read: ["sqs:GetQueueAttributes"],
    update: ["sqs:SetQueueAttributes", "sqs:GetQueueAttributes"],
    destroy: ["sqs:DeleteQueue", "sqs:GetQueueAttributes"],
    tags: ["sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue"],
  },
  // attribute_funcs.go: queueAttributeHandler
  aws_sqs_queue_policy: {
    file: "sqs/attribute_funcs.go",
    create: ["sqs:SetQueueAttributes", "sqs:GetQueueAttributes"],
    read: ["sqs:GetQueueAttributes"],
    update: ["sqs:SetQueueAttributes", "sqs:GetQueueAttributes"],
    destroy: ["sqs:SetQueueAttributes", "sqs:GetQueueAttributes"],
  },
};

/**
 * Rights that AWS asks for beside the call that needs them, and the type of resource whose call that is; under another name where the
 * call's own name is no action.
 */
export const ON_BEHALF: readonly (readonly [action: string, type: string, why: string])[] = [
  ["ec2:DescribeSecurityGroups", "aws_lambda_function", "CreateFunction in a network"],
  ["ec2:DescribeSubnets", "aws_lambda_function", "CreateFunction in a network"],
  ["ec2:DescribeVpcs", "aws_lambda_function", "CreateFunction in a network"],
  ["iam:CreateServiceLinkedRole", "aws_kms_replica_key", "the first multi-Region key of an account"],
  ["iam:PassRole", "aws_cloudwatch_event_target", "PutTargets with a role"],
  ["iam:PassRole", "aws_eks_pod_identity_association", "CreatePodIdentityAssociation, beside iam:GetRole"],
  ["iam:PassRole", "aws_lambda_function", "CreateFunction, UpdateFunctionConfiguration"],
  ["iam:PassRole", "aws_sfn_state_machine", "CreateStateMachine, UpdateStateMachine"],
  ["kms:CreateKey", "aws_kms_replica_key", "ReplicateKey, in the replica's region"],
  ["kms:Decrypt", "aws_secretsmanager_secret", "CreateSecret and UpdateSecret try the key"],
  ["kms:Encrypt", "aws_secretsmanager_secret", "replicas"],
  ["kms:GenerateDataKey", "aws_secretsmanager_secret", "CreateSecret and UpdateSecret try the key"],
  ["lambda:InvokeFunction", "aws_secretsmanager_secret_rotation", "RotateSecret, where it sets a schedule"],
  ["lambda:ListTags", "aws_lambda_function", "GetFunction has no tags without it"],
  // emptyBucket of s3/delete.go, where `forceDestroy` is set
  ["s3:BypassGovernanceRetention", "aws_s3_bucket", "DeleteObjects of locked versions"],
  ["s3:DeleteObject", "aws_s3_bucket", "DeleteObjects"],
  ["s3:DeleteObjectVersion", "aws_s3_bucket", "DeleteObjects"],
  ["s3:ListBucketVersions", "aws_s3_bucket", "ListObjectVersions"],
];
