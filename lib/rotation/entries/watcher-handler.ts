import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { awsWatcherSinks } from "../adapters/aws-watcher-sinks";
import { DynamoDbPublications } from "../adapters/dynamodb-publications";
import { lazyAuditKey } from "../adapters/lazy-audit-key";
import { SecretsManagerLook } from "../adapters/secrets-manager-look";
import { systemClock } from "../adapters/system";
import { Watcher, type WatcherContext, type WatcherOutcome } from "../procedure/watcher";
import { procedureHandler, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** The watcher's handler. Its event says nothing: the schedule calls. */
function watcherHandlerOf(context: WatcherContext): LambdaHandler<WatcherOutcome> {
  const watcher = new Watcher(context);
  return procedureHandler(
    context.log,
    () => undefined,
    () => ({}),
    async () => {
      const outcome = await watcher.run();
      const { reminded, ...counts } = outcome;
      context.log.info("looked", { ...counts, reminded: reminded.length });
      return outcome;
    },
  );
}

/** The watcher in AWS. */
export async function assembleWatcher(): Promise<LambdaHandler<WatcherOutcome>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS.watcher);
  const { region } = settings;
  return watcherHandlerOf({
    settings,
    secrets: new SecretsManagerLook(
      new SecretsManagerClient({ region }),
      lazyAuditKey(region, settings.auditKeyAlias).proofs,
    ),
    publications: new DynamoDbPublications(new DynamoDBClient({ region }), settings.publicationsTable),
    sinks: awsWatcherSinks(new CloudWatchClient({ region }), new SNSClient({ region }), settings),
    clock: systemClock,
    log: procedureLog("watcher", settings),
  });
}
