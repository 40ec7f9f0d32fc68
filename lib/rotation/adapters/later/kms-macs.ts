/** Calls of the audit key by functions: one file, so that KMS's client is in their zip once, and loaded when it is asked for. */
export { KmsFingerprints } from "./kms-fingerprints";
export { KmsVersionProofs } from "./kms-version-proofs";
