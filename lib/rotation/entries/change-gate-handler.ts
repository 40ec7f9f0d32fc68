import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { DynamoDbChanges } from "../adapters/dynamodb-changes";
import { jwksJobTokens } from "../adapters/jwks-job-tokens";
import { systemClock } from "../adapters/system";
import {
  ChangeGate,
  type ChangeGateContext,
  type ChangeGateOutcome,
  changeGateEvent,
} from "../procedure/change-gate";
import type { Logbook } from "../protocol/ports";
import { Redaction } from "../protocol/redaction";
import { eventParser, procedureHandler, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** The change gate's handler. */
function changeGateHandlerOf(
  context: ChangeGateContext & { readonly log: Logbook; readonly redaction: Redaction },
): LambdaHandler<ChangeGateOutcome> {
  const gate = new ChangeGate(context);
  return procedureHandler(
    context.log,
    eventParser(changeGateEvent),
    ({ Token }) => {
      context.redaction.guard(Token);
      return {};
    },
    async (event) => {
      const outcome = await gate.run(event);
      context.log.info("change approved", { ...outcome });
      return outcome;
    },
  );
}

/** The change gate in AWS. */
export async function assembleChangeGate(): Promise<LambdaHandler<ChangeGateOutcome>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS["change-gate"]);
  const { region, changesTable } = settings;
  const redaction = new Redaction();
  return changeGateHandlerOf({
    settings,
    tokens: jwksJobTokens(settings),
    changes: new DynamoDbChanges(new DynamoDBClient({ region }), changesTable),
    clock: systemClock,
    log: procedureLog("change-gate", settings, redaction),
    redaction,
  });
}
