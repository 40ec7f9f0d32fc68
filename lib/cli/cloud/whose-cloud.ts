/** One environment in AWS, as far as `whose` asks it. No value is read, and none is sent. */
export interface WhoseCloud {
  /** Names of the bucket's objects with fingerprints. */
  objects(bucket: string): Promise<readonly string[]>;
  /** Text of one of them. */
  read(bucket: string, object: string): Promise<string>;
  /** `true` when the key made this MAC of this message. */
  verifies(keyId: string, message: Uint8Array, mac: Uint8Array): Promise<boolean>;
  /** Labels by version; `undefined`: there is no such secret. */
  labels(secretName: string): Promise<ReadonlyMap<string, readonly string[]> | undefined>;
}
