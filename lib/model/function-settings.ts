import type { Duration } from "./duration";
import type { AcceptedBy, KindName, KindSettings, RotationMode } from "./kinds";

/**
 * The settings file (`settings.json`) that lies beside a function's code: what it knows of its secrets, never a
 * value. The blueprint writes it, rotation reads it.
 */

/** What a rotation function knows about one of its secrets. */
export interface RotatedSecret<K extends KindName = KindName> {
  readonly settings: KindSettings<K>;
  readonly rotation: RotationMode;
  readonly acceptedBy: AcceptedBy;
  readonly overlap: Duration;
  readonly publishLead: Duration;
  /** Name of the secret with the admin credential. */
  readonly admin?: string | undefined;
}

/** Settings of a rotation function: one kind, one environment, one network, any number of secrets. */
export interface FunctionSettings<K extends KindName = KindName> {
  readonly kind: K;
  readonly environment: string;
  /** Region in which it runs: the environment's primary one. */
  readonly region: string;
  /** DynamoDB table in which the mirror confirms versions. */
  readonly publicationsTable: string;
  /** By secret name: `prod/db/app-primary`. */
  readonly secrets: Readonly<Record<string, RotatedSecret<K>>>;
}

/** A Vault that the mirror writes to. */
export interface MirroredVault {
  readonly name: string;
  readonly address: string;
  readonly caPem?: string | undefined;
  readonly namespace?: string | undefined;
  /** Mount of the `jwt` auth method that trusts AWS's tokens. */
  readonly authMount: string;
  /** Auth role of the mirror. */
  readonly role: string;
  /** KV v2 mount. */
  readonly kvMount: string;
  /** Connections of its database engines whose own logins (root credentials) the mirror has it rotate. */
  readonly connections: readonly MirroredConnection[];
}

/** A connection of a database engine. */
export interface MirroredConnection {
  /** Mount of the engine. */
  readonly mount: string;
  readonly name: string;
  /** Cadence of its root rotation, seconds. */
  readonly rotateEverySeconds: number;
}

/** A secret that the mirror serves. */
export interface MirroredSecret {
  /**
   * Path below the KV mount. Without one nobody reads the secret in Vault, so nothing is copied, and a version
   * counts as published when it is current.
   */
  readonly path?: string | undefined;
}

/** Settings of the mirror. */
export interface MirrorSettings {
  readonly environment: string;
  readonly region: string;
  readonly publicationsTable: string;
  /** Audience of the AWS token with which it logs in. */
  readonly audience: string;
  readonly vaults: readonly MirroredVault[];
  /** By secret name. */
  readonly secrets: Readonly<Record<string, MirroredSecret>>;
}
