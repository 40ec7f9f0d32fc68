import type { RetirementEvidence } from "../../contracts/procedure-events";
import type { KindSettings } from "../../model/kinds";
import type { Clock } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget, Attempt, SecretIdentity } from "../protocol/target";
import { type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";
import { eventually } from "./eventually";
import { isOurs, MARK_KEY, markOf } from "./mark";

/** The value of `s3-access-key`. */
export type AccessKeyValue = KindValue<"s3-access-key">;

/** An access key as IAM reports it. */
export interface AccessKeyState {
  readonly id: string;
  readonly active: boolean;
  readonly createdAt: Date;
}

/** IAM's access keys of a user, as far as rotation uses them. */
export interface AccessKeys {
  /** @throws RotationError `target-misconfigured` when there is no such user */
  list(user: string): Promise<readonly AccessKeyState[]>;
  /** IAM shows the secret half this once. */
  create(user: string): Promise<{ readonly id: string; readonly secret: string }>;
  /** A key that is gone already is no failure. */
  remove(user: string, id: string): Promise<void>;
  /** Time at which a key signed a request last; `undefined`: never, as far as IAM knows. */
  lastUsedAt(id: string): Promise<Date | undefined>;
  /** ARN of whom a key belongs to, by a request that it signs; `undefined` when AWS does not take the key (yet). */
  callerOf(id: string, secret: string): Promise<string | undefined>;
  /** The user's tags: keys have none. */
  tags(user: string): Promise<ReadonlyMap<string, string>>;
  putTag(user: string, key: string, value: string): Promise<void>;
  /** A tag that is gone already is no failure. */
  removeTag(user: string, key: string): Promise<void>;
}

/** Ports and settings of the target for S3 access keys. */
export interface S3AccessKeyTargetProps {
  readonly settings: KindSettings<"s3-access-key">;
  readonly keys: AccessKeys;
  readonly clock: Clock;
}

/** An IAM user has two access keys (IAM quota); one is in use, so one slot is there for the next. */
const SLOTS = 2;

/**
 * A call that made a key may still be about to store it for this long: a function runs 15 minutes at most
 * (Lambda quota). Before that, a key that nobody stored is not called an orphan.
 */
const STORED_BY_MS = 15 * 60_000;

/** The user's tag that says, before a key is made, for which version and when. */
const INTENT_KEY = "secrets-registry:making-key";
/** A key is made at once after its intent. What is younger than this is not the intent's. */
const MADE_WITHIN_MS = 60_000;

/**
 * The user's tag of a key that was made for a version; its value is the version's id, after `unstored` until it is known that
 * the version's value holds the key.
 */
const keyTag = (id: string): string => `secrets-registry:key:${id}`;
const UNSTORED = "unstored ";

/**
 * An IAM user's two access keys take turns. IAM makes the key, so it works from its creation, and it is stored
 * before anybody else learns of it.
 *
 * Keys carry no tags, so the user's tags say which keys were made here and for which version: a tag with the intent
 * before a key is made, and one with its id after. Only such a key is ever ended to make room, and only when its version
 * is nobody's any more; whatever else the user has is somebody else's and stays. docs/adr/0020-iam-access-keys.md
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
 */
export function s3AccessKeyTarget({
  settings,
  keys,
  clock,
}: S3AccessKeyTargetProps): AcceptingTarget<AccessKeyValue> {
  const { user, sessionPolicy } = settings;

  /** Ends a key and what is noted of it. */
  const end = async (id: string): Promise<void> => {
    await keys.remove(user, id);
    await keys.removeTag(user, keyTag(id));
  };

  /** Makes sure that the user is this secret's, and gives its tags. */
  const claimed = async (secret: SecretIdentity): Promise<ReadonlyMap<string, string>> => {
    const tags = await keys.tags(user);
    if (!isOurs(tags.get(MARK_KEY), secret, `IAM user ${user}`)) {
      await keys.putTag(user, MARK_KEY, markOf(secret));
    }
    return tags;
  };

  /** Ends keys that are nobody's, so that there is a slot for the next; or says why there is none. */
  const freeSlot = async (inUse: string | undefined, attempt: Attempt): Promise<void> => {
    const tags = await claimed(attempt);
    const all = await keys.list(user);
    const others = all.filter(({ id }) => id !== inUse);
    if (inUse !== undefined && others.length === all.length) {
      throw new RotationError("user-mismatch", `the current value's key is none of user ${user}`);
    }
    const kept: RotationError[] = [];
    for (const key of others) {
      const reason = await whyKept(key, tags, attempt);
      if (reason === undefined) await end(key.id);
      else kept.push(reason);
    }
    const [first] = kept;
    if (first && all.length - others.length + kept.length >= SLOTS) throw first;
  };

  /** Reason for which a key that is not the current value's must stay; `undefined`: it was made here, and is nobody's. */
  const whyKept = async (
    { id, createdAt }: AccessKeyState,
    tags: ReadonlyMap<string, string>,
    { versionId, labelled }: Attempt,
  ): Promise<RotationError | undefined> => {
    const noted = tags.get(keyTag(id)) ?? (await notedByIntent(id, createdAt, tags));
    const unstored = noted?.startsWith(UNSTORED) ?? true;
    // The call that made it has handed it to nobody, so a use shows that it is somebody's after all.
    if (noted === undefined || (unstored && (await keys.lastUsedAt(id)) !== undefined)) {
      return new RotationError(
        "target-not-ours",
        `user ${user} has the key ${id}, which was not made for this secret: find out who uses it, and delete it or give ` +
          "that program a user of its own; of two keys one slot must be free",
      );
    }
    const madeFor = noted.slice(unstored ? UNSTORED.length : 0);
    if (!unstored && madeFor !== versionId && labelled.includes(madeFor)) {
      return new RotationError(
        "target-misconfigured",
        `user ${user} has two keys that are in use: decommission version ${madeFor}, then rotate again`,
      );
    }
    const age = clock.now().getTime() - createdAt.getTime();
    if (age < STORED_BY_MS) {
      return new RotationError(
        "target-busy",
        `user ${user} got the key of version ${madeFor} ${Math.round(age / 1_000)} seconds ago, which may be about to be stored`,
      );
    }
    return undefined;
  };

  /** Notes that a key is an intent's before another intent takes its place. */
  const notedByIntent = async (
    id: string,
    createdAt: Date,
    tags: ReadonlyMap<string, string>,
  ): Promise<string | undefined> => {
    const version = madeByIntent(tags, createdAt);
    if (version === undefined) return undefined;
    await keys.putTag(user, keyTag(id), `${UNSTORED}${version}`);
    return `${UNSTORED}${version}`;
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["s3-access-key"],

    async generate(predecessor, attempt) {
      await freeSlot(predecessor?.accessKeyId, attempt);
      await keys.putTag(user, INTENT_KEY, `${attempt.versionId} ${clock.now().toISOString()}`);
      const { id, secret } = await keys.create(user);
      await keys.putTag(user, keyTag(id), `${UNSTORED}${attempt.versionId}`);
      await keys.removeTag(user, INTENT_KEY);
      return { accessKeyId: id, secretAccessKey: secret, sessionPolicy };
    },

    async discard({ accessKeyId }) {
      await end(accessKeyId);
    },

    async abandon(attempt, current) {
      const tags = await claimed(attempt);
      for (const { id, createdAt } of await keys.list(user)) {
        if (id === current?.accessKeyId) continue;
        const noted = tags.get(keyTag(id)) ?? (await notedByIntent(id, createdAt, tags));
        if (noted === `${UNSTORED}${attempt.versionId}` && (await keys.lastUsedAt(id)) === undefined)
          await end(id);
      }
    },

    checkSuccession(pending, predecessor) {
      if (pending.accessKeyId === predecessor?.accessKeyId) {
        throw new RotationError("stale-version", "the version repeats the current access key");
      }
    },

    // The user accepts the key since IAM made it; what is left to do is to note it, and to end its twins.
    async install({ accessKeyId }, _other, attempt) {
      const tags = await claimed(attempt);
      const own = keyTag(accessKeyId);
      if (tags.get(own) !== attempt.versionId) await keys.putTag(user, own, attempt.versionId);
      for (const { id } of await keys.list(user)) {
        const twin = id !== accessKeyId && tags.get(keyTag(id)) === `${UNSTORED}${attempt.versionId}`;
        if (twin) await end(id);
      }
    },

    async test({ accessKeyId, secretAccessKey }) {
      const caller = await eventually(
        () => keys.callerOf(accessKeyId, secretAccessKey),
        (answer) => answer !== undefined,
        clock,
      );
      if (caller === undefined)
        throw new RotationError("target-refused", `AWS does not take the key of user ${user}`);
      if (caller.slice(caller.lastIndexOf("/") + 1) !== user) {
        throw new RotationError("user-mismatch", `the key does not belong to user ${user}`);
      }
    },

    async retire({ secret, retired, kept, refreshedBy, emergency }) {
      const { accessKeyId: id, secretAccessKey } = retired;
      if (kept.some(({ accessKeyId }) => accessKeyId === id)) return undefined;
      let evidence: RetirementEvidence | undefined;
      const tags = await keys.tags(user);
      isOurs(tags.get(MARK_KEY), secret, `IAM user ${user}`);
      // Rights are given by user, and a key that an earlier call has removed is none of the user's any more.
      const key = (await keys.list(user)).find((candidate) => candidate.id === id);
      if (key !== undefined) {
        evidence = { lookedBy: "not-looked" };
        // Whoever was given up before anybody was served it has signed nothing but its own test.
        if (!emergency && refreshedBy !== undefined) {
          const used = await keys.lastUsedAt(id);
          if (used !== undefined && used > refreshedBy) {
            throw new RotationError(
              "still-presented",
              `the retired key of user ${user} signed a request at ${used.toISOString()}`,
            );
          }
          evidence = { lookedBy: "last-use", since: (used ?? key.createdAt).toISOString() };
        }
        await keys.remove(user, id);
      }
      if (tags.has(keyTag(id))) await keys.removeTag(user, keyTag(id));
      const alive = await eventually(
        () => keys.callerOf(id, secretAccessKey),
        (answer) => answer === undefined,
        clock,
      );
      if (alive !== undefined) {
        throw new RotationError("target-busy", `AWS still takes the key that user ${user} no longer has`);
      }
      // Of a key that an earlier call has removed IAM says nothing any more.
      return evidence;
    },
  };
}

/**
 * The version for which a key without a tag of its own was made: that of an intent whose call made a key and died before it
 * noted which. A slot was free then, and the user is the registry's, so within that minute nobody else made one.
 */
function madeByIntent(tags: ReadonlyMap<string, string>, createdAt: Date): string | undefined {
  const [version, at] = (tags.get(INTENT_KEY) ?? "").split(" ");
  if (version === undefined || at === undefined) return undefined;
  const after = createdAt.getTime() - Date.parse(at);
  // IAM's times are whole seconds, and its clock is another one.
  return after > -5_000 && after < MADE_WITHIN_MS ? version : undefined;
}
