import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { S3Client } from "@aws-sdk/client-s3";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { DynamoDbRuns } from "../adapters/dynamodb-runs";
import { announcedBy } from "../adapters/eventbridge-runs";
import { S3RecordArchive } from "../adapters/s3-record-archive";
import { systemClock } from "../adapters/system";
import { Recorder, type RecorderContext, type RecorderOutcome, recorderEvent } from "../procedure/recorder";
import type { Logbook } from "../protocol/ports";
import { eventParser, procedureHandler, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** The recorder's handler. */
function recorderHandlerOf(
  context: RecorderContext & { readonly log: Logbook },
): LambdaHandler<RecorderOutcome> {
  const recorder = new Recorder(context);
  return procedureHandler(
    context.log,
    eventParser(recorderEvent),
    (event) => ({
      secret: event.Secret,
      run: event.Run,
      outcome: "Outcome" in event ? event.Outcome : "Status" in event ? event.Status : "fingerprints",
    }),
    (event) => recorder.run(event),
  );
}

/** The recorder in AWS. */
export async function assembleRecorder(): Promise<LambdaHandler<RecorderOutcome>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS.recorder);
  const { region } = settings;
  return recorderHandlerOf({
    settings,
    runs: new DynamoDbRuns(new DynamoDBClient({ region }), settings.runsTable, settings.changesTable),
    archive: new S3RecordArchive(new S3Client({ region }), settings.recordsBucket),
    clock: systemClock,
    ...(settings.announces ? { announce: announcedBy(new EventBridgeClient({ region })) } : {}),
    log: procedureLog("recorder", settings),
  });
}
