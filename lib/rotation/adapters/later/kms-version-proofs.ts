import { GenerateMacCommand, KMSClient, KMSInvalidMacException, VerifyMacCommand } from "@aws-sdk/client-kms";
import type { ProofChecks, VersionProofs } from "../../protocol/ports";
import { macsIn, type ProofLabel, proofLabel, proofMessage } from "../../protocol/version-proof";

const ALGORITHM = "HMAC_SHA_256";
/** A call that hangs would use up the function's time; what it is about is tried again. Milliseconds. */
const PATIENCE = { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/**
 * Proofs by an HMAC key in KMS, which functions that rotate may make and the mirror may check.
 *
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
 */
export class KmsVersionProofs implements VersionProofs, ProofChecks {
  readonly #client: Pick<KMSClient, "send">;
  readonly #keyAlias: string;

  constructor(client: Pick<KMSClient, "send">, keyAlias: string) {
    this.#client = client;
    this.#keyAlias = keyAlias;
  }

  /** KMS in a region. */
  static in(region: string, keyAlias: string): KmsVersionProofs {
    return new KmsVersionProofs(new KMSClient({ region, requestHandler: PATIENCE }), keyAlias);
  }

  /** Throws KMS's own errors. */
  async labelFor(secretArn: string, versionId: string): Promise<ProofLabel> {
    const { Mac } = await this.#client.send(
      new GenerateMacCommand({
        KeyId: this.#keyAlias,
        MacAlgorithm: ALGORITHM,
        Message: proofMessage(secretArn, versionId),
      }),
    );
    if (Mac === undefined) throw new Error("KMS gave no MAC");
    return proofLabel(Mac);
  }

  /** Throws KMS's own errors, but for a MAC that is not the key's. */
  async proves(secretArn: string, versionId: string, labels: readonly string[]): Promise<boolean> {
    for (const mac of macsIn(labels)) {
      if (await this.#isOurs(proofMessage(secretArn, versionId), mac)) return true;
    }
    return false;
  }

  async #isOurs(Message: Uint8Array, Mac: Uint8Array): Promise<boolean> {
    try {
      const { MacValid = false } = await this.#client.send(
        new VerifyMacCommand({ KeyId: this.#keyAlias, MacAlgorithm: ALGORITHM, Message, Mac }),
      );
      return MacValid;
    } catch (failure) {
      // A MAC by another key, of another message, or made up.
      if (failure instanceof KMSInvalidMacException) return false;
      throw failure;
    }
  }
}
