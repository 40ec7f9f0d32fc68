import { once } from "../protocol/once";
import type { Fingerprints, ProofChecks, VersionProofs } from "../protocol/ports";
import { awsFailure } from "./aws-failure";

/** The audit key, whose client is loaded with the first call: a function starts without it, and most calls need none. */
export function lazyAuditKey(
  region: string,
  keyAlias: string,
): { readonly fingerprints: Fingerprints; readonly proofs: VersionProofs & ProofChecks } {
  const loaded = once(() => import("./later/kms-macs.js"));
  const fingerprints = once(async () => (await loaded()).KmsFingerprints.in(region, keyAlias));
  const proofs = once(async () => (await loaded()).KmsVersionProofs.in(region, keyAlias));
  // The file has classes of its own, so a rotation error of there would not be known here.
  const known = async <T>(action: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (failure) {
      throw awsFailure(failure, `kms:${action} with ${keyAlias}`);
    }
  };
  return {
    fingerprints: {
      of: (...subject) => known("GenerateMac", async () => (await fingerprints()).of(...subject)),
      ofText: (...subject) => known("GenerateMac", async () => (await fingerprints()).ofText(...subject)),
    },
    proofs: {
      labelFor: (...version) => known("GenerateMac", async () => (await proofs()).labelFor(...version)),
      proves: (...version) => known("VerifyMac", async () => (await proofs()).proves(...version)),
    },
  };
}
