import { StripeApi } from "../adapters/stripe-api";
import { lambdaHandler } from "../rotation-handler";
import { stripeTarget } from "../targets/stripe";

/** Lambda's entry point for Stripe's API keys and webhook secrets. */
export const handler = lambdaHandler("stripe", ({ settings, clock }) =>
  stripeTarget({ settings, stripe: new StripeApi(settings), clock }),
);
