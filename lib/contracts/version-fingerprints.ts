import * as z from "zod/mini";
import { check } from "../model/check";
import { secretKey, slug, utcInstant } from "../model/grammar";
import { KIND_NAMES } from "../model/kinds";
import { keyAsWord, secretName } from "../model/names";

/**
 * Fingerprints of the texts inside a version's value, by which `secrets-registry whose` tells a leaked one. Written once for
 * each version, beside the records of runs. Like those they hold names, times and keyed fingerprints, never a value.
 */

/** Folder of these objects in the bucket of records. */
export const FINGERPRINTS_FOLDER = "fingerprints/";

/**
 * Object of a version: `fingerprints/db--app-primary/<version>.json`.
 *
 * @param key that the secret's name holds: {@link fingerprintedKey}
 */
export const fingerprintsObject = (key: string, versionId: string): string =>
  `${FINGERPRINTS_FOLDER}${keyAsWord(key)}/${versionId}.json`;

/** Key by which functions make fingerprints: `db/app-primary` of `prod/db/app-primary`. It outlives a rename in the registry. */
export const fingerprintedKey = (environment: string, name: string): string =>
  name.slice(secretName(environment, "").length);

const FINGERPRINT = /^hmac-sha256:([A-Za-z0-9-]{1,64}):([0-9a-f]{64})$/;

/** Key id and MAC of a fingerprint that was read by {@link readVersionFingerprints}. */
export function macOf(fingerprint: string): { readonly keyId: string; readonly mac: Uint8Array } {
  const [, keyId = "", hex = ""] = FINGERPRINT.exec(fingerprint) ?? [];
  return { keyId, mac: Buffer.from(hex, "hex") };
}

/** Run-time schema of fingerprints by the place of their text. */
export const textFingerprints = z.record(
  z.string().check(z.regex(/^[A-Za-z0-9._-]{1,128}$/)),
  z.string().check(z.regex(FINGERPRINT)),
);

/** Fingerprints by the place of their text in the value: `{ "current.key": "hmac-sha256:<key id>:<hex>" }`. */
export type TextFingerprints = z.output<typeof textFingerprints>;

const versionFingerprints = z.strictObject({
  version: z.literal(1),
  environment: slug,
  secret: secretKey,
  /** Name in Secrets Manager: `prod/db/app-primary`. A renamed secret keeps it. */
  name: z.string().check(z.regex(/^[A-Za-z0-9/_-]{3,512}$/)),
  kind: z.enum(KIND_NAMES),
  versionId: z.string().check(z.regex(/^[A-Za-z0-9-]{1,64}$/)),
  /** The run that brought the version. Missing: a first value, which no run follows. */
  run: z.exactOptional(z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/))),
  at: utcInstant,
  texts: textFingerprints,
});

/** Fingerprints of one version's texts, as the bucket of records keeps them. */
export type VersionFingerprints = z.output<typeof versionFingerprints>;

/** Reads such an object; `undefined` for anything else. */
export function readVersionFingerprints(text: string): VersionFingerprints | undefined {
  try {
    return check(versionFingerprints, JSON.parse(text), ["fingerprints"]).value;
  } catch {
    return undefined;
  }
}
