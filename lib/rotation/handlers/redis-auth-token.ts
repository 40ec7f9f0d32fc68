import { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { ElastiCacheGroups } from "../adapters/elasticache-groups";
import { redisServer } from "../adapters/redis-server";
import { lambdaHandler } from "../rotation-handler";
import { elastiCacheAuthTarget } from "../targets/elasticache-auth";
import { redisAclUserTarget } from "../targets/redis-acl-user";

const groups = new ElastiCacheGroups(new ElastiCacheClient());

/** Lambda's entry point for Redis, managed or on own servers. */
export const handler = lambdaHandler("redis-auth-token", ({ settings, caPem, readAdmin, clock, random }) =>
  settings.engine === "acl"
    ? redisAclUserTarget({ settings, caPem, admin: readAdmin, server: redisServer, random })
    : elastiCacheAuthTarget({ settings, caPem, groups, server: redisServer, clock, random }),
);
