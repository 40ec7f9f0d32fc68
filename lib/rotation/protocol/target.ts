import type * as z from "zod/mini";
import type { RetirementEvidence } from "../../contracts/procedure-events";

/** Identity of a secret: what is made for it at a target carries it as a mark. */
export interface SecretIdentity {
  /** Name of the secret, such as `prod/smtp/sendgrid`. */
  readonly secretName: string;
  /** Distinguishes the secret from one of the same name in another account, or of another time. */
  readonly secretArn: string;
}

/** The rotation for which something is made at a vendor: its name goes into the names of the things. */
export interface Attempt extends SecretIdentity {
  /** The version that rotates in. */
  readonly versionId: string;
  /** Every version that has a label, hence may be in use. What others left behind belongs to nobody. */
  readonly labelled: readonly string[];
}

/**
 * Part of a target that each kind supplies; everything else is the machine's. A target is made for one secret and the
 * settings of one of its values, with its ports inside. Every method can be called again after a crash at any point of
 * its earlier call.
 */
interface Generated<V> {
  /** The kind's value. Its fields are those of `KINDS[kind].fields`. */
  readonly schema: z.ZodMiniType<V>;
  /**
   * Makes the value that is to follow `predecessor`; `undefined`: the secret has no value yet.
   *
   * @param staged what a person has supplied for the new value, whole; where people supply values, this is one
   * @param elsewhere the value to be followed, where its settings say that it lives at another place (another user,
   * another server): there is no predecessor then. Two names may be of one server, so what it uses is not to be taken
   * @throws RotationError `operator-needed` where only a person can make one
   */
  generate(predecessor: V | undefined, attempt: Attempt, staged?: V, elsewhere?: V): Promise<V>;
  /**
   * Ends a value that was made and not stored, because another call stored its own first. Only where making one
   * leaves something behind.
   */
  discard?(value: V): Promise<void>;
  /**
   * Ends what calls for a version have made at the target and not stored. The version is given up and holds no value.
   * Only where making one leaves something behind.
   */
  abandon?(attempt: Attempt, current: V | undefined): Promise<void>;
  /**
   * Refuses a `pending` that may not take the place of `predecessor`. A value put by hand during a rotation makes it
   * stale.
   *
   * @param emergency `predecessor` has leaked: where a value holds several keys, `pending` may hold none of them
   * @throws RotationError `stale-version` or `user-mismatch`
   */
  checkSuccession(pending: V, predecessor: V | undefined, emergency?: boolean): void;
  /** Proves that the value works: a real login and a real statement, or a signature made and verified. */
  test(value: V): Promise<void>;
}

/** Values to retire, and values that must stay alive. */
export interface Retirement<V> {
  /** The secret that the values are of. A thing with another secret's mark is never ended. */
  readonly secret: SecretIdentity;
  readonly retired: V;
  /** The values of AWSCURRENT and, during a rotation, AWSPENDING: those that live where the retired one does. */
  readonly kept: readonly V[];
  /**
   * Those of them whose settings say that they live at another place. None of them has to be accepted here; but two
   * names may be of one server, so what they hold must not die.
   */
  readonly elsewhere?: readonly V[] | undefined;
  /**
   * Time by which every consumer should have had the current value; later logins with the old one show a consumer that
   * has not.
   */
  readonly refreshedBy: Date | undefined;
  /** A leak: end the old credential's sessions as well. */
  readonly emergency: boolean;
}

/** Keys in the value that our own workloads check: it says what is accepted, so changes are new versions of it. */
export interface Published<V> {
  /**
   * The value with `next` in use.
   *
   * @throws RotationError `nothing-published`
   */
  promoted(current: V): V;
  /**
   * `true` when the key that {@link promoted} drops was in use in the version before: then a promotion waits as long as that
   * key is to be accepted.
   *
   * @param before value of AWSPREVIOUS; `undefined`: nobody knows it
   */
  dropsUsed(current: V, before: V | undefined): boolean;
  /** The value without the key that `retired` had in use; `undefined` when it is not there (any more). */
  withoutRetired(current: V, retired: V): V | undefined;
  /**
   * For a leak: a value in which no key of `current` is left, neither used nor accepted. Holders of the two values
   * refuse each other's signatures until each has the new one. It is made anew with each call, so it is stored under
   * its version before anything else is done, and one that was not stored is ended by `discard`.
   *
   * @param staged what a person has supplied for the new value, where people supply a part of it
   */
  replaced(current: V, attempt: Attempt, staged?: V): Promise<V>;
  /** Name of the key in use, where the names of keys are public. */
  keyInUse?(value: V): string;
}

/** Keys by which a target signs, beside the credential that it accepts. */
export interface PublishedBeside<V> extends Published<V> {
  /**
   * `true` where each key that signed while `retired` was served is still one by which `current` says that the target
   * signs.
   */
  signsOn(current: V, retired: V): boolean;
}

/** A system that checks the credential and can hold two at a time: PostgreSQL, Redis, vendors. */
export interface AcceptingTarget<V> extends Generated<V> {
  readonly acceptedBy: "target";
  /**
   * Keys in the value by which the target signs and our own workloads check (Stripe's webhooks); `undefined`: it holds
   * none. The derived values are installed like any other.
   */
  readonly published?: PublishedBeside<V> | undefined;
  /**
   * Makes the target accept `value`, as its newest where it keeps an order, and still accept `other`. On the way in
   * `value` is AWSPENDING's and `other` AWSCURRENT's; on the way back `value` is the one that is AWSCURRENT again, and
   * `other` the one that is left. `other` is `undefined` where there is none.
   */
  install(value: V, other: V | undefined, attempt: Attempt): Promise<void>;
  /**
   * Makes the target refuse the retired credential. It may be older than what is kept (after a rotation), newer (after the
   * way back, or given up), and dead already.
   *
   * @returns how it was seen that nobody presents it; nothing: not observable
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most targets see nothing, and have nothing to return
  retire(retirement: Retirement<V>): Promise<RetirementEvidence | undefined | void>;
}

/** Keys that nobody but our own workloads checks. */
export interface PublishedTarget<V> extends Generated<V>, Published<V> {
  readonly acceptedBy: "own-workloads";
  /** The value with nothing accepted that is not used any more; `undefined` when it is so already. */
  withoutPrevious(current: V): V | undefined;
}

/** A credential that cannot have a twin: installing the new one ends the old one. */
export interface SingleSlotTarget<V> extends Generated<V> {
  readonly acceptedBy: "single-slot";
  /** Makes the target accept `value` in the place of `other`; in both directions. */
  install(value: V, other: V | undefined, attempt: Attempt): Promise<void>;
}

/** Any target. */
export type Target<V> = AcceptingTarget<V> | PublishedTarget<V> | SingleSlotTarget<V>;
