import { STSClient } from "@aws-sdk/client-sts";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { eksToken } from "../adapters/eks-token";
import { kubernetesControllers } from "../adapters/kubernetes-controllers";
import { systemClock } from "../adapters/system";
import {
  Restarter,
  type RestarterContext,
  type RestarterOutcome,
  restarterEvent,
} from "../procedure/restarter";
import { Redaction } from "../protocol/redaction";
import { logFault } from "./log-fault";
import { eventParser, procedureLog, readProcedureSettings } from "./procedure-handler";
import { PROCEDURE_SETTINGS } from "./procedure-settings";

/** The restarter's handler. */
export function restarterHandlerOf(context: RestarterContext): LambdaHandler<RestarterOutcome> {
  const restarter = new Restarter(context);
  const parse = eventParser(restarterEvent);
  return async (event) => {
    try {
      return await restarter.run(parse(event));
    } catch (failure) {
      // Its name is what the state machine matches, so it goes out as it is.
      if (failure instanceof Error && failure.name === "RolloutFailed") {
        context.log.error(failure.message);
        throw failure;
      }
      throw logFault(context.log, failure, {});
    }
  };
}

/** The restarter in AWS. */
export async function assembleRestarter(): Promise<LambdaHandler<RestarterOutcome>> {
  const settings = await readProcedureSettings(PROCEDURE_SETTINGS.restarter);
  const redaction = new Redaction();
  const sts = new STSClient({ region: settings.region });
  const clusters = settings.clusters.map((cluster) =>
    kubernetesControllers(cluster, async () => {
      const token = await eksToken(sts, cluster.region, cluster.name, systemClock.now());
      redaction.guard(token);
      return token;
    }),
  );
  return restarterHandlerOf({
    settings,
    clusters,
    clock: systemClock,
    log: procedureLog("restarter", settings, redaction),
  });
}
