import type { KindSettings } from "../../model/kinds";
import type { Clock } from "../ports";
import { RotationError } from "../rotation-error";
import type { AcceptingTarget } from "../target";
import { type KindValue, VALUE_SCHEMAS } from "../value-schemas";
import { eventually } from "./eventually";

/** The value of `s3-access-key`. */
export type AccessKeyValue = KindValue<"s3-access-key">;

/** What IAM tells of an access key. */
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
  /** When a key signed a request last; `undefined`: never, as far as IAM knows. */
  lastUsedAt(id: string): Promise<Date | undefined>;
  /** ARN of whom a key belongs to, by a request that it signs; `undefined` when AWS does not take the key (yet). */
  callerOf(id: string, secret: string): Promise<string | undefined>;
}

/** What the target for S3 access keys needs. */
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
const STORED_BY_SECONDS = 15 * 60;

/**
 * An IAM user's two access keys take turns. IAM makes the key, so it works from its creation, and it is stored
 * before anybody else learns of it. A key that was made and never stored (a crash in between) holds the second
 * slot: it is removed once it is old enough to be nobody's. A key that somebody uses is never removed to make room.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
 */
export function s3AccessKeyTarget({
  settings,
  keys,
  clock,
}: S3AccessKeyTargetProps): AcceptingTarget<AccessKeyValue> {
  const { user, sessionPolicy } = settings;

  /** Removes keys that are in nobody's use, so that there is a slot for the next; or says why there is none. */
  const freeSlot = async (inUse: string | undefined): Promise<void> => {
    const all = await keys.list(user);
    const others = all.filter(({ id }) => id !== inUse);
    if (inUse !== undefined && others.length === all.length) {
      throw new RotationError("user-mismatch", `the current value's key is none of user ${user}`);
    }
    const kept: RotationError[] = [];
    for (const key of others) {
      const reason = await whyKept(key);
      if (reason === undefined) await keys.remove(user, key.id);
      else kept.push(reason);
    }
    const [first] = kept;
    if (first && all.length - others.length + kept.length >= SLOTS) throw first;
  };

  /** Why a key that is not the current value's must stay; `undefined`: it is in nobody's use. */
  const whyKept = async (key: AccessKeyState): Promise<RotationError | undefined> => {
    if (!key.active) return undefined;
    const age = (clock.now().getTime() - key.createdAt.getTime()) / 1_000;
    if (age < STORED_BY_SECONDS) {
      return new RotationError(
        "target-busy",
        `user ${user} got a key ${Math.round(age)} seconds ago that may be about to be stored`,
      );
    }
    if ((await keys.lastUsedAt(key.id)) === undefined) return undefined;
    return new RotationError(
      "target-misconfigured",
      `user ${user} has two keys in use; decommission the earlier version, or remove the key that is not the registry's`,
    );
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["s3-access-key"],

    async generate(predecessor) {
      await freeSlot(predecessor?.accessKeyId);
      const { id, secret } = await keys.create(user);
      return { accessKeyId: id, secretAccessKey: secret, sessionPolicy };
    },

    checkSuccession(pending, predecessor) {
      if (pending.accessKeyId === predecessor?.accessKeyId) {
        throw new RotationError("stale-version", "the version repeats the current access key");
      }
    },

    // The user accepts the key since IAM made it.
    install: async () => undefined,

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

    async retire({ retired, kept, refreshedBy, emergency }) {
      const keptIds = kept.map(({ accessKeyId }) => accessKeyId);
      if (keptIds.includes(retired.accessKeyId)) return;
      // Rights are given by user, and a key that an earlier call has removed is none of the user's any more.
      if (!(await keys.list(user)).some(({ id }) => id === retired.accessKeyId)) return;
      if (!emergency && refreshedBy !== undefined) {
        const used = await keys.lastUsedAt(retired.accessKeyId);
        if (used !== undefined && used > refreshedBy) {
          throw new RotationError(
            "still-presented",
            `the retired key of user ${user} signed a request at ${used.toISOString()}`,
          );
        }
      }
      await keys.remove(user, retired.accessKeyId);
    },
  };
}
