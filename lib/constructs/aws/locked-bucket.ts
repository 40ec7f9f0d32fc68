import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketObjectLockConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-object-lock-configuration";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import type { Construct } from "constructs";
import type { RecordsPlan, Tags } from "../../blueprint";
import { setAddress } from "../address";
import { literalJson } from "../literal-text";

/** Settings of a bucket beside its plan. */
export interface LockedBucketProps {
  readonly region: string;
  readonly provider?: AwsProvider;
  readonly preventDestroy: boolean;
  readonly tags: Tags;
}

/**
 * A bucket whose objects nobody can change or delete before their time, encrypted with S3's own key: what is kept for years must not die
 * with a key that can be deleted in a month.
 *
 * @param word of its addresses
 * @returns its name (a token), and its policy, for whoever needs that before
 */
export function lockedBucket(
  scope: Construct,
  word: string,
  plan: RecordsPlan,
  { preventDestroy, tags, ...common }: LockedBucketProps,
): { readonly name: string; readonly policy: S3BucketPolicy } {
  const made = setAddress(
    scope,
    new S3Bucket(scope, word, {
      ...common,
      bucket: plan.name,
      // Can only be switched on when a bucket is made, and never off.
      objectLockEnabled: true,
      forceDestroy: plan.forceDestroy,
      tags: { ...tags },
      lifecycle: { preventDestroy },
    }),
    word,
  );
  const bucket = made.bucket;
  const versioning = setAddress(
    scope,
    new S3BucketVersioningA(scope, `${word}-versioning`, {
      ...common,
      bucket,
      versioningConfiguration: { status: "Enabled" },
    }),
    word,
  );
  setAddress(
    scope,
    new S3BucketObjectLockConfigurationA(scope, `${word}-lock`, {
      ...common,
      bucket,
      rule: { defaultRetention: { mode: plan.lockMode, days: plan.retentionDays } },
      dependsOn: [versioning],
    }),
    word,
  );
  setAddress(
    scope,
    new S3BucketServerSideEncryptionConfigurationA(scope, `${word}-encryption`, {
      ...common,
      bucket,
      rule: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" },
          // As S3 has it for new buckets; left out, the provider would plan to undo it again and again.
          blockedEncryptionTypes: ["SSE-C"],
        },
      ],
    }),
    word,
  );
  setAddress(
    scope,
    new S3BucketOwnershipControls(scope, `${word}-ownership`, {
      ...common,
      bucket,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    }),
    word,
  );
  const block = setAddress(
    scope,
    new S3BucketPublicAccessBlock(scope, `${word}-access`, {
      ...common,
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    }),
    word,
  );
  const policy = setAddress(
    scope,
    new S3BucketPolicy(scope, `${word}-policy`, {
      ...common,
      bucket,
      policy: literalJson(plan.policy),
      // S3 refuses two changes of a bucket's access at once.
      dependsOn: [block],
    }),
    word,
  );
  return { name: bucket, policy };
}
