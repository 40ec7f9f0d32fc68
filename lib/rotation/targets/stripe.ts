import { isDeepStrictEqual } from "node:util";
import type { RetirementEvidence } from "../../contracts/procedure-events";
import type { KindSettings, RotationMode } from "../../model/kinds";
import type { Clock, Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget, Attempt, PublishedBeside, SecretIdentity } from "../protocol/target";
import { advance, dropsUsed, publish } from "../values/generations";
import { checkStripeMode } from "../values/operator-value";
import { type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";
import { eventually } from "./eventually";
import { lastUse } from "./last-use";
import {
  checkNoneLeft,
  checkWebhookSecrets,
  idsOf,
  isSame,
  ReceiverEndpoints,
  type StripeWebhooks,
  type WebhookEndpoint,
  type WebhookSecrets,
} from "./stripe-endpoints";
import { carriesMark, keepOnly, makeKey, type VendorKeys } from "./vendor-keys";

/** The value of `stripe`. */
export type StripeValue = KindValue<"stripe">;

/** Stripe, as far as rotation uses it. Every call is made with the key that it names. */
export interface Stripe extends StripeWebhooks {
  /** `true` when a key opens anything. */
  accepts(key: string): Promise<boolean>;
  /** `true` when the key moves real money, by a call that restricted keys can be allowed; `undefined`: no such key. */
  isLive(key: string): Promise<boolean | undefined>;
  /** The key's account. */
  accountOf(key: string): Promise<string>;
}

/** Restricted keys that an app's key makes in the account. `remove` expires a key, and Stripe says when that counts. */
export interface StripeKeys extends VendorKeys {
  /** Permissions of a key; `undefined`: there is no such key. */
  permissionsOf(id: string): Promise<readonly string[] | undefined>;
}

/** Ports and settings of the target for Stripe. */
export interface StripeTargetProps {
  readonly settings: KindSettings<"stripe">;
  readonly mode: RotationMode;
  readonly stripe: Stripe;
  /** API keys, which only rotation `automatic` uses. */
  readonly keys: StripeKeys;
  readonly clock: Clock;
  readonly random: Random;
}

const NO_WEBHOOK: WebhookSecrets = { next: null, current: null, previous: null };

/**
 * Two credentials in one value. API keys: a person makes and ends them in the dashboard, or an app's key by API; Stripe
 * accepts any number. Webhook secrets: Stripe signs, our workloads check; see {@link ReceiverEndpoints}.
 * Decisions: docs/adr/0012-operator-assisted-rotation.md, docs/adr/0022-key-sets-and-stripe.md
 */
export function stripeTarget(props: StripeTargetProps): AcceptingTarget<StripeValue> {
  const { settings, stripe, keys, clock, random } = props;
  const { mode, account, accountId, webhookUrl, webhookEvents, webhookConnect } = settings;
  const automatic = props.mode === "automatic";
  const place = `Stripe account ${account} (${mode})`;
  const receiver =
    webhookUrl === undefined
      ? undefined
      : new ReceiverEndpoints({
          webhooks: stripe,
          url: webhookUrl,
          events: webhookEvents,
          connect: webhookConnect,
          place,
        });

  const unknownKey = (): RotationError =>
    new RotationError("target-refused", `${place} does not know the key`);

  const endpointsOf = async (key: string): Promise<readonly WebhookEndpoint[]> => {
    const all = await stripe.endpoints(key);
    if (all !== undefined) return all;
    if (!(await stripe.accepts(key))) throw unknownKey();
    throw new RotationError(
      "right-missing",
      `the key of ${place} needs the permission Webhook Endpoints: Write, because webhookUrl is set`,
    );
  };

  /**
   * Checks that a new key is of the account in which the endpoints in use are. One that the new key does not see is
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

  /** Keys of the version that is to come: from a person, from Stripe's API, or those that there are. */
  const keysFor = async (
    predecessor: StripeValue | undefined,
    attempt: Attempt,
    staged: StripeValue | undefined,
  ): Promise<StripeValue> => {
    if (!automatic) {
      const base = staged ?? (receiver === undefined ? undefined : predecessor);
      if (base !== undefined) return base;
      throw new RotationError("operator-needed", `Stripe gives API keys of ${place} to people only`);
    }
    const publishableKey = settings.publishableKey ?? predecessor?.publishableKey;
    if (publishableKey === undefined) {
      throw new RotationError("settings-malformed", "rotation automatic needs publishableKey");
    }
    const inUse = predecessor?.secretKeyId;
    const { id, key } = await makeKey({ keys, attempt, inUse, clock, random });
    // The calls after this one are made with it.
    await eventually(
      () => stripe.accepts(key),
      (taken) => taken,
      clock,
    );
    const webhookSecrets = predecessor?.webhookSecrets ?? NO_WEBHOOK;
    return { secretKey: key, secretKeyId: id, publishableKey, webhookSecrets };
  };

  /** Value with another endpoint, where the webhook secrets of `former` are all to go, or another one is to be published beside them. */
  const withEndpoint = async (
    base: StripeValue,
    predecessor: StripeValue | undefined,
    attempt: Attempt,
    join: (fresh: { readonly id: string; readonly secret: string }) => WebhookSecrets,
  ): Promise<StripeValue> => {
    if (receiver === undefined) return base;
    checkStripeMode(base, mode);
    const all = await endpointsOf(base.secretKey);
    await checkAccount(base, predecessor, all);
    const held = predecessor === undefined ? [base] : [base, predecessor];
    const named = idsOf(...held.map(({ webhookSecrets }) => webhookSecrets));
    await receiver.sweep(base.secretKey, all, named, attempt, clock.now());
    const { current } = predecessor?.webhookSecrets ?? base.webhookSecrets;
    const fresh = await receiver.make(base.secretKey, current ?? base.webhookSecrets.current, all, attempt);
    return { ...base, webhookSecrets: join(fresh) };
  };

  const published: PublishedBeside<StripeValue> = {
    promoted(value) {
      const { next, current } = value.webhookSecrets;
      if (next === null) {
        throw new RotationError("nothing-published", "the current version has no next webhook secret");
      }
      return { ...value, webhookSecrets: { next: null, current: next, previous: current } };
    },

    dropsUsed: (value, before) => dropsUsed(value.webhookSecrets, before?.webhookSecrets, isSame),

    withoutRetired(value, retired) {
      const { previous } = value.webhookSecrets;
      const gone = [retired.webhookSecrets.current, retired.webhookSecrets.previous];
      if (previous === null || !gone.some((key) => isSame(key, previous))) return undefined;
      return { ...value, webhookSecrets: { ...value.webhookSecrets, previous: null } };
    },

    signsOn({ webhookSecrets: { current, previous } }, { webhookSecrets: retired }) {
      return isSame(current, retired.current) && isSame(previous, retired.previous);
    },

    async replaced(leaked, attempt, staged) {
      const base = automatic ? await keysFor(leaked, attempt, staged) : (staged ?? leaked);
      return withEndpoint(base, leaked, attempt, (current) => ({ next: null, current, previous: null }));
    },
  };

  /**
   * Expires a key that rotation has made.
   *
   * @param usedUntil after which a use shows a consumer that has not the new one; `undefined`: nobody looks
   */
  const expire = async (
    secret: SecretIdentity,
    { secretKeyId: id }: StripeValue,
    usedUntil: Date | undefined,
  ): Promise<RetirementEvidence | undefined> => {
    if (!automatic || id === undefined) return undefined;
    const listed = (await keys.list()).find((key) => key.id === id);
    if (listed === undefined) return undefined;
    if (!carriesMark(listed.name, secret)) {
      throw new RotationError("user-mismatch", `key ${id} of ${place} has not the mark of the secret`);
    }
    const { lastUsedAt } = listed;
    if (usedUntil !== undefined && lastUsedAt !== undefined && lastUsedAt > usedUntil) {
      throw new RotationError(
        "still-presented",
        `the retired key ${id} of ${place} was used at ${lastUsedAt.toISOString()}`,
      );
    }
    await keys.remove(id);
    return lastUse([lastUsedAt], usedUntil);
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS.stripe,

    async generate(predecessor, attempt, staged) {
      const base = await keysFor(predecessor, attempt, staged);
      return withEndpoint(base, predecessor, attempt, (fresh) => {
        const { next, current, previous } = base.webhookSecrets;
        // The first endpoint may start at once: there is no workload that knows another.
        if (current === null) return { next: null, current: fresh, previous };
        const held = { next, current, previous };
        return automatic ? advance(held, fresh, (key) => key) : publish(held, fresh);
      });
    },

    async discard({ secretKey, secretKeyId, webhookSecrets: { next, current } }) {
      // What was made is `next`, but for the very first.
      const id = (next ?? current)?.id;
      if (receiver !== undefined && id != null) await stripe.deleteEndpoint(secretKey, id);
      if (automatic && secretKeyId !== undefined) await keys.remove(secretKeyId);
    },

    async abandon(attempt, current) {
      if (automatic) await keepOnly(keys, attempt, undefined);
      if (receiver === undefined || current === undefined) return;
      const all = await endpointsOf(current.secretKey);
      await receiver.abandon(current.secretKey, all, idsOf(current.webhookSecrets), attempt);
    },

    checkSuccession(pending, predecessor, emergency = false) {
      checkStripeMode(pending, mode);
      if (predecessor === undefined) return;
      if (isDeepStrictEqual(pending, predecessor)) {
        throw new RotationError("value-repeated", `the version repeats the current value of ${place}`);
      }
      if (emergency && receiver !== undefined) {
        checkNoneLeft(pending.webhookSecrets, predecessor.webhookSecrets);
      } else checkWebhookSecrets(pending.webhookSecrets, predecessor.webhookSecrets);
    },

    async install(pending, predecessor, attempt) {
      if (automatic && pending.secretKeyId !== undefined) await keepOnly(keys, attempt, pending.secretKeyId);
      if (receiver === undefined) return;
      const all = await endpointsOf(pending.secretKey);
      await checkAccount(pending, predecessor, all);
      const { secretKey, webhookSecrets } = pending;
      await receiver.bring(secretKey, all, webhookSecrets, predecessor?.webhookSecrets, attempt);
    },

    async test(value) {
      checkStripeMode(value, mode);
      const live = await stripe.isLive(value.secretKey);
      if (live === undefined) throw unknownKey();
      if (live !== (mode === "live")) {
        throw new RotationError("wrong-environment", `the key of ${place} is ${live ? "live" : "test"}`);
      }
      if (automatic && value.secretKeyId !== undefined) {
        // Stripe has been seen to take a list of permissions without a word and to give another.
        const given = (await keys.permissionsOf(value.secretKeyId)) ?? [];
        const missing = (settings.keyPermissions ?? []).filter((permission) => !given.includes(permission));
        if (missing.length > 0) {
          throw new RotationError("right-missing", `the key of ${place} lacks ${missing.join(", ")}`);
        }
        // A restricted key cannot show its account; the app's key made it in the one that is named.
        return;
      }
      if (accountId === undefined) return;
      const found = await stripe.accountOf(value.secretKey);
      if (found !== accountId) {
        throw new RotationError("user-mismatch", `the key is of ${found}, not of ${accountId}`);
      }
    },

    published: receiver === undefined ? undefined : published,

    async retire({ secret, retired, kept, refreshedBy, emergency }) {
      const [{ secretKey } = retired] = kept;
      if (receiver !== undefined) {
        const held = kept.map(({ webhookSecrets }) => webhookSecrets);
        await receiver.end(secretKey, () => endpointsOf(secretKey), retired.webhookSecrets, held, secret);
      }
      if (kept.some((value) => value.secretKey === retired.secretKey)) return undefined;
      // A refusal means something only where a good key is taken.
      if (!(await stripe.accepts(secretKey))) throw unknownKey();
      // Where no other key is left, the retired one has just been used here.
      const evidence = await expire(
        secret,
        retired,
        emergency || kept.length === 0 ? undefined : refreshedBy,
      );
      const expires = automatic && retired.secretKeyId !== undefined;
      const ask = (): Promise<boolean> => stripe.accepts(retired.secretKey);
      if (!(expires ? await eventually(ask, (taken) => !taken, clock) : await ask())) return evidence;
      throw expires
        ? new RotationError(
            "target-busy",
            `Stripe has expired the old key of ${place} and takes it still: when that ends is Stripe's to say`,
          )
        : new RotationError(
            "still-accepted",
            `expire the old secret key of ${place} in Stripe's dashboard, under Developers, API keys`,
          );
    },
  };
}
