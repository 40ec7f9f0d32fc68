import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { canonicalJson } from "../model/canonical-json";
import { check } from "../model/check";
import type { Fault } from "../model/faults";
import { slug } from "../model/grammar";

/** Days after which a sealing is made anew, and opened for a drill: the policy's quarter for the second. */
export const LIFE_DAYS = { sealing: 365, drill: 92 } as const;

const hexOf = (bytes: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`)));
const day = z.iso.date();

const schema = z.strictObject({
  version: z.literal(1),
  /** Name of the credential: `aws-prod-root`. */
  name: slug,
  /** Id of this sealing; a new one for each. */
  sealing: hexOf(8),
  sealed: day,
  /** Shares that open it. */
  threshold: z.int().check(z.minimum(2), z.maximum(255)),
  holders: z.array(
    z.strictObject({
      name: slug,
      number: z.int().check(z.minimum(1), z.maximum(255)),
      /** SHA-256 of the share's bytes, which have 256 random bits: it tells a wrong share, and nothing else. */
      digest: hexOf(32),
    }),
  ),
  /** Days on which holders opened it for a drill, with their names. */
  drills: z.array(z.strictObject({ day, holders: z.array(slug) })),
  /** age recipient to whose identity the shares lead. */
  recipient: z.string().check(z.regex(/^age1[a-z0-9]{58}$/)),
  /** The credential, encrypted to that recipient: age, armored. */
  ciphertext: z.string().check(z.maxLength(200_000), z.startsWith("-----BEGIN AGE ENCRYPTED FILE-----")),
});

/** A credential that holders open together. It holds no share and no key. */
export type SealedCredential = z.output<typeof schema>;

/** Reads a file of the folder; faults say what is wrong with it. */
export function readSealedCredential(
  text: string,
): { readonly sealed: SealedCredential } | { readonly faults: readonly Fault[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = text;
  }
  const { value, faults } = check(schema, json, ["sealing"]);
  return value === undefined ? { faults } : { sealed: value };
}

/** Text of a file of the folder. */
export const sealedText = (sealed: SealedCredential): string => `${JSON.stringify(sealed, undefined, 2)}\n`;

/**
 * Digest of all that a sealing says of itself but its drills. It is sealed with the credential, so that nobody changes holders or threshold
 * unseen.
 */
export const sealingDigest = ({
  name,
  sealing,
  sealed,
  threshold,
  holders,
  recipient,
}: Omit<SealedCredential, "version" | "drills" | "ciphertext">): string =>
  createHash("sha256")
    .update(canonicalJson({ name, sealing, sealed, threshold, holders, recipient }))
    .digest("hex");
