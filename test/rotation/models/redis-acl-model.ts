import { createHash } from "node:crypto";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { RedisLogin, RedisNode, RedisServer, RedisSession } from "../../../lib/rotation/targets/redis";

const hashOf = (password: string): string => createHash("sha256").update(password).digest("hex");

/**
 * One Redis server with an ACL file. ACL SETUSER: `#<sha256>` adds a password, `!<sha256>` removes one, "If the hash doesn't
 * exist, an error is returned"; ACL GETUSER: nil for a user that does not exist.
 * https://redis.io/docs/latest/commands/acl-setuser/ https://redis.io/docs/latest/commands/acl-getuser/
 */
export class RedisAclModel implements RedisServer {
  readonly #users = new Map<string, Set<string>>();

  constructor(admin: { readonly username: string; readonly password: string }, users: readonly string[]) {
    this.#users.set(admin.username, new Set([hashOf(admin.password)]));
    for (const user of users) this.#users.set(user, new Set());
  }

  lets({ username = "default", password }: RedisLogin): boolean {
    return password !== undefined && this.#users.get(username)?.has(hashOf(password)) === true;
  }

  /** Passwords that are accepted, as `<user> <sha256>`. */
  accepted(users: readonly string[]): readonly string[] {
    return users.flatMap((user) => [...(this.#users.get(user) ?? [])].map((hash) => `${user} ${hash}`));
  }

  static nameOf(user: string, password: string): string {
    return `${user} ${hashOf(password)}`;
  }

  async nodes(host: string, port: number): Promise<readonly RedisNode[]> {
    return [{ address: host, host, port }];
  }

  async open(node: RedisNode, login: RedisLogin): Promise<RedisSession> {
    if (!this.lets(login)) throw new RotationError("target-refused", node.host, "WRONGPASS");
    return { command: async (name, ...args) => this.#command(name, args), close: async () => undefined };
  }

  #command(name: string, args: readonly string[]): unknown {
    const [what, user = "", ...rules] = args;
    switch (`${name} ${what ?? ""}`.trim()) {
      case "PING":
        return "PONG";
      case "CONFIG GET":
        return ["aclfile", "/etc/redis/users.acl"];
      case "ACL SAVE":
      case "CLIENT KILL":
        return "OK";
      case "ACL GETUSER": {
        const passwords = this.#users.get(user);
        return passwords === undefined ? null : ["flags", ["on"], "passwords", [...passwords]];
      }
      case "ACL SETUSER": {
        const passwords = this.#users.get(user) ?? new Set<string>();
        for (const rule of rules) {
          const hash = rule.slice(1);
          if (!/^[#!][0-9a-f]{64}$/.test(rule)) throw new RotationError("unexpected", rule.slice(0, 1));
          if (rule.startsWith("#")) passwords.add(hash);
          else if (!passwords.delete(hash)) throw new RotationError("unexpected", "no such password");
        }
        this.#users.set(user, passwords);
        return "OK";
      }
      default:
        throw new RotationError("unexpected", `${name} ${what}`);
    }
  }
}
