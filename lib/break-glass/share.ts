import { createHash } from "node:crypto";

/** One holder's part of a sealing: k of n of them open it, fewer say nothing of it. */
export interface Share {
  /** Id of the sealing to which it belongs: 16 hexadecimal characters. */
  readonly sealing: string;
  /** 1 to n. */
  readonly number: number;
  /** Part of the key, as Shamir's scheme over GF(2^8) makes it: one byte for each of the key's, and its abscissa. */
  readonly bytes: Uint8Array;
}

/** A share that was read, or the reason for which it is none. */
export type ReadShare = { readonly share: Share } | { readonly fault: string };

const PREFIX = "BG1";

/** Bytes of a share: 32 of an age identity, and one. */
const SHARE_BYTES = 33;

/** Characters of the checksum: 40 bits, so that one mistyped share in a million million passes. */
const CHECK = 8;

/** Letters and digits that nobody takes for one another on paper: https://www.crockford.com/base32.html */
const loadBase32 = async () => (await import("@scure/base")).base32crockford;

/**
 * Text of a share as it stands on paper: `BG1-<sealing>-<number>-<groups of five>-<checksum>`. Upper case, digits and hyphens only: a QR
 * code stores them densely.
 */
export async function shareText({ sealing, number, bytes }: Share): Promise<string> {
  const base32 = await loadBase32();
  const digits = base32.encode(bytes);
  const check = base32.encode(checksum(sealing, number, bytes));
  return [PREFIX, sealing.toUpperCase(), number, ...(digits.match(/.{1,5}/g) ?? []), check].join("-");
}

/** Reads a share, typed or scanned: case, white space and the letters O, I and L for digits are forgiven. */
export async function readShare(text: string): Promise<ReadShare> {
  const base32 = await loadBase32();
  const [prefix, sealing = "", number = "", ...rest] = text
    .trim()
    .toUpperCase()
    .split(/[\s-]+/);
  if (prefix !== PREFIX || !/^[0-9A-F]{16}$/.test(sealing) || !/^[1-9]\d{0,2}$/.test(number)) {
    return { fault: `no share: one begins with ${PREFIX}-<16 characters>-<number>-` };
  }
  const typed = rest.join("");
  const decoded = (characters: string): Uint8Array | undefined => {
    try {
      return base32.decode(characters);
    } catch {
      return undefined;
    }
  };
  const bytes = decoded(typed.slice(0, -CHECK));
  const check = decoded(typed.slice(-CHECK));
  const share = { sealing: sealing.toLowerCase(), number: Number(number), bytes: bytes ?? new Uint8Array() };
  const isWhole = bytes?.length === SHARE_BYTES && check !== undefined;
  if (!isWhole || !checksum(share.sealing, share.number, share.bytes).equals(check)) {
    return { fault: `share ${number} is mistyped, or incomplete: its checksum does not fit` };
  }
  return { share };
}

const checksum = (sealing: string, number: number, bytes: Uint8Array): Buffer =>
  createHash("sha256").update(`${PREFIX} ${sealing} ${number} `).update(bytes).digest().subarray(0, 5);
