/** A secret's changes as Secrets Manager itself knows them. */
export interface SecretHistory {
  /** Last change of the secret: value, label, policy, key, replica, tag. */
  readonly lastChanged?: Date;
  /** Versions that have a label. */
  readonly versions: readonly { readonly id: string; readonly created: Date }[];
}

/** The audit trail of an environment in AWS, as far as commands use it. */
export interface AuditCloud {
  /** Keys of the archive's objects that begin with a prefix, in order. */
  list(bucket: string, prefix: string): AsyncIterable<string>;
  /** Text of one object. */
  read(bucket: string, key: string): Promise<string>;
  /** The history of a secret, by its name; `undefined` where it is not there. */
  history(secret: string): Promise<SecretHistory | undefined>;
  /** Puts texts into a queue. */
  send(queueUrl: string, texts: readonly string[]): Promise<void>;
}
