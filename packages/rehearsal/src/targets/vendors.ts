import { randomUUID } from "node:crypto";
import type { AwsSecretPlan } from "../../../../lib/blueprint";
import {
  type DatadogServer,
  type PayPalCredential,
  type PayPalServer,
  type SendGridServer,
  type StripeServer,
  startDatadog,
  startPayPalServer,
  startSendGrid,
  startStripeServer,
} from "../vendors";
import type { LoginResult, RehearsedTarget, SecretOf, SuppliedValues } from "./target-servers";

const verdict = (taken: boolean): LoginResult => (taken ? "accepted" : "refused");

/** Name of a key that a person makes; names at vendors are unique. */
const madeByHand = (): string => `made by hand ${randomUUID()}`;

/** Actions of people where they supply the keys; they end the old ones only where no admin secret is named. */
function byPeople(
  { key, admin, rotation }: AwsSecretPlan,
  supplied: SuppliedValues,
  reissued: () => Readonly<Record<string, unknown>>,
  expire: (value: unknown) => void,
): Pick<RehearsedTarget, "reissued" | "expire"> {
  if (rotation !== "operator-assisted") return {};
  supplied.set(key, reissued());
  return { reissued, ...(admin === undefined ? { expire } : {}) };
}

/** An account at SendGrid for one secret; its admin key is what people put into the admin secret. */
export async function rehearsedSendGrid(
  secret: SecretOf<"sendgrid">,
  supplied: SuppliedValues,
): Promise<{ readonly server: SendGridServer; readonly target: RehearsedTarget }> {
  const server = await startSendGrid();
  if (secret.admin !== undefined) supplied.set(secret.admin, { apiKey: server.adminKey });
  const reissued = () => ({ apiKey: server.makeKey(madeByHand(), secret.settings.scopes).key });
  return {
    server,
    target: {
      settings: { ...secret.settings, apiUrl: server.url },
      attempt: async (value) => verdict(server.takes((value as { readonly apiKey: string }).apiKey)),
      ...byPeople(secret, supplied, reissued, (value) =>
        server.removeKey((value as { readonly apiKey: string }).apiKey),
      ),
      credentials: async () => server.keyNames.length,
    },
  };
}

/** An organisation at Datadog for one secret. */
export async function rehearsedDatadog(
  secret: SecretOf<"datadog">,
  supplied: SuppliedValues,
): Promise<{ readonly server: DatadogServer; readonly target: RehearsedTarget }> {
  const server = await startDatadog();
  const { apiKey, appKey } = server.admin;
  if (secret.admin !== undefined) supplied.set(secret.admin, { apiKey, appKey });
  const reissued = () => ({ ...server.makeKeys(madeByHand()) });
  return {
    server,
    target: {
      settings: { ...secret.settings, apiUrl: server.url, serviceAccountId: server.serviceAccountId },
      attempt: async (value) =>
        verdict(server.takes(value as { readonly apiKey: string; readonly appKey: string })),
      ...byPeople(secret, supplied, reissued, (value) =>
        server.removeKeys(value as { readonly apiKeyId: string; readonly appKeyId: string }),
      ),
      credentials: async () => Math.max(server.apiKeyNames.length, server.appKeyNames.length),
    },
  };
}

/** An account at Stripe for one secret, with the keys that a person takes from its dashboard. */
export async function rehearsedStripe(
  secret: SecretOf<"stripe">,
  supplied: SuppliedValues,
): Promise<{ readonly server: StripeServer; readonly target: RehearsedTarget }> {
  const { mode, webhookUrl, accountId } = secret.settings;
  const server = await startStripeServer();
  const account = server.createAccount();
  const reissued = () => ({ ...server.createKeys(account, mode) });
  // Where an app makes the keys, people supply its key and no other.
  const byApp = secret.rotation === "automatic";
  if (!byApp) supplied.set(secret.key, reissued());
  else if (secret.admin !== undefined) {
    supplied.set(secret.admin, { apiKey: server.createApp(account, mode).apiKey });
  }
  const keyOf = (value: unknown): string => (value as { readonly secretKey: string }).secretKey;
  return {
    server,
    target: {
      settings: {
        ...secret.settings,
        apiUrl: server.url,
        ...(accountId === undefined ? {} : { accountId: account }),
        // Nobody listens there; `events` gives what is sent.
        ...(webhookUrl === undefined ? {} : { webhookUrl: `${server.url}/receiver` }),
      },
      attempt: (value) =>
        taken(fetch(`${server.url}/v1/balance`, { headers: { authorization: `Bearer ${keyOf(value)}` } })),
      credentials: async () => server.endpoints(account, mode).length,
      ...(byApp ? {} : { reissued, expire: (value: unknown) => server.expireKey(keyOf(value)) }),
      events: () => server.emit(account, mode, "charge.succeeded"),
    },
  };
}

/** An app at PayPal for one secret, with the first of its secrets. */
export async function rehearsedPayPal(
  secret: SecretOf<"paypal">,
  supplied: SuppliedValues,
): Promise<{ readonly server: PayPalServer; readonly target: RehearsedTarget }> {
  const server = await startPayPalServer();
  const first = server.createApp();
  supplied.set(secret.key, { ...first });
  return {
    server,
    target: {
      settings: { ...secret.settings, apiUrl: server.url },
      attempt: (value) => {
        const { clientId, clientSecret } = value as PayPalCredential;
        const basic = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
        return taken(
          fetch(`${server.url}/v1/oauth2/token`, {
            method: "POST",
            headers: { authorization: `Basic ${basic}` },
            body: new URLSearchParams({ grant_type: "client_credentials" }),
          }),
        );
      },
      reissued: () => ({ ...server.addSecret(first.clientId) }),
      expire: (value) => server.deleteSecret(value as PayPalCredential),
    },
  };
}

/** A vendor's answer to a credential: 401 is a refusal, and any other failure none. */
async function taken(answer: Promise<Response>): Promise<LoginResult> {
  const { status } = await answer;
  if (status !== 200 && status !== 401) throw new Error(`the vendor answered ${status}`);
  return verdict(status === 200);
}
