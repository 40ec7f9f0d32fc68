import * as z from "zod/mini";
import type { KindSettings } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { Stripe } from "../targets/stripe";
import type { NewEndpoint, WebhookEndpoint } from "../targets/stripe-endpoints";
import { bearer, type VendorAnswer, VendorApi, type VendorRequest } from "./vendor-api";

/** Entry of an endpoint's metadata that says for what it was made. */
const SECRET_NAME = "registry_secret";
const OWNER = "registry_owner";
const VERSION_ID = "registry_version";

/**
 * Version of Stripe's API for organisations' keys, which have none of their own. What is read here is the same in all.
 * https://docs.stripe.com/keys/organization-api-keys
 */
const VERSION = "2026-09-30.endive";

/**
 * An endpoint sends from the moment that it is made, signed by a secret that nobody knows yet. So it is made for an
 * event that does not happen: nobody here orders carbon removal. It gets its own events when it is switched off.
 * https://docs.stripe.com/api/events/types#event_types-climate.order.canceled
 */
const QUIET_EVENT = "climate.order.canceled";

const endpoint = z.object({
  id: z.string(),
  url: z.string(),
  status: z.enum(["enabled", "disabled"]),
  api_version: z.nullable(z.string()),
  /** Set where an endpoint gets the events of connected accounts: https://github.com/stripe/stripe-dotnet/issues/1876 */
  application: z.nullable(z.string()),
  description: z.nullable(z.string()),
  created: z.number(),
  metadata: z.record(z.string(), z.string()),
});
const endpoints = z.object({ data: z.array(endpoint) });
const made = z.object({ id: z.string(), secret: z.string() });
const balance = z.object({ livemode: z.boolean() });
const account = z.object({ id: z.string() });

/**
 * {@link Stripe} over HTTPS, without Stripe's library: that is 20 times what these seven calls are.
 * https://docs.stripe.com/api/webhook_endpoints
 */
export class StripeApi implements Stripe {
  readonly #api: VendorApi;
  readonly #accountId: string | undefined;

  constructor({ apiUrl, accountId }: Pick<KindSettings<"stripe">, "apiUrl" | "accountId">) {
    this.#api = new VendorApi({ baseUrl: apiUrl });
    this.#accountId = accountId;
  }

  /** A key that may not do this is a key all the same: only 401 says that there is none. */
  async accepts(key: string): Promise<boolean> {
    const { status } = await this.#balance(key, [401, 403]);
    return status !== 401;
  }

  async isLive(key: string): Promise<boolean | undefined> {
    const answer = await this.#balance(key, [401]);
    return answer.status === 401 ? undefined : this.#api.read(answer, balance).livemode;
  }

  async accountOf(key: string): Promise<string> {
    const answer = await this.#call(key, { path: "/v1/account", answers: [403] });
    if (answer.status !== 403) return this.#api.read(answer, account).id;
    throw new RotationError(
      "right-missing",
      "a restricted key cannot show its account: leave accountId out of the settings, or supply a secret key",
    );
  }

  async endpoints(key: string): Promise<readonly WebhookEndpoint[] | undefined> {
    // One page holds them all: an account has 16 (https://docs.stripe.com/webhooks).
    const query = { limit: "100" };
    const answer = await this.#call(key, { path: "/v1/webhook_endpoints", query, answers: [401, 403] });
    if (answer.status >= 400) return undefined;
    return this.#api.read(answer, endpoints).data.map((shown) => {
      const {
        [SECRET_NAME]: secretName,
        [OWNER]: owner,
        [VERSION_ID]: versionId,
        ...metadata
      } = shown.metadata;
      return {
        id: shown.id,
        url: shown.url,
        enabled: shown.status === "enabled",
        connect: shown.application !== null,
        apiVersion: shown.api_version,
        description: shown.description,
        metadata,
        createdAt: new Date(shown.created * 1_000),
        mark:
          secretName === undefined || versionId === undefined ? undefined : { secretName, owner, versionId },
      };
    });
  }

  async createEndpoint(
    key: string,
    { url, connect, apiVersion, description, metadata, mark }: NewEndpoint,
  ): Promise<{ readonly id: string; readonly secret: string }> {
    const answer = await this.#call(key, {
      method: "POST",
      path: "/v1/webhook_endpoints",
      form: {
        url,
        "enabled_events[]": QUIET_EVENT,
        ...Object.fromEntries(Object.entries(metadata).map(([name, text]) => [`metadata[${name}]`, text])),
        [`metadata[${SECRET_NAME}]`]: mark.secretName,
        ...(mark.owner === undefined ? {} : { [`metadata[${OWNER}]`]: mark.owner }),
        [`metadata[${VERSION_ID}]`]: mark.versionId,
        ...(connect ? { connect: "true" } : {}),
        ...(apiVersion === null ? {} : { api_version: apiVersion }),
        ...(description === null ? {} : { description }),
      },
      answers: [400],
    });
    if (answer.status === 400) {
      throw new RotationError(
        "target-misconfigured",
        `Stripe makes no webhook endpoint for ${url}: correct webhookUrl, or delete one of the 16 endpoints of the account`,
        "HTTP-400",
      );
    }
    return this.#api.read(answer, made);
  }

  async updateEndpoint(
    key: string,
    id: string,
    { enabled, events = [] }: { readonly enabled: boolean; readonly events?: readonly string[] },
  ): Promise<void> {
    const form = new URLSearchParams({ disabled: String(!enabled) });
    for (const event of events) form.append("enabled_events[]", event);
    const path = `/v1/webhook_endpoints/${id}`;
    const { status } = await this.#call(key, { method: "POST", path, form, answers: [400, 404] });
    if (status >= 400) {
      throw new RotationError(
        "target-misconfigured",
        `webhook endpoint ${id} is gone, or Stripe does not know one of the events in webhookEvents`,
        `HTTP-${status}`,
      );
    }
  }

  async deleteEndpoint(key: string, id: string): Promise<void> {
    const path = `/v1/webhook_endpoints/${id}`;
    await this.#call(key, { method: "DELETE", path, answers: [404] });
  }

  async #balance(key: string, answers: readonly number[]): Promise<VendorAnswer> {
    const answer = await this.#call(key, { path: "/v1/balance", answers: [...answers, 404] });
    if (answer.status !== 404) return answer;
    throw new RotationError(
      "target-misconfigured",
      `${this.#api.host} is not Stripe: correct apiUrl`,
      "HTTP-404",
    );
  }

  #call(key: string, request: Omit<VendorRequest, "headers" | "presents">) {
    const headers = { ...bearer(key), ...this.#context(key) };
    return this.#api.call({ ...request, headers, presents: "credential" });
  }

  /** An organisation's key opens nothing without an account and a version. */
  #context(key: string): Readonly<Record<string, string>> {
    if (!key.startsWith("sk_org_")) return {};
    if (this.#accountId === undefined) {
      throw new RotationError("settings-malformed", "an organisation's key needs accountId");
    }
    return { "stripe-context": this.#accountId, "stripe-version": VERSION };
  }
}
