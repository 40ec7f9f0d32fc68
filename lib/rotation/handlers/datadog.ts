import { datadogApi } from "../adapters/datadog-api";
import { once } from "../once";
import { lambdaHandler } from "../rotation-handler";
import { datadogAdminSchema, datadogTarget } from "../targets/datadog";

/** Lambda's entry point for Datadog keys. */
export const handler = lambdaHandler("datadog", ({ settings, readAdmin, clock, random }) => {
  const admin = once(() => readAdmin(datadogAdminSchema));
  return datadogTarget({ settings, admin, datadog: datadogApi(settings, admin), clock, random });
});
