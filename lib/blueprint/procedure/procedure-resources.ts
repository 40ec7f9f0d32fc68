import { type PolicyDocument, type PolicyStatement, policyDocument } from "../../model/policy-document";
import type { Environment } from "../../model/registry";
import { type AccountScope, bucketArn, topicArn } from "../platform/aws-arns";

/** Policies of the procedure's bucket and topics. */

/** Rights by which S3 replicates into a bucket. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-walkthrough-2.html */
export const REPLICATION = [
  "s3:ObjectOwnerOverrideToBucketOwner",
  "s3:ReplicateDelete",
  "s3:ReplicateObject",
  "s3:ReplicateTags",
] as const;

/**
 * Policy of the bucket of records: written once by the recorder over TLS, deleted by nobody, not even with a right to
 * bypass the lock. The account can still change this policy, which its trail shows; in compliance mode the lock stays.
 */
export function recordsPolicy(
  environment: AccountScope,
  bucket: string,
  recorderRole: string,
): PolicyDocument {
  const arn = bucketArn(environment, bucket);
  const objects = `${arn}/*`;
  const overClearText = { Bool: { "aws:SecureTransport": ["false"] } };
  const deny = (
    Sid: string,
    Action: readonly string[],
    Resource: readonly string[],
    Condition?: PolicyStatement["Condition"],
  ): PolicyStatement => ({
    Sid,
    Effect: "Deny",
    Principal: "*",
    Action,
    Resource,
    ...(Condition ? { Condition } : {}),
  });
  return policyDocument(
    // Records and their names. Calls about the bucket itself are signed and hold nothing; whoever could not make one could
    // not fix this policy either.
    deny("OverTlsOnly", ["s3:*"], [objects], overClearText),
    deny("ListedOverTlsOnly", ["s3:ListBucket", "s3:ListBucketVersions"], [arn], overClearText),
    deny(
      "NobodyDeletes",
      ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"],
      [objects],
    ),
    deny("RecorderWrites", ["s3:PutObject"], [objects], {
      ArnNotLike: { "aws:PrincipalArn": [recorderRole] },
    }),
    // Replication from a bucket of somebody's own would write without PutObject, over what is there, and mark it as deleted.
    deny("NothingIsReplicatedHere", REPLICATION, [objects]),
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    deny("WrittenOnce", ["s3:PutObject"], [objects], { Null: { "s3:if-none-match": ["true"] } }),
  );
}

/**
 * Policy of a topic on which one role publishes; messages of anybody else would be taken for its own.
 *
 * @param services what AWS's services may publish beside it
 */
export function publisherPolicy(
  environment: Environment,
  topic: string,
  publisherRole: string,
  ...services: readonly PolicyStatement[]
): PolicyDocument {
  const Resource = [topicArn(environment, environment.regions.primary, topic)];
  return policyDocument(
    {
      Sid: "OneRolePublishes",
      Effect: "Deny",
      Principal: "*",
      Action: ["sns:Publish"],
      Resource,
      Condition: {
        ArnNotLike: { "aws:PrincipalArn": [publisherRole] },
        // Services have no role.
        ...(services.length > 0 ? { Bool: { "aws:PrincipalIsAWSService": ["false"] } } : {}),
      },
    },
    ...services,
  );
}

/** CloudWatch's alarms of this account publish on a topic. */
export const alarmsPublish = (environment: Environment, topic: string): PolicyStatement => ({
  Sid: "AlarmsPublish",
  Effect: "Allow",
  Principal: { Service: "cloudwatch.amazonaws.com" },
  Action: ["sns:Publish"],
  Resource: [topicArn(environment, environment.regions.primary, topic)],
  Condition: { StringEquals: { "aws:SourceAccount": [environment.account] } },
});
