import { GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { AuditCloud } from "./audit-cloud";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";

/** {@link AuditCloud} with AWS's SDK; `policies/audit-reviewer.json` has the rights. */
export function awsAuditCloud(props: AwsRotationCloudProps): AuditCloud {
  // Embedded and private endpoints have no name for each bucket.
  const s3 = new S3Client({ ...props, forcePathStyle: props.endpoint !== undefined });
  const sqs = new SQSClient({ ...props, useQueueUrlAsEndpoint: props.endpoint === undefined });
  return {
    async *list(bucket, prefix) {
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client: s3 },
        { Bucket: bucket, Prefix: prefix },
      )) {
        for (const { Key } of Contents) if (Key !== undefined) yield Key;
      }
    },
    async read(bucket, key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToString()) ?? "";
    },
    async send(queueUrl, texts) {
      await Promise.all(
        texts.map((text) => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: text }))),
      );
    },
  };
}
