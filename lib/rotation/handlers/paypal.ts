import { PayPalApi } from "../adapters/paypal-api";
import { lambdaHandler } from "../entries/rotation-handler";
import { payPalTarget } from "../targets/paypal";

/** Lambda's entry point for PayPal's client secrets. */
export const handler = lambdaHandler("paypal", ({ settings }) =>
  payPalTarget({ settings, tokens: new PayPalApi(settings) }),
);
