import {
  type DatadogServer,
  type PayPalServer,
  type SendGridServer,
  type StripeServer,
  startDatadog,
  startPayPalServer,
  startSendGrid,
  startStripeServer,
} from "../vendors";
import type { RehearsedTarget, SecretOf, SuppliedValues } from "./target-servers";

const verdict = (taken: boolean) => (taken ? "accepted" : "refused");

/** An account at SendGrid for one secret; its admin key is what people put into the admin secret. */
export async function sendGridTarget(
  secret: SecretOf<"sendgrid">,
  supplied: SuppliedValues,
): Promise<{ readonly server: SendGridServer; readonly target: RehearsedTarget }> {
  const server = await startSendGrid();
  if (secret.admin !== undefined) supplied.set(secret.admin, { apiKey: server.adminKey });
  else supplied.set(secret.key, { apiKey: server.makeKey("made by hand").key });
  return {
    server,
    target: {
      settings: { ...secret.settings, apiUrl: server.url },
      attempt: async (value) => verdict(server.takes((value as { readonly apiKey: string }).apiKey)),
    },
  };
}

/** An organisation at Datadog for one secret. */
export async function datadogTarget(
  secret: SecretOf<"datadog">,
  supplied: SuppliedValues,
): Promise<{ readonly server: DatadogServer; readonly target: RehearsedTarget }> {
  const server = await startDatadog();
  const { apiKey, appKey } = server.admin;
  if (secret.admin !== undefined) supplied.set(secret.admin, { apiKey, appKey });
  else supplied.set(secret.key, { ...server.makeKeys("made by hand") });
  return {
    server,
    target: {
      settings: { ...secret.settings, apiUrl: server.url, serviceAccountId: server.serviceAccountId },
      attempt: async (value) =>
        verdict(server.takes(value as { readonly apiKey: string; readonly appKey: string })),
    },
  };
}

/** An account at Stripe for one secret, with the keys that a person takes from its dashboard. */
export async function stripeTarget(
  secret: SecretOf<"stripe">,
  supplied: SuppliedValues,
): Promise<{ readonly server: StripeServer; readonly target: RehearsedTarget }> {
  const server = await startStripeServer();
  const account = server.createAccount();
  supplied.set(secret.key, { ...server.createKeys(account, secret.settings.mode) });
  return {
    server,
    target: {
      settings: { ...secret.settings, apiUrl: server.url },
      reissued: () => ({ ...server.createKeys(account, secret.settings.mode) }),
      expire: (value) => server.expireKey((value as { readonly secretKey: string }).secretKey),
    },
  };
}

/** An app at PayPal for one secret, with the first of its secrets. */
export async function payPalTarget(
  secret: SecretOf<"paypal">,
  supplied: SuppliedValues,
): Promise<{ readonly server: PayPalServer; readonly target: RehearsedTarget }> {
  const server = await startPayPalServer();
  supplied.set(secret.key, { ...server.createApp() });
  return { server, target: { settings: { ...secret.settings, apiUrl: server.url } } };
}
