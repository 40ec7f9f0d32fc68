import { STRIPE_EVENT_TYPES } from "./stripe-event-types";
import { stripeError, stripeWord } from "./stripe-words";
import type { VendorCall, VendorReply } from "./vendor-server";

/** Stripe's two worlds. */
export type StripeMode = "test" | "live";

/** Owner of webhook endpoints. */
export interface StripeOwner {
  readonly account: string;
  readonly mode: StripeMode;
}

/** Settings of a new endpoint. */
export interface EndpointInput {
  readonly url: string;
  readonly events: readonly string[];
  readonly apiVersion: string | null;
  readonly connect: boolean;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Endpoint extends StripeOwner, Omit<EndpointInput, "url" | "events" | "description" | "metadata"> {
  readonly id: string;
  readonly secret: string;
  readonly created: number;
  url: string;
  status: "enabled" | "disabled";
  events: readonly string[];
  description: string | null;
  metadata: Readonly<Record<string, string>>;
}

/** "You can register up to 16 webhook endpoints with Stripe", of each mode: https://docs.stripe.com/webhooks */
const MOST_ENDPOINTS = 16;

/** https://docs.stripe.com/api/metadata: 50 keys, their names of 40 characters, values of 500 */
const METADATA = { keys: 50, name: 40, value: 500 };

/** https://docs.stripe.com/api/pagination: "Limit can range between 1 and 100, and the default is 10." */
const PAGE = { least: 1, most: 100, default: 10 };

/** https://docs.stripe.com/api/webhook_endpoints/create */
const ON_CREATE = new Set([
  "url",
  "enabled_events",
  "api_version",
  "connect",
  "description",
  "expand",
  "metadata",
]);
/** https://docs.stripe.com/api/webhook_endpoints/update: neither `connect` nor `api_version` */
const ON_UPDATE = new Set(["url", "enabled_events", "disabled", "description", "expand", "metadata"]);

/** A refusal on its way out of nested checks. */
class Refused extends Error {
  constructor(readonly reply: VendorReply) {
    super("refused");
  }
}

const refuse = (message: string, code?: string): never => {
  throw new Refused(stripeError(400, message, code));
};

/**
 * Webhook endpoints as Stripe keeps them: their secret is shown once.
 * https://docs.stripe.com/api/webhook_endpoints
 */
export class StripeWebhookEndpoints {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  of({ account, mode }: StripeOwner): readonly Endpoint[] {
    return [...this.#endpoints.values()].filter(
      (endpoint) => endpoint.account === account && endpoint.mode === mode,
    );
  }

  get(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  delete(id: string): void {
    this.#endpoints.delete(id);
  }

  make(owner: StripeOwner, input: EndpointInput): Endpoint {
    const endpoint: Endpoint = {
      id: `we_${stripeWord(24)}`,
      account: owner.account,
      mode: owner.mode,
      secret: `whsec_${stripeWord(32)}`,
      created: Math.floor(this.#now().getTime() / 1_000),
      status: "enabled",
      ...input,
    };
    this.#endpoints.set(endpoint.id, endpoint);
    return endpoint;
  }

  list({ query }: VendorCall, owner: StripeOwner): VendorReply {
    const limit = Number(query.get("limit") ?? PAGE.default);
    if (!Number.isInteger(limit) || limit < PAGE.least || limit > PAGE.most) {
      return stripeError(400, `Invalid integer: limit must be between ${PAGE.least} and ${PAGE.most}`);
    }
    const all = [...this.of(owner)].reverse();
    const after = query.get("starting_after");
    const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
    if (after !== null && from === 0) return missing(after);
    const data = all.slice(from, from + limit).map(shown);
    const has_more = from + limit < all.length;
    return { status: 200, body: { object: "list", url: "/v1/webhook_endpoints", has_more, data } };
  }

  retrieve({ params }: VendorCall, owner: StripeOwner): VendorReply {
    const endpoint = this.#found(params.id ?? "", owner);
    return endpoint === undefined ? missing(params.id ?? "") : { status: 200, body: shown(endpoint) };
  }

  create({ form }: VendorCall, owner: StripeOwner): VendorReply {
    return answered(() => {
      checkParameters(form, ON_CREATE);
      const url = form.get("url") ?? refuse("Missing required param: url.", "parameter_missing");
      checkUrl(url, owner.mode);
      const events = form.getAll("enabled_events[]");
      if (events.length === 0) refuse("Missing required param: enabled_events.", "parameter_missing");
      checkEvents(events);
      const apiVersion = form.get("api_version");
      if (apiVersion !== null) checkVersion(apiVersion);
      if (this.of(owner).length >= MOST_ENDPOINTS) {
        refuse(`You have reached the maximum of ${MOST_ENDPOINTS} ${owner.mode} webhook endpoints.`);
      }
      const endpoint = this.make(owner, {
        url,
        events,
        apiVersion,
        connect: truth(form.get("connect") ?? "false", "connect"),
        description: form.get("description"),
        metadata: metadataOf(form),
      });
      return { ...shown(endpoint), secret: endpoint.secret };
    });
  }

  update({ params, form }: VendorCall, owner: StripeOwner): VendorReply {
    const endpoint = this.#found(params.id ?? "", owner);
    if (endpoint === undefined) return missing(params.id ?? "");
    return answered(() => {
      checkParameters(form, ON_UPDATE);
      const url = form.get("url");
      if (url !== null) checkUrl(url, owner.mode);
      const events = form.getAll("enabled_events[]");
      if (events.length > 0) checkEvents(events);
      const metadata = { ...endpoint.metadata, ...metadataOf(form) };
      const disabled = form.get("disabled");
      if (disabled !== null) endpoint.status = truth(disabled, "disabled") ? "disabled" : "enabled";
      if (url !== null) endpoint.url = url;
      if (events.length > 0) endpoint.events = events;
      endpoint.description = form.get("description") ?? endpoint.description;
      // "Individual keys can be unset by posting an empty value to them."
      endpoint.metadata = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== ""));
      return shown(endpoint);
    });
  }

  remove({ params }: VendorCall, owner: StripeOwner): VendorReply {
    const id = params.id ?? "";
    if (this.#found(id, owner) === undefined) return missing(id);
    this.#endpoints.delete(id);
    return { status: 200, body: { id, object: "webhook_endpoint", deleted: true } };
  }

  #found(id: string, { account, mode }: StripeOwner): Endpoint | undefined {
    const endpoint = this.#endpoints.get(id);
    return endpoint?.account === account && endpoint.mode === mode ? endpoint : undefined;
  }
}

function answered(work: () => object): VendorReply {
  try {
    return { status: 200, body: work() };
  } catch (failure) {
    if (failure instanceof Refused) return failure.reply;
    throw failure;
  }
}

const missing = (id: string): VendorReply =>
  stripeError(404, `No such webhook endpoint: '${id}'`, "resource_missing");

/** https://docs.stripe.com/error-codes#parameter-unknown */
function checkParameters(form: URLSearchParams, known: ReadonlySet<string>): void {
  for (const name of form.keys()) {
    const top = name.replace(/\[.*$/, "");
    if (!known.has(top)) refuse(`Received unknown parameter: ${top}`, "parameter_unknown");
  }
}

/**
 * "Registered webhook endpoints must be publicly accessible HTTPS URLs." The receivers of rehearsals are on the
 * loopback, which stands for the public here.
 * https://docs.stripe.com/webhooks#register-webhook
 */
function checkUrl(url: string, mode: StripeMode): void {
  if (!URL.canParse(url)) refuse("Not a valid URL", "url_invalid");
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:" || (protocol === "http:" && hostname === "127.0.0.1")) return;
  refuse(
    mode === "live" ? "Invalid URL: An HTTPS URL is required in live mode" : "Invalid URL: must be public",
    "url_invalid",
  );
}

/** `*` or types of the list: https://docs.stripe.com/api/events/types */
function checkEvents(events: readonly string[]): void {
  const wrong = events.findIndex((event) => event !== "*" && !STRIPE_EVENT_TYPES.has(event));
  if (wrong >= 0) refuse(`Invalid enabled_events[${wrong}]: must be a valid event type`);
}

/** A date, since 2024-09-30 with the release's name: https://docs.stripe.com/api/versioning */
function checkVersion(version: string): void {
  if (!/^\d{4}-\d\d-\d\d(\.[a-z]+)?$/.test(version)) refuse(`Invalid api_version: ${version}`);
}

function truth(text: string, name: string): boolean {
  return (
    text === "true" || (text === "false" ? false : refuse(`Invalid boolean: ${name}`, "parameter_invalid"))
  );
}

function metadataOf(form: URLSearchParams): Readonly<Record<string, string>> {
  const entries = [...form].flatMap(([name, value]) => {
    const key = /^metadata\[([^[\]]+)\]$/.exec(name)?.[1];
    if (name.startsWith("metadata[") && key === undefined)
      refuse("Metadata keys must have no square brackets");
    return key === undefined ? [] : [[key, value] as const];
  });
  if (entries.length > METADATA.keys) refuse(`Metadata can have ${METADATA.keys} keys at most`);
  for (const [key, value] of entries) {
    if (key.length > METADATA.name) refuse(`Metadata keys can have ${METADATA.name} characters at most`);
    if (value.length > METADATA.value)
      refuse(`Metadata values can have ${METADATA.value} characters at most`);
  }
  return Object.fromEntries(entries);
}

/** https://docs.stripe.com/api/webhook_endpoints/object: without the secret, and `connect` shows by the application */
const shown = (endpoint: Endpoint) => ({
  id: endpoint.id,
  object: "webhook_endpoint",
  api_version: endpoint.apiVersion,
  application: endpoint.connect ? `ca_${endpoint.account.slice(5)}` : null,
  created: endpoint.created,
  description: endpoint.description,
  enabled_events: endpoint.events,
  livemode: endpoint.mode === "live",
  metadata: endpoint.metadata,
  status: endpoint.status,
  url: endpoint.url,
});
