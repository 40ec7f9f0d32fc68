import * as z from "zod/mini";
import { oneLine } from "../grammar";
import { certificatePem, hostName, portNumber } from "../server-grammar";
import { type KindTraits, textField } from "./traits";

const redisUserName = z.string().check(
  z.refine((name) => /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/.test(name), {
    params: {
      allowed: "a user name of letters, digits, hyphens, dots and underscores, at most 100 characters",
      change: "use the name by which clients log in",
    },
    message: "user",
  }),
);

/**
 * A user's id in AWS's ARNs: "stored as a lowercase string". The services' own user `default` cannot be changed.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateUser.html
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
 */
export const isAwsUserId = (id: string): boolean => /^[a-z][a-z0-9-]{0,99}$/.test(id) && id !== "default";

const awsUserId = z.string().check(
  z.refine(isAwsUserId, {
    params: {
      allowed: "the id of a user of your own: lower-case letters, digits and hyphens, not default",
      change:
        "make a user of your own; for ElastiCache's default user give it the user name default and another id",
    },
    message: "user id",
  }),
);

/** Redis auth token: its row in the table of kinds. */
export const REDIS_AUTH_TOKEN_TRAITS = {
  title: "Redis auth token",
  stores: ["aws"],
  acceptedBy: ["target"],
  rotation: ["automatic"],
  fields: [textField("password")],
  publicSettings: ["host", "port", "tls", "user"],
} as const satisfies KindTraits;

/** Schema of the settings of a Redis auth token. */
export const redisAuthTokenSettings = () =>
  z.strictObject({
    host: hostName,
    port: z._default(portNumber, 6379),
    /** CA of the server's certificate in PEM, when it is not a public one (ElastiCache's is). */
    caPem: z.optional(certificatePem),
    /**
     * `elasticache`: AUTH token of a replication group. `elasticache-user`: a user of ElastiCache (RBAC), the only login of
     * serverless caches. `memorydb-user`: a user of MemoryDB. `acl`: a user of own servers. Users have two passwords.
     */
    engine: z._default(z.enum(["elasticache", "elasticache-user", "memorydb-user", "acl"]), "elasticache"),
    /** ElastiCache replication group id; needed for `elasticache`. */
    replicationGroup: z.optional(oneLine),
    /**
     * Groups whose tokens values of this secret still open: the function keeps its rights on them until those values are
     * decommissioned. Default: none.
     */
    formerReplicationGroups: z._default(z.array(oneLine), []),
    /** Name by which clients log in; needed for every engine but `elasticache`. In MemoryDB it names the user as well. */
    user: z.optional(redisUserName),
    /** Id of the ElastiCache user (`aws elasticache describe-users`); needed for `elasticache-user`. */
    userId: z.optional(awsUserId),
    /**
     * ElastiCache users, by id, whose passwords values of this secret still are: the function keeps its rights on them until
     * those values are decommissioned. Default: none.
     */
    formerElastiCacheUsers: z._default(z.array(awsUserId), []),
    /** The same of MemoryDB, by name. Default: none. */
    formerMemoryDbUsers: z._default(z.array(awsUserId), []),
    /**
     * Way in which an own server keeps changed users over a restart. `server`: in its ACL file or its configuration file, as it is set
     * up. `none`: it is not asked to, because somebody else keeps them (a managed Redis without CONFIG).
     * Default: `server`.
     */
    persist: z.optional(z.enum(["server", "none"])),
    /** Redis AUTH over clear text gives the token away, so this cannot be turned off. */
    tls: z._default(z.literal(true), true),
  });
