import { type DeliveryPlace, StripeDeliveries, type StripeDelivery } from "./stripe-deliveries";
import { StripeApiKeys, type StripeKey } from "./stripe-keys";
import { type StripeMode, type StripeOwner, StripeWebhookEndpoints } from "./stripe-webhooks";
import { stripeError, stripeWord } from "./stripe-words";
import { startVendorServer, type VendorCall, type VendorReply, type VendorServer } from "./vendor-server";

export { type StripeDelivery, stripeSignature } from "./stripe-deliveries";

/** Permissions of restricted keys, as far as they matter here. */
export type StripePermission = "balance_read" | "webhook_read" | "webhook_write";

/** A pair of keys, as the dashboard shows it once. */
export interface StripeKeyPair {
  readonly secretKey: string;
  readonly publishableKey: string;
}

/** An endpoint as the dashboard shows it. */
export interface StripeEndpoint {
  readonly id: string;
  readonly url: string;
  readonly status: "enabled" | "disabled";
  readonly events: readonly string[];
  readonly apiVersion: string | null;
  readonly connect: boolean;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A person's choices for an endpoint in the dashboard. */
export interface DashboardEndpoint {
  readonly connect?: boolean;
  readonly apiVersion?: string;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Stripe, with what people do in its dashboard and with the events that it sends. */
export interface StripeServer extends VendorServer {
  /** An account, such as `acct_…`. */
  createAccount(): string;
  /** @param permissions a restricted key instead of a secret key. @default a secret key, which may do everything */
  createKeys(account: string, mode: StripeMode, permissions?: readonly StripePermission[]): StripeKeyPair;
  /** A key of an organisation with these accounts. */
  createOrganisationKey(accounts: readonly string[], mode: StripeMode): string;
  /** The key of an app that is installed in an account, and may make keys there. */
  createApp(account: string, mode: StripeMode): { readonly apiKey: string; uninstall(): void };
  /** Names of the keys that are to be had by API and have not been expired. */
  managedKeys(account: string, mode: StripeMode): readonly string[];
  /** The key is refused from now on. */
  expireKey(secretKey: string): void;
  /** An endpoint that a person makes in the dashboard, with its secret. */
  createEndpoint(
    account: string,
    mode: StripeMode,
    url: string,
    form?: DashboardEndpoint,
  ): { readonly id: string; readonly secret: string };
  deleteEndpoint(id: string): void;
  endpoints(account: string, mode: StripeMode): readonly StripeEndpoint[];
  /** Something happens in an account: every enabled endpoint for this type gets a signed event. */
  emit(account: string, mode: StripeMode, type: string): Promise<readonly StripeDelivery[]>;
  /** Tries again what failed and is due by now. */
  retryDue(): Promise<void>;
  /** Every attempt so far. */
  readonly deliveries: readonly StripeDelivery[];
  /** Ids of events that are going to be tried again. */
  readonly waiting: readonly string[];
}

/** Settings of {@link startStripeServer}. */
export interface StripeServerProps {
  /** Time of creation, signatures and retries. @default the process's clock */
  readonly now?: () => Date;
  /** Time for which a key works on after the API has expired it. @default 9 seconds, as was measured */
  readonly expiryDelaySeconds?: number;
  /**
   * Requests that one account may make in a second. Stripe's limits: 100 in live mode, 25 in a sandbox.
   * https://docs.stripe.com/rate-limits
   * @default no limit
   */
  readonly requestsPerSecond?: number;
}

/** "All keys can be up to 255 characters": https://docs.stripe.com/api/idempotent_requests */
const LONGEST_IDEMPOTENCY_KEY = 255;

/** https://docs.stripe.com/api/versioning */
const VERSION = /^\d{4}-\d\d-\d\d(\.[a-z]+)?$/;

type Answer = (call: VendorCall, owner: StripeOwner, key: StripeKey) => VendorReply;

/**
 * Stripe's API as far as rotation meets it: keys of two modes, restricted keys, an organisation's, those that an app
 * makes; webhook endpoints whose secret is shown once; events signed by it, and tried again where they fail.
 * https://docs.stripe.com/api
 */
export async function startStripeServer({
  now = () => new Date(),
  expiryDelaySeconds = 9,
  requestsPerSecond = Number.POSITIVE_INFINITY,
}: StripeServerProps = {}): Promise<StripeServer> {
  const keys = new StripeApiKeys({ now, expiryDelaySeconds });
  const webhooks = new StripeWebhookEndpoints(now);
  const replies = new Map<string, { readonly asked: string; readonly reply: VendorReply }>();
  let second = { at: 0, requests: 0 };

  const placeOf = (id: string): DeliveryPlace | undefined => {
    const endpoint = webhooks.get(id);
    return endpoint?.status === "enabled" ? endpoint : undefined;
  };
  const deliveries = new StripeDeliveries(placeOf, now);

  /** Looks at the key before anything else, as Stripe does. */
  const withKey =
    (permission: StripePermission | undefined, answer: Answer) =>
    (call: VendorCall): VendorReply => {
      const token = tokenOf(call);
      if (token === "") return stripeError(401, "You did not provide an API key.");
      const key = keys.get(token);
      const shown = `${token.slice(0, 8)}${"*".repeat(20)}${token.slice(-4)}`;
      if (key === undefined) return stripeError(401, `Invalid API Key provided: ${shown}`);
      if (keys.hasEnded(key))
        return stripeError(401, `Expired API Key provided: ${shown}`, "api_key_expired");
      key.lastUsed = now();
      const limited = overLimit();
      if (limited !== undefined) return limited;
      const version = call.headers["stripe-version"];
      if (version !== undefined && !VERSION.test(version)) {
        return stripeError(400, `Invalid Stripe API version: ${version}`);
      }
      const owner = ownerOf(call, key);
      if ("status" in owner) return owner;
      const allowed =
        key.permissions === undefined || (permission !== undefined && key.permissions.includes(permission));
      if (!allowed) {
        return stripeError(
          403,
          `The provided key '${shown}' does not have the required permissions for this endpoint on account ` +
            `'${owner.account}'. Having the 'rak_${permission}' permission would allow this request to continue.`,
          "more_permissions_required",
        );
      }
      return onceOnly(call, () => answer(call, owner, key));
    };

  const overLimit = (): VendorReply | undefined => {
    const at = Math.floor(now().getTime() / 1_000);
    second = { at, requests: second.at === at ? second.requests + 1 : 1 };
    if (second.requests <= requestsPerSecond) return undefined;
    return {
      ...stripeError(429, "Too many requests hit the API too quickly.", "rate_limit"),
      headers: { "stripe-rate-limited-reason": "global-rate" },
    };
  };

  /**
   * "Stripe saves the status code and body of the first request made with a given idempotency key […] The idempotency
   * layer compares incoming parameters to those of the original request and errors if they're not the same."
   * https://docs.stripe.com/api/idempotent_requests
   */
  const onceOnly = (call: VendorCall, answer: () => VendorReply): VendorReply => {
    const id = call.headers["idempotency-key"];
    if (id === undefined || call.method !== "POST") return answer();
    if (id.length > LONGEST_IDEMPOTENCY_KEY) {
      return stripeError(400, "Idempotency keys can be up to 255 characters", undefined, "idempotency_error");
    }
    const asked = JSON.stringify([call.path, [...call.form], call.json]);
    const before = replies.get(`${tokenOf(call)} ${id}`);
    if (before === undefined) {
      const reply = answer();
      replies.set(`${tokenOf(call)} ${id}`, { asked, reply });
      return reply;
    }
    if (before.asked === asked) return before.reply;
    return stripeError(
      400,
      "Keys for idempotent requests can only be used with the same parameters they were first used with.",
      undefined,
      "idempotency_error",
    );
  };

  const managed = (answer: Parameters<StripeApiKeys["managed"]>[0]): Answer => {
    const checked = keys.managed(answer);
    return (call, _owner, key) => checked(call, key);
  };

  const server = await startVendorServer({
    routes: [
      {
        on: "GET /v1/balance",
        answer: withKey("balance_read", (_, { mode }) => ({
          status: 200,
          body: { object: "balance", available: [], livemode: mode === "live", pending: [] },
        })),
      },
      {
        // No permission of restricted keys covers it: https://github.com/stripe/stripe-node/issues/2246
        on: "GET /v1/account",
        answer: withKey(undefined, (_, { account }) => ({
          status: 200,
          body: { id: account, object: "account", country: "DE" },
        })),
      },
      {
        on: "GET /v1/webhook_endpoints",
        answer: withKey("webhook_read", (call, owner) => webhooks.list(call, owner)),
      },
      {
        on: "GET /v1/webhook_endpoints/:id",
        answer: withKey("webhook_read", (call, owner) => webhooks.retrieve(call, owner)),
      },
      {
        on: "POST /v1/webhook_endpoints",
        answer: withKey("webhook_write", (call, owner) => webhooks.create(call, owner)),
      },
      {
        on: "POST /v1/webhook_endpoints/:id",
        answer: withKey("webhook_write", (call, owner) => webhooks.update(call, owner)),
      },
      {
        on: "DELETE /v1/webhook_endpoints/:id",
        answer: withKey("webhook_write", (call, owner) => webhooks.remove(call, owner)),
      },
      ...(
        [
          ["GET /v2/iam/api_keys", (call, owner) => keys.list(call, owner)],
          ["GET /v2/iam/api_keys/:id", (call, owner) => keys.retrieve(call, owner)],
          ["POST /v2/iam/api_keys", (call, owner, app) => keys.create(call, owner, app)],
          ["POST /v2/iam/api_keys/:id", (call, owner) => keys.update(call, owner)],
          ["POST /v2/iam/api_keys/:id/expire", (call, owner, app) => keys.expire(call, owner, app)],
          ["POST /v2/iam/api_keys/:id/rotate", (call, owner, app) => keys.rotate(call, owner, app)],
        ] as readonly (readonly [string, Parameters<StripeApiKeys["managed"]>[0]])[]
      ).map(([on, answer]) => ({ on, answer: withKey(undefined, managed(answer)) })),
    ],
    refusal: (status) =>
      stripeError(
        status,
        status === 404 ? "Unrecognized request URL" : "refused by the rehearsal",
        status === 429 ? "rate_limit" : undefined,
      ),
  });

  return {
    ...server,
    createAccount: () => `acct_${stripeWord(16)}`,
    createKeys: (account, mode, permissions) => {
      const prefix = permissions === undefined ? "sk" : "rk";
      const { token } = keys.add({ account, mode }, prefix, { permissions });
      return { secretKey: token, publishableKey: `pk_${mode}_${stripeWord(99)}` };
    },
    createOrganisationKey: (accounts, mode) =>
      keys.add({ account: `org_${stripeWord(16)}`, mode }, "sk_org", { accounts }).token,
    createApp: (account, mode) => {
      const { token, app } = keys.addApp(mode, [account]);
      return { apiKey: token, uninstall: () => app.installs.delete(account) };
    },
    managedKeys: (account, mode) =>
      keys
        .of({ account, mode })
        .filter(({ managedBy, expiresAt }) => managedBy !== undefined && expiresAt === undefined)
        .map(({ name }) => name),
    expireKey: (secretKey) => {
      const key = keys.get(secretKey);
      if (key === undefined) throw new Error("Stripe has no such key");
      key.expiresAt = now();
    },
    createEndpoint: (account, mode, url, form = {}) =>
      webhooks.make(
        { account, mode },
        {
          url,
          events: ["*"],
          apiVersion: form.apiVersion ?? null,
          connect: form.connect ?? false,
          description: form.description ?? null,
          metadata: form.metadata ?? {},
        },
      ),
    deleteEndpoint: (id) => webhooks.delete(id),
    endpoints: (account, mode) =>
      webhooks
        .of({ account, mode })
        .map(({ id, url, status, events, apiVersion, connect, description, metadata }) => ({
          ...{ id, url, status, events, apiVersion, connect, description, metadata },
        })),
    emit: (account, mode, type) => {
      const receivers = webhooks
        .of({ account, mode })
        .filter(
          ({ status, events, connect }) =>
            status === "enabled" && !connect && (events.includes("*") || events.includes(type)),
        );
      return deliveries.send(
        eventOf(type, mode, now()),
        receivers.map(({ id }) => id),
      );
    },
    retryDue: () => deliveries.retryDue(),
    get deliveries() {
      return deliveries.made;
    },
    get waiting() {
      return deliveries.waiting;
    },
  };
}

/** Basic with the key as user name, or Bearer: https://docs.stripe.com/api/authentication */
function tokenOf({ headers }: VendorCall): string {
  const [scheme, text = ""] = (headers.authorization ?? "").split(" ");
  if (scheme === "Basic") return Buffer.from(text, "base64").toString("utf8").replace(/:$/, "");
  return text;
}

/**
 * "All API requests made with an organization API key must include the Stripe-Context header", and the Stripe-Version
 * header. Any other key acts on its own account.
 * https://docs.stripe.com/keys/organization-api-keys
 */
function ownerOf({ headers }: VendorCall, key: StripeKey): StripeOwner | VendorReply {
  if (key.accounts === undefined) return key;
  const { "stripe-context": account, "stripe-version": version } = headers;
  if (account === undefined) return stripeError(400, "Organization API keys need the Stripe-Context header");
  if (version === undefined) return stripeError(400, "Organization API keys need the Stripe-Version header");
  if (key.accounts.includes(account)) return { account, mode: key.mode };
  return stripeError(403, `The provided key does not have access to account '${account}'`, "account_invalid");
}

const eventOf = (type: string, mode: StripeMode, at: Date) => ({
  id: `evt_${stripeWord(24)}`,
  object: "event",
  created: Math.floor(at.getTime() / 1_000),
  data: { object: {} },
  livemode: mode === "live",
  pending_webhooks: 1,
  type,
});
