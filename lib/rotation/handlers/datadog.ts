import { datadogApi } from "../adapters/datadog-api";
import { lambdaHandler, type TargetFactory } from "../entries/rotation-handler";
import { once } from "../protocol/once";
import { type DatadogValue, datadogAdminSchema, datadogTarget } from "../targets/datadog";
import { endedByPeople } from "../targets/ended-by-people";

/** The target of one secret: without an admin secret people make and end the keys. */
export const datadogTargetOf: TargetFactory<"datadog", DatadogValue> = (props) => {
  const { settings, clock, random } = props;
  const admin = once(() => props.readAdmin(datadogAdminSchema));
  const datadog = datadogApi(settings, admin);
  const target = datadogTarget({ settings, admin, datadog, clock, random });
  if (props.admin !== undefined) return target;
  return endedByPeople(target, {
    what: `the API key and the application key of Datadog organisation ${settings.org}`,
    // A person may go on using one half of the pair.
    isAlive: async ({ apiKey, appKey }, living) => {
      const [other] = living;
      if (!living.some((value) => value.apiKey === apiKey) && (await datadog.takesApiKey(apiKey)))
        return true;
      if (living.some((value) => value.appKey === appKey)) return false;
      return datadog.takesBoth(other?.apiKey ?? apiKey, appKey);
    },
  });
};

/** Lambda's entry point for Datadog keys. */
export const handler = lambdaHandler("datadog", datadogTargetOf);
