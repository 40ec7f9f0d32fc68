import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { AuditNormaliserSettings } from "../../contracts/audit-settings";
import { jsonLog } from "../../lambda/json-log";
import { lambdaEntry } from "../../lambda/lambda-entry";
import { readSettings } from "../../lambda/settings-file";
import { cloudWatchCounts, dynamoDbFacts, noFacts, s3Archive, sqsOutlet } from "../adapters/aws-ports";
import { Normaliser } from "../delivery/normaliser";
import { messagesOf } from "../delivery/queued-messages";

/** Lambda's entry point of the normaliser. */
export const handler = lambdaEntry(async () => {
  const settings = (await readSettings()) as AuditNormaliserSettings;
  const { region, registry, environment } = settings.scope;
  const normaliser = new Normaliser({
    settings,
    archive: s3Archive(new S3Client({ region }), settings.archive),
    outlet: sqsOutlet(new SQSClient({ region })),
    facts:
      settings.runsTable === undefined
        ? noFacts
        : dynamoDbFacts(new DynamoDBClient({ region }), settings.runsTable),
    counts: cloudWatchCounts(new CloudWatchClient({ region }), { registry, environment }),
    log: jsonLog("secrets-registry-audit-normaliser", { registry, environment }),
  });
  return async (event) => {
    const messages = messagesOf(event);
    const answer = await normaliser.run(messages);
    // Log lines cannot come again one by one: all of them do.
    if (answer.batchItemFailures.length > 0 && !("Records" in (event as object)))
      throw new Error("some lines were not taken");
    return answer;
  };
});
