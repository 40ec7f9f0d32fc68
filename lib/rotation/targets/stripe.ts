import { isDeepStrictEqual } from "node:util";
import type { KindSettings } from "../../model/kinds";
import { keysOf } from "../generations";
import { checkStripeMode } from "../operator-value";
import type { Clock } from "../ports";
import { RotationError } from "../rotation-error";
import type { AcceptingTarget, Attempt } from "../target";
import { type KindValue, VALUE_SCHEMAS, type WebhookSecret } from "../value-schemas";

/** The value of `stripe`. */
export type StripeValue = KindValue<"stripe">;

/** A webhook endpoint as Stripe tells of it. Its secret is shown once, to whoever makes it. */
export interface WebhookEndpoint {
  readonly id: string;
  readonly url: string;
  readonly enabled: boolean;
  /** Version of Stripe's API in which events are written; `null`: the account's. */
  readonly apiVersion: string | null;
  readonly createdAt: Date;
  /** What made it, if a rotation did. */
  readonly madeFor: { readonly secretName: string; readonly versionId: string } | undefined;
}

/** What a new endpoint gets. */
export interface NewEndpoint {
  readonly url: string;
  readonly apiVersion: string | null;
  readonly madeFor: { readonly secretName: string; readonly versionId: string };
}

/** Stripe, as far as rotation uses it. Every call is made with the key that it names. */
export interface Stripe {
  /** Whether a key opens anything. */
  accepts(key: string): Promise<boolean>;
  /** Whether the key moves real money, by a call that restricted keys can be allowed; `undefined`: no such key. */
  isLive(key: string): Promise<boolean | undefined>;
  /** The key's account. */
  accountOf(key: string): Promise<string>;
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

/** What the target for Stripe needs. */
export interface StripeTargetProps {
  readonly settings: KindSettings<"stripe">;
  readonly stripe: Stripe;
  readonly clock: Clock;
}

/**
 * A call that made an endpoint may still be about to store its secret for this long: a function runs 15 minutes at
 * most (Lambda quota).
 */
const STORED_BY_SECONDS = 15 * 60;

/**
 * Two credentials in one value. API keys: only a person makes and ends them, in the dashboard; Stripe accepts any number.
 * Webhook secrets: Stripe signs, our workloads check. An endpoint has one secret for its life, so a new secret is a
 * second endpoint on the same URL, which stays off until every workload knows its secret.
 * Decision: docs/adr/0012-operator-assisted-rotation.md
 */
export function stripeTarget({ settings, stripe, clock }: StripeTargetProps): AcceptingTarget<StripeValue> {
  const { mode, account, accountId, webhookUrl, webhookEvents } = settings;
  const place = `Stripe account ${account} (${mode})`;

  const unknownKey = (): RotationError =>
    new RotationError("target-refused", `${place} does not know the key`);

  /**
   * Endpoints that rotations of this secret made, by their own account and by the values: those of others are never
   * touched.
   */
  const ours = (
    all: readonly WebhookEndpoint[],
    { secretName }: Attempt,
    named: ReadonlySet<string>,
  ): readonly WebhookEndpoint[] =>
    all.filter(
      ({ id, madeFor, url }) => named.has(id) || (madeFor?.secretName === secretName && url === webhookUrl),
    );

  /**
   * Whether a new key is of the account in which the endpoints in use are. One that the new key does not see is
   * another account's, unless the old key sees that somebody has deleted it.
   */
  const checkAccount = async (
    value: StripeValue,
    predecessor: StripeValue | undefined,
    seen: readonly WebhookEndpoint[],
  ): Promise<void> => {
    const id = predecessor?.webhookSecrets.current?.id;
    if (predecessor === undefined || id == null || value.secretKey === predecessor.secretKey) return;
    if (seen.some((endpoint) => endpoint.id === id)) return;
    const seenBefore = await stripe.endpoints(predecessor.secretKey);
    if (seenBefore?.every((endpoint) => endpoint.id !== id)) return;
    throw new RotationError(
      "user-mismatch",
      `the key is of another account than webhook endpoint ${id} of ${place}`,
    );
  };

  /** An endpoint with a secret that nobody has seen; it sends nothing before `install` switches it on. */
  const newEndpoint = async (
    { secretKey, webhookSecrets: { current } }: StripeValue,
    attempt: Attempt,
    url: string,
    all: readonly WebhookEndpoint[],
  ): Promise<{ readonly id: string; readonly secret: string }> => {
    const fresh = await stripe.createEndpoint(secretKey, {
      url,
      apiVersion: all.find(({ id }) => id === current?.id)?.apiVersion ?? null,
      madeFor: { secretName: attempt.secretName, versionId: attempt.versionId },
    });
    await stripe.updateEndpoint(secretKey, fresh.id, { enabled: false, events: webhookEvents });
    return fresh;
  };

  const endpointsOf = async (value: StripeValue): Promise<readonly WebhookEndpoint[]> => {
    const all = await stripe.endpoints(value.secretKey);
    if (all !== undefined) return all;
    if (!(await stripe.accepts(value.secretKey))) throw unknownKey();
    throw new RotationError(
      "right-missing",
      `the key of ${place} needs the permission Webhook Endpoints: Write, because webhookUrl is set`,
    );
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS.stripe,

    async generate(predecessor, attempt, staged) {
      const base = staged ?? predecessor;
      if (webhookUrl === undefined || base === undefined) {
        if (staged !== undefined) return staged;
        throw new RotationError("operator-needed", `Stripe gives API keys of ${place} to people only`);
      }
      checkStripeMode(base, mode);
      const all = await endpointsOf(base);
      await checkAccount(base, predecessor, all);
      const inUse = idsOf(predecessor, base);
      for (const { id, createdAt, madeFor } of ours(all, attempt, inUse)) {
        const age = (clock.now().getTime() - createdAt.getTime()) / 1_000;
        const labelled = madeFor !== undefined && attempt.labelled.includes(madeFor.versionId);
        if (!inUse.has(id) && !labelled && age > STORED_BY_SECONDS) {
          await stripe.deleteEndpoint(base.secretKey, id);
        }
      }
      const { current } = base.webhookSecrets;
      const fresh = await newEndpoint(base, attempt, webhookUrl, all);
      // The first endpoint may start at once: there is no workload that knows another.
      const webhookSecrets =
        current === null
          ? { ...base.webhookSecrets, next: null, current: fresh }
          : { ...base.webhookSecrets, next: fresh };
      return { ...base, webhookSecrets };
    },

    async discard({ secretKey, webhookSecrets: { next, current } }) {
      // What was made is `next`, but for the very first.
      const id = (next ?? current)?.id;
      if (id != null) await stripe.deleteEndpoint(secretKey, id);
    },

    checkSuccession(pending, predecessor, emergency = false) {
      checkStripeMode(pending, mode);
      if (predecessor === undefined) return;
      if (isDeepStrictEqual(pending, predecessor)) {
        throw new RotationError("value-repeated", `the version repeats the current value of ${place}`);
      }
      if (emergency && webhookUrl !== undefined) {
        checkNoneLeft(pending.webhookSecrets, predecessor.webhookSecrets);
      } else checkWebhookSecrets(pending.webhookSecrets, predecessor.webhookSecrets);
    },

    /** Brings Stripe's endpoints to what the value says: `current` sends, every other is off, strangers of ours go. */
    async install(pending, predecessor, attempt) {
      if (webhookUrl === undefined) return;
      const { secretKey, webhookSecrets } = pending;
      const all = await endpointsOf(pending);
      await checkAccount(pending, predecessor, all);
      const known = new Map(all.map((endpoint) => [endpoint.id, endpoint]));
      const promised = [webhookSecrets.current, webhookSecrets.next].flatMap((key) => key?.id ?? []);
      if (promised.length > 0 && !promised.some((id) => known.has(id))) {
        throw new RotationError(
          "target-misconfigured",
          `webhook endpoint ${promised.join(" and ")} is not in ${place}: begin with createSecret, which makes another`,
        );
      }
      const inUse = known.get(webhookSecrets.current?.id ?? "");
      // On before off: an event that comes twice is known by its id, one that does not come is lost.
      if (inUse?.enabled === false) await stripe.updateEndpoint(secretKey, inUse.id, { enabled: true });
      const kept = idsOf(pending, predecessor);
      for (const { id, enabled } of ours(all, attempt, kept)) {
        if (id === inUse?.id) continue;
        if (!kept.has(id)) await stripe.deleteEndpoint(secretKey, id);
        else if (enabled) await stripe.updateEndpoint(secretKey, id, { enabled: false });
      }
    },

    async test(value) {
      checkStripeMode(value, mode);
      const live = await stripe.isLive(value.secretKey);
      if (live === undefined) throw unknownKey();
      if (live !== (mode === "live")) {
        throw new RotationError("wrong-environment", `the key of ${place} is ${live ? "live" : "test"}`);
      }
      if (accountId === undefined) return;
      const found = await stripe.accountOf(value.secretKey);
      if (found !== accountId) {
        throw new RotationError("user-mismatch", `the key is of ${found}, not of ${accountId}`);
      }
    },

    published:
      webhookUrl === undefined
        ? undefined
        : {
            promoted,
            withoutRetired,
            async replaced(leaked, attempt, staged = leaked) {
              checkStripeMode(staged, mode);
              const all = await endpointsOf(staged);
              await checkAccount(staged, leaked, all);
              const current = await newEndpoint(
                { ...staged, webhookSecrets: leaked.webhookSecrets },
                attempt,
                webhookUrl,
                all,
              );
              return { ...staged, webhookSecrets: { next: null, current, previous: null } };
            },
          },

    async retire({ retired, kept }) {
      const [{ secretKey } = retired] = kept;
      const inUse = new Set(kept.flatMap(({ webhookSecrets: { next, current } }) => [next?.id, current?.id]));
      for (const id of webhookUrl === undefined ? [] : idsOf(retired)) {
        if (!inUse.has(id)) await stripe.deleteEndpoint(secretKey, id);
      }
      if (webhookUrl !== undefined && retired.webhookSecrets.current?.id === null) {
        const all = (await stripe.endpoints(secretKey)) ?? [];
        const left = all.find(({ url, enabled, madeFor }) => url === webhookUrl && enabled && !madeFor);
        if (left !== undefined) {
          throw new RotationError(
            "still-accepted",
            `delete webhook endpoint ${left.id} of ${place} in Stripe's dashboard: it was made by hand, and still sends`,
          );
        }
      }
      if (kept.some((value) => value.secretKey === retired.secretKey)) return;
      // A refusal means something only where a good key is taken.
      if (!(await stripe.accepts(secretKey))) throw unknownKey();
      if (await stripe.accepts(retired.secretKey)) {
        throw new RotationError(
          "still-accepted",
          `expire the old secret key of ${place} in Stripe's dashboard, under Developers, API keys`,
        );
      }
    },
  };
}

function promoted(value: StripeValue): StripeValue {
  const { next, current } = value.webhookSecrets;
  if (next === null) {
    throw new RotationError("nothing-published", "the current version has no next webhook secret");
  }
  return { ...value, webhookSecrets: { next: null, current: next, previous: current } };
}

function withoutRetired(value: StripeValue, retired: StripeValue): StripeValue | undefined {
  const { previous } = value.webhookSecrets;
  const gone = [retired.webhookSecrets.current, retired.webhookSecrets.previous];
  if (previous === null || !gone.some((key) => isSame(key, previous))) return undefined;
  return { ...value, webhookSecrets: { ...value.webhookSecrets, previous: null } };
}

const isSame = (a: WebhookSecret | null, b: WebhookSecret | null): boolean => a?.secret === b?.secret;

/** The endpoints that values name. */
const idsOf = (...values: readonly (StripeValue | undefined)[]): ReadonlySet<string> =>
  new Set(
    values.flatMap((value) =>
      value === undefined ? [] : Object.values(value.webhookSecrets).flatMap((key) => key?.id ?? []),
    ),
  );

/**
 * Whether workloads that hold either value understand what Stripe signs: what is in use stays, and what takes its
 * place was published before, or was rolled by a person in the dashboard, where Stripe signs by both for a day.
 *
 * @throws RotationError `stale-version`
 */
function checkWebhookSecrets(
  pending: StripeValue["webhookSecrets"],
  predecessor: StripeValue["webhookSecrets"],
): void {
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
 * Whether no secret that leaked signs or is accepted any more.
 *
 * @throws RotationError `stale-version`
 */
function checkNoneLeft(pending: StripeValue["webhookSecrets"], leaked: StripeValue["webhookSecrets"]): void {
  const known = new Set(keysOf(leaked).map(({ secret }) => secret));
  const left = keysOf(pending).find(({ secret }) => known.has(secret));
  if (left === undefined) return;
  throw new RotationError(
    "stale-version",
    `the version holds the secret of webhook endpoint ${left.id ?? "that was made by hand"}, which leaked`,
  );
}
