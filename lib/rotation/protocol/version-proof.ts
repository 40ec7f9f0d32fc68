import { canonicalJson } from "../../model/canonical-json";

/**
 * Label of a version that has passed its test: `VERIFIED.` and a MAC over the secret and the version. Only functions that
 * rotate can make the MAC, so whoever may set labels can move it but cannot make one for another version or secret.
 */
export type ProofLabel = `VERIFIED.${string}`;

/** A label may have 256 characters, a version 20 labels: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const FORM = /^VERIFIED\.([0-9a-f]{64})$/;

/** The label that a MAC makes. */
export const proofLabel = (mac: Uint8Array): ProofLabel => `VERIFIED.${Buffer.from(mac).toString("hex")}`;

/**
 * `true` when a label has the form of a proof. That is a hint, for people and for what to look at next; nothing is given away or
 * copied by it.
 */
export const looksLikeProof = (label: string): label is ProofLabel => FORM.test(label);

/** The MACs among a version's labels. */
export const macsIn = (labels: readonly string[]): readonly Uint8Array[] =>
  labels.flatMap((label) => {
    const hex = FORM.exec(label)?.[1];
    return hex === undefined ? [] : [Buffer.from(hex, "hex")];
  });

/**
 * Message that is signed. Its first word keeps it apart from the fingerprints that the same key makes, which begin with another
 * one (`secret-value`), so that no fingerprint of a record is ever a proof. The ARN, because its last characters are
 * another secret's when one is deleted and made again under the same name.
 */
export const proofMessage = (secretArn: string, versionId: string): Uint8Array =>
  Buffer.from(canonicalJson(["version-proof", secretArn, versionId]));
