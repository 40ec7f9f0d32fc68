import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { AuditCloud } from "./audit-cloud";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";
import { s3Objects } from "./s3-objects";
import { secretHistory } from "./secret-history";

/** {@link AuditCloud} with AWS's SDK; `policies/audit-reviewer.json` has the rights. */
export function awsAuditCloud(props: AwsRotationCloudProps): AuditCloud {
  const objects = s3Objects(props);
  const sqs = new SQSClient({ ...props, useQueueUrlAsEndpoint: props.endpoint === undefined });
  return {
    list: (bucket, prefix) => objects.list(bucket, { Prefix: prefix }),
    read: objects.read,
    history: secretHistory(props),
    async send(queueUrl, texts) {
      await Promise.all(
        texts.map((text) => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: text }))),
      );
    },
  };
}
