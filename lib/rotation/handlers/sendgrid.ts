import { sendGridApi } from "../adapters/sendgrid-api";
import { once } from "../once";
import { lambdaHandler, type TargetFactory } from "../rotation-handler";
import { endedByPeople } from "../targets/ended-by-people";
import { type SendGridValue, sendGridAdminSchema, sendGridTarget } from "../targets/sendgrid";

/** The target of one secret: without an admin secret people make and end the keys. */
export const targetOf: TargetFactory<"sendgrid", SendGridValue> = (props) => {
  const { settings, clock, random } = props;
  const admin = once(() => props.readAdmin(sendGridAdminSchema));
  const sendGrid = sendGridApi(settings, admin);
  const target = sendGridTarget({ settings, admin, sendGrid, clock, random });
  if (props.admin !== undefined) return target;
  return endedByPeople(target, {
    what: `the API key of SendGrid account ${settings.account}`,
    isAlive: async ({ apiKey }) => (await sendGrid.scopesOf(apiKey)) !== undefined,
  });
};

/** Lambda's entry point for SendGrid keys. */
export const handler = lambdaHandler("sendgrid", targetOf);
