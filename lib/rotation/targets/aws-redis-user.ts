import type { KindSettings } from "../../model/kinds";
import type { Clock, Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget, SecretIdentity } from "../protocol/target";
import { randomText } from "../values/random-text";
import { VALUE_SCHEMAS } from "../values/value-schemas";
import { isOurs, MARK_KEY, markOf } from "./mark";
import { isLetIn, onEveryNode, type RedisServer } from "./redis";
import type { RedisValue } from "./redis-acl-user";

/** A user of ElastiCache or MemoryDB, as AWS shows it: never a password. */
export interface AwsRedisUser {
  readonly arn: string;
  /** Name by which it logs in. */
  readonly name: string;
  /** `active` when it takes a change, and every cache has the last one. */
  readonly status: string;
  /** `password`, `no-password` or `iam`. */
  readonly authentication: string;
  /** Number of its passwords: two at most. */
  readonly passwords: number;
}

/** The users of one service. */
export interface AwsRedisUsers {
  /** `undefined`: there is no such user. */
  describe(id: string): Promise<AwsRedisUser | undefined>;
  /**
   * Gives the user these passwords, one or two, in the place of all that it has.
   *
   * @throws RotationError `target-busy` while another change is under way, `target-misconfigured` for a user that AWS does
   * not let change
   */
  setPasswords(id: string, passwords: readonly string[]): Promise<void>;
  tags(arn: string): Promise<ReadonlyMap<string, string>>;
  putTag(arn: string, key: string, value: string): Promise<void>;
}

/** Settings and ports of the target for users of ElastiCache and MemoryDB. */
export interface AwsRedisUserTargetProps {
  readonly settings: KindSettings<"redis-auth-token">;
  readonly users: AwsRedisUsers;
  readonly server: RedisServer;
  readonly clock: Clock;
  readonly random: Random;
}

/** Key of the tag that says for which version rotation gave the user a second password; {@link NONE}: it has none of ours. */
const SECOND_KEY = "secrets-registry:second-password";
const NONE = "-";

/** 16 to 128 characters are allowed. */
const PASSWORD_LENGTH = 64;
const POLL_MS = 10_000;
/** A change takes minutes; a function runs 15 at most, so it gives up before and is called again. */
const PATIENCE_MS = 10 * 60_000;

/**
 * A user of ElastiCache (RBAC, and the only login of serverless caches) or of MemoryDB. It has two passwords at most, and a
 * change names all of them, so each change is made of passwords that this secret knows; AWS says how many the user has,
 * and a login shows whether one of ours is among them. What is left over is somebody else's, unless a tag says that
 * rotation gave it. Every state: docs/adr/0026-users-of-elasticache-and-memorydb.md
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
 * https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html
 */
export function awsRedisUserTarget(props: AwsRedisUserTargetProps): AcceptingTarget<RedisValue> {
  const { settings, users, clock, random } = props;
  const { user, userId } = settings;
  const id = settings.engine === "elasticache-user" ? userId : user;
  if (id === undefined || user === undefined) {
    throw new RotationError("settings-malformed", `engine ${settings.engine} needs a user`);
  }
  const what = `user ${id}`;
  const place = { server: props.server, host: settings.host, port: settings.port, caPem: settings.caPem };

  const lets = ({ password }: RedisValue): Promise<boolean> => isLetIn(place, { username: user, password });

  const letIn = async (values: readonly RedisValue[]): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const value of values) {
      if (!found.includes(value.password) && (await lets(value))) found.push(value.password);
    }
    return found;
  };

  /** The user when no change is under way: every cache knows its passwords then. `undefined`: there is none. */
  const settled = async (): Promise<AwsRedisUser | undefined> => {
    const until = clock.now().getTime() + PATIENCE_MS;
    for (;;) {
      const found = await users.describe(id);
      if (found === undefined || found.status === "active") return found;
      if (clock.now().getTime() >= until) {
        throw new RotationError("target-busy", `${what} is ${found.status}`);
      }
      await clock.sleep(POLL_MS);
    }
  };

  const required = async (): Promise<AwsRedisUser> => {
    const found = await settled();
    if (found === undefined) throw new RotationError("target-misconfigured", `there is no ${what}`);
    if (found.name !== user) {
      throw new RotationError("user-mismatch", `${what} logs in as ${found.name}, the settings say ${user}`);
    }
    if (found.authentication === "iam") {
      throw new RotationError(
        "target-misconfigured",
        `${what} logs in by IAM, which needs no secret: its consumers take tokens of their own`,
      );
    }
    return found;
  };

  const change = async (passwords: readonly string[]): Promise<void> => {
    await users.setPasswords(id, passwords);
    await settled();
  };

  /**
   * Makes sure that the user is this secret's: by its tag, or because a value of this secret logs in.
   *
   * @returns the tags
   */
  const claimed = async (
    found: AwsRedisUser,
    secret: SecretIdentity,
    logsIn: boolean,
  ): Promise<ReadonlyMap<string, string>> => {
    const tags = await users.tags(found.arn);
    if (isOurs(tags.get(MARK_KEY), secret, what)) return tags;
    if (!logsIn) {
      throw new RotationError(
        "not-marked",
        `${what} has no tag ${MARK_KEY}, and no value of this secret logs in: a change would end passwords that somebody may ` +
          `use. Where nobody does, tag ${found.arn} with ${MARK_KEY} = ${markOf(secret)}`,
      );
    }
    await users.putTag(found.arn, MARK_KEY, markOf(secret));
    return tags;
  };

  const isOpen = (found: AwsRedisUser): boolean => found.authentication === "no-password";
  const open = (): RotationError =>
    new RotationError("target-open", `${what} is let in with any password (NoPasswordRequired)`);

  const foreign = (unknown: number): RotationError =>
    new RotationError(
      "target-not-ours",
      `${what} has ${unknown} password(s) that are not this secret's, or is not let in by ${settings.host} at all: find out who ` +
        "set them, and leave the user the current value's alone",
    );

  const untold = (): RotationError =>
    new RotationError(
      "target-misconfigured",
      `${settings.host} does not take the current password of ${user}, so nobody can tell what its refusal of another one means`,
    );

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["redis-auth-token"],

    generate: async () => ({ password: randomText(random, PASSWORD_LENGTH) }),

    checkSuccession(pending, predecessor) {
      if (pending.password === predecessor?.password) {
        throw new RotationError("stale-version", "the version repeats the current password");
      }
    },

    async install(value, other, attempt) {
      const found = await required();
      // A user that lets everybody in is closed by the first value; later, a person has opened it.
      if (isOpen(found)) {
        if (other !== undefined) throw open();
        await claimed(found, attempt, false);
        return change([value.password]);
      }
      const known = await letIn(other === undefined ? [value] : [value, other]);
      const tags = await claimed(found, attempt, known.length > 0);
      if (known.includes(value.password)) return;
      if (other === undefined) return change([value.password]);
      const unknown = found.passwords - known.length;
      const leftover = known.length > 0 && (tags.get(SECOND_KEY) ?? NONE) !== NONE ? 1 : 0;
      if (unknown > leftover) throw foreign(unknown);
      // What is refused already is not let in again on the side.
      if (known.length > 0) await users.putTag(found.arn, SECOND_KEY, attempt.versionId);
      await change([value.password, ...known]);
    },

    async test(value) {
      if (isOpen(await required())) throw open();
      if (await lets(value)) return;
      throw new RotationError(
        "target-refused",
        `${settings.host} does not let ${user} in: its access string begins with on, and it is in the group (ElastiCache) or ` +
          "access control list (MemoryDB) of the cache",
      );
    },

    async retire({ secret, retired, kept, emergency }) {
      if (kept.some(({ password }) => password === retired.password)) return;
      const found = await settled();
      // A user that is gone lets nobody in.
      if (found === undefined) return;
      if (isOpen(found) && !emergency) throw open();
      const accepted = await letIn([...kept, retired]);
      const lives = accepted.includes(retired.password);
      const stays = accepted.filter((password) => password !== retired.password);
      // A refusal means something only where a good password is taken.
      if (kept.length > 0 && stays.length === 0 && !emergency) throw untold();
      if (!lives && kept.length === 0) return;
      const tags = await claimed(found, secret, accepted.length > 0);
      // In an emergency the current one comes back in the place of what has leaked; a former user gets one that nobody knows.
      const [current = randomText(random, PASSWORD_LENGTH)] = kept.map(({ password }) => password);
      const leave = stays.length > 0 ? stays : [current];
      const unknown = found.passwords - accepted.length;
      if (lives && unknown > 0 && !emergency) throw foreign(unknown);
      if (lives || (emergency && found.passwords !== stays.length)) await change(leave);
      if (lives && (await lets(retired))) {
        throw new RotationError(
          "target-busy",
          `${settings.host} still takes the retired password of ${user}`,
        );
      }
      if (leave.length === 1 && unknown <= 0 && (tags.get(SECOND_KEY) ?? NONE) !== NONE) {
        await users.putTag(found.arn, SECOND_KEY, NONE);
      }
      // Also after a crash between the two, hence not only when the password has just died.
      if (emergency) await endSessions(leave[0] ?? current);
    },
  };

  /** A session outlives the password that it was opened with. */
  async function endSessions(password: string): Promise<void> {
    try {
      await onEveryNode(place, { username: user ?? "", password }, async (session) => {
        await session.command("CLIENT", "KILL", "USER", user ?? "");
      });
    } catch (failure) {
      if (!(failure instanceof RotationError && failure.code === "right-missing")) throw failure;
      throw new RotationError(
        "right-missing",
        `the leaked password of ${what} is dead, but sessions that it opened live on: give the user +client|kill for a while, ` +
          "or restart its clients and close what is left",
        failure.origin,
      );
    }
  }
}
