import { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { ElastiCacheGroups } from "../adapters/elasticache-groups";
import { ElastiCacheUsers } from "../adapters/elasticache-users";
import { MemoryDbUsers } from "../adapters/memorydb-users";
import { redisServer } from "../adapters/redis-server";
import { lambdaHandler } from "../entries/rotation-handler";
import { awsRedisUserTarget } from "../targets/aws-redis-user";
import { elastiCacheAuthTarget } from "../targets/elasticache-auth";
import { redisAclUserTarget } from "../targets/redis-acl-user";
import { adminValueSchema } from "../values/value-schemas";

const elastiCache = new ElastiCacheClient();
const groups = new ElastiCacheGroups(elastiCache);
const users = {
  "elasticache-user": new ElastiCacheUsers(elastiCache),
  // The name that AWS's SDKs give the variable.
  "memorydb-user": new MemoryDbUsers(elastiCache, process.env.AWS_ENDPOINT_URL_MEMORYDB),
};

/** Lambda's entry point for Redis, managed or on own servers. */
export const handler = lambdaHandler("redis-auth-token", ({ settings, readAdmin, clock, random }) => {
  const shared = { settings, server: redisServer, clock, random };
  switch (settings.engine) {
    case "acl":
      return redisAclUserTarget({ ...shared, admin: () => readAdmin(adminValueSchema) });
    case "elasticache":
      return elastiCacheAuthTarget({ ...shared, groups });
    default:
      return awsRedisUserTarget({ ...shared, users: users[settings.engine] });
  }
});
