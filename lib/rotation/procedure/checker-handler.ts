import type { CheckerAnswer } from "../../model/procedure-events";
import { systemClock } from "../adapters/system";
import type { LambdaHandler } from "../lambda-entry";
import { checkerHandlerOf } from "./checker";
import { procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** The checker in AWS. It calls nothing of AWS. */
export async function assembleChecker(): Promise<LambdaHandler<CheckerAnswer>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS.checker);
  return checkerHandlerOf({ settings, clock: systemClock, log: procedureLog("checker", settings) });
}
