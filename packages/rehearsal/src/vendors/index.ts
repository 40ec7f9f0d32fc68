export {
  type DatadogServer,
  startDatadog,
} from "./datadog-server";
export { type PayPalCredential, type PayPalServer, startPayPalServer } from "./paypal-server";
export {
  type SendGridServer,
  startSendGrid,
} from "./sendgrid-server";
export { type StripeServer, startStripeServer } from "./stripe-server";
export type { VendorServer } from "./vendor-server";
