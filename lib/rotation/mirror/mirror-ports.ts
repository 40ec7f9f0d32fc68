import type { MirroredVault } from "../../contracts/function-settings";

/** Needs of the mirror from the outside beside a rotation's ports. */

/** The latest version under a KV v2 path. */
export interface VaultEntry {
  /** Number of the latest version, deleted or not: what check-and-set compares with; 0: there never was one. */
  readonly number: number;
  /** `undefined` when there is none, or the latest was deleted. */
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** A Vault that the mirror has logged in to. */
export interface VaultSession {
  /** @throws RotationError `vault-path-refused`, `vault-sealed`, `target-unreachable`, … */
  read(path: string): Promise<VaultEntry>;
  /**
   * Writes if the latest version still has this number.
   *
   * @throws RotationError `vault-write-conflict` when it has not
   */
  write(path: string, data: Readonly<Record<string, unknown>>, number: number): Promise<void>;
  /** Has a database engine change the password of a connection's own login. */
  rotateRoot(mount: string, connection: string): Promise<void>;
  /** Ends the login as far as the policy allows it. Never fails. */
  close(): Promise<void>;
}

/** Opens a Vault. */
export interface VaultOpener {
  /** @throws RotationError `vault-login-refused`, `vault-sealed`, `target-unreachable`, … */
  open(vault: MirroredVault): Promise<VaultSession>;
}

/** Proof of the function's IAM role for others than AWS. */
export interface FunctionIdentity {
  /** A new short-lived JWT. */
  token(audience: string): Promise<string>;
}

/** Page of the ledger by which mirrors know of each other, for one secret. */
export interface LedgerPage {
  /** Grows with every announcement and every confirmation; 0: there was none. */
  readonly epoch: number;
  /** Vaults to which a write was announced that may still be under way. */
  readonly unsettled: ReadonlySet<string>;
  /** The version that was confirmed last. */
  readonly confirmed: string | undefined;
}

/**
 * The mirror's side of the publications table. Every change holds only if the page is still the one that was read:
 * so no two mirrors believe at once that they are alone.
 */
export interface MirrorLedger {
  open(secretName: string): Promise<LedgerPage>;
  /**
   * In one step: withdraws the confirmation that there is and says which Vaults are about to be written.
   *
   * @returns the page from now on
   * @throws RotationError `mirror-overtaken`
   */
  announce(secretName: string, page: LedgerPage, vaults: readonly string[]): Promise<LedgerPage>;
  /**
   * Notes that what was announced for these Vaults is done: no earlier write can come in any more.
   *
   * @throws RotationError `mirror-overtaken`
   */
  settle(secretName: string, page: LedgerPage, vaults: readonly string[]): Promise<void>;
  /**
   * In one step: every Vault serves this version since this time, and no other one.
   *
   * @throws RotationError `mirror-overtaken`
   */
  confirm(secretName: string, page: LedgerPage, versionId: string, at: Date): Promise<void>;
  /** Time at which a connection's root credential was rotated last; `undefined`: never. */
  rootRotatedAt(vault: string, mount: string, connection: string): Promise<Date | undefined>;
  recordRootRotation(vault: string, mount: string, connection: string, at: Date): Promise<void>;
}
