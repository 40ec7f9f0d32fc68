import type { RetirementEvidence, ValueFingerprints } from "../../contracts/procedure-events";
import type { TextFingerprints } from "../../contracts/version-fingerprints";
import type { RotationMode } from "../../model/kinds";
import type { Clock, Logbook, Publications, Runs, SecretStore, VersionProofs } from "../protocol/ports";
import type { SettingsInEffect } from "../protocol/settings-in-effect";
import type { Target } from "../protocol/target";
import type { Waits } from "../protocol/waiting-law";

/**
 * Inbox into which people put the values that they supply: a secret of its own, which they may write and not read, and
 * whose values this function alone may read. A run is bound to the version of it that has the run's own version id,
 * which nobody can write twice.
 */
export interface Inbox<V> {
  /** Name in Secrets Manager. */
  readonly name: string;
  /**
   * `each-value`: people supply every value, each for a run of its own. `first-value`: people supply what was used before
   * there was a secret, and the target makes what comes after it; nothing is taken once a value is served.
   */
  readonly takes: "each-value" | "first-value";
  /**
   * `true` where the target adds to what was supplied, by keys that are published: then the next one waits until
   * everybody has this one. Else a new value takes nothing from anybody, and nothing waits.
   */
  readonly publishes: boolean;
  /**
   * The kind's value of what was supplied.
   *
   * @param current the proved value of AWSCURRENT, from which what people do not supply is carried over
   * @throws RotationError `value-malformed`, `wrong-environment`, `value-repeated`
   */
  complete(supplied: unknown, current: V | undefined): V;
}

/** Keyed fingerprints for one secret: `hmac-sha256:<key id>:<hex>`. */
export interface SecretFingerprints {
  ofValue(value: unknown): Promise<string>;
  /** @param digest of one text inside a value: its SHA-256 in hexadecimal */
  ofText(digest: string): Promise<string>;
}

/** Settings and ports of the machine, for one secret. */
export interface RotationContext<V> {
  /** Name of the secret, such as `prod/db/app-primary`. */
  readonly secretName: string;
  /** Region in which this function runs. */
  readonly region: string;
  readonly mode: RotationMode;
  readonly waits: Waits;
  /** Target by the registry's present settings. */
  readonly target: Target<V>;
  /** Default: values say nothing of their settings, and the ones of now hold for all. */
  readonly settings?: SettingsInEffect<V> | undefined;
  readonly store: SecretStore;
  readonly publications: Publications;
  readonly proofs: VersionProofs;
  /** Inbox for values that people supply. Default: none, nobody supplies this secret's values. */
  readonly inbox?: Inbox<V> | undefined;
  /**
   * Table in which rotations that Secrets Manager starts begin their runs, and which decides what a phase may do.
   * Default: none, so that no phase may do anything.
   */
  readonly runs?: Runs | undefined;
  /** `true` where an approver must have agreed before an old credential is retired. Default: false. */
  readonly approval?: boolean | undefined;
  /** Fingerprints of this secret's values. Default: none are made, no procedure asks for them. */
  readonly fingerprints?: SecretFingerprints | undefined;
  readonly clock: Clock;
  readonly log: Logbook;
  /** Takes every value before anything else is done with it, so that the log can redact it. */
  readonly guard: (value: unknown) => void;
}

/** Result of one call. */
export interface RotationOutcome {
  /** `already-done`: an earlier call did it. `nothing-to-do`: there was nothing to do it with. */
  readonly result: "done" | "already-done" | "nothing-to-do";
  /**
   * The version that the call was about; after `promote` and `decommission` of a published key, the one they made.
   */
  readonly versionId: string;
  /** After `Look: "published"`: `true` when AWSCURRENT holds a published key that nobody uses yet. */
  readonly published?: boolean;
  /** After `Look: "published"`: name of the key that is in use, where the names of keys are public. */
  readonly keyInUse?: string;
  /** Result of `fingerprint`: of the whole values. */
  readonly fingerprints?: ValueFingerprints;
  /** Result of `fingerprint`: of the secret texts inside the new value, by their place. */
  readonly texts?: TextFingerprints;
  /** After `decommission`: how it was seen that nobody presented the old credential any more. */
  readonly evidence?: RetirementEvidence;
}

export const done = (versionId: string): RotationOutcome => ({ result: "done", versionId });
export const alreadyDone = (versionId: string): RotationOutcome => ({ result: "already-done", versionId });
