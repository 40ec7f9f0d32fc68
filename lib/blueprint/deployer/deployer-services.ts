import type { PolicyStatement } from "../../model/policy-document";
import type { Environment } from "../../model/registry";
import { bucketArn } from "../platform/aws-arns";
import type { RecordsPlan } from "../procedure/procedure-plan";
import { allow, type DeployerPlaces, type DeployerScope, of } from "./deployer-places";

/** Functions and what surrounds them. */
export function ofFunctions(
  environment: Environment,
  places: DeployerPlaces,
  plan: DeployerScope,
): PolicyStatement[] {
  const hasNetwork = environment.networks.length > 0;
  return [
    allow(
      "Functions",
      of(
        "lambda",
        "AddPermission",
        "CreateFunction",
        "DeleteFunction",
        // Of a function that somebody has throttled, which a plan shows.
        "DeleteFunctionConcurrency",
        "GetFunction",
        "GetFunctionCodeSigningConfig",
        "GetPolicy",
        // RotateSecret asks for it, where a schedule is set.
        // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
        "InvokeFunction",
        // GetFunction has no tags without it: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
        "ListTags",
        "ListVersionsByFunction",
        "RemovePermission",
        "TagResource",
        "UntagResource",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
      ),
      [places.functions],
    ),
    ...(plan.operations?.codeSigning
      ? [
          allow("MakeCodeSigning", of("lambda", "CreateCodeSigningConfig"), ["*"]),
          allow(
            "CodeSigning",
            of(
              "lambda",
              "DeleteCodeSigningConfig",
              "DeleteFunctionCodeSigningConfig",
              "GetCodeSigningConfig",
              "ListTags",
              "PutFunctionCodeSigningConfig",
              "TagResource",
              "UntagResource",
              "UpdateCodeSigningConfig",
            ),
            [places.functions, places.codeSigningConfigs],
          ),
        ]
      : []),
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    ...(hasNetwork
      ? [allow("Networks", of("ec2", "DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs"), ["*"])]
      : []),
    allow("SeeLogGroups", of("logs", "DescribeLogGroups"), ["*"]),
    allow(
      "LogGroups",
      of(
        "logs",
        "AssociateKmsKey",
        "CreateLogGroup",
        "DeleteLogGroup",
        "ListTagsForResource",
        "PutRetentionPolicy",
        "TagResource",
        "UntagResource",
      ),
      [places.logGroups],
    ),
    allow(
      "Rules",
      of(
        "events",
        "DeleteRule",
        "DescribeRule",
        "ListTagsForResource",
        "ListTargetsByRule",
        "PutRule",
        "PutTargets",
        "RemoveTargets",
        "TagResource",
        "UntagResource",
      ),
      [places.rules],
    ),
    allow(
      "Alarms",
      of(
        "cloudwatch",
        "DeleteAlarms",
        "DescribeAlarms",
        "ListTagsForResource",
        "PutMetricAlarm",
        "TagResource",
        "UntagResource",
      ),
      [places.alarms],
    ),
    allow(
      "Queues",
      of(
        "sqs",
        "CreateQueue",
        "DeleteQueue",
        "GetQueueAttributes",
        "ListQueueTags",
        "SetQueueAttributes",
        "TagQueue",
        "UntagQueue",
      ),
      [places.queues],
    ),
    allow(
      "Topics",
      of(
        "sns",
        "CreateTopic",
        "DeleteTopic",
        "GetTopicAttributes",
        "ListTagsForResource",
        "SetTopicAttributes",
        "TagResource",
        "UntagResource",
      ),
      [places.topics],
    ),
    allow(
      "Tables",
      of(
        "dynamodb",
        "CreateTable",
        "DeleteTable",
        "DescribeContinuousBackups",
        "DescribeTable",
        "DescribeTimeToLive",
        "ListTagsOfResource",
        "TagResource",
        "UntagResource",
        "UpdateContinuousBackups",
        "UpdateTable",
      ),
      [places.tables],
    ),
  ];
}

/** A bucket whose objects are locked, named in statements by `word`. */
function bucketRights(
  environment: Environment,
  word: string,
  { name, forceDestroy }: Pick<RecordsPlan, "name" | "forceDestroy">,
): PolicyStatement[] {
  const arn = bucketArn(environment, name);
  return [
    allow(
      word,
      of(
        "s3",
        "CreateBucket",
        "DeleteBucket",
        "DeleteBucketPolicy",
        "GetAccelerateConfiguration",
        "GetBucketAcl",
        "GetBucketCORS",
        "GetBucketLogging",
        "GetBucketObjectLockConfiguration",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetBucketPublicAccessBlock",
        "GetBucketRequestPayment",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetBucketWebsite",
        "GetEncryptionConfiguration",
        "GetLifecycleConfiguration",
        "GetReplicationConfiguration",
        "ListBucket",
        "ListTagsForResource",
        "PutBucketObjectLockConfiguration",
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutEncryptionConfiguration",
        "TagResource",
        "UntagResource",
      ),
      [arn],
    ),
    ...(forceDestroy
      ? [
          allow(`List${word}OfDevelopment`, of("s3", "ListBucketVersions"), [arn]),
          allow(
            `Delete${word}OfDevelopment`,
            of("s3", "BypassGovernanceRetention", "DeleteObject", "DeleteObjectVersion"),
            [`${arn}/*`],
          ),
        ]
      : []),
  ];
}

/** The audit trail: what reads its queues, its archive and its own trail of CloudTrail. */
export function ofAudit(
  environment: Environment,
  { functions, eventSourceMappings }: DeployerPlaces,
  { archive, trail }: NonNullable<DeployerScope["audit"]>,
): PolicyStatement[] {
  return [
    // Mappings have ids of AWS; what they call is ours.
    allow(
      "QueueReaders",
      of(
        "lambda",
        "CreateEventSourceMapping",
        "DeleteEventSourceMapping",
        "GetEventSourceMapping",
        "UpdateEventSourceMapping",
      ),
      ["*"],
      { ArnLike: { "lambda:FunctionArn": [functions] } },
    ),
    allow("SeeTagsOfQueueReaders", of("lambda", "ListTags"), [eventSourceMappings]),
    ...bucketRights(environment, "Events", archive),
    ...(trail
      ? [
          allow("SeeTrails", of("cloudtrail", "DescribeTrails"), ["*"]),
          allow(
            "Trail",
            of(
              "cloudtrail",
              "AddTags",
              "CreateTrail",
              "DeleteTrail",
              "GetEventSelectors",
              "GetInsightSelectors",
              "GetTrailStatus",
              "ListTags",
              "PutEventSelectors",
              "RemoveTags",
              "StartLogging",
              "UpdateTrail",
            ),
            [trail.arn],
          ),
          ...bucketRights(environment, "TrailFiles", trail.bucket),
        ]
      : []),
  ];
}

/** Rights on the rotation procedure's state machine and its bucket of records. */
export function ofProcedure(
  environment: Environment,
  { machines }: DeployerPlaces,
  { records }: NonNullable<DeployerScope["procedure"]>,
): PolicyStatement[] {
  return [
    // A plan asks for it already, before there is a state machine.
    allow("CheckMachines", of("states", "ValidateStateMachineDefinition"), ["*"]),
    allow(
      "Machines",
      of(
        "states",
        "CreateStateMachine",
        "DeleteStateMachine",
        "DescribeStateMachine",
        "ListStateMachineVersions",
        "ListTagsForResource",
        "TagResource",
        "UntagResource",
        "UpdateStateMachine",
      ),
      [machines],
    ),
    ...bucketRights(environment, "Records", records),
  ];
}

/** Identities of pods. */
export function ofClusters(
  { partition, account, allRegions }: Environment,
  plan: Pick<DeployerScope, "clusters" | "oidcProviders">,
): PolicyStatement[] {
  // Those of other accounts are associated there.
  const pods = plan.clusters.filter(
    (cluster) => cluster.identity === "pod-identity" && cluster.account === account,
  );
  return [
    ...(plan.oidcProviders.length > 0
      ? [
          allow(
            "OidcProviders",
            of(
              "iam",
              "AddClientIDToOpenIDConnectProvider",
              "CreateOpenIDConnectProvider",
              "DeleteOpenIDConnectProvider",
              "GetOpenIDConnectProvider",
              "RemoveClientIDFromOpenIDConnectProvider",
              "TagOpenIDConnectProvider",
              "UntagOpenIDConnectProvider",
            ),
            plan.oidcProviders.map(({ arn }) => arn),
          ),
        ]
      : []),
    ...(pods.length > 0
      ? [
          allow(
            "PodIdentities",
            of(
              "eks",
              "CreatePodIdentityAssociation",
              "DeletePodIdentityAssociation",
              "DescribePodIdentityAssociation",
              "TagResource",
              "UntagResource",
              "UpdatePodIdentityAssociation",
            ),
            pods.flatMap(({ name, region }) =>
              ["cluster", "podidentityassociation"].map(
                (what) =>
                  `arn:${partition}:eks:${region || allRegions[0]}:${account}:${what}/${name}${what === "cluster" ? "" : "/*"}`,
              ),
            ),
          ),
        ]
      : []),
  ];
}
