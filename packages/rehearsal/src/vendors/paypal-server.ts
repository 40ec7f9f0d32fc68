import { randomBytes, timingSafeEqual } from "node:crypto";
import { startVendorServer, type VendorCall, type VendorReply, type VendorServer } from "./vendor-server";

/** State of one of an app's secrets, in the developer dashboard. */
type SecretStatus = "enabled" | "disabled";

/** An app with its credential, as the dashboard shows it. */
export interface PayPalCredential {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** One of PayPal's two worlds, with what people do in its dashboard. */
export interface PayPalServer extends VendorServer {
  /** Makes an app with its first secret. */
  createApp(): PayPalCredential;
  /**
   * Makes a second secret.
   *
   * @throws Error when the app has two: PayPal keeps that many
   */
  addSecret(clientId: string): PayPalCredential;
  setStatus(credential: PayPalCredential, status: SecretStatus): void;
  /** For ever. */
  deleteSecret(credential: PayPalCredential): void;
}

/** https://www.paypal-engineering.com/2015/11/11/credential-rotation/ */
const SECRETS_PER_APP = 2;

/**
 * PayPal's token service: an app with two secrets, each of them enabled or disabled.
 * https://developer.paypal.com/api/rest/authentication/
 */
export async function startPayPalServer(): Promise<PayPalServer> {
  const apps = new Map<string, Map<string, SecretStatus>>();

  const secretsOf = (clientId: string): Map<string, SecretStatus> => {
    const secrets = apps.get(clientId);
    if (secrets === undefined) throw new Error("PayPal has no such app");
    return secrets;
  };
  const addSecret = (clientId: string): PayPalCredential => {
    const secrets = secretsOf(clientId);
    if (secrets.size >= SECRETS_PER_APP) throw new Error("the app has two secrets: delete one first");
    const clientSecret = `E${randomBytes(59).toString("base64url").slice(0, 79)}`;
    secrets.set(clientSecret, "enabled");
    return { clientId, clientSecret };
  };

  const token = ({ headers, form }: VendorCall): VendorReply => {
    const { clientId, clientSecret } = basicOf(headers.authorization);
    const known = [...(apps.get(clientId) ?? [])].some(
      ([secret, status]) => status === "enabled" && isSame(secret, clientSecret),
    );
    if (!known) {
      return {
        status: 401,
        body: { error: "invalid_client", error_description: "Client Authentication failed" },
      };
    }
    if (form.get("grant_type") !== "client_credentials") {
      return {
        status: 400,
        body: { error: "unsupported_grant_type", error_description: "Grant Type is NULL" },
      };
    }
    return {
      status: 200,
      body: {
        scope: "https://uri.paypal.com/services/payments/payment",
        access_token: `A21AA${randomBytes(60).toString("base64url")}`,
        token_type: "Bearer",
        app_id: "APP-80W284485P519543T",
        expires_in: 32_400,
        nonce: `${new Date(0).toISOString()}${randomBytes(16).toString("base64url")}`,
      },
    };
  };

  const server = await startVendorServer({
    routes: [{ on: "POST /v1/oauth2/token", answer: token }],
    refusal,
  });
  return {
    ...server,
    createApp: () => {
      const clientId = `A${randomBytes(59).toString("base64url").slice(0, 79)}`;
      apps.set(clientId, new Map());
      return addSecret(clientId);
    },
    addSecret,
    setStatus: ({ clientId, clientSecret }, status) => secretsOf(clientId).set(clientSecret, status),
    deleteSecret: ({ clientId, clientSecret }) => secretsOf(clientId).delete(clientSecret),
  };
}

/** https://developer.paypal.com/api/rest/responses/ */
function refusal(status: number): VendorReply {
  const name =
    status === 429 ? "RATE_LIMIT_REACHED" : status === 404 ? "RESOURCE_NOT_FOUND" : "INTERNAL_SERVER_ERROR";
  return {
    status,
    body: { name, message: name, debug_id: randomBytes(6).toString("hex") },
  };
}

function basicOf(header = ""): PayPalCredential {
  const text = Buffer.from(header.replace(/^Basic /, ""), "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0
    ? { clientId: "", clientSecret: "" }
    : { clientId: text.slice(0, colon), clientSecret: text.slice(colon + 1) };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
