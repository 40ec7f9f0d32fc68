export {
  type DatadogKeys,
  type DatadogServer,
  type DatadogServerOptions,
  startDatadog,
} from "./datadog-server";
export { type PayPalCredential, type PayPalServer, startPayPalServer } from "./paypal-server";
export {
  type SendGridKey,
  type SendGridServer,
  type SendGridServerOptions,
  startSendGrid,
} from "./sendgrid-server";
export { type StripeKeyPair, type StripeServer, startStripeServer } from "./stripe-server";
export type { InjectedFailure, VendorServer } from "./vendor-server";
