import type { KindSettings } from "../../model/kinds";
import type { Clock, Random } from "../ports";
import { randomText } from "../random-text";
import { RotationError } from "../rotation-error";
import type { AcceptingTarget } from "../target";
import { VALUE_SCHEMAS } from "../value-schemas";
import { onEveryNode, type RedisServer } from "./redis";
import type { RedisValue } from "./redis-acl-user";

/** A replication group, as far as its AUTH token is concerned. */
export interface ReplicationGroup {
  /** `available` when it takes a change. */
  readonly status: string;
  /** A change of the token is under way. */
  readonly tokenChanging: boolean;
  readonly encryptedInTransit: boolean;
}

/** ElastiCache's interface. */
export interface ReplicationGroups {
  /** @throws RotationError `target-misconfigured` when there is no such group */
  describe(id: string): Promise<ReplicationGroup>;
  /**
   * `ROTATE`: the group accepts the token beside the one before it. `SET`: the token alone.
   *
   * @throws RotationError `target-busy` while another change is under way
   */
  changeToken(id: string, strategy: "ROTATE" | "SET", token: string): Promise<void>;
}

/** What the target for ElastiCache's AUTH token needs. */
export interface ElastiCacheTargetProps {
  readonly settings: KindSettings<"redis-auth-token">;
  readonly groups: ReplicationGroups;
  readonly server: RedisServer;
  readonly clock: Clock;
  readonly random: Random;
}

/** 16 to 128 characters are allowed. */
const TOKEN_LENGTH = 64;
const POLL_MS = 10_000;
/** A change takes minutes; a function runs 15 at most, so it gives up before and is called again. */
const PATIENCE_MS = 10 * 60_000;

/**
 * The AUTH token of a replication group: ROTATE makes it accept two, SET ends the older one.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
 */
export function elastiCacheAuthTarget(props: ElastiCacheTargetProps): AcceptingTarget<RedisValue> {
  const { settings, groups, clock, random } = props;
  const group = settings.replicationGroup;
  if (group === undefined) {
    throw new RotationError("settings-malformed", "engine elasticache needs a replicationGroup");
  }
  const place = { server: props.server, host: settings.host, port: settings.port, caPem: settings.caPem };

  /** Waits until the group takes a change. */
  const settled = async (): Promise<void> => {
    const until = clock.now().getTime() + PATIENCE_MS;
    for (;;) {
      const { status, tokenChanging, encryptedInTransit } = await groups.describe(group);
      if (!encryptedInTransit) {
        throw new RotationError(
          "target-without-tls",
          `replication group ${group} does not encrypt in transit`,
        );
      }
      if (status === "available" && !tokenChanging) return;
      if (clock.now().getTime() >= until) {
        throw new RotationError("target-busy", `replication group ${group} is ${status}`);
      }
      await clock.sleep(POLL_MS);
    }
  };

  const change = async (strategy: "ROTATE" | "SET", token: string): Promise<void> => {
    await groups.changeToken(group, strategy, token);
    await settled();
  };

  const lets = async (login: { readonly password?: string }): Promise<boolean> => {
    try {
      await onEveryNode(place, login, async (session) => {
        await session.command("PING");
      });
      return true;
    } catch (failure) {
      if (failure instanceof RotationError && failure.code === "target-refused") return false;
      throw failure;
    }
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

    async install(pending, predecessor) {
      await settled();
      const open = await lets({});
      if (open && predecessor !== undefined) {
        throw new RotationError("target-open", `replication group ${group} lets in without a token`);
      }
      // A second ROTATE with the same token would count as two and push the current one out.
      if (!(await lets({ password: pending.password }))) await change("ROTATE", pending.password);
      // ROTATE on a group without a token leaves it open until SET; on the first rotation nobody holds another token.
      if (open) await change("SET", pending.password);
    },

    async test(value) {
      if (!(await lets({ password: value.password }))) {
        throw new RotationError("target-refused", `replication group ${group} does not accept the token`);
      }
      if (await lets({})) {
        throw new RotationError("target-open", `replication group ${group} lets in without a token`);
      }
    },

    async retire({ retired, kept }) {
      const [current, ...others] = kept;
      if (current === undefined || kept.some(({ password }) => password === retired.password)) return;
      if (others.length > 0) {
        throw new RotationError("target-busy", "a rotation is under way, whose token SET would end");
      }
      await settled();
      if (await lets({ password: retired.password })) await change("SET", current.password);
    },
  };
}
