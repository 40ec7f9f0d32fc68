import { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { targetRights } from "../../lib/blueprint/functions/target-rights";
import type { Environment } from "../../lib/model";
import { type KindSettings, settingsSchema } from "../../lib/model/kinds";
import type { EnvironmentSecret } from "../../lib/model/resolve";
import { ElastiCacheUsers } from "../../lib/rotation/adapters/elasticache-users";
import { MemoryDbUsers } from "../../lib/rotation/adapters/memorydb-users";
import { redisServer } from "../../lib/rotation/adapters/redis-server";
import { systemClock, systemRandom } from "../../lib/rotation/adapters/system";
import type { Attempt } from "../../lib/rotation/protocol/target";
import { awsRedisUserTarget } from "../../lib/rotation/targets/aws-redis-user";
import type { Credentials } from "../../packages/rehearsal/src/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { RehearsedAwsUser, userCalls } from "../../packages/rehearsal/src/targets/aws-users";
import { RehearsedRedis } from "../../packages/rehearsal/src/targets/redis";
import type { SecretOf } from "../../packages/rehearsal/src/targets/target-servers";

/** Users of ElastiCache and MemoryDB by the shim, with a real Redis behind, by a role that has what a function's has. */

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const ENVIRONMENT = { partition: "aws", account: ACCOUNT, regions: { primary: REGION } } as Environment;
const ATTEMPT: Attempt = {
  secretName: "dev/redis/app",
  secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:dev/redis/app-AbCdEf`,
  versionId: "00000000-0000-4000-8000-000000000001",
  labelled: [],
};

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;
let session: Credentials;
const users: RehearsedAwsUser[] = [];

const by = (credentials: Credentials) => ({
  endpoint: shim.endpoint,
  region: REGION,
  credentials,
  maxAttempts: 1,
});

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  const handlers = userCalls((service, id) =>
    users.find(({ user }) => user.service === service && user.id === id),
  );
  shim = await startAwsShim({ upstream: aws, group, handlers });
  const root = aws.rootCredentials(ACCOUNT);
  await new IAMClient(by(root)).send(
    new CreateRoleCommand({
      RoleName: "rotator",
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" },
        ],
      }),
    }),
  );
  const { Credentials: taken } = await new STSClient(by(root)).send(
    new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/rotator`, RoleSessionName: "test" }),
  );
  session = {
    accessKeyId: taken?.AccessKeyId ?? "",
    secretAccessKey: taken?.SecretAccessKey ?? "",
    sessionToken: taken?.SessionToken ?? "",
  };
}, 300_000);

afterAll(() => group?.stop());

const SETTINGS = {
  elasticache: { engine: "elasticache-user", user: "app", userId: "app-1" },
  memorydb: { engine: "memorydb-user", user: "app-1" },
} as const;

test.each(["elasticache", "memorydb"] as const)(
  "%s: a rotation and its end by the rights of a function's role, on a real Redis; nothing by rights on another user",
  async (service) => {
    const redis = await RehearsedRedis.start(group);
    const settings = {
      ...(settingsSchema("redis-auth-token").parse({
        host: "cache.example.com",
        ...SETTINGS[service],
      }) as KindSettings<"redis-auth-token">),
      ...redis.place,
    };
    const secret = { kind: "redis-auth-token", name: ATTEMPT.secretName, settings };
    const made = await RehearsedAwsUser.on(redis, secret as SecretOf<"redis-auth-token">);
    users.push(made);
    const client = new ElastiCacheClient(by(session));
    const target = awsRedisUserTarget({
      settings,
      users: service === "memorydb" ? new MemoryDbUsers(client, shim.endpoint) : new ElastiCacheUsers(client),
      server: redisServer,
      clock: systemClock,
      random: systemRandom,
    });
    const allow = (of: KindSettings<"redis-auth-token">) =>
      new IAMClient(by(aws.rootCredentials(ACCOUNT))).send(
        new PutRolePolicyCommand({
          RoleName: "rotator",
          PolicyName: "function",
          PolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: targetRights(ENVIRONMENT, [
              { ...secret, settings: of } as unknown as EnvironmentSecret,
            ]),
          }),
        }),
      );
    const [first, second] = [
      await target.generate(undefined, ATTEMPT),
      await target.generate(undefined, ATTEMPT),
    ];

    await allow({ ...settings, user: "app-2", userId: "app-2" });
    await expect(target.install(first, undefined, ATTEMPT)).rejects.toMatchObject({ code: "access-denied" });

    await allow(settings);
    await target.install(first, undefined, ATTEMPT);
    await target.install(second, first, ATTEMPT);
    for (const value of [first, second]) await target.test(value);
    expect(made.user.tags.get("secrets-registry:second-password")).toBe(ATTEMPT.versionId);
    await target.retire({
      secret: ATTEMPT,
      retired: first,
      kept: [second],
      refreshedBy: undefined,
      emergency: false,
    });
    await expect(target.test(first)).rejects.toMatchObject({ code: "target-refused" });
    await target.test(second);
    expect(made.user.passwords).toEqual([second.password]);
    expect(made.user.tags.get("secrets-registry:second-password")).toBe("-");
    // Every right is one that is used, and every call has one.
    const asked = shim.calls.all.filter(({ action }) => action.startsWith(`${service}:`));
    const rights = targetRights(ENVIRONMENT, [secret as unknown as EnvironmentSecret]);
    expect([...new Set(asked.map(({ action }) => action))].sort()).toEqual(rights[0]?.Action);
    expect([...new Set(asked.map(({ resource }) => resource))]).toEqual(rights[0]?.Resource);
  },
  60_000,
);
