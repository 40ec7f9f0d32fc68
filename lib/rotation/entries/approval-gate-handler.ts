import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SFNClient } from "@aws-sdk/client-sfn";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { DynamoDbApprovalTokens } from "../adapters/dynamodb-approval-tokens";
import { DynamoDbRuns } from "../adapters/dynamodb-runs";
import { StepFunctionsAnswers } from "../adapters/step-functions-answers";
import { StsCallerIdentities } from "../adapters/sts-caller-identities";
import { systemClock } from "../adapters/system";
import {
  ApprovalGate,
  type ApprovalGateContext,
  type ApprovalGateOutcome,
  approvalGateEvent,
} from "../procedure/approval-gate";
import { Redaction } from "../protocol/redaction";
import { eventParser, procedureHandler, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** The approval gate's handler. */
export function approvalGateHandlerOf(
  context: ApprovalGateContext & { readonly redaction: Redaction },
): LambdaHandler<ApprovalGateOutcome> {
  const gate = new ApprovalGate(context);
  return procedureHandler(
    context.log,
    eventParser(approvalGateEvent),
    (event) => {
      context.redaction.guard("Proof" in event ? event.Proof : event.Token);
      return { action: event.Action, secret: event.Secret, run: event.Run };
    },
    (event) => gate.run(event),
  );
}

/** The approval gate in AWS. */
export async function assembleApprovalGate(): Promise<LambdaHandler<ApprovalGateOutcome>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS["approval-gate"]);
  const { region, runsTable, stsEndpoint } = settings;
  const redaction = new Redaction();
  const dynamoDb = new DynamoDBClient({ region });
  return approvalGateHandlerOf({
    settings,
    runs: new DynamoDbRuns(dynamoDb, runsTable),
    tokens: new DynamoDbApprovalTokens(dynamoDb, runsTable),
    answers: new StepFunctionsAnswers(new SFNClient({ region })),
    identities: new StsCallerIdentities({ region, endpoint: stsEndpoint, clock: systemClock }),
    clock: systemClock,
    log: procedureLog("approval-gate", settings, redaction),
    redaction,
  });
}
