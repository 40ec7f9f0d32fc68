import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { type ElastiCacheClient, ModifyReplicationGroupCommand } from "@aws-sdk/client-elasticache";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DynamoDbPublications } from "../../../lib/rotation/adapters/dynamodb-publications";
import { ElastiCacheGroups } from "../../../lib/rotation/adapters/elasticache-groups";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";

/** A client that answers everything in one way and keeps what it was asked. */
function clientOf<C>(answer: () => unknown): { readonly client: C; readonly asked: unknown[] } {
  const asked: unknown[] = [];
  const send = async (command: unknown) => {
    asked.push(command);
    return answer();
  };
  return { client: { send } as unknown as C, asked };
}

const failing = (name: string) => () => {
  throw Object.assign(new Error("a message that may quote a canary"), { name });
};

describe("publications", () => {
  test("are read consistently and withdrawn by key", async () => {
    const { client, asked } = clientOf<DynamoDBClient>(() => ({
      Item: { confirmedAt: { S: "2026-11-24T12:00:00.000Z" } },
    }));
    const publications = new DynamoDbPublications(client, "table");
    expect(await publications.confirmedAt("dev/a", "v1")).toEqual(new Date("2026-11-24T12:00:00Z"));
    await publications.withdraw("dev/a", "v1");
    const Key = { secret: { S: "dev/a" }, version: { S: "v1" } };
    expect(asked[0]).toBeInstanceOf(GetItemCommand);
    expect(asked[0]).toMatchObject({ input: { TableName: "table", Key, ConsistentRead: true } });
    expect(asked[1]).toBeInstanceOf(DeleteItemCommand);
    expect(asked[1]).toMatchObject({ input: { TableName: "table", Key } });
  });

  test.each([{}, { Item: {} }, { Item: { confirmedAt: { S: "soon" } } }])(
    "%j is no confirmation",
    async (answer) => {
      const { client } = clientOf<DynamoDBClient>(() => answer);
      expect(await new DynamoDbPublications(client, "table").confirmedAt("dev/a", "v1")).toBeUndefined();
    },
  );
});

describe("replication groups", () => {
  test("are described by what matters, and changed at once", async () => {
    const { client, asked } = clientOf<ElastiCacheClient>(() => ({
      ReplicationGroups: [
        {
          ARN: "arn:aws:elasticache:eu-central-1:111122223333:replicationgroup:app",
          Status: "available",
          TransitEncryptionEnabled: true,
          AuthTokenLastModifiedDate: new Date(0),
          PendingModifiedValues: { AuthTokenStatus: "ROTATING" },
        },
      ],
    }));
    const groups = new ElastiCacheGroups(client);
    expect(await groups.describe("app")).toEqual({
      arn: "arn:aws:elasticache:eu-central-1:111122223333:replicationgroup:app",
      tokenChangedAt: new Date(0),
      status: "available",
      tokenChanging: true,
      encryptedInTransit: true,
    });
    await groups.changeToken("app", "ROTATE", "token");
    expect(asked[1]).toBeInstanceOf(ModifyReplicationGroupCommand);
    expect(asked[1]).toMatchObject({
      input: { AuthTokenUpdateStrategy: "ROTATE", ApplyImmediately: true },
    });
  });

  test.each([
    ["ReplicationGroupNotFoundFault", "target-misconfigured"],
    ["AccessDeniedException", "access-denied"],
    ["Throttling", "throttled"],
    ["InternalFailure", "unexpected"],
  ])("%s: %s", async (name, code) => {
    const { client } = clientOf<ElastiCacheClient>(failing(name));
    await expect(new ElastiCacheGroups(client).describe("app")).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining("canary"),
    });
  });

  test.each(["InvalidParameterValueException", "InvalidParameterCombination"])(
    "%s: the token is refused, in the state that the group is in",
    async (name) => {
      const { client } = clientOf<ElastiCacheClient>(failing(name));
      expect(await new ElastiCacheGroups(client).changeToken("app", "SET", "token")).toBe("refused");
    },
  );

  test("a group under change is busy, a group that is not listed is missing", async () => {
    const busy = clientOf<ElastiCacheClient>(failing("InvalidReplicationGroupStateFault"));
    await expect(new ElastiCacheGroups(busy.client).changeToken("app", "SET", "token")).rejects.toMatchObject(
      {
        code: "target-busy",
      },
    );
    const none = clientOf<ElastiCacheClient>(() => ({ ReplicationGroups: [] }));
    await expect(new ElastiCacheGroups(none.client).describe("app")).rejects.toMatchObject({
      code: "target-misconfigured",
    });
  });
});

describe("secrets", () => {
  test.each([
    ["AccessDeniedException", "access-denied", false],
    ["ThrottlingException", "throttled", true],
    ["InternalServiceError", "unexpected", true],
    ["odd name with a canary", "unexpected", true],
  ])("%s: %s, to be tried again: %s", async (name, code, retryable) => {
    const { client } = clientOf<SecretsManagerClient>(failing(name));
    const store = new SecretsManagerStore(client);
    const calls = [
      store.describe("dev/a"),
      store.read("dev/a", "v1"),
      store.readCurrent("dev/a"),
      store.putPending("dev/a", "v1", "canary"),
      store.moveLabel("dev/a", "AWSCURRENT", { from: "v1", to: "v2" }),
    ];
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({
        code,
        retryable,
        message: expect.not.stringContaining("canary"),
      });
    }
  });

  test("an empty value is none, a binary one is malformed", async () => {
    const empty = clientOf<SecretsManagerClient>(() => ({ SecretString: "" }));
    expect(await new SecretsManagerStore(empty.client).read("dev/a", "v1")).toBeUndefined();
    const binary = clientOf<SecretsManagerClient>(() => ({ SecretBinary: new Uint8Array(1) }));
    await expect(new SecretsManagerStore(binary.client).read("dev/a", "v1")).rejects.toMatchObject({
      code: "value-malformed",
    });
  });
});
