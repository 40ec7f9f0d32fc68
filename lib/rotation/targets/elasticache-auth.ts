import type { KindSettings } from "../../model/kinds";
import type { Clock, Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget, SecretIdentity } from "../protocol/target";
import { randomText } from "../values/random-text";
import { VALUE_SCHEMAS } from "../values/value-schemas";
import { isOurs, MARK_KEY, markOf } from "./mark";
import { isLetIn, onEveryNode, type RedisPlace, type RedisServer } from "./redis";
import type { RedisValue } from "./redis-acl-user";

/** Ways in which ElastiCache takes a token: beside the one before it, or alone. */
export type TokenStrategy = "ROTATE" | "SET";

/** A replication group, as far as its AUTH token is concerned. */
export interface ReplicationGroup {
  readonly arn: string;
  /** `available` when it takes a change. */
  readonly status: string;
  /** A change of the token is under way. */
  readonly tokenChanging: boolean;
  /** Time at which its token was changed last; `undefined`: it never had one. */
  readonly tokenChangedAt: Date | undefined;
  readonly encryptedInTransit: boolean;
}

/** ElastiCache's interface. */
export interface ReplicationGroups {
  /** @throws RotationError `target-misconfigured` when there is no such group */
  describe(id: string): Promise<ReplicationGroup>;
  /**
   * `ROTATE`: the group accepts the two tokens that were rotated last. `SET`: the token that was rotated last, alone.
   *
   * @returns the group as the change begins; `refused`: the token may not be used so, in the state that the group is in
   * @throws RotationError `target-busy` while another change is under way
   */
  changeToken(id: string, strategy: TokenStrategy, token: string): Promise<ReplicationGroup | "refused">;
  tags(arn: string): Promise<ReadonlyMap<string, string>>;
  putTag(arn: string, key: string, value: string): Promise<void>;
}

/** Ports and settings of the target for ElastiCache's AUTH token. */
export interface ElastiCacheTargetProps {
  readonly settings: KindSettings<"redis-auth-token">;
  readonly groups: ReplicationGroups;
  readonly server: RedisServer;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Key of the tag in which is kept what ElastiCache does not say: that the group has one token only, since a time. It is
 * taken off before a token comes in, and it says nothing once somebody else has changed the token after that time.
 */
const ALONE_KEY = "secrets-registry:auth-token-alone-since";
const NOT_ALONE = "-";

/** 16 to 128 characters are allowed. */
const TOKEN_LENGTH = 64;
const POLL_MS = 10_000;
/** A change takes minutes; a function runs 15 at most, so it gives up before and is called again. */
const PATIENCE_MS = 10 * 60_000;

/**
 * The AUTH token of a replication group. The group accepts the two tokens that were rotated last, whichever of them is in
 * use, and does not say which came last: so whatever depends on the order first makes it. Which step is safe from which
 * state, and by which reading of what AWS's documents leave open: docs/adr/0019-elasticache-auth-tokens.md.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
 */
export function elastiCacheAuthTarget(props: ElastiCacheTargetProps): AcceptingTarget<RedisValue> {
  const { settings, groups, clock, random } = props;
  const id = settings.replicationGroup;
  if (id === undefined) {
    throw new RotationError("settings-malformed", "engine elasticache needs a replicationGroup");
  }
  const place = { server: props.server, host: settings.host, port: settings.port, caPem: settings.caPem };

  const lets = (login: { readonly password?: string }): Promise<boolean> =>
    isLetIn(place, login, async (session) => {
      await session.command("PING");
    });

  /** The group's changes within one call of the function, which waits so long for all of them together. */
  const patiently = () => {
    const until = clock.now().getTime() + PATIENCE_MS;

    /** Waits until the group takes a change. */
    const settled = async (seen?: ReplicationGroup): Promise<ReplicationGroup> => {
      for (let group = seen ?? (await groups.describe(id)); ; group = await groups.describe(id)) {
        if (!group.encryptedInTransit) {
          throw new RotationError(
            "target-without-tls",
            `replication group ${id} does not encrypt in transit`,
          );
        }
        if (group.status === "available" && !group.tokenChanging) return group;
        if (clock.now().getTime() >= until) {
          throw new RotationError("target-busy", `replication group ${id} is ${group.status}`);
        }
        await clock.sleep(POLL_MS);
      }
    };

    /** `false`: ElastiCache refuses it, and nothing has changed. */
    const change = async (strategy: TokenStrategy, token: string): Promise<boolean> => {
      const group = await groups.changeToken(id, strategy, token);
      if (group === "refused") return false;
      await settled(group);
      return true;
    };

    const add = async (token: string): Promise<void> => {
      if (await change("ROTATE", token)) return;
      throw new RotationError(
        "target-misconfigured",
        `ElastiCache refuses the token for replication group ${id}: it takes 16 to 128 letters, digits and !&#$^<>-, from ` +
          "Valkey 7.2 and Redis 5.0.6 on, and none while user groups (RBAC) are in use",
      );
    };

    /** Makes a token that the group accepts its newest: the next one that comes in pushes out another one. */
    const renew = async (token: string): Promise<void> => {
      if (await change("ROTATE", token)) return;
      // SET takes none but the newest, so that it proves what ROTATE did not make.
      if (await change("SET", token)) return;
      throw new RotationError(
        "target-misconfigured",
        `ElastiCache takes the current token of replication group ${id} neither for ROTATE nor for SET, so nobody can tell ` +
          `whether the next one would push it out: SET it by hand, then put its AuthTokenLastModifiedDate into ${ALONE_KEY}`,
      );
    };

    /** Leaves the group with this token alone. */
    const require = async (token: string): Promise<void> => {
      if (await change("SET", token)) return;
      // Another one is the newest, or the group is open.
      await add(token);
      // Refused where ROTATE has left nothing beside it.
      await change("SET", token);
    };

    return { settled, add, renew, require };
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["redis-auth-token"],

    generate: async () => ({ password: randomText(random, TOKEN_LENGTH) }),

    checkSuccession(pending, predecessor) {
      if (pending.password === predecessor?.password) {
        throw new RotationError("stale-version", "the version repeats the current token");
      }
    },

    async install({ password }, other, secret) {
      const { settled, add, renew, require } = patiently();
      const group = await settled();
      const known = await claimed(groups, id, group, secret);
      // Whom the group refuses already is not let in again: that would push out a token that somebody may use.
      const kept = other !== undefined && (await lets(other)) ? other.password : undefined;
      let alone = known.alone;
      if (await lets({})) {
        if (other !== undefined && kept === undefined && group.tokenChangedAt !== undefined) {
          throw new RotationError("target-open", `replication group ${id} lets in without a token`);
        }
        // ROTATE alone would leave it open.
        await require(kept ?? password);
        alone = true;
      }
      if (await lets({ password })) return;
      await known.forget();
      if (kept !== undefined && !alone) await renew(kept);
      await add(password);
    },

    async test(value) {
      if (!(await lets({ password: value.password }))) {
        throw new RotationError("target-refused", `replication group ${id} does not accept the token`);
      }
      if (await lets({})) {
        throw new RotationError("target-open", `replication group ${id} lets in without a token`);
      }
    },

    async retire({ secret, retired, kept, emergency }) {
      const [current, ...others] = kept;
      // A former group has no token of ours to go on with: it gets one that nobody knows.
      const token = current?.password ?? randomText(random, TOKEN_LENGTH);
      if (kept.some(({ password }) => password === retired.password)) return;
      const { settled, require } = patiently();
      const group = await settled();
      if (await lets({ password: retired.password })) {
        for (const { password } of others) {
          if (!(await lets({ password }))) continue;
          throw new RotationError("target-busy", "a rotation is under way, whose token SET would end");
        }
        const known = await claimed(groups, id, group, secret);
        await known.forget();
        await require(token);
        if (await lets({ password: retired.password })) {
          throw new RotationError("target-busy", `replication group ${id} still accepts the retired token`);
        }
        await known.remember((await settled()).tokenChangedAt);
      }
      // Also after a crash between the two, hence not only when the token has just died.
      if (emergency && (await lets({ password: token }))) await endSessions(place, token);
    },
  };
}

/** State of a group that is the secret's. */
interface KnownGroup {
  /** `true`: the group has one token, and nobody has changed it since we saw that. */
  readonly alone: boolean;
  /** Forgets that the group has one token only. Call it before a token comes in. */
  forget(): Promise<void>;
  /** @param since when the token became the only one */
  remember(since: Date | undefined): Promise<void>;
}

/** Marks the group as the secret's, unless another one has marked it. */
async function claimed(
  groups: ReplicationGroups,
  id: string,
  { arn, tokenChangedAt }: ReplicationGroup,
  secret: SecretIdentity,
): Promise<KnownGroup> {
  const tags = await groups.tags(arn);
  if (!isOurs(tags.get(MARK_KEY), secret, `replication group ${id}`)) {
    await groups.putTag(arn, MARK_KEY, markOf(secret));
  }
  const since = tags.get(ALONE_KEY);
  return {
    alone: tokenChangedAt !== undefined && since === tokenChangedAt.toISOString(),
    forget: async () => {
      if (since !== undefined && since !== NOT_ALONE) await groups.putTag(arn, ALONE_KEY, NOT_ALONE);
    },
    remember: async (at) => {
      if (at !== undefined) await groups.putTag(arn, ALONE_KEY, at.toISOString());
    },
  };
}

/** A session outlives the token that it was opened with. Everybody's end, because all are the same user's. */
async function endSessions(place: RedisPlace, password: string): Promise<void> {
  await onEveryNode(place, { password }, async (session) => {
    for (const type of ["normal", "pubsub"]) await session.command("CLIENT", "KILL", "TYPE", type);
  });
}
