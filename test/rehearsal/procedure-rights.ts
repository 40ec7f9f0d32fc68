import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { UpdateAssumeRolePolicyCommand } from "@aws-sdk/client-iam";
import { KMSClient } from "@aws-sdk/client-kms";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SNSClient } from "@aws-sdk/client-sns";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { type FunctionPlan, rotates } from "../../lib/blueprint";
import type { WatcherSettings } from "../../lib/contracts/function-settings";
import type { RecorderEvent } from "../../lib/contracts/procedure-events";
import { PROCEDURE_FUNCTIONS, type ProcedureFunction } from "../../lib/model/names";
import { awsWatcherSinks } from "../../lib/rotation/adapters/aws-watcher-sinks";
import { DynamoDbPublications } from "../../lib/rotation/adapters/dynamodb-publications";
import { KmsVersionProofs } from "../../lib/rotation/adapters/later/kms-version-proofs";
import { SecretsManagerLook } from "../../lib/rotation/adapters/secrets-manager-look";
import { Watcher } from "../../lib/rotation/procedure/watcher";
import { invokeFunction } from "../../packages/rehearsal/src/load";
import { clientSettings, iam } from "../../packages/rehearsal/src/load/aws-account";
import type { RehearsedWorld } from "../../packages/rehearsal/src/world";
import type { ProcedureWorld } from "./rehearsed-procedure";
import { rightsOf, rightsUsed } from "./rights-used";

const DAY = 86_400_000;

/**
 * Shows that the procedure's functions used every right of their roles and lacked none, when runs of all kinds are over.
 * Before it looks it does what only time or a failure brings about: a recorder that is called again, and a watcher on a day
 * on which people are reminded.
 */
export async function expectProcedureRightsUsed(worlds: readonly ProcedureWorld[]): Promise<void> {
  for (const world of worlds) {
    await recordAgain(world);
    await freeForgedLock(world.world);
    await watch(world.world);
  }
  const { lines, counts, unused, missing } = rightsUsed(
    Object.fromEntries(
      PROCEDURE_FUNCTIONS.map((what) => [
        what,
        worlds.map(({ world }) => rightsOf(functionOf(world, what).role, world.shim.calls)),
      ]),
    ),
  );
  process.stdout.write(
    `${lines.join("\n")}\n${counts.enforced} rights enforced, ${counts.service} used by AWS itself\n`,
  );
  expect({ unused, missing }).toEqual({ unused: [], missing: [] });
}

function functionOf({ plan }: RehearsedWorld, what: ProcedureFunction): FunctionPlan {
  const found = plan.functions.find((entry) => !rotates(entry) && entry.bundle === what);
  if (found === undefined) throw new Error(`${plan.environment} has no ${what}`);
  return found;
}

/** The state machine calls the recorder until it answers: once more than it must, and nothing is written over. */
async function recordAgain(of: ProcedureWorld): Promise<void> {
  const { world } = of;
  const { records } = await of.records().since("2020-01-01");
  const record = records.at(-1);
  const secret = world.plan.secrets.find(({ key }) => key === record?.secret);
  if (record === undefined || secret?.store !== "aws") throw new Error(`${of.name} has no record`);
  const event: RecorderEvent = {
    Secret: secret.name,
    Run: record.id,
    Outcome: "failed",
    Phases: [],
    Checks: [],
    Fault: null,
  };
  const { functionError } = await invokeFunction(world.as.root, functionOf(world, "recorder").arn, event);
  expect(functionError).toBeUndefined();
  const after = await of.records().since("2020-01-01");
  expect(after.records).toEqual(records);
}

/** A lock that belongs to no run, as whoever may write to the table could leave one: the dispatcher's sweep frees the secret. */
async function freeForgedLock(world: RehearsedWorld): Promise<void> {
  const { plan, as } = world;
  const secret = plan.secrets.find(({ key }) => key === "admin/postgresql");
  const TableName = plan.procedure?.runsTable;
  if (secret?.store !== "aws") throw new Error(`${plan.environment} has no admin secret`);
  const client = new DynamoDBClient(clientSettings(as.root, plan.regions.primary));
  const Key = { secret: { S: secret.name }, run: { S: "#lock" } };
  await client.send(new PutItemCommand({ TableName, Item: { ...Key, holder: { S: "no-such-run" } } }));
  const { functionError, payload } = await invokeFunction(as.root, functionOf(world, "dispatcher").arn, {
    Sweep: true,
  });
  expect([functionError, payload]).toEqual([undefined, expect.objectContaining({ freed: 1 })]);
  expect((await client.send(new GetItemCommand({ TableName, Key }))).Item).toBeUndefined();
}

/** The function comes hourly; its code also runs here under its role, at the hour of reminders of a day near the cadence's end. */
async function watch(world: RehearsedWorld): Promise<void> {
  const { arn, role, settings } = functionOf(world, "watcher");
  const { functionError } = await invokeFunction(world.as.root, arn, {});
  expect(functionError).toBeUndefined();

  const own = settings as WatcherSettings;
  const client = {
    ...clientSettings(world.as.root, own.region),
    credentials: await take(world, role.arn, role.name, arn),
  };
  const day = new Date(Date.now() + 85 * DAY).toISOString().slice(0, 10);
  const watcher = new Watcher({
    settings: own,
    secrets: new SecretsManagerLook(
      new SecretsManagerClient(client),
      new KmsVersionProofs(new KMSClient(client), own.auditKeyAlias),
    ),
    publications: new DynamoDbPublications(new DynamoDBClient(client), own.publicationsTable),
    sinks: awsWatcherSinks(new CloudWatchClient(client), new SNSClient(client), own),
    clock: { now: () => new Date(`${day}T08:00:00.000Z`) },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const { reminded } = await watcher.run();
  expect(reminded).toEqual(["team-a"]);
}

/** A function's role, which the account's root may take from now on, for its code in this process. */
async function take(
  { as: { root }, plan, shim }: RehearsedWorld,
  arn: string,
  RoleName: string,
  functionArn: string,
) {
  const region = plan.regions.primary;
  await iam(root, region).send(
    new UpdateAssumeRolePolicyCommand({
      RoleName,
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: `arn:${plan.partition}:iam::${plan.account}:root` },
            Action: ["sts:AssumeRole"],
          },
        ],
      }),
    }),
  );
  const { Credentials: taken } = await new STSClient(clientSettings(root, region)).send(
    new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: "watcher" }),
  );
  shim.callers.actFor(taken?.AccessKeyId ?? "", functionArn);
  return {
    accessKeyId: taken?.AccessKeyId ?? "",
    secretAccessKey: taken?.SecretAccessKey ?? "",
    sessionToken: taken?.SessionToken ?? "",
  };
}
