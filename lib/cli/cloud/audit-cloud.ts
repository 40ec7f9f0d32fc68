/** The audit trail of an environment in AWS, as far as commands use it. */
export interface AuditCloud {
  /** Keys of the archive's objects that begin with a prefix, in order. */
  list(bucket: string, prefix: string): AsyncIterable<string>;
  /** Text of one object. */
  read(bucket: string, key: string): Promise<string>;
  /** Puts texts into a queue. */
  send(queueUrl: string, texts: readonly string[]): Promise<void>;
}
