import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SFNClient } from "@aws-sdk/client-sfn";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { DynamoDbMirrorLedger } from "../adapters/dynamodb-mirror-ledger";
import { DynamoDbPublications } from "../adapters/dynamodb-publications";
import { DynamoDbRuns } from "../adapters/dynamodb-runs";
import { LambdaFunctions } from "../adapters/lambda-functions";
import { lazyAuditKey } from "../adapters/lazy-audit-key";
import { SecretsManagerRotations } from "../adapters/secrets-manager-rotations";
import { SecretsManagerStore } from "../adapters/secrets-manager-store";
import { StepFunctionsExecutions } from "../adapters/step-functions-executions";
import { StsCallerIdentities } from "../adapters/sts-caller-identities";
import { systemClock } from "../adapters/system";
import { confirmedInRegions } from "../mirror/confirmed-in-regions";
import type { DispatcherContext, DispatcherOutcome } from "../procedure/dispatched";
import { Dispatcher } from "../procedure/dispatcher";
import { type DispatcherRequest, parseDispatcherEvent } from "../procedure/dispatcher-event";
import type { Asker } from "../procedure/proven-caller";
import type { LogFields } from "../protocol/ports";
import { procedureHandler, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** Lambda's longest time: what an invoked function may take. */
const PATIENCE_MS = 900_000;

/** The dispatcher's handler. */
export function dispatcherHandlerOf(context: DispatcherContext): LambdaHandler<DispatcherOutcome> {
  const dispatcher = new Dispatcher(context);
  return procedureHandler(
    context.log,
    parseDispatcherEvent,
    (request) => fieldsOf(request),
    (request) => dispatcher.run(request),
  );
}

/** Names and ids. A proof is good for a few minutes, so it is not among them. */
function fieldsOf(request: DispatcherRequest): LogFields {
  const { proven, ...fields }: DispatcherRequest & Partial<Asker> = request;
  return {
    ...fields,
    ...("requester" in fields ? { requesterIs: proven ? "to be proven" : "as said" } : {}),
  };
}

/** The dispatcher in AWS. */
export async function assembleDispatcher(): Promise<LambdaHandler<DispatcherOutcome>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS.dispatcher);
  const { region } = settings;
  const dynamoDb = new DynamoDBClient({ region });
  const secretsManager = new SecretsManagerClient({ region });
  const store = new SecretsManagerStore(secretsManager);
  const publications = new DynamoDbPublications(dynamoDb, settings.publicationsTable);
  const { proofs } = lazyAuditKey(region, settings.auditKeyAlias);
  const ledger = new DynamoDbMirrorLedger(dynamoDb, settings.publicationsTable);
  return dispatcherHandlerOf({
    settings,
    runs: new DynamoDbRuns(dynamoDb, settings.runsTable, settings.changesTable),
    store,
    publications,
    confirm: settings.confirms
      ? confirmedInRegions({ region, store, publications, proofs, ledger, clock: systemClock })
      : undefined,
    proofs,
    rotations: new SecretsManagerRotations(secretsManager),
    // A second invocation while the first one works would meet it in the middle.
    functions: new LambdaFunctions(
      new LambdaClient({ region, maxAttempts: 1, requestHandler: { requestTimeout: PATIENCE_MS } }),
    ),
    identities: new StsCallerIdentities({ region, endpoint: settings.stsEndpoint, clock: systemClock }),
    executions: new StepFunctionsExecutions(new SFNClient({ region }), settings.stateMachineArn),
    clock: systemClock,
    log: procedureLog("dispatcher", settings),
    newVersion: randomUUID,
  });
}
