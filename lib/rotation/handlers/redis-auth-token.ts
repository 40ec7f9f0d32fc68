import { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { ElastiCacheGroups } from "../adapters/elasticache-groups";
import { redisServer } from "../adapters/redis-server";
import { lambdaHandler } from "../rotation-handler";
import { elastiCacheAuthTarget } from "../targets/elasticache-auth";
import { redisAclUserTarget } from "../targets/redis-acl-user";
import { adminValueSchema } from "../value-schemas";

const groups = new ElastiCacheGroups(new ElastiCacheClient());

/** Lambda's entry point for Redis, managed or on own servers. */
export const handler = lambdaHandler("redis-auth-token", ({ settings, readAdmin, clock, random }) =>
  settings.engine === "acl"
    ? redisAclUserTarget({
        settings,
        admin: () => readAdmin(adminValueSchema),
        server: redisServer,
        random,
      })
    : elastiCacheAuthTarget({ settings, groups, server: redisServer, clock, random }),
);
