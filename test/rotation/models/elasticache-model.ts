import type { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { ElastiCacheGroups } from "../../../lib/rotation/adapters/elasticache-groups";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { RedisLogin, RedisNode, RedisServer, RedisSession } from "../../../lib/rotation/targets/redis";
import { AuthTokens, type SameTokenReading } from "../../../packages/rehearsal/src/targets/auth-tokens";

const ID = "app";
const ARN = `arn:aws:elasticache:eu-central-1:111122223333:replicationgroup:${ID}`;

/** An error as AWS's SDK throws it. */
function awsError(code: string, message: string): Error {
  return Object.assign(new Error(message), { name: code });
}

/** Behaviour of a group under test where AWS's documents leave it open. */
export interface ElastiCacheReadings {
  readonly sameToken?: SameTokenReading;
  /** Number of times that a change is seen under way before it is done. @default 2 */
  readonly descriptionsUntilDone?: number;
}

/**
 * A replication group behind the SDK's client, with a server behind that: {@link AuthTokens} in time. A change shows as
 * `modifying` with `PendingModifiedValues.AuthTokenStatus`, and no other is taken meanwhile
 * (https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html,
 * InvalidReplicationGroupState).
 */
export class ElastiCacheModel implements RedisServer {
  readonly tokens: AuthTokens;
  readonly tags = new Map<string, string>();
  encryptedInTransit = true;
  /** Clients with a session are told to go. */
  kills = 0;
  /** Called when a change has taken effect. */
  onChanged: () => void = () => undefined;
  /** Each request for a change, as `ROTATE` or `SET`, with what came of it. */
  readonly changes: string[] = [];
  #pending: { readonly strategy: string; readonly takeEffect: () => void } | undefined;
  #descriptions = 0;
  #changedAt: Date | undefined;
  readonly #untilDone: number;

  /** @param token the token that it was made with; without one it is open */
  constructor(token?: string, { sameToken, descriptionsUntilDone = 2 }: ElastiCacheReadings = {}) {
    this.tokens = new AuthTokens(token, {
      encryptedInTransit: () => this.encryptedInTransit,
      ...(sameToken === undefined ? {} : { sameToken }),
    });
    this.#untilDone = descriptionsUntilDone;
  }

  get isOpen(): boolean {
    return this.tokens.open;
  }

  lets(token: string): boolean {
    return this.tokens.accepted.includes(token);
  }

  /** Opens the group as a person does: no strategy of tokens leads there, so it is made anew with its history. */
  changedByHand(at: Date): void {
    this.#changedAt = at;
  }

  /** The port, by the real adapter. */
  get groups(): ElastiCacheGroups {
    return new ElastiCacheGroups(this.client);
  }

  /** Of the SDK's client, what the adapter uses. */
  get client(): ElastiCacheClient {
    const send = async (command: { readonly input: object; readonly constructor: { name: string } }) => {
      const input = command.input as Readonly<Record<string, unknown>>;
      switch (command.constructor.name) {
        case "DescribeReplicationGroupsCommand":
          return this.#describe(String(input.ReplicationGroupId));
        case "ModifyReplicationGroupCommand":
          return this.#modify(input);
        case "ListTagsForResourceCommand":
          return { TagList: [...this.tags].map(([Key, Value]) => ({ Key, Value })) };
        case "AddTagsToResourceCommand":
          for (const { Key, Value } of input.Tags as { Key: string; Value: string }[])
            this.tags.set(Key, Value);
          return {};
        default:
          throw awsError("InvalidAction", command.constructor.name);
      }
    };
    return { send } as unknown as ElastiCacheClient;
  }

  #describe(id: string) {
    this.#known(id);
    if (this.#pending !== undefined) {
      this.#descriptions += 1;
      if (this.#descriptions > this.#untilDone) {
        this.#pending.takeEffect();
        this.#pending = undefined;
        // Changes take minutes, so no two have one time.
        this.#changedAt = new Date((this.#changedAt?.getTime() ?? 0) + 60_000);
        this.onChanged();
      }
    }
    return { ReplicationGroups: [this.#shown()] };
  }

  #modify(input: Readonly<Record<string, unknown>>) {
    this.#known(String(input.ReplicationGroupId));
    if (this.#pending !== undefined) throw awsError("InvalidReplicationGroupState", "modifying");
    const strategy =
      input.AuthTokenUpdateStrategy === undefined ? "ROTATE" : `${input.AuthTokenUpdateStrategy}`;
    const outcome = this.tokens.change({ strategy, token: String(input.AuthToken) });
    this.changes.push(typeof outcome === "function" ? strategy : `${strategy} refused`);
    if (typeof outcome !== "function") throw awsError(outcome.code, outcome.message);
    // "If false, changes to the nodes ... are applied on the next maintenance reboot", which never comes here.
    if (input.ApplyImmediately !== true) return { ReplicationGroup: this.#shown() };
    this.#pending = { strategy, takeEffect: outcome };
    this.#descriptions = 0;
    return { ReplicationGroup: this.#shown() };
  }

  #known(id: string): void {
    if (id !== ID) throw awsError("ReplicationGroupNotFoundFault", id);
  }

  #shown() {
    const { strategy } = this.#pending ?? {};
    return {
      ReplicationGroupId: ID,
      ARN,
      Status: strategy === undefined ? "available" : "modifying",
      TransitEncryptionEnabled: this.encryptedInTransit,
      AuthTokenEnabled: this.tokens.accepted.length > 0,
      ...(this.#changedAt === undefined ? {} : { AuthTokenLastModifiedDate: this.#changedAt }),
      PendingModifiedValues:
        strategy === undefined ? {} : { AuthTokenStatus: strategy === "SET" ? "SETTING" : "ROTATING" },
    };
  }

  async nodes(host: string, port: number): Promise<readonly RedisNode[]> {
    return [{ address: host, host, port }];
  }

  async open(node: RedisNode, { password }: RedisLogin): Promise<RedisSession> {
    const known = password === undefined || this.lets(password);
    if (!known) throw new RotationError("target-refused", node.host, "WRONGPASS");
    return {
      command: async (name, ...args) => {
        if (password === undefined && !this.isOpen) {
          throw new RotationError("target-refused", node.host, "NOAUTH");
        }
        if (name === "CLIENT" && args[0] === "KILL") this.kills += 1;
        return "PONG";
      },
      close: async () => undefined,
    };
  }
}
