import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { awsRedisUserTarget } from "../../../lib/rotation/targets/aws-redis-user";
import { elastiCacheAuthTarget } from "../../../lib/rotation/targets/elasticache-auth";
import { type RedisValue, redisAclUserTarget } from "../../../lib/rotation/targets/redis-acl-user";
import { AwsUsersModel, madeUser, startMemoryDb } from "./aws-users-model";
import { ElastiCacheModel } from "./elasticache-model";
import { reachable } from "./gated-ports";
import { RedisAclModel } from "./redis-acl-model";
import { testRandom } from "./rehearsed-secret";
import type { SequenceKind } from "./sequence-kind";

const settingsOf = (settings: object): KindSettings<"redis-auth-token"> =>
  settingsSchema("redis-auth-token").parse(settings) as KindSettings<"redis-auth-token">;

const madeText = (): string => testRandom.bytes(24).toString("hex");

const common = {
  kind: "redis-auth-token",
  mode: "automatic",
  publishes: false,
  acceptedBy: "target",
  /** Refresh interval and reload margin. */
  overlapSeconds: 7 * 3_600,
  publishLeadSeconds: 0,
} as const;

export const elastiCache: SequenceKind<RedisValue> = {
  ...common,
  name: "redis-auth-token, ElastiCache",
  begin: (clock) => {
    const group = new ElastiCacheModel();
    const settings = settingsOf({
      host: "cache.example",
      engine: "elasticache",
      replicationGroup: "app",
    });
    return {
      settings: () => settings,
      targetOf: (made, plan, away) =>
        elastiCacheAuthTarget({
          settings: made,
          groups: plan.wrap(reachable(group.groups, away)),
          server: plan.wrap(reachable(group, away)),
          clock,
          random: testRandom,
        }),
      presents: async ({ password }) => group.lets(password),
      live: () => group.tokens.accepted,
      opens: ({ password }) => [password],
    };
  },
};

/** A user of ElastiCache by the SDK's client, or of MemoryDB by HTTP: two passwords at most. `aws-user-passwords.ts` */
function awsUser(service: "elasticache" | "memorydb"): SequenceKind<RedisValue> {
  const login =
    service === "elasticache"
      ? { engine: "elasticache-user", user: "app", userId: "app" }
      : { engine: "memorydb-user", user: "app" };
  return {
    ...common,
    name: `redis-auth-token, ${service === "elasticache" ? "ElastiCache" : "MemoryDB"} user`,
    begin: async (clock) => {
      // As people make it: by a password that nobody knows any more, and with the tag that hands it over.
      const made = madeText();
      const model = new AwsUsersModel(madeUser(service, [made], "test/app/secret"));
      const memoryDb = service === "memorydb" ? await startMemoryDb() : undefined;
      if (memoryDb !== undefined) memoryDb.model = model;
      const users = memoryDb?.users ?? model.elastiCache;
      const settings = settingsOf({ host: "cache.example", ...login });
      return {
        settings: () => settings,
        targetOf: (by, plan, away) =>
          awsRedisUserTarget({
            settings: by,
            users: plan.wrap(reachable(users, away)),
            server: plan.wrap(reachable(model, away)),
            clock,
            random: testRandom,
          }),
        presents: async ({ password }) => model.lets(password),
        live: () => model.user?.passwords ?? [],
        opens: ({ password }) => [password],
        ...(memoryDb === undefined ? {} : { close: () => memoryDb.stop() }),
      };
    },
  };
}

export const elastiCacheUser = awsUser("elasticache");
export const memoryDbUser = awsUser("memorydb");

export const redisAcl: SequenceKind<RedisValue> = {
  ...common,
  name: "redis-auth-token, ACL user",
  begin: () => {
    const admin = { username: "admin", password: madeText() };
    const server = new RedisAclModel(admin, ["app", "renamed"]);
    const named = (user: string) => settingsOf({ host: "redis.example", engine: "acl", user });
    let settings = named("app");
    const userOf = (value: RedisValue): string =>
      (value as RedisValue & { readonly _settings?: { readonly user?: string } })._settings?.user ?? "app";
    return {
      settings: () => settings,
      targetOf: (made, plan, away) =>
        redisAclUserTarget({
          settings: made,
          admin: async () => admin,
          server: plan.wrap(reachable(server, away)),
          random: testRandom,
        }),
      presents: async (value) => server.lets({ username: userOf(value), password: value.password }),
      live: () => server.accepted(["app", "renamed"]),
      opens: (value) => [RedisAclModel.nameOf(userOf(value), value.password)],
      rename: () => {
        settings = named(settings.user === "app" ? "renamed" : "app");
      },
    };
  },
};
