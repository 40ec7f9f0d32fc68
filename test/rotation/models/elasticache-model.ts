import { RotationError } from "../../../lib/rotation/rotation-error";
import type { ReplicationGroup, ReplicationGroups } from "../../../lib/rotation/targets/elasticache-auth";
import type { RedisLogin, RedisNode, RedisServer, RedisSession } from "../../../lib/rotation/targets/redis";

/** How often a change is seen under way before it is done. */
const DESCRIPTIONS_UNTIL_DONE = 2;

/**
 * A replication group as ElastiCache's documents describe it: ROTATE adds a token and keeps the one before it,
 * SET keeps one; ROTATE on a group without a token leaves it open; a change takes a while, during which no
 * other is accepted.
 */
export class ElastiCacheModel implements ReplicationGroups, RedisServer {
  #tokens: readonly string[];
  #open: boolean;
  #next: { readonly tokens: readonly string[]; readonly open: boolean } | undefined;
  #descriptions = 0;
  encryptedInTransit = true;

  /** @param token the token that it was made with; without one it is open */
  constructor(token?: string) {
    this.#tokens = token === undefined ? [] : [token];
    this.#open = token === undefined;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  lets(token: string): boolean {
    return this.#tokens.includes(token);
  }

  async describe(): Promise<ReplicationGroup> {
    const { encryptedInTransit } = this;
    if (this.#next === undefined) return { status: "available", tokenChanging: false, encryptedInTransit };
    this.#descriptions += 1;
    if (this.#descriptions > DESCRIPTIONS_UNTIL_DONE) {
      this.#tokens = this.#next.tokens;
      this.#open = this.#next.open;
      this.#next = undefined;
    }
    return { status: "modifying", tokenChanging: true, encryptedInTransit };
  }

  async changeToken(id: string, strategy: "ROTATE" | "SET", token: string): Promise<void> {
    if (this.#next !== undefined) throw new RotationError("target-busy", id);
    const latest = this.#tokens.at(-1);
    this.#descriptions = 0;
    this.#next =
      strategy === "SET"
        ? { tokens: [token], open: false }
        : { tokens: latest === undefined ? [token] : [latest, token], open: this.#open };
  }

  async nodes(host: string, port: number): Promise<readonly RedisNode[]> {
    return [{ address: host, host, port }];
  }

  async open(node: RedisNode, { password }: RedisLogin): Promise<RedisSession> {
    const known = password === undefined || this.#tokens.includes(password);
    if (!known) throw new RotationError("target-refused", node.host, "WRONGPASS");
    return {
      command: async () => {
        if (password === undefined && !this.#open) {
          throw new RotationError("target-refused", node.host, "NOAUTH");
        }
        return "PONG";
      },
      close: async () => undefined,
    };
  }
}
