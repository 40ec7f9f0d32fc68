import { DeleteItemCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { type Decision, FINAL_STATUSES, type NewRun, type Run } from "../../../lib/contracts/run";
import { DynamoDbApprovalTokens } from "../../../lib/rotation/adapters/dynamodb-approval-tokens";
import { DynamoDbRuns } from "../../../lib/rotation/adapters/dynamodb-runs";
import type { RunTable } from "../../../lib/rotation/procedure/run-table";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { createSecretTable, createTable } from "../../../packages/rehearsal/src/load";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../../packages/rehearsal/src/servers";
import { RunTableModel } from "../models/run-table-model";

const ACCOUNT = "111122223333";
const REGION = "eu-central-1";
const TABLE = "acme-test-secret-runs";
const CHANGES = "acme-test-secret-changes";

let group: ServerGroup;
let aws: EmbeddedAws;
let client: DynamoDBClient;

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  client = new DynamoDBClient({
    region: REGION,
    endpoint: aws.endpoint,
    credentials: aws.rootCredentials(ACCOUNT),
  });
  await createSecretTable(client, TABLE, "run");
  await createTable(client, CHANGES, "change");
}, 300_000);

afterAll(async () => {
  client?.destroy();
  await group?.stop();
});

async function clear(): Promise<void> {
  const { Items: changes = [] } = await client.send(new ScanCommand({ TableName: CHANGES }));
  for (const { change: key } of changes) {
    if (key !== undefined)
      await client.send(new DeleteItemCommand({ TableName: CHANGES, Key: { change: key } }));
  }
  const { Items = [] } = await client.send(new ScanCommand({ TableName: TABLE }));
  for (const { secret, run } of Items) {
    if (secret === undefined || run === undefined) continue;
    await client.send(new DeleteItemCommand({ TableName: TABLE, Key: { secret, run } }));
  }
}

const SECRETS = ["test/db/app", "test/jwt/signing"] as const;
const at = (minute: number): Date => new Date(Date.parse("2026-12-01T00:00:00Z") + minute * 60_000);

const BEN = "arn:aws:sts::111122223333:assumed-role/approver/ben@example.com";

const change = (digest: string) => ({
  id: "2026-12-01-db--app",
  digest,
  key: "db/app",
  requester: "ana@example.com",
  from: "2026-12-01",
  until: "2026-12-31",
});

type Op =
  | { readonly do: "begin"; readonly run: NewRun }
  | { readonly do: "advance"; readonly status: "proving" | "awaiting-approval"; readonly run: NewRun }
  | { readonly do: "end"; readonly status: (typeof FINAL_STATUSES)[number]; readonly run: NewRun }
  | { readonly do: "turnBack"; readonly run: NewRun }
  | { readonly do: "decide"; readonly answer: Decision["answer"]; readonly run: NewRun }
  | { readonly do: "close"; readonly succeeded: boolean; readonly run: NewRun }
  | { readonly do: "approve"; readonly digest: string };

const digest = fc.constantFrom("sha256:1", "sha256:2");
const run: fc.Arbitrary<NewRun> = fc
  .record({
    secret: fc.constantFrom(...SECRETS),
    version: fc.constantFrom("v1", "v2", "v3"),
    kind: fc.constantFrom("rotation" as const, "publication" as const, "retirement" as const),
    digest: fc.option(digest, { nil: undefined }),
  })
  .map(({ secret, version, kind, digest }) => ({
    secret,
    run: version,
    kind,
    newVersion: version,
    startedBy: "schedule",
    ...(digest === undefined ? {} : { change: { id: change(digest).id, digest } }),
  }));
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("begin" as const), run }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      status: fc.constantFrom("proving" as const, "awaiting-approval" as const),
      run,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      status: fc.constantFrom(...FINAL_STATUSES),
      run,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("turnBack" as const), run }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("decide" as const),
      answer: fc.constantFrom("approved" as const, "rejected" as const),
      run,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("close" as const), succeeded: fc.boolean(), run }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("approve" as const), digest }) },
);

/** Outcome of a call: an answer, or a fault's code. */
async function outcomeOf(table: RunTable, item: Op, minute: number): Promise<unknown> {
  const call = async (): Promise<unknown> => {
    if (item.do === "approve") return table.approve(change(item.digest), at(minute));
    if (item.do === "begin") return table.begin(item.run, at(minute));
    const found: Run | undefined = await table.read(item.run.secret, item.run.run);
    if (found === undefined) return "no such run";
    if (item.do === "advance") return table.advance(found, item.status);
    if (item.do === "decide") return table.decide(found, { answer: item.answer, by: BEN, at: at(minute) });
    if (item.do === "end") return table.end(found, item.status);
    return item.do === "close" ? table.close(found, at(minute), item.succeeded) : table.turnBack(found);
  };
  return call().catch((failure: unknown) => {
    if (failure instanceof RotationError) return failure.code;
    throw failure;
  });
}

const viewOf = (table: RunTable) =>
  Promise.all(
    SECRETS.map(async (secret) => ({ open: await table.open(secret), all: await table.latest(secret, 10) })),
  );

describe("runs in DynamoDB", () => {
  test("do what the model of them does, whatever is asked", async () => {
    let calls = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 1, maxLength: 14, size: "max" }), async (ops) => {
        await clear();
        const [real, model] = [new DynamoDbRuns(client, TABLE, CHANGES), new RunTableModel()];
        for (const [minute, item] of ops.entries()) {
          expect(await outcomeOf(real, item, minute)).toEqual(await outcomeOf(model, item, minute));
          calls += 1;
        }
        expect(await viewOf(real)).toEqual(await viewOf(model));
        for (const name of ["sha256:1", "sha256:2"]) {
          expect(await real.approved(name)).toEqual(await model.approved(name));
        }
      }),
      { numRuns: 60 },
    );
    expect(calls).toBeGreaterThan(100);
  }, 120_000);

  test("of approvers who decide at once, one is heard", async () => {
    await clear();
    const table = new DynamoDbRuns(client, TABLE, CHANGES);
    const begun = await table.begin(
      { secret: SECRETS[0], run: "a", kind: "rotation", newVersion: "a", startedBy: "schedule" },
      at(0),
    );
    await table.advance(begun, "awaiting-approval");
    const heard = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        table.decide(begun, {
          answer: index % 2 === 0 ? "approved" : "rejected",
          by: `${BEN}${index}`,
          at: at(index),
        }),
      ),
    );
    expect(new Set(heard.map(({ by }) => by)).size).toBe(1);
    expect((await table.read(SECRETS[0], "a"))?.decision).toEqual(heard[0]);
  });

  test("tokens of executions that wait are kept once each, where no secret's partition is", async () => {
    await clear();
    const tokens = new DynamoDbApprovalTokens(client, TABLE);
    expect(await tokens.of(SECRETS[0], "a")).toEqual([]);
    for (const token of ["one", "two", "one"]) await tokens.add(SECRETS[0], "a", token);
    expect([...(await tokens.of(SECRETS[0], "a"))].sort()).toEqual(["one", "two"]);
    expect(await tokens.of(SECRETS[0], "b")).toEqual([]);
    expect(await new DynamoDbRuns(client, TABLE, CHANGES).latest(SECRETS[0], 10)).toEqual([]);
  });

  test("of eight that begin at once, one has the secret", async () => {
    await clear();
    const table = new DynamoDbRuns(client, TABLE, CHANGES);
    const begun = await Promise.allSettled(
      ["a", "b", "c", "d", "e", "f", "g", "h"].map((version) =>
        table.begin(
          { secret: SECRETS[0], run: version, kind: "rotation", newVersion: version, startedBy: "schedule" },
          at(0),
        ),
      ),
    );
    expect(begun.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await table.latest(SECRETS[0], 10)).toEqual([await table.open(SECRETS[0])]);
  });
});
