import { createHmac, randomBytes } from "node:crypto";
import { startVendorServer, type VendorCall, type VendorReply, type VendorServer } from "./vendor-server";

type Mode = "test" | "live";

/** Permissions of restricted keys, as far as they matter here. */
export type StripePermission = "balance_read" | "webhook_read" | "webhook_write";

/** A pair of keys, as the dashboard shows it once. */
export interface StripeKeys {
  readonly secretKey: string;
  readonly publishableKey: string;
}

/** One attempt to deliver an event. */
export interface StripeDelivery {
  readonly endpoint: string;
  readonly eventId: string;
  /** What was sent. */
  readonly payload: string;
  /** Its `Stripe-Signature`. */
  readonly signature: string;
  /** The receiver's answer; 0: none. */
  readonly status: number;
}

/** What the dashboard shows of an endpoint. */
export interface StripeEndpoint {
  readonly id: string;
  readonly url: string;
  readonly status: "enabled" | "disabled";
  readonly events: readonly string[];
  readonly apiVersion: string | null;
}

/** Stripe, with what people do in its dashboard and with the events that it sends. */
export interface StripeServer extends VendorServer {
  /** An account, such as `acct_…`. */
  createAccount(): string;
  /** @param permissions a restricted key instead of a secret key. @default a secret key, which may do everything */
  createKeys(account: string, mode: Mode, permissions?: readonly StripePermission[]): StripeKeys;
  /** The key is refused from now on. */
  expireKey(secretKey: string): void;
  /** An endpoint that a person makes in the dashboard, with its secret. */
  createEndpoint(account: string, mode: Mode, url: string): { readonly id: string; readonly secret: string };
  deleteEndpoint(id: string): void;
  endpoints(account: string, mode: Mode): readonly StripeEndpoint[];
  /** Something happens in an account: every enabled endpoint for this type gets a signed event. */
  emit(account: string, mode: Mode, type: string): Promise<readonly StripeDelivery[]>;
}

/** How {@link startStripeServer} makes one. */
export interface StripeServerProps {
  /** Time of creation and of signatures. @default the process's clock */
  readonly now?: () => Date;
}

interface Key {
  readonly account: string;
  readonly mode: Mode;
  readonly permissions: readonly StripePermission[] | undefined;
  expired: boolean;
}

interface Endpoint {
  readonly id: string;
  readonly account: string;
  readonly mode: Mode;
  readonly url: string;
  readonly secret: string;
  readonly apiVersion: string | null;
  readonly created: number;
  readonly metadata: Readonly<Record<string, string>>;
  status: "enabled" | "disabled";
  events: readonly string[];
}

/** https://docs.stripe.com/webhooks: up to 16 endpoints, for each mode by itself. */
const MOST_ENDPOINTS = 16;

/**
 * Stripe's API as far as rotation meets it: keys of two modes, restricted keys, webhook endpoints whose secret is shown
 * once, and events signed by it.
 * https://docs.stripe.com/api
 */
export async function startStripeServer({
  now = () => new Date(),
}: StripeServerProps = {}): Promise<StripeServer> {
  const keys = new Map<string, Key>();
  const endpoints = new Map<string, Endpoint>();

  const of = ({ account, mode }: Pick<Key, "account" | "mode">): readonly Endpoint[] =>
    [...endpoints.values()].filter((endpoint) => endpoint.account === account && endpoint.mode === mode);

  const make = (
    { account, mode }: Pick<Key, "account" | "mode">,
    rest: Pick<Endpoint, "url" | "apiVersion" | "metadata" | "events">,
  ): Endpoint => {
    const endpoint: Endpoint = {
      id: `we_${word(24)}`,
      account,
      mode,
      secret: `whsec_${word(32)}`,
      created: Math.floor(now().getTime() / 1_000),
      status: "enabled",
      ...rest,
    };
    endpoints.set(endpoint.id, endpoint);
    return endpoint;
  };

  /** Looks at the key before anything else, as Stripe does. */
  const withKey =
    (permission: StripePermission | undefined, answer: (call: VendorCall, key: Key) => VendorReply) =>
    (call: VendorCall): VendorReply => {
      const text = call.headers.authorization?.replace(/^Bearer /, "") ?? "";
      const key = keys.get(text);
      const shown = `${text.slice(0, 8)}${"*".repeat(20)}${text.slice(-4)}`;
      if (key === undefined) return error(401, `Invalid API Key provided: ${shown}`);
      if (key.expired) return error(401, `Expired API Key provided: ${shown}`, "api_key_expired");
      const allowed =
        key.permissions === undefined || (permission !== undefined && key.permissions.includes(permission));
      if (allowed) return answer(call, key);
      return error(
        403,
        `The provided key '${shown}' does not have the required permissions for this endpoint on account ` +
          `'${key.account}'. Having the 'rak_${permission}' permission would allow this request to continue.`,
        "more_permissions_required",
      );
    };

  const found = (call: VendorCall, key: Key, answer: (endpoint: Endpoint) => VendorReply): VendorReply => {
    const id = call.params.id ?? "";
    const endpoint = of(key).find((candidate) => candidate.id === id);
    return endpoint === undefined
      ? error(404, `No such webhook endpoint: '${id}'`, "resource_missing")
      : answer(endpoint);
  };

  const create = ({ form }: VendorCall, key: Key): VendorReply => {
    const url = form.get("url") ?? "";
    const events = form.getAll("enabled_events[]");
    if (!URL.canParse(url)) return error(400, "Invalid URL", "url_invalid");
    const wrong = eventFault(events);
    if (wrong !== undefined) return wrong;
    if (of(key).length >= MOST_ENDPOINTS) {
      return error(400, `You have reached the maximum of ${MOST_ENDPOINTS} ${key.mode} webhook endpoints.`);
    }
    const metadata = [...form].flatMap(([name, value]) => {
      const part = /^metadata\[(\w+)\]$/.exec(name)?.[1];
      return part === undefined ? [] : [[part, value] as const];
    });
    const endpoint = make(key, {
      url,
      events,
      apiVersion: form.get("api_version"),
      metadata: Object.fromEntries(metadata),
    });
    return { status: 200, body: { ...shown(endpoint), secret: endpoint.secret } };
  };

  const update = (call: VendorCall, key: Key): VendorReply =>
    found(call, key, (endpoint) => {
      const events = call.form.getAll("enabled_events[]");
      const wrong = events.length > 0 ? eventFault(events) : undefined;
      if (wrong !== undefined) return wrong;
      if (events.length > 0) endpoint.events = events;
      const disabled = call.form.get("disabled");
      if (disabled !== null) endpoint.status = disabled === "true" ? "disabled" : "enabled";
      return { status: 200, body: shown(endpoint) };
    });

  const remove = (call: VendorCall, key: Key): VendorReply =>
    found(call, key, ({ id }) => {
      endpoints.delete(id);
      return { status: 200, body: { id, object: "webhook_endpoint", deleted: true } };
    });

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
        answer: withKey("webhook_read", (_, key) => ({
          status: 200,
          body: {
            object: "list",
            url: "/v1/webhook_endpoints",
            has_more: false,
            data: of(key).map(shown).reverse(),
          },
        })),
      },
      { on: "POST /v1/webhook_endpoints", answer: withKey("webhook_write", create) },
      { on: "POST /v1/webhook_endpoints/:id", answer: withKey("webhook_write", update) },
      { on: "DELETE /v1/webhook_endpoints/:id", answer: withKey("webhook_write", remove) },
    ],
    refusal: (status) =>
      error(
        status,
        status === 404 ? "Unrecognized request URL" : "refused by the rehearsal",
        status === 429 ? "rate_limit" : undefined,
      ),
  });

  return {
    ...server,
    createAccount: () => `acct_${word(16)}`,
    createKeys: (account, mode, permissions) => {
      const secretKey = `${permissions === undefined ? "sk" : "rk"}_${mode}_${word(99)}`;
      keys.set(secretKey, { account, mode, permissions, expired: false });
      return { secretKey, publishableKey: `pk_${mode}_${word(99)}` };
    },
    expireKey: (secretKey) => {
      const key = keys.get(secretKey);
      if (key === undefined) throw new Error("Stripe has no such key");
      key.expired = true;
    },
    createEndpoint: (account, mode, url) =>
      make({ account, mode }, { url, events: ["*"], apiVersion: null, metadata: {} }),
    deleteEndpoint: (id) => {
      endpoints.delete(id);
    },
    endpoints: (account, mode) =>
      of({ account, mode }).map(({ id, url, status, events, apiVersion }) => ({
        id,
        url,
        status,
        events,
        apiVersion,
      })),
    emit: (account, mode, type) => {
      const event = eventOf(type, mode, now());
      const receivers = of({ account, mode }).filter(
        ({ status, events }) => status === "enabled" && (events.includes("*") || events.includes(type)),
      );
      return Promise.all(receivers.map((endpoint) => deliver(endpoint, event, now())));
    },
  };
}

/** The `Stripe-Signature` header: https://docs.stripe.com/webhooks#verify-manually */
export function stripeSignature(secret: string, payload: string, at: Date): string {
  const t = Math.floor(at.getTime() / 1_000);
  const v1 = createHmac("sha256", secret).update(`${t}.${payload}`).digest("hex");
  return `t=${t},v1=${v1}`;
}

async function deliver(
  { id, url, secret }: Endpoint,
  event: { readonly id: string },
  at: Date,
): Promise<StripeDelivery> {
  const payload = JSON.stringify(event);
  const signature = stripeSignature(secret, payload, at);
  const status = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json; charset=utf-8",
      "stripe-signature": signature,
    },
    body: payload,
  }).then(
    (response) => response.status,
    () => 0,
  );
  return { endpoint: id, eventId: event.id, payload, signature, status };
}

const eventOf = (type: string, mode: Mode, at: Date) => ({
  id: `evt_${word(24)}`,
  object: "event",
  created: Math.floor(at.getTime() / 1_000),
  data: { object: {} },
  livemode: mode === "live",
  pending_webhooks: 1,
  type,
});

const shown = ({ id, url, apiVersion, created, events, mode, metadata, status }: Endpoint) => ({
  id,
  object: "webhook_endpoint",
  api_version: apiVersion,
  application: null,
  created,
  description: null,
  enabled_events: events,
  livemode: mode === "live",
  metadata,
  status,
  url,
});

/** Types are words with dots between them: https://docs.stripe.com/api/events/types */
function eventFault(events: readonly string[]): VendorReply | undefined {
  const wrong = events.findIndex((event) => event !== "*" && !/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(event));
  if (events.length > 0 && wrong < 0) return undefined;
  return error(400, `Invalid enabled_events[${Math.max(wrong, 0)}]: must be a valid event type`);
}

/** https://docs.stripe.com/api/errors */
const error = (status: number, message: string, code?: string): VendorReply => ({
  status,
  body: {
    error: {
      ...(code === undefined
        ? {}
        : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}` }),
      message,
      type: status >= 500 ? "api_error" : "invalid_request_error",
    },
  },
});

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const word = (length: number): string =>
  Array.from(randomBytes(length), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
