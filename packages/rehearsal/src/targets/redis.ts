import { randomBytes } from "node:crypto";
import { redisServer } from "../../../../lib/rotation/adapters/redis-server";
import { RotationError } from "../../../../lib/rotation/protocol/rotation-error";
import { type Redis, type ServerGroup, startRedis } from "../servers";
import type { WireError } from "../shim";
import { AuthTokens, type TokenChange } from "./auth-tokens";
import type { LoginResult, RehearsedTarget, SecretOf, SuppliedValues } from "./target-servers";
import { startTlsFront, type TlsFront } from "./tls-front";

const ADMIN = "rotation_admin";
const newPassword = (): string => randomBytes(32).toString("base64url");

interface Login {
  readonly username?: string;
  readonly password: string;
}

/** A Redis with TLS and an administrator. */
export class RehearsedRedis {
  readonly admin = { username: ADMIN, password: newPassword() };
  readonly #front: TlsFront;

  private constructor(front: TlsFront) {
    this.#front = front;
  }

  static async start(group: ServerGroup): Promise<RehearsedRedis> {
    const redis: Redis = await startRedis({ group });
    const place = group.placeFor("redis-tls");
    const front = await startTlsFront("Redis", redis.port);
    group.adopt(place, front.stop);
    const made = new RehearsedRedis(front);
    await made.#as({ username: redis.user, password: redis.password }, [
      ["ACL", "SETUSER", ADMIN, "on", `>${made.admin.password}`, "~*", "&*", "+@all"],
    ]);
    return made;
  }

  /** Its address, for a secret's settings. */
  get place() {
    return { host: "localhost", port: this.#front.port, caPem: this.#front.caPem };
  }

  /** Runs commands as the administrator. */
  administer(...commands: readonly (readonly string[])[]): Promise<void> {
    return this.#as(this.admin, commands);
  }

  /** Logs in and asks for something, as a consumer does. */
  async attempt(login: Login): Promise<LoginResult> {
    try {
      await this.#as(login, [["PING"]]);
      return "accepted";
    } catch (failure) {
      if (failure instanceof RotationError && failure.code === "target-refused") return "refused";
      throw failure;
    }
  }

  async #as(login: Login, commands: readonly (readonly string[])[]): Promise<void> {
    const { host, port, caPem } = this.place;
    const session = await redisServer.open({ address: "127.0.0.1", host, port }, login, caPem);
    try {
      for (const [name = "", ...args] of commands) await session.command(name, ...args);
    } finally {
      await session.close();
    }
  }
}

/** A user of own servers: it exists before rotation begins, with a password that nobody else knows. */
export async function redisAclTarget(
  redis: RehearsedRedis,
  secret: SecretOf<"redis-auth-token">,
  supplied: SuppliedValues,
): Promise<RehearsedTarget> {
  const { user = "default" } = secret.settings;
  await redis.administer(["ACL", "SETUSER", user, "on", `>${newPassword()}`, "~*", "+@all", "-@admin"]);
  if (secret.admin !== undefined) supplied.set(secret.admin, { ...redis.admin });
  return {
    settings: { ...secret.settings, ...redis.place },
    attempt: (value) =>
      redis.attempt({ username: user, password: (value as { readonly password: string }).password }),
  };
}

/** A replication group of ElastiCache: the default user of a real Redis, which gets what the API got. */
export class RehearsedReplicationGroup {
  readonly #tokens = new AuthTokens(newPassword().replaceAll("_", "-"));
  readonly #redis: RehearsedRedis;

  private constructor(redis: RehearsedRedis) {
    this.#redis = redis;
  }

  static async on(redis: RehearsedRedis): Promise<RehearsedReplicationGroup> {
    const group = new RehearsedReplicationGroup(redis);
    await group.#apply();
    return group;
  }

  /**
   * Changes a token as ModifyReplicationGroup does: at once, where AWS takes minutes.
   *
   * @returns why AWS refuses it
   */
  async changeToken(change: TokenChange): Promise<WireError | undefined> {
    const outcome = this.#tokens.change(change);
    if (typeof outcome !== "function") return outcome;
    outcome();
    await this.#apply();
    return undefined;
  }

  /** The target of the secret that holds its token. */
  target(secret: SecretOf<"redis-auth-token">): RehearsedTarget {
    return {
      settings: { ...secret.settings, ...this.#redis.place },
      attempt: (value) =>
        this.#redis.attempt({ password: (value as { readonly password: string }).password }),
    };
  }

  async #apply(): Promise<void> {
    await this.#redis.administer([
      ...["ACL", "SETUSER", "default", "on", "resetpass"],
      ...this.#tokens.accepted.map((token) => `>${token}`),
    ]);
  }
}
