import { createHash } from "node:crypto";
import { fitName } from "../../model/names";
import type { Clock, Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { Attempt, SecretIdentity } from "../protocol/target";
import { randomText } from "../values/random-text";

/** A key as a vendor's list shows it: without its value. */
export interface VendorKey {
  readonly id: string;
  readonly name: string;
  /** Time at which it was used last, as far as the vendor says. */
  readonly lastUsedAt?: Date | undefined;
  /** The end of its value, as far as the vendor shows it. */
  readonly lastCharacters?: string;
}

/** A key as the vendor shows it once, when it makes it. */
export interface MadeKey {
  readonly id: string;
  readonly key: string;
}

/** One list of keys in an account at a vendor. */
export interface VendorKeys {
  list(): Promise<readonly VendorKey[]>;
  /** @throws RotationError `target-misconfigured` when there is no room for another key */
  create(name: string): Promise<MadeKey>;
  /** `false`: there is no such key, perhaps because an earlier call has removed it. */
  remove(id: string): Promise<boolean>;
}

/** Ports and settings of {@link makeKey}. */
export interface MakeKeyProps {
  readonly keys: VendorKeys;
  readonly attempt: Attempt;
  /** Id of the current value's key. */
  readonly inUse: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A call that made a key may still be about to store it for this long: a function runs 15 minutes at most
 * (Lambda quota). Before that, a key that nobody stored is not called abandoned.
 */
const STORED_BY_SECONDS = 15 * 60;

/**
 * Makes a key for a version, after removing what this secret's earlier attempts left behind. The key is not stored
 * yet, so it may become such a leftover itself: {@link keepOnly} removes it when the version has got another one.
 */
export async function makeKey({ keys, attempt, inUse, clock, random }: MakeKeyProps): Promise<MadeKey> {
  const listed = await keys.list();
  for (const { id } of abandoned(listed, attempt, inUse, clock.now())) await keys.remove(id);
  return keys.create(nameOf(attempt, clock.now(), random));
}

/**
 * Removes every other key that was made for the version. The version's value is stored and cannot be replaced, so each
 * of them is a crashed call's, or that of a call which is about to find the version taken and to discard its own.
 *
 * @param id `undefined`: the version is given up without a value, and none is kept
 */
export async function keepOnly(keys: VendorKeys, attempt: Attempt, id: string | undefined): Promise<void> {
  const version = versionPart(attempt.versionId);
  const others = ownKeys(await keys.list(), attempt).filter(
    (key) => key.version === version && key.id !== id,
  );
  for (const other of others) await keys.remove(other.id);
}

/**
 * Makes sure that a key is not another secret's. A key without any mark was made by a person, who gave it to this secret by
 * putting its value there; a mark of a secret of the same name is of its earlier life, or of another region.
 *
 * @param key `undefined`: the account does not list it
 * @throws RotationError `target-not-ours`
 */
export function requireNoOtherMark(
  key: VendorKey | undefined,
  { secretName }: SecretIdentity,
  what: string,
): void {
  const owner = key === undefined ? undefined : MARK.exec(key.name)?.[1];
  if (owner === undefined || owner === fitName(secretName, SECRET_LENGTH)) return;
  throw new RotationError("target-not-ours", `${what} was made for the secret ${owner}`);
}

/** A key of ours. */
interface OwnKey {
  readonly id: string;
  readonly version: string;
  readonly madeAt: Date;
}

/**
 * Keys of this secret that nobody holds:
 * - of the current value's version, all but its own;
 * - of versions without a label: two rotations old, or of a rotation that was given up;
 * - of the version that rotates in, which has no value yet.
 *
 * The last two wait until whoever made them cannot be about to store them. Keys with other names are never touched.
 */
function abandoned(
  listed: readonly VendorKey[],
  attempt: Attempt,
  inUse: string | undefined,
  now: Date,
): readonly OwnKey[] {
  const own = ownKeys(listed, attempt);
  const current = own.find(({ id }) => id === inUse)?.version;
  const others = attempt.labelled.filter((id) => id !== attempt.versionId).map(versionPart);
  return own.filter(({ id, version, madeAt }) => {
    if (id === inUse) return false;
    if (version === current) return true;
    return !others.includes(version) && now.getTime() - madeAt.getTime() > STORED_BY_SECONDS * 1_000;
  });
}

/**
 * `prod/smtp/sendgrid#1a2b3c4d@<version>.<when><random>`, at most 100 characters: SendGrid and Datadog document no limit
 * for names, and nobody should have to find theirs. Datadog wants names to be unique, hence the random end, which a
 * second call for the same version needs as well; SendGrid does not say when it made a key, hence the time.
 * The digits after `#` are of the secret's ARN: an account at a vendor may serve several AWS accounts.
 */
const SECRET_LENGTH = 39;
const VERSION_LENGTH = 36;
const STAMP = /^([0-9a-z]{8})[A-Za-z0-9]{6}$/;
const MARK = /^(.+)#[0-9a-f]{8}@.+\.[0-9a-z]{8}[A-Za-z0-9]{6}$/;

function nameOf(attempt: Attempt, now: Date, random: Random): string {
  const when = now.getTime().toString(36).padStart(8, "0");
  return `${ownerPart(attempt)}${versionPart(attempt.versionId)}.${when}${randomText(random, 6)}`;
}

/** `true` when a key's name says that a rotation of this secret made it. */
export const carriesMark = (name: string, secret: SecretIdentity): boolean =>
  name.startsWith(ownerPart(secret));

function ownerPart({ secretName, secretArn }: SecretIdentity): string {
  const digest = createHash("sha256").update(secretArn).digest("hex").slice(0, 8);
  return `${fitName(secretName, SECRET_LENGTH)}#${digest}@`;
}

const versionPart = (versionId: string): string => fitName(versionId, VERSION_LENGTH);

function ownKeys(listed: readonly VendorKey[], attempt: Attempt): readonly OwnKey[] {
  const owner = ownerPart(attempt);
  return listed.flatMap(({ id, name }) => {
    if (!name.startsWith(owner)) return [];
    const end = name.lastIndexOf(".");
    const when = STAMP.exec(name.slice(end + 1))?.[1];
    if (when === undefined || end < owner.length) return [];
    return [{ id, version: name.slice(owner.length, end), madeAt: new Date(Number.parseInt(when, 36)) }];
  });
}
