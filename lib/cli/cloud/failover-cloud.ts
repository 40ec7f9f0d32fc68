import type { SecretDescription } from "../../rotation";

/** State of a secret's replica, as the secret's primary region reports it. */
export interface ReplicaStatus {
  readonly status: "InSync" | "InProgress" | "Failed";
  /** AWS's reason for a failure. */
  readonly message?: string;
  readonly kmsKeyId?: string;
}

/** A secret as one region has it. */
export interface SecretInRegion extends SecretDescription {
  /** Key that encrypts it there; `undefined`: AWS's own. */
  readonly kmsKeyId: string | undefined;
  /** Replicas by region; only the region that owns the secret knows them. */
  readonly replicas: ReadonlyMap<string, ReplicaStatus>;
  /** Time at which each version was created, those without a label included. */
  readonly createdAt: ReadonlyMap<string, Date>;
}

/**
 * Secrets Manager in one region, as far as the loss of a region needs it. Every method but `answers` throws `UserFault` for
 * credentials that are missing or may not do it, and `FailedCheck` when AWS does not answer. No method sees a value.
 */
export interface FailoverCloud {
  /** Account of the credentials in use. */
  callerAccount(): Promise<string>;
  /** `true` when the region's Secrets Manager answers a question about a secret within seconds, whatever it says. */
  answers(secretName: string): Promise<boolean>;
  /** `undefined`: the region has no such secret. */
  look(secretName: string): Promise<SecretInRegion | undefined>;
  /** Cuts a replica's link to its primary: from then on it can be written here. */
  promote(secretName: string): Promise<void>;
  /** Has Secrets Manager no longer rotate a secret here. */
  cancelRotation(secretName: string): Promise<void>;
  /** Makes a secret's replica in another region, over whatever has its name there. */
  replicateOver(secretName: string, region: string, kmsKeyId: string | undefined): Promise<void>;
}
