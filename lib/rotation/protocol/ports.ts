import type { NewRun, Run } from "../../contracts/run";
import type { ProofLabel } from "./version-proof";

/**
 * Ports of rotation. Adapters implement these with AWS's SDK; tests with models that can be
 * made to fail at every call.
 */

/**
 * Staging labels: three that Secrets Manager itself gives a meaning, and ours, which proves that a version has passed its
 * test. The mirror copies AWSCURRENT when it is proved, and nothing else.
 */
export type StagingLabel = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS" | ProofLabel;

/** Facts that `DescribeSecret` gives about a secret. */
export interface SecretDescription {
  readonly name: string;
  readonly arn: string;
  readonly rotationEnabled: boolean;
  /** Time of the last rotation by Secrets Manager; `undefined`: never. */
  readonly lastRotatedAt?: Date | undefined;
  /** The secret is scheduled for deletion: it can be described and nothing else. */
  readonly deleted: boolean;
  /** Region that owns the secret; `undefined` when it has no replicas. */
  readonly primaryRegion: string | undefined;
  /** Regions whose replica does not have what the primary one has. Default: none. */
  readonly replicasBehind?: readonly string[];
  /** Labels of each version that has one. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/** Secrets Manager, as far as rotation uses it. */
export interface SecretStore {
  /** @throws RotationError `secret-missing` */
  describe(secretId: string): Promise<SecretDescription>;
  /** The value of a version; `undefined` when there is no such version, or the version has no value yet. */
  read(secretId: string, versionId: string): Promise<string | undefined>;
  /** The value of AWSCURRENT. For other secrets than the one that rotates: admin credentials. */
  readCurrent(secretId: string): Promise<string | undefined>;
  /**
   * Writes a version's value under AWSPENDING. The same version with the same value again changes nothing.
   *
   * @throws RotationError `value-exists` when the version has another value
   */
  putPending(secretId: string, versionId: string, value: string): Promise<void>;
  /**
   * Writes a version's value and makes it AWSCURRENT, untested. For inboxes. The same version with the same value again
   * changes nothing.
   *
   * @throws RotationError `value-exists` when the version has another value
   */
  putCurrent(secretId: string, versionId: string, value: string): Promise<void>;
  /**
   * Moves a label from one version to another, or takes it away, if it is where the caller believes.
   *
   * @throws RotationError `label-moved` when it is elsewhere
   */
  moveLabel(
    secretId: string,
    label: StagingLabel,
    move: { readonly from?: string; readonly to?: string },
  ): Promise<void>;
}

/** Times at which versions were delivered. Written by the mirror, which knows; read by rotation. */
export interface Publications {
  /**
   * Time at which the last Vault confirmed that it serves this version (the latest time, if it was published again by a
   * rollback); `undefined`: not all of them have.
   */
  confirmedAt(secretName: string, versionId: string): Promise<Date | undefined>;
  /**
   * Forgets a version's confirmation, because it is about to be published again: what counts then is the new
   * confirmation, and until it comes nobody may rely on the old one.
   */
  withdraw(secretName: string, versionId: string): Promise<void>;
}

/** Runs of the procedure that follows a rotation, as far as rotations begin them and phases go by them. */
export interface Runs {
  /**
   * Begins a run and takes the secret for it. The same run again meets itself. A run by a change request uses that up:
   * each kind of run may be begun once with it.
   *
   * @throws RotationError `run-under-way` while another run has the secret; `run-ended` when this one is over;
   * `change-not-approved` when nobody has vouched for the change; `change-used`
   */
  begin(run: NewRun, at: Date): Promise<Run>;
  /** A run as it is now (a consistent read); `undefined`: there is none. */
  read(secret: string, run: string): Promise<Run | undefined>;
}

/** Keyed fingerprints of values, by a key that nobody can read. */
export interface Fingerprints {
  /**
   * @param kind of the secret
   * @param key of the secret: `db/app-primary`
   * @param value as its JSON says, however it is written
   * @returns `hmac-sha256:<key id>:<hex>`; another one for another kind, key or value
   */
  of(kind: string, key: string, value: unknown): Promise<string>;
  /**
   * @param digest of one text inside a value: its SHA-256 in hexadecimal
   * @returns another one for another kind, key or text; never one that `of` gives
   */
  ofText(kind: string, key: string, digest: string): Promise<string>;
}

/** Proofs that versions have passed their test, by a key with which only functions that rotate can make them. */
export interface VersionProofs {
  /** The label that proves a version: the same one for the same version, as long as the key is the same. */
  labelFor(secretArn: string, versionId: string): Promise<ProofLabel>;
}

/** Checks of such proofs, by whoever can make none. */
export interface ProofChecks {
  /** `true` where one of a version's labels proves that it has passed its test. */
  proves(secretArn: string, versionId: string, labels: readonly string[]): Promise<boolean>;
}

/** Time. */
export interface Clock {
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
}

/** A source of secret randomness. */
export interface Random {
  bytes(count: number): Buffer;
}

/** Structured log. Fields are names, times and counts; values that slip in are redacted. */
export interface Logbook {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Fields of one log line. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
