import { createHash } from "node:crypto";
import { GenerateMacCommand, KMSClient } from "@aws-sdk/client-kms";
import { textMessage } from "../../../contracts/secret-texts";
import { canonicalJson } from "../../../model/canonical-json";
import type { Fingerprints } from "../../protocol/ports";

/** A record does without a fingerprint, so a KMS that cannot be reached is not waited for. Milliseconds. */
const PATIENCE = { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/**
 * {@link Fingerprints} by an HMAC key in KMS. Who has a fingerprint alone can try no value: each try is a call of KMS,
 * which only functions that rotate may make.
 *
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
 */
export class KmsFingerprints implements Fingerprints {
  readonly #client: Pick<KMSClient, "send">;
  readonly #keyAlias: string;

  constructor(client: Pick<KMSClient, "send">, keyAlias: string) {
    this.#client = client;
    this.#keyAlias = keyAlias;
  }

  /** KMS in a region. */
  static in(region: string, keyAlias: string): KmsFingerprints {
    return new KmsFingerprints(new KMSClient({ region, requestHandler: PATIENCE }), keyAlias);
  }

  /** Throws KMS's own errors. */
  of(kind: string, key: string, value: unknown): Promise<string> {
    return this.#sign(messageOf(kind, key, value));
  }

  /** Throws KMS's own errors. */
  ofText(kind: string, key: string, digest: string): Promise<string> {
    return this.#sign(textMessage(kind, key, digest));
  }

  async #sign(Message: Uint8Array): Promise<string> {
    const { KeyId, Mac } = await this.#client.send(
      new GenerateMacCommand({ KeyId: this.#keyAlias, MacAlgorithm: "HMAC_SHA_256", Message }),
    );
    // The ARN of the key: an alias may point to another one tomorrow.
    const keyId = KeyId?.split("/").at(-1);
    if (keyId === undefined || Mac === undefined) throw new Error("KMS gave no key and no fingerprint");
    return `hmac-sha256:${keyId}:${Buffer.from(Mac).toString("hex")}`;
  }
}

/**
 * KMS takes 4,096 bytes, values have up to 65,536: so the message has the value's SHA-256. A list of texts as JSON can be
 * read in one way only, and its first word keeps it apart from whatever else a key may sign one day.
 */
function messageOf(kind: string, key: string, value: unknown): Uint8Array {
  const digest = createHash("sha256").update(canonicalJson(value)).digest("hex");
  return Buffer.from(canonicalJson(["secret-value", kind, key, digest]));
}
