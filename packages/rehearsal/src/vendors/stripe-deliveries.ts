import { createHmac } from "node:crypto";

/** One attempt to deliver an event. */
export interface StripeDelivery {
  readonly endpoint: string;
  readonly eventId: string;
  /** Payload that was sent. */
  readonly payload: string;
  /** Its `Stripe-Signature`. */
  readonly signature: string;
  /** The receiver's answer; 0: none. */
  readonly status: number;
}

/** An endpoint as deliveries see it. */
export interface DeliveryPlace {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly mode: "test" | "live";
}

/** An event that an endpoint did not take, and when Stripe tries again. */
interface Retry {
  readonly endpoint: string;
  readonly event: { readonly id: string };
  readonly since: number;
  readonly tries: number;
  readonly due: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * "Stripe attempts to deliver events to your destination for up to three days with an exponential back off in live
 * mode […] We retry event deliveries created in a sandbox three times over the course of a few hours." The intervals
 * are not said; these are an exponential back off that ends at three days.
 * https://docs.stripe.com/webhooks#automatic-retries
 */
const LIVE_FOR = 72 * HOUR;
const SANDBOX_AFTER = [HOUR, 2 * HOUR, 3 * HOUR];

function nextTry(mode: "test" | "live", since: number, tries: number): number | undefined {
  if (mode === "test") {
    const after = SANDBOX_AFTER[tries - 1];
    return after === undefined ? undefined : since + after;
  }
  // 5 minutes, 20, 65, … after the event, twelve hours apart at most.
  let due = since;
  for (let n = 0; n < tries; n += 1) due += Math.min(5 * MINUTE * 3 ** n, 12 * HOUR);
  return due > since + LIVE_FOR ? undefined : due;
}

/** Events on their way to endpoints. */
export class StripeDeliveries {
  readonly #placeOf: (endpoint: string) => DeliveryPlace | undefined;
  readonly #now: () => Date;
  readonly #made: StripeDelivery[] = [];
  #retries: readonly Retry[] = [];

  /** @param placeOf where an endpoint is that is on; `undefined`: it is off, or there is none */
  constructor(placeOf: (endpoint: string) => DeliveryPlace | undefined, now: () => Date) {
    this.#placeOf = placeOf;
    this.#now = now;
  }

  /** Every attempt so far. */
  get made(): readonly StripeDelivery[] {
    return this.#made;
  }

  /** Ids of events that Stripe is going to try again. */
  get waiting(): readonly string[] {
    return this.#retries.map(({ event }) => event.id);
  }

  /** Sends an event to endpoints for the first time. */
  async send(
    event: { readonly id: string },
    endpoints: readonly string[],
  ): Promise<readonly StripeDelivery[]> {
    const since = this.#now().getTime();
    const attempts = endpoints.map((endpoint) =>
      this.#attempt({ endpoint, event, since, tries: 0, due: since }),
    );
    return (await Promise.all(attempts)).flatMap((attempt) => attempt ?? []);
  }

  /** Tries again what is due by now. */
  async retryDue(): Promise<void> {
    const now = this.#now().getTime();
    const due = this.#retries.filter((retry) => retry.due <= now);
    this.#retries = this.#retries.filter((retry) => retry.due > now);
    for (const retry of due) await this.#attempt(retry);
  }

  /**
   * "If your destination has been disabled or deleted when we attempt a retry, we prevent future retries of that event.
   * However, if you disable and then re-enable the event destination before we're able to retry, you still see future
   * retry attempts."
   * https://docs.stripe.com/webhooks#automatic-retries
   */
  async #attempt(retry: Retry): Promise<StripeDelivery | undefined> {
    const place = this.#placeOf(retry.endpoint);
    if (place === undefined) return undefined;
    const delivery = await deliver(place, retry.event, this.#now());
    this.#made.push(delivery);
    if (isTaken(delivery)) return delivery;
    const tries = retry.tries + 1;
    const due = nextTry(place.mode, retry.since, tries);
    if (due !== undefined) this.#retries = [...this.#retries, { ...retry, tries, due }];
    return delivery;
  }
}

/** A redirect is a failure: https://docs.stripe.com/webhooks#fix-http-status-codes */
const isTaken = ({ status }: StripeDelivery): boolean => status >= 200 && status < 300;

/** The `Stripe-Signature` header: https://docs.stripe.com/webhooks#verify-manually */
export function stripeSignature(secret: string, payload: string, at: Date): string {
  const t = Math.floor(at.getTime() / 1_000);
  const v1 = createHmac("sha256", secret).update(`${t}.${payload}`).digest("hex");
  return `t=${t},v1=${v1}`;
}

/** "If Stripe retries an event […], then we generate a new signature and timestamp for the new delivery attempt." */
async function deliver(
  { id, url, secret }: DeliveryPlace,
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
    redirect: "manual",
  }).then(
    (response) => response.status,
    () => 0,
  );
  return { endpoint: id, eventId: event.id, payload, signature, status };
}
