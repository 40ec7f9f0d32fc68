import { StripeApi } from "../adapters/stripe-api";
import { stripeAdminSchema, stripeKeysApi } from "../adapters/stripe-keys-api";
import { lambdaHandler } from "../entries/rotation-handler";
import { once } from "../protocol/once";
import { stripeTarget } from "../targets/stripe";

/** Lambda's entry point for Stripe's API keys and webhook secrets. */
export const handler = lambdaHandler("stripe", ({ settings, rotation, readAdmin, clock, random }) => {
  const keys = stripeKeysApi(
    settings,
    once(() => readAdmin(stripeAdminSchema)),
  );
  return stripeTarget({ settings, mode: rotation, stripe: new StripeApi(settings), keys, clock, random });
});
