import { sendGridApi } from "../adapters/sendgrid-api";
import { once } from "../once";
import { lambdaHandler } from "../rotation-handler";
import { sendGridAdminSchema, sendGridTarget } from "../targets/sendgrid";

/** Lambda's entry point for SendGrid keys. */
export const handler = lambdaHandler("sendgrid", ({ settings, readAdmin, clock, random }) => {
  const admin = once(() => readAdmin(sendGridAdminSchema));
  return sendGridTarget({ settings, admin, sendGrid: sendGridApi(settings, admin), clock, random });
});
