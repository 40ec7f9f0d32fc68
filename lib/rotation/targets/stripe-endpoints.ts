import { createHash } from "node:crypto";
import { RotationError } from "../protocol/rotation-error";
import type { Attempt, SecretIdentity } from "../protocol/target";
import { keysOf } from "../values/generations";
import type { KindValue, WebhookSecret } from "../values/value-schemas";

/** Webhook secrets by generation. */
export type WebhookSecrets = KindValue<"stripe">["webhookSecrets"];

/** Mark of an endpoint's owner, in its metadata. */
export interface EndpointMark {
  readonly secretName: string;
  /** Digits of the secret's ARN; `undefined`: made before marks had them. */
  readonly owner?: string | undefined;
  readonly versionId: string;
}

/** Form of an endpoint on which consumers rely: it is handed on from endpoint to endpoint. */
export interface EndpointForm {
  /** Events of connected accounts instead of the account's own; it cannot be changed at an endpoint. */
  readonly connect: boolean;
  /** Version of Stripe's API in which events are written; `null`: the account's. */
  readonly apiVersion: string | null;
  readonly description: string | null;
  /** Metadata that others wrote there; the mark is not in it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A webhook endpoint as Stripe returns it. Its secret is shown once, to whoever makes it. */
export interface WebhookEndpoint extends EndpointForm {
  readonly id: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly createdAt: Date;
  /** `undefined`: no rotation made it. */
  readonly mark: EndpointMark | undefined;
}

/** Form of a new endpoint. */
export interface NewEndpoint extends EndpointForm {
  readonly url: string;
  readonly mark: EndpointMark;
}

/** Stripe's webhook endpoints, as far as rotation uses them. Every call is made with the key that it names. */
export interface StripeWebhooks {
  /** Endpoints of the key's account and mode; `undefined`: the key opens nothing, or not these. */
  endpoints(key: string): Promise<readonly WebhookEndpoint[] | undefined>;
  /** Makes an endpoint. It cannot be made disabled, so it is made for an event that does not happen. */
  createEndpoint(
    key: string,
    endpoint: NewEndpoint,
  ): Promise<{ readonly id: string; readonly secret: string }>;
  updateEndpoint(
    key: string,
    id: string,
    change: { readonly enabled: boolean; readonly events?: readonly string[] },
  ): Promise<void>;
  /** An endpoint that is gone already is no failure. */
  deleteEndpoint(key: string, id: string): Promise<void>;
}

/** The endpoints of one receiver. */
export interface EndpointsProps {
  readonly webhooks: StripeWebhooks;
  readonly url: string;
  readonly events: readonly string[];
  /** `undefined`: as the endpoint before. */
  readonly connect: boolean | undefined;
  /** The account among people, for messages. */
  readonly place: string;
}

/**
 * A call that made an endpoint may still be about to store its secret for this long: a function runs 15 minutes at
 * most (Lambda quota).
 */
const STORED_BY_SECONDS = 15 * 60;

/**
 * The endpoints of one receiver. An endpoint has one secret for its life, so a new secret is a second endpoint on the
 * same URL, which is off until every workload knows its secret.
 *
 * Stripe tries a failed delivery again for three days, at the endpoint where it failed, and never at one that is off or
 * gone. So an endpoint that has sent stays on until three days after the next one began to send, and both send
 * meanwhile: each event comes twice with one id, and none is lost.
 * https://docs.stripe.com/webhooks#automatic-retries
 */
export class ReceiverEndpoints {
  readonly #props: EndpointsProps;

  constructor(props: EndpointsProps) {
    this.#props = props;
  }

  /** An endpoint that is off, in the form of the one that is in use. */
  async make(
    key: string,
    inUse: WebhookSecret | null,
    all: readonly WebhookEndpoint[],
    attempt: Attempt,
  ): Promise<{ readonly id: string; readonly secret: string }> {
    const { webhooks, url, events, connect } = this.#props;
    const former = this.#former(inUse, all);
    const fresh = await webhooks.createEndpoint(key, {
      url,
      connect: connect ?? former?.connect ?? false,
      apiVersion: former?.apiVersion ?? null,
      description: former?.description ?? null,
      metadata: former?.metadata ?? {},
      mark: { ...markOf(attempt), versionId: attempt.versionId },
    });
    await webhooks.updateEndpoint(key, fresh.id, { enabled: false, events });
    return fresh;
  }

  /** Removes what earlier attempts left behind and nobody holds, once nobody can be about to store it. */
  async sweep(
    key: string,
    all: readonly WebhookEndpoint[],
    named: ReadonlySet<string>,
    attempt: Attempt,
    now: Date,
  ): Promise<void> {
    for (const { id, createdAt, mark } of ours(all, attempt)) {
      const age = (now.getTime() - createdAt.getTime()) / 1_000;
      const labelled = mark !== undefined && attempt.labelled.includes(mark.versionId);
      if (!named.has(id) && !labelled && age > STORED_BY_SECONDS) {
        await this.#props.webhooks.deleteEndpoint(key, id);
      }
    }
  }

  /** Removes what was made for a version that holds no value and is given up. */
  async abandon(
    key: string,
    all: readonly WebhookEndpoint[],
    named: ReadonlySet<string>,
    attempt: Attempt,
  ): Promise<void> {
    for (const { id, mark } of ours(all, attempt)) {
      if (mark?.versionId !== attempt.versionId || named.has(id)) continue;
      await this.#props.webhooks.deleteEndpoint(key, id);
    }
  }

  /**
   * Brings Stripe to what a value says: `current` sends, `next` is off, `previous` goes on sending, what `pending` has
   * dropped goes, and what neither value names.
   */
  async bring(
    key: string,
    all: readonly WebhookEndpoint[],
    pending: WebhookSecrets,
    predecessor: WebhookSecrets | undefined,
    attempt: Attempt,
  ): Promise<void> {
    const { webhooks, place } = this.#props;
    const known = new Map(all.map((endpoint) => [endpoint.id, endpoint]));
    const promised = [pending.current, pending.next].flatMap((secret) => secret?.id ?? []);
    if (promised.length > 0 && !promised.some((id) => known.has(id))) {
      throw new RotationError(
        "target-misconfigured",
        `webhook endpoint ${promised.join(" and ")} is not in ${place}: begin with createSecret, which makes another`,
      );
    }
    const inUse = known.get(pending.current?.id ?? "");
    if (inUse?.enabled === false) await webhooks.updateEndpoint(key, inUse.id, { enabled: true });
    const named = new Set([...idsOf(pending), ...(predecessor === undefined ? [] : idsOf(predecessor))]);
    const dropped = droppedBy(pending, predecessor);
    for (const { id, enabled } of ours(all, attempt)) {
      if (!named.has(id) || id === dropped) await webhooks.deleteEndpoint(key, id);
      // It never was the one in use, or the one in use has sent whatever it has sent.
      else if (enabled && id === pending.next?.id) await webhooks.updateEndpoint(key, id, { enabled: false });
    }
  }

  /** Ends the endpoints of a value but for those that another one holds. */
  async end(
    key: string,
    list: () => Promise<readonly WebhookEndpoint[]>,
    retired: WebhookSecrets,
    kept: readonly WebhookSecrets[],
    secret: SecretIdentity,
  ): Promise<void> {
    const { webhooks, place } = this.#props;
    const stays = new Set(
      kept.flatMap(({ next, current, previous }) =>
        keysOf({ next, current, previous: isSame(previous, retired.current) ? null : previous }).map(
          (held) => held.secret,
        ),
      ),
    );
    const ending = keysOf(retired).filter((held) => !stays.has(held.secret));
    if (ending.length === 0) return;
    const all = await list();
    for (const { id } of ending) {
      const endpoint = all.find((candidate) => candidate.id === id);
      if (endpoint === undefined) continue;
      if (!isOurs(endpoint, secret)) {
        throw new RotationError(
          "user-mismatch",
          `webhook endpoint ${id} of ${place} has not the mark of ${secret.secretName}: delete it in Stripe's dashboard if it is this secret's`,
        );
      }
      await webhooks.deleteEndpoint(key, endpoint.id);
    }
    if (ending.every(({ id }) => id !== null)) return;
    const [left] = this.#madeByHand(all);
    if (left !== undefined) {
      throw new RotationError(
        "still-accepted",
        `delete webhook endpoint ${left.id} of ${place} in Stripe's dashboard: it was made by hand, and still sends`,
      );
    }
  }

  /** The endpoint whose form the next one gets. One that was made by hand is known by where it sends only. */
  #former(inUse: WebhookSecret | null, all: readonly WebhookEndpoint[]): WebhookEndpoint | undefined {
    if (inUse === null) return undefined;
    if (inUse.id !== null) return all.find(({ id }) => id === inUse.id);
    const candidates = this.#madeByHand(all);
    const [first] = candidates;
    const differs = candidates.find(
      ({ connect, apiVersion }) => connect !== first?.connect || apiVersion !== first?.apiVersion,
    );
    if (differs === undefined) return first;
    throw new RotationError(
      "target-misconfigured",
      `several webhook endpoints of ${this.#props.place} that were made by hand send to webhookUrl, and differ in API ` +
        "version or connect: leave the one whose secret was supplied, or set webhookConnect",
    );
  }

  #madeByHand(all: readonly WebhookEndpoint[]): readonly WebhookEndpoint[] {
    const { url, connect } = this.#props;
    return all.filter(
      (endpoint) =>
        endpoint.url === url &&
        endpoint.enabled &&
        endpoint.mark === undefined &&
        (connect === undefined || endpoint.connect === connect),
    );
  }
}

/** The mark of a secret. Its ARN without the region: a replica that has become the primary is the same secret. */
function markOf({
  secretName,
  secretArn,
}: SecretIdentity): Required<Pick<EndpointMark, "secretName" | "owner">> {
  const [arn, partition, service, , ...rest] = secretArn.split(":");
  const name = [arn, partition, service, "", ...rest].join(":");
  return { secretName, owner: createHash("sha256").update(name).digest("hex").slice(0, 16) };
}

function isOurs({ mark }: WebhookEndpoint, secret: SecretIdentity): boolean {
  const own = markOf(secret);
  return mark?.secretName === own.secretName && (mark.owner === undefined || mark.owner === own.owner);
}

/** Endpoints that rotations of this secret made: those of others are never touched, whatever a value says. */
const ours = (all: readonly WebhookEndpoint[], secret: SecretIdentity): readonly WebhookEndpoint[] =>
  all.filter((endpoint) => isOurs(endpoint, secret));

/** The `previous` that a value leaves behind which continues its predecessor: its time is over. */
function droppedBy(pending: WebhookSecrets, predecessor: WebhookSecrets | undefined): string | undefined {
  const id = predecessor?.previous?.id ?? undefined;
  if (predecessor === undefined || id === undefined || idsOf(pending).has(id)) return undefined;
  const continues =
    isSame(pending.current, predecessor.current) || isSame(pending.previous, predecessor.current);
  return continues ? id : undefined;
}

/** `true` when two are one secret, or both are none. */
export const isSame = (a: WebhookSecret | null, b: WebhookSecret | null): boolean => a?.secret === b?.secret;

/** The endpoints that values name. */
export const idsOf = (...secrets: readonly WebhookSecrets[]): ReadonlySet<string> =>
  new Set(secrets.flatMap((each) => keysOf(each).flatMap(({ id }) => id ?? [])));

/**
 * Checks that workloads that hold either value understand what Stripe signs: what is in use stays, and what takes its
 * place was published before, or was rolled by a person in the dashboard, where Stripe signs by both for a day.
 *
 * @throws RotationError `stale-version`
 */
export function checkWebhookSecrets(pending: WebhookSecrets, predecessor: WebhookSecrets): void {
  if (predecessor.current === null) return;
  const stays =
    isSame(pending.current, predecessor.current) && isSame(pending.previous, predecessor.previous);
  const follows =
    pending.current !== null &&
    isSame(pending.previous, predecessor.current) &&
    (pending.current.id === null || isSame(pending.current, predecessor.next));
  if (!stays && !follows) {
    throw new RotationError(
      "stale-version",
      `the version with webhook endpoint ${pending.current?.id ?? "of nobody"} was not made from the one with ` +
        `${predecessor.current.id ?? "one made by hand"}`,
    );
  }
}

/**
 * Checks that no secret that leaked signs or is accepted any more.
 *
 * @throws RotationError `stale-version`
 */
export function checkNoneLeft(pending: WebhookSecrets, leaked: WebhookSecrets): void {
  const known = new Set(keysOf(leaked).map(({ secret }) => secret));
  const left = keysOf(pending).find(({ secret }) => known.has(secret));
  if (left === undefined) return;
  throw new RotationError(
    "stale-version",
    `the version holds the secret of webhook endpoint ${left.id ?? "that was made by hand"}, which leaked`,
  );
}
