import { sendGridApi } from "../adapters/sendgrid-api";
import { lambdaHandler, type TargetFactory } from "../entries/rotation-handler";
import { once } from "../protocol/once";
import { endedByPeople } from "../targets/ended-by-people";
import { type SendGrid, type SendGridValue, sendGridAdminSchema, sendGridTarget } from "../targets/sendgrid";

/** The target of one secret: without an admin secret people make and end the keys. */
export const sendGridTargetOf: TargetFactory<"sendgrid", SendGridValue> = (props) => {
  const { settings, clock, random } = props;
  const admin = once(() => props.readAdmin(sendGridAdminSchema));
  const sendGrid = sendGridApi(settings, admin);
  const shared = { settings, admin, clock, random };
  if (props.admin !== undefined) return sendGridTarget({ ...shared, sendGrid });
  const withoutAdmin: SendGrid = { ...sendGrid, shownScopes: async () => "untold" };
  return endedByPeople(sendGridTarget({ ...shared, sendGrid: withoutAdmin }), {
    what: `the API key of SendGrid account ${settings.account}`,
    isAlive: async ({ apiKey }) => (await sendGrid.scopesOf(apiKey)) !== undefined,
  });
};

/** Lambda's entry point for SendGrid keys. */
export const handler = lambdaHandler("sendgrid", sendGridTargetOf);
