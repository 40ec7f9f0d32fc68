import { generateKeyPairSync, randomBytes } from "node:crypto";
import { CreateReplicationGroupCommand, ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { CreateUserCommand, ListAccessKeysCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Blueprint, SecretPlan } from "../../../../lib/blueprint";
import { isSupplied } from "../../../../lib/rotation";
import { type AwsAccess, clientSettings, iam } from "../load/aws-account";
import type { ServerGroup } from "../servers";
import type { VendorServer } from "../vendors";
import { type FindAwsUser, RehearsedAwsUser } from "./aws-users";
import { rehearsedGeneric } from "./generic";
import type { PostgresqlServers } from "./postgresql";
import { RehearsedRedis, RehearsedReplicationGroup, redisAclTarget } from "./redis";
import { isOfKind, type RehearsedTarget, type SecretOf, type SuppliedValues } from "./target-servers";
import { rehearsedDatadog, rehearsedPayPal, rehearsedSendGrid, rehearsedStripe } from "./vendors";

/** Everything that an environment's secrets open, as servers of a rehearsal. */
export interface RehearsedTargets {
  /** By key. A secret that is not here opens nothing that could be stood up. */
  readonly targets: ReadonlyMap<string, RehearsedTarget>;
  /** Values that people would put into secrets. */
  readonly supplied: SuppliedValues;
  readonly postgresql: PostgresqlServers;
  /** By their id: what ElastiCache's API gets goes to the Redis behind it. */
  readonly replicationGroups: ReadonlyMap<string, RehearsedReplicationGroup>;
  /** Users of ElastiCache and MemoryDB, by service and id. */
  readonly awsUser: FindAwsUser;
  /** By key. */
  readonly vendors: ReadonlyMap<string, VendorServer>;
}

/**
 * Starts Redis and the vendors for the secrets of a blueprint, makes the IAM users and replication groups, and
 * does what their administrators do before rotation begins.
 *
 * @param administrator may make users and replication groups in the embedded AWS
 */
export async function startTargets(
  blueprint: Blueprint,
  administrator: AwsAccess,
  group: ServerGroup,
  postgresql: PostgresqlServers,
): Promise<RehearsedTargets> {
  const supplied: SuppliedValues = new Map();
  const replicationGroups = new Map<string, RehearsedReplicationGroup>();
  const awsUsers: RehearsedAwsUser[] = [];
  const vendors = new Map<string, VendorServer>();

  const targetOf = async (secret: SecretPlan): Promise<RehearsedTarget | undefined> => {
    if (isOfKind(secret, "postgresql-user")) return postgresql.target(secret, supplied);
    if (isOfKind(secret, "redis-auth-token")) {
      const redis = await RehearsedRedis.start(group);
      const { engine, replicationGroup } = secret.settings;
      if (engine === "elasticache-user" || engine === "memorydb-user") {
        const user = await RehearsedAwsUser.on(redis, secret);
        awsUsers.push(user);
        return user.target(secret);
      }
      if (replicationGroup === undefined) return redisAclTarget(redis, secret, supplied);
      await makeReplicationGroup(administrator, blueprint, replicationGroup);
      const made = await RehearsedReplicationGroup.on(redis);
      replicationGroups.set(replicationGroup, made);
      return made.target(secret);
    }
    if (isOfKind(secret, "s3-access-key")) {
      await makeUser(administrator, blueprint, secret.settings.user);
      return accessKeyTarget(secret, administrator, blueprint);
    }
    const vendor = await vendorOf(secret, supplied);
    if (vendor === undefined) return undefined;
    const place = group.placeFor(`vendor-${secret.kind}`);
    group.adopt(place, () => vendor.server.stop());
    vendors.set(secret.key, vendor.server);
    return vendor.target;
  };
  const targets = new Map<string, RehearsedTarget>();
  const inTurn = async (secrets: readonly SecretPlan[]): Promise<void> => {
    for (const secret of secrets) {
      const target = await targetOf(secret);
      if (target !== undefined) targets.set(secret.key, target);
    }
  };
  const isDatabaseUser = (secret: SecretPlan): boolean => isOfKind(secret, "postgresql-user");
  // Database users share servers and logins; everything else stands by itself.
  await Promise.all([
    inTurn(blueprint.secrets.filter(isDatabaseUser)),
    ...blueprint.secrets.filter((secret) => !isDatabaseUser(secret)).map((secret) => inTurn([secret])),
  ]);
  for (const secret of blueprint.secrets) {
    if (isOfKind(secret, "jwt-signing-key") && secret.settings.firstKey === "supplied") {
      supplied.set(secret.key, keyInUse(secret));
    }
    if (!isOfKind(secret, "generic")) continue;
    const target = await rehearsedGeneric(secret, supplied, postgresql, group);
    if (target === undefined) supplyGeneric(secret, supplied);
    else targets.set(secret.key, target);
  }
  const awsUser: FindAwsUser = (service, id) =>
    awsUsers.find(({ user }) => user.service === service && user.id === id);
  return { targets, supplied, postgresql, replicationGroups, awsUser, vendors };
}

function vendorOf(secret: SecretPlan, supplied: SuppliedValues) {
  if (isOfKind(secret, "sendgrid")) return rehearsedSendGrid(secret, supplied);
  if (isOfKind(secret, "datadog")) return rehearsedDatadog(secret, supplied);
  if (isOfKind(secret, "stripe")) return rehearsedStripe(secret, supplied);
  if (isOfKind(secret, "paypal")) return rehearsedPayPal(secret, supplied);
  return undefined;
}

/** A value that nobody's target has given yet: any text will do. */
function supplyGeneric(secret: SecretOf<"generic">, supplied: SuppliedValues): void {
  if (!isSupplied(secret) || supplied.has(secret.key)) return;
  supplied.set(
    secret.key,
    Object.fromEntries(secret.settings.fields.map((field) => [field, randomBytes(24).toString("base64url")])),
  );
}

/** The key with which an organisation signs before there is a secret, as it lies in one of its files. */
function keyInUse({
  key,
  settings: { algorithm },
}: SecretOf<"jwt-signing-key">): Readonly<Record<string, unknown>> {
  const curve = { ES256: "P-256", ES384: "P-384", ES512: "P-521" }[algorithm as string];
  const { privateKey } =
    curve !== undefined
      ? generateKeyPairSync("ec", { namedCurve: curve })
      : algorithm === "EdDSA"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("rsa", { modulusLength: 3_072 });
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    kid: `before ${key}`,
  };
}

/** The keys of an IAM user. Who calls with one is asked of STS, which everybody may do. */
function accessKeyTarget(
  { settings }: SecretOf<"s3-access-key">,
  { endpoint, credentials }: AwsAccess,
  { regions }: Blueprint,
): RehearsedTarget {
  const region = regions.primary;
  const users = iam({ endpoint, credentials }, region);
  return {
    settings,
    attempt: async (value) => {
      const { accessKeyId, secretAccessKey } = value as Readonly<Record<string, string>>;
      const held = { accessKeyId: accessKeyId ?? "", secretAccessKey: secretAccessKey ?? "" };
      const sts = new STSClient(clientSettings({ endpoint, credentials: held }, region));
      try {
        await sts.send(new GetCallerIdentityCommand({}));
        return "accepted";
      } catch (failure) {
        if (failure instanceof Error && failure.name === "InvalidClientTokenId") return "refused";
        throw failure;
      } finally {
        // Attempts are many, and each client keeps its connections.
        sts.destroy();
      }
    },
    credentials: async () => {
      const { AccessKeyMetadata = [] } = await users.send(
        new ListAccessKeysCommand({ UserName: settings.user }),
      );
      return AccessKeyMetadata.length;
    },
  };
}

async function makeUser(administrator: AwsAccess, { regions }: Blueprint, user: string): Promise<void> {
  await iam(administrator, regions.primary).send(new CreateUserCommand({ UserName: user }));
}

async function makeReplicationGroup(
  administrator: AwsAccess,
  { regions }: Blueprint,
  id: string,
): Promise<void> {
  await new ElastiCacheClient(clientSettings(administrator, regions.primary)).send(
    new CreateReplicationGroupCommand({
      ReplicationGroupId: id,
      ReplicationGroupDescription: "Rehearsed",
      CacheNodeType: "cache.t4g.micro",
      Engine: "redis",
      TransitEncryptionEnabled: true,
    }),
  );
}
