import { type CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { type FirehoseClient, PutRecordBatchCommand } from "@aws-sdk/client-firehose";
import { PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { AUDIT_METRIC } from "../../contracts/audit-settings";
import { originOf } from "../../lambda/failure-origin";
import type { SinkCredential } from "../../model/audit-definition";
import { METRIC_NAMESPACE } from "../../model/names";
import type { SinkPort } from "../delivery/deliverer";
import type { AuditCounts, EventArchive, Outlet, VersionFacts } from "../delivery/ports";

/**
 * {@link EventArchive} in a bucket with object lock, whose default retention protects every object. One that is there stays.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export const s3Archive = (client: S3Client, bucket: string): EventArchive => ({
  async writeOnce(key, text) {
    try {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: text,
          ContentType: "application/json",
          IfNoneMatch: "*",
        }),
      );
    } catch (failure) {
      // There already: the same event, by its id.
      if (originOf(failure) !== "PreconditionFailed") throw failure;
    }
  },
});

/** Entries of one call. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const ENTRIES = 10;
/** SQS takes a mebibyte in one call; a quarter of it before 2025, and in some partitions still. */
const ENTRIES_BYTES = 200_000;

/** {@link Outlet} into SQS. */
export const sqsOutlet = (client: SQSClient): Outlet => ({
  async send(QueueUrl, bodies) {
    await Promise.all(
      batchesOf(bodies).map(async (batch) => {
        const [only] = batch;
        if (only !== undefined && batch.length === 1) {
          await client.send(new SendMessageCommand({ QueueUrl, MessageBody: only }));
          return;
        }
        const Entries = batch.map((MessageBody, at) => ({ Id: String(at), MessageBody }));
        const { Failed: failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        if (failed.length > 0)
          throw Object.assign(new Error("some messages were not taken"), { code: failed[0]?.Code });
      }),
    );
  },
});

function batchesOf(bodies: readonly string[]): readonly (readonly string[])[] {
  const batches: string[][] = [];
  let bytes = 0;
  for (const body of bodies) {
    const size = Buffer.byteLength(body);
    const last = batches.at(-1);
    if (last === undefined || last.length === ENTRIES || bytes + size > ENTRIES_BYTES) {
      batches.push([body]);
      bytes = size;
    } else {
      last.push(body);
      bytes += size;
    }
  }
  return batches;
}

/** {@link VersionFacts} from the table of runs, whose sort key is the version that rotates in. */
export const dynamoDbFacts = (client: DynamoDBClient, table: string): VersionFacts => ({
  async of(secret, version) {
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: table, Key: { secret: { S: secret }, run: { S: version } } }),
    );
    if (item === undefined) return {};
    const change = item.change?.M?.id?.S;
    const startedBy = item.startedBy?.S;
    const approved = item.decision?.M?.answer?.S === "approved" ? item.decision.M.by?.S : undefined;
    return {
      run: {
        run: version,
        ...(change === undefined ? {} : { change }),
        ...(startedBy === undefined ? {} : { startedBy }),
        ...(approved === undefined ? {} : { approvedBy: approved }),
      },
    };
  },
});

/** Nothing is known of any version: a trail without a procedure. */
export const noFacts: VersionFacts = { of: async () => ({}) };

/** {@link AuditCounts} as metrics of CloudWatch. */
export const cloudWatchCounts = (
  client: CloudWatchClient,
  { registry, environment }: { readonly registry: string; readonly environment: string },
): AuditCounts => ({
  async add(counts) {
    const data = Object.entries(counts).map(([what, count]) => ({
      MetricName: AUDIT_METRIC,
      Dimensions: [
        { Name: "registry", Value: registry },
        { Name: "environment", Value: environment },
        { Name: "what", Value: what },
      ],
      Unit: "Count" as const,
      Value: count,
    }));
    if (data.length === 0) return;
    await client.send(new PutMetricDataCommand({ Namespace: METRIC_NAMESPACE, MetricData: data }));
  },
});

/**
 * Time for which a credential is kept, in milliseconds: a new one is found at the latest then, and at once where the old
 * one is refused.
 */
const KEPT_MS = 300_000;

/** Reads a sink's credential, and keeps it for minutes. */
export function sinkCredential(
  client: SecretsManagerClient,
  { secretArn, field }: SinkCredential,
  now: () => Date = () => new Date(),
): (fresh: boolean) => Promise<string> {
  let kept: { readonly value: string; readonly until: number } | undefined;
  return async (fresh) => {
    if (!fresh && kept !== undefined && kept.until > now().getTime()) return kept.value;
    const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    const value = field === undefined ? text : fieldOf(text, field);
    if (value === undefined || value === "")
      throw Object.assign(new Error("the secret has no such field"), { code: "credential-missing" });
    kept = { value, until: now().getTime() + KEPT_MS };
    return value;
  };
}

function fieldOf(text: string | undefined, field: string): string | undefined {
  try {
    const found: unknown = JSON.parse(text ?? "")[field];
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A delivery stream as a sink. Some records of a batch may be taken and others not: then all come again, under their ids.
 *
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
 */
export const firehoseSink = (client: FirehoseClient, streamArn: string): SinkPort => ({
  async deliver(events) {
    const { FailedPutCount: failed } = await client.send(
      new PutRecordBatchCommand({
        DeliveryStreamName: streamArn.split("/").at(-1),
        Records: events.map((event) => ({ Data: Buffer.from(`${JSON.stringify(event)}\n`) })),
      }),
    );
    return failed === 0 ? "taken" : "later";
  },
});
