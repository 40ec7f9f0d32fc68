import { createHash, randomBytes } from "node:crypto";
import { combine, split } from "shamir-secret-sharing";
import { type SealedCredential, sealingDigest } from "./sealed-credential";
import { readShare, type Share, shareText } from "./share";

/** Request of a sealing. */
export interface SealRequest {
  /** Name of the credential, a word in lower case: `aws-prod-root`. */
  readonly name: string;
  readonly credential: string;
  /** Names of who keeps a share, in the order of the shares' numbers; 2 to 255. */
  readonly holders: readonly string[];
  /** Shares that open it: 2 to as many as there are holders. */
  readonly threshold: number;
  /** Day of the sealing: `2026-12-01`. */
  readonly day: string;
}

/** A sealing, and what each holder gets on paper. */
export interface Sealing {
  readonly sealed: SealedCredential;
  readonly shares: readonly { readonly holder: string; readonly text: string }[];
}

/** Answer to an attempt to open. */
export type Opened =
  | { readonly credential: string; readonly holders: readonly string[] }
  | { readonly faults: readonly string[] };

const IDENTITY = "age-secret-key-";

// Published as ES modules only.
const loadAge = () => import("age-encryption");
const loadBech32 = async () => (await import("@scure/base")).bech32;

/** Digest of a share, which tells a wrong one. */
const shareDigest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Seals a credential: age encrypts it to a recipient made for it alone, whose identity is split among the holders and kept nowhere. Nothing
 * leaves this process.
 */
export async function seal(request: SealRequest): Promise<Sealing> {
  const { armor, Encrypter, generateX25519Identity, identityToRecipient } = await loadAge();
  const bech32 = await loadBech32();
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const { bytes: key } = bech32.decodeToBytes(identity.toLowerCase());
  const parts = await split(key, request.holders.length, request.threshold);
  key.fill(0);
  const sealing = randomBytes(8).toString("hex");
  const says = {
    name: request.name,
    sealing,
    sealed: request.day,
    threshold: request.threshold,
    holders: request.holders.map((name, index) => ({
      name,
      number: index + 1,
      digest: shareDigest(parts[index] ?? new Uint8Array()),
    })),
    recipient,
  };
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const inside = JSON.stringify({ says: sealingDigest(says), credential: request.credential });
  const ciphertext = armor.encode(await encrypter.encrypt(inside));
  const shares = await Promise.all(
    parts.map(async (bytes, index) => {
      const text = await shareText({ sealing, number: index + 1, bytes });
      bytes.fill(0);
      return { holder: request.holders[index] ?? "", text };
    }),
  );
  return { sealed: { version: 1, ...says, drills: [], ciphertext }, shares };
}

/**
 * Opens a sealing by its shares. Two wrong shares make silent garbage of a key in Shamir's scheme, so each share is held against its digest
 * before any is used, the key against its recipient, and what the file says against what was sealed.
 *
 * @param texts shares as they were typed or scanned, in any order
 */
export async function open(sealed: SealedCredential, texts: readonly string[]): Promise<Opened> {
  const read = await Promise.all(texts.filter((text) => text.trim() !== "").map(readShare));
  const faults = read.flatMap((one) => ("fault" in one ? [one.fault] : (faultOf(sealed, one.share) ?? [])));
  if (faults.length > 0) return { faults };
  const shares = new Map(
    read.flatMap((one) => ("share" in one ? [[one.share.number, one.share] as const] : [])),
  );
  if (shares.size < sealed.threshold) {
    return { faults: [`${shares.size} of ${sealed.holders.length} shares, and ${sealed.threshold} open it`] };
  }
  const inside = await decrypt(sealed, [...shares.values()].slice(0, sealed.threshold));
  if (inside === undefined) {
    return { faults: ["the file was changed after it was sealed: its shares do not open what it holds"] };
  }
  if (inside.says !== sealingDigest(sealed)) {
    return { faults: ["the file was changed after it was sealed: it names other holders, days or numbers"] };
  }
  return {
    credential: inside.credential,
    holders: sealed.holders.filter(({ number }) => shares.has(number)).map(({ name }) => name),
  };
}

function faultOf(sealed: SealedCredential, share: Share): string | undefined {
  if (share.sealing !== sealed.sealing) {
    return `share ${share.number} is of sealing ${share.sealing}, and ${sealed.name} was sealed as ${sealed.sealing} on ${sealed.sealed}`;
  }
  const holder = sealed.holders.find(({ number }) => number === share.number);
  if (holder === undefined) return `share ${share.number}: there are ${sealed.holders.length}`;
  return holder.digest === shareDigest(share.bytes)
    ? undefined
    : `share ${share.number} is not the one of ${holder.name}`;
}

async function decrypt(
  sealed: SealedCredential,
  shares: readonly Share[],
): Promise<{ readonly says: string; readonly credential: string } | undefined> {
  const { armor, Decrypter, identityToRecipient } = await loadAge();
  const bech32 = await loadBech32();
  const key = await combine(shares.map(({ bytes }) => bytes));
  try {
    const identity = bech32.encodeFromBytes(IDENTITY, key).toUpperCase();
    if ((await identityToRecipient(identity)) !== sealed.recipient) return undefined;
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return JSON.parse(await decrypter.decrypt(armor.decode(sealed.ciphertext), "text"));
  } catch {
    // age says in many ways that a byte is not what it was.
    return undefined;
  } finally {
    key.fill(0);
    for (const { bytes } of shares) bytes.fill(0);
  }
}
