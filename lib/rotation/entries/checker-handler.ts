import * as z from "zod/mini";
import type { CheckerAnswer, CheckerEvent } from "../../contracts/procedure-events";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { httpCheck } from "../adapters/http-check";
import { systemClock } from "../adapters/system";
import { type CheckerContext, CheckFailed, runChecks } from "../procedure/checker";
import { logFault } from "./log-fault";
import { eventParser, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

const checkerEvent: z.ZodMiniType<CheckerEvent> = z.strictObject({
  Checks: z.array(z.string()),
  Environment: z.string(),
  Secret: z.string(),
  Version: z.string(),
  InUse: z.exactOptional(z.boolean()),
});

/**
 * The checker's handler.
 *
 * @throws CheckFailed; RotationError `event-malformed`, `settings-malformed`
 */
export function checkerHandlerOf(context: CheckerContext): LambdaHandler<CheckerAnswer> {
  const parse = eventParser(checkerEvent);
  return async (event) => {
    try {
      return await runChecks(parse(event), context);
    } catch (failure) {
      // Its name is what the state machine matches, so it goes out as it is.
      if (failure instanceof CheckFailed) throw failure;
      throw logFault(context.log, failure, {});
    }
  };
}

/** The checker in AWS. It calls nothing of AWS. */
export async function assembleChecker(): Promise<LambdaHandler<CheckerAnswer>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS.checker);
  return checkerHandlerOf({
    settings,
    http: httpCheck,
    clock: systemClock,
    log: procedureLog("checker", settings),
  });
}
