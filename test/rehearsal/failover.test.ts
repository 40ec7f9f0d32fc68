import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteRoleCommand, DeleteRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from "@aws-sdk/client-secrets-manager";
import { type Blueprint, blueprint } from "../../lib/blueprint";
import { functionZip } from "../../lib/bundles";
import { run } from "../../lib/cli/program";
import type { FailoverReport } from "../../lib/cli/verbs/failover";
import type { RejoinReport } from "../../lib/cli/verbs/rejoin";
import { days, defineRegistry, type PolicyDocument, type Registry } from "../../lib/model";
import { STEPS } from "../../lib/rotation";
import {
  type AwsAccess,
  invokeFunction,
  loadAwsAccount,
  loadInboxes,
  loadVaultServer,
  secretsManager,
  takeHumanRole,
  takeWorkloadRole,
} from "../../packages/rehearsal/src/load";
import { iam } from "../../packages/rehearsal/src/load/aws-account";
import { loadOperations, loadSchedules } from "../../packages/rehearsal/src/load/operations";
import { createSecretTable } from "../../packages/rehearsal/src/load/tables";
import { loadMirrorRole } from "../../packages/rehearsal/src/load/vault-server";
import { BegunRuns } from "../../packages/rehearsal/src/rehearse/begun-runs";
import {
  type ClusterIssuer,
  type OpenBao,
  ServerGroup,
  startClusterIssuer,
  startEmbeddedAws,
  startOpenBao,
} from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { QUICK, withCredentials } from "../cli/deployed-registry";
import { FakeTerminal } from "../cli/fake-terminal";
import { MODEL } from "../cli/run-cli";
import type { Draft } from "../model/sample";
import { callWith } from "./rehearsed-environment";
import { rightsOfPerson, rightsUsed } from "./rights-used";

jest.setTimeout(180_000);

/** Several regions' functions start at once here, and nothing waits for its own sake. */
const PATIENT = { ...QUICK, patienceMs: () => 40_000, confirmationMs: 60_000 };
const ACCOUNT = "111122223333";
const TOKEN_ISSUER = "https://rehearsal.tokens.sts.global.api.aws";
const [LOST, NEW, THIRD] = ["eu-central-1", "eu-west-1", "us-east-1"] as const;
const OPERATOR = `arn:aws:iam::${ACCOUNT}:role/operator`;
const BREAK_GLASS = `arn:aws:iam::${ACCOUNT}:role/break-glass`;
const AUTOMATIC = "crypto/session";
const ASSISTED = "legacy/api";

let group: ServerGroup;
let shim: AwsShim;
let vault: OpenBao;
let issuer: ClusterIssuer;
let root: AwsAccess;
let operator: AwsAccess;
/** Has what `people.failover` of the blueprint before the loss gives, to the end. */
let breakGlass: AwsAccess;
let pod: AwsAccess;
/** The registry's modules and blueprints: before the loss, after it, and with the region back. */
let before: Stage;
let after: Stage;
let back: Stage;

interface Stage {
  readonly plan: Blueprint;
  readonly file: string;
}

beforeAll(async () => {
  group = ServerGroup.open();
  const [aws, bao, oidc] = await Promise.all([
    startEmbeddedAws({ group }),
    startOpenBao({ group }),
    startClusterIssuer({ group }),
  ]);
  [vault, issuer] = [bao, oidc];
  shim = await startAwsShim({ upstream: aws, group, tokenIssuers: { [ACCOUNT]: TOKEN_ISSUER } });
  root = { endpoint: shim.endpoint, credentials: aws.rootCredentials(ACCOUNT) };
  before = stage({ primary: LOST, replicas: [NEW, THIRD] });
  after = stage({ primary: NEW, replicas: [THIRD] });
  back = stage({ primary: NEW, replicas: [THIRD, LOST] });

  const { plan } = before;
  await loadAwsAccount(root, plan);
  await operate(plan);
  const [place] = plan.vaults;
  if (place === undefined) throw new Error("no Vault");
  const { url: apiServer, jwksUrl, reviewerToken, caPem } = issuer;
  await loadVaultServer(
    callWith(vault, vault.rootToken),
    place,
    { west: { apiServer, jwksUrl, reviewerToken, caPem } },
    { awsTokenKeys: [shim.webIdentity.publicKeyPem] },
  );
  const take = async (arn: string, policy: PolicyDocument): Promise<AwsAccess> => ({
    endpoint: shim.endpoint,
    credentials: await takeHumanRole(root, plan, { arn, policy }),
  });
  operator = await take(OPERATOR, operatorRights());
  breakGlass = await take(BREAK_GLASS, failoverRights(plan));
  const { code, err } = await cli(before, ["bootstrap", "--env", "prod", "--values-from", "stdin"], {
    [ASSISTED]: { token: "first-token-of-a-rehearsal" },
  });
  if (code !== 0) throw new Error(err);
  const [workload] = plan.workloads;
  if (workload === undefined) throw new Error("no workload");
  const token = issuer.token({ ...workload, audience: "sts.amazonaws.com", audienceForm: "text" });
  pod = {
    endpoint: shim.endpoint,
    credentials: await takeWorkloadRole(shim.endpoint, NEW, workload.role.arn, token),
  };
}, 300_000);

afterEach(async () => {
  shim.faults.clear();
  await Promise.all(probers.splice(0).map(({ stop }) => stop()));
});

afterAll(() => group?.stop(), 60_000);

function stage(regions: { primary: string; replicas: readonly string[] }): Stage {
  const draft = draftOf(regions);
  const file = join(mkdtempSync(join(tmpdir(), "failover-")), "registry.js");
  writeFileSync(
    file,
    `exports.registry = require(${JSON.stringify(MODEL)}).defineRegistry(${JSON.stringify(draft)});`,
  );
  return { plan: blueprint(defineRegistry(draft) as Registry, "prod"), file };
}

function draftOf(regions: { primary: string; replicas: readonly string[] }): Draft {
  const secret = (kind: string, more: object) => ({
    kind,
    description: kind,
    owner: "team-a",
    consumers: ["backend"],
    rotateEvery: days(90),
    store: "aws",
    ...more,
  });
  return {
    id: "acme",
    environments: {
      prod: {
        tier: "development",
        account: ACCOUNT,
        awsTokenIssuer: TOKEN_ISSUER,
        regions,
        principals: {
          deployer: `arn:aws:iam::${ACCOUNT}:role/deployer`,
          operators: [OPERATOR],
          breakGlass: [BREAK_GLASS],
        },
        // The Vault and the cluster of the region that takes over.
        vaults: [{ name: "west", address: vault.address, caPem: vault.caPem, regions: [NEW, THIRD] }],
        vaultAuth: "jwt",
        clusters: [
          {
            name: "west",
            region: NEW,
            issuer: issuer.url,
            issuerCaPem: issuer.caPem,
            apiServer: issuer.url,
            vault: "west",
          },
        ],
      },
    },
    workloads: { backend: { namespace: "backend" } },
    secrets: {
      [AUTOMATIC]: secret("hmac-key", { rotation: "automatic" }),
      "crypto/webhook": secret("hmac-key", { rotation: "manual-dual-publish" }),
      [ASSISTED]: secret("generic", { rotation: "operator-assisted", settings: { fields: ["token"] } }),
    },
  };
}

function failoverRights({ procedure }: Blueprint): PolicyDocument {
  const policy = procedure?.people.failover;
  if (policy === undefined) throw new Error("no policy for a region's loss");
  return policy;
}

/** Rights that docs/guides/first-deploy.md gives to whoever bootstraps and rotates past the dispatcher, in any region. */
function operatorRights(): PolicyDocument {
  const allow = (Sid: string, Action: string[], Resource: string[]) =>
    ({ Sid, Effect: "Allow", Action, Resource }) as const;
  return {
    Version: "2012-10-17",
    Statement: [
      allow(
        "Secrets",
        ["DescribeSecret", "ListSecretVersionIds", "RotateSecret"].map(
          (action) => `secretsmanager:${action}`,
        ),
        [`arn:aws:secretsmanager:*:${ACCOUNT}:secret:prod/*`],
      ),
      allow(
        "Inboxes",
        ["secretsmanager:PutSecretValue"],
        [`arn:aws:secretsmanager:*:${ACCOUNT}:secret:prod/_inbox/*`],
      ),
      allow(
        "Keys",
        ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
        [`arn:aws:kms:*:${ACCOUNT}:key/*`],
      ),
      allow(
        "Functions",
        ["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"],
        [`arn:aws:lambda:*:${ACCOUNT}:function:acme-prod--*`],
      ),
      allow(
        "Confirmations",
        ["dynamodb:DescribeTable", "dynamodb:GetItem"],
        [`arn:aws:dynamodb:*:${ACCOUNT}:table/acme-prod-secret-publications`],
      ),
    ],
  };
}

/** Functions, table, rules and schedules of a blueprint in its primary region, as Terraform makes them. */
async function operate(plan: Blueprint): Promise<void> {
  const functions = await loadOperations(
    root,
    plan,
    ({ bundle, settings }) => functionZip(bundle, settings).bytes,
  );
  // Of the procedure, what rotation functions write to; its state machine takes no part here.
  const region = plan.regions.primary;
  await createSecretTable(
    new DynamoDBClient({ endpoint: root.endpoint, region, credentials: { ...root.credentials } }),
    plan.procedure?.runsTable ?? "",
    "run",
  );
  await loadSchedules(root, plan, functions);
  // Secrets Manager tries the function at once, with a version of its own.
  await shim.rotations.settled((await look(AUTOMATIC, plan.regions.primary)).ARN ?? "");
}

/** A Vault binds the mirror's login to its function, which has moved with the region. */
async function letMirrorIn({ vaults }: Blueprint): Promise<void> {
  for (const { mirror } of vaults) {
    if (mirror) await loadMirrorRole(callWith(vault, vault.rootToken), mirror);
  }
}

/** Roles are global: what Terraform changes in them is made anew here. */
async function dropFunctionRoles({ functions, operations }: Blueprint): Promise<void> {
  const client = iam(root, NEW);
  const forwarder = operations?.forwarder?.role;
  const roles = [...functions.map(({ role }) => role), ...(forwarder ? [forwarder] : [])];
  for (const role of roles) {
    for (const { name } of role.policies.inline) {
      await client.send(new DeleteRolePolicyCommand({ RoleName: role.name, PolicyName: name }));
    }
    await client.send(new DeleteRoleCommand({ RoleName: role.name }));
  }
}

/**
 * Supplies a value by an operator's command. What it has put waits in the inbox for a run, which the dispatcher would have
 * begun, as it would have taken the steps: neither it nor its state machine takes part here.
 */
async function supply(stage: Stage, token: string): Promise<void> {
  const refused = await cli(
    stage,
    ["rotate", ASSISTED, "--env", "prod", "--direct", "--value-from", "stdin"],
    { token },
  );
  expect(refused).toMatchObject({ code: 1, out: expect.not.stringContaining(token) });
  const { VersionIdsToStages = {} } = await look(`_inbox/${ASSISTED}`, stage.plan.regions.primary);
  const [ClientRequestToken = ""] =
    Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes("AWSCURRENT")) ?? [];
  const runs = new BegunRuns({ plan: stage.plan, as: { root } });
  const secret = stage.plan.secrets.find(({ key }) => key === ASSISTED);
  const rotatedBy = secret?.store === "aws" ? secret.rotatedBy : undefined;
  const rotator = stage.plan.functions.find(({ name }) => name === rotatedBy);
  for (const Step of STEPS) {
    const event = { SecretId: nameOf(ASSISTED), Step, ClientRequestToken };
    await runs.allow(event);
    const { functionError, payload } = await invokeFunction(root, rotator?.arn ?? "", event);
    expect([Step, functionError, payload]).toEqual([Step, undefined, expect.anything()]);
  }
}

async function cli(
  { file }: Stage,
  args: readonly string[],
  input?: unknown,
  answers?: readonly string[],
): Promise<{ code: number; out: string; err: string; asked: FakeTerminal["asked"] }> {
  const terminal = new FakeTerminal({
    ...(input === undefined ? {} : { input: JSON.stringify(input) }),
    ...(answers ? { answers } : {}),
  });
  const { credentials } = args[0] === "failover" ? breakGlass : operator;
  const code = await withCredentials(shim.endpoint, credentials, () =>
    run(["--registry", file, ...args], terminal, { pace: PATIENT }),
  );
  return { code, out: terminal.printed, err: terminal.told, asked: terminal.asked };
}

/** Runs `failover --format json`. */
async function report<T>(at: Stage, ...args: readonly string[]): Promise<T & { readonly code: number }> {
  const { code, out, err } = await cli(at, ["failover", "--env", "prod", ...args, "--format", "json"]);
  if (out === "") throw new Error(err);
  return { code, ...JSON.parse(out) };
}

const failover = (...args: readonly string[]) => report<FailoverReport>(before, "--to", NEW, ...args);
const rejoin = (at: Stage, region: string, ...args: readonly string[]) =>
  report<RejoinReport>(at, "--rejoin", region, ...args);

/** The region answers nothing, until the order is withdrawn. */
const lose = (region: string) =>
  shim.faults.on((call) => call.region === region, { kind: "server-error" }, Number.POSITIVE_INFINITY);

/** Calls of people that read or write a value. */
const valuesTouched = (): number =>
  shim.calls.all.filter(
    ({ principal, action }) =>
      [OPERATOR, BREAK_GLASS].includes(principal) && /:(Batch)?(Get|Put)SecretValue$/.test(action),
  ).length;

const nameOf = (key: string): string => `prod/${key}`;
const look = (key: string, region: string) =>
  secretsManager(root, region).send(new DescribeSecretCommand({ SecretId: nameOf(key) }));

async function read(key: string, region: string, access = pod): Promise<unknown> {
  const { SecretString = "null" } = await secretsManager(access, region).send(
    new GetSecretValueCommand({ SecretId: nameOf(key) }),
  );
  return JSON.parse(SecretString);
}

const inVault = async (key: string) => {
  const found = before.plan.secrets.find((secret) => secret.key === key);
  const { data } = await vault.call("GET", found?.vaultPath ?? "");
  return (data as { data: Record<string, unknown> }).data;
};

const probers: { readonly stop: () => Promise<unknown> }[] = [];

/** Reads as a pod without pause, until told to stop. */
function prober(...regions: readonly string[]) {
  let on = true;
  const failures: string[] = [];
  let reads = 0;
  const done = (async () => {
    while (on) {
      for (const region of regions) {
        for (const { key } of before.plan.secrets) {
          await read(key, region).then(
            () => {
              reads += 1;
            },
            (error: Error) => failures.push(`${key} in ${region}: ${error.name}`),
          );
        }
      }
      await sleep(5);
    }
  })();
  const probing = {
    async stop() {
      on = false;
      await done;
      return { failures, reads };
    },
  };
  probers.push(probing);
  return probing;
}

test("a region that answers is left on purpose only, and a dry run shows what would be", async () => {
  const refused = await cli(before, ["failover", "--env", "prod", "--to", NEW, "--yes"]);
  expect(refused).toMatchObject({ code: 2, out: "", err: expect.stringContaining(`${LOST} answers`) });
  const shown = await failover("--dry-run");
  expect(shown).toMatchObject({ code: 0, dryRun: true, answers: true, complete: false });
  expect(shown.secrets.map(({ does, verified }) => [does, verified])).toEqual([
    ["promote", true],
    ["promote", true],
    ["promote", true],
  ]);
  expect((await look(AUTOMATIC, NEW)).PrimaryRegion).toBe(LOST);

  const another = { accessKeyId: "999988887777", secretAccessKey: "test" };
  const terminal = new FakeTerminal();
  const args = ["--registry", before.file, "failover", "--env", "prod", "--to", NEW, "--yes"];
  expect(await withCredentials(shim.endpoint, another, () => run(args, terminal))).toBe(2);
  expect(terminal.told).toContain("belong to account 999988887777, and prod is account 111122223333");
});

test("a lost region: pods read on, replicas become secrets, and an interrupted command goes on where it was", async () => {
  lose(LOST);
  const readers = prober(NEW, THIRD);
  const values = await Promise.all(before.plan.secrets.map(({ key }) => read(key, NEW)));

  const touched = valuesTouched();
  const nobody = await cli(before, ["failover", "--env", "prod", "--to", NEW]);
  expect(nobody).toMatchObject({ code: 2, err: expect.stringContaining("add --yes") });
  const no = await cli(before, ["failover", "--env", "prod", "--to", NEW], undefined, ["prod2"]);
  expect(no).toMatchObject({ code: 2, err: expect.stringContaining("Nothing was changed.") });
  expect((await look(AUTOMATIC, NEW)).PrimaryRegion).toBe(LOST);

  const stops = ({ action }: { action: string }) => action === "secretsmanager:StopReplicationToReplica";
  const cut = shim.faults.on(
    (call) => stops(call) && JSON.stringify(call.parameters).includes(ASSISTED),
    { kind: "server-error" },
    Number.POSITIVE_INFINITY,
  );
  const first = await failover("--yes");
  expect(first).toMatchObject({ code: 1, answers: false, complete: false });
  expect(first.secrets.map(({ does }) => does)).toEqual(["promoted", "promoted", "failed"]);
  cut.withdraw();
  const imports = join(mkdtempSync(join(tmpdir(), "imports-")), "failover.tf.json");
  const args = ["failover", "--env", "prod", "--to", NEW, "--imports", imports];
  const second = await cli(before, args, undefined, ["prod"]);
  expect(second).toMatchObject({ code: 0, out: expect.stringContaining("stands on its own in eu-west-1") });
  expect(JSON.parse(readFileSync(imports, "utf8")).import).toContainEqual({
    to: "aws_secretsmanager_secret.secrets_legacy--api",
    id: `${(await look(ASSISTED, NEW)).ARN}@${NEW}`,
  });
  const third = await failover("--yes");
  expect(third).toMatchObject({ code: 0, complete: true });
  expect(third.secrets.map(({ does }) => does)).toEqual(["nothing", "nothing", "nothing"]);

  expect(valuesTouched()).toBe(touched);
  const { failures, reads } = await readers.stop();
  expect({ failures, some: reads > 20 }).toEqual({ failures: [], some: true });
  expect(await Promise.all(before.plan.secrets.map(({ key }) => read(key, NEW)))).toEqual(values);
  expect(await inVault(ASSISTED)).toMatchObject({ token: expect.any(String) });
});

test("in the new primary region: people supply values, its functions rotate, and its Vault gets them", async () => {
  lose(LOST);
  await dropFunctionRoles(before.plan);
  await loadInboxes(root, after.plan);
  await operate(after.plan);
  await letMirrorIn(after.plan);
  const token = "second-token-of-a-rehearsal";
  await supply(after, token);
  await sweep(after.plan);
  expect([await read(ASSISTED, NEW), await inVault(ASSISTED)]).toMatchObject([{ token }, { token }]);

  await sweep(after.plan);
  await ageConfirmation(after.plan, AUTOMATIC);
  const old = (await read(AUTOMATIC, NEW)) as { current: unknown };
  const rotated = await cli(after, ["rotate", AUTOMATIC, "--env", "prod", "--direct", "--format", "json"]);
  expect({ code: rotated.code, ...JSON.parse(rotated.out) }).toMatchObject({ code: 0, outcome: "done" });
  const now = await read(AUTOMATIC, NEW);
  expect(now).not.toEqual(old);
  expect(await inVault(AUTOMATIC)).toMatchObject(now as object);
});

test("the lost region wakes up: its functions may no longer rotate", async () => {
  const rotator = before.plan.functions.find(({ bundle }) => bundle === "hmac-key");
  const { ARN: SecretId } = await look(AUTOMATIC, LOST);
  const value = await read(AUTOMATIC, LOST, root);
  const answer = await invokeFunction(root, rotator?.arn ?? "", {
    Step: "createSecret",
    SecretId,
    ClientRequestToken: "0".repeat(32),
  });
  expect(answer.functionError).toBe("Unhandled");
  expect(JSON.stringify(answer.payload)).toMatch(/denied|AccessDenied/i);
  expect(await read(AUTOMATIC, LOST, root)).toEqual(value);
});

test("the way back: first who still hangs on the lost region, then that; never over a value that nobody knows", async () => {
  const readers = prober(NEW, THIRD);
  expect(await rejoin(back, LOST, "--dry-run")).toMatchObject({
    code: 0,
    secrets: [
      {
        does: "blocked",
        fault: expect.stringContaining(`First: secrets-registry failover --env prod --rejoin ${THIRD}`),
      },
      {},
      {},
    ],
    terraform: {
      import: [
        { to: `aws_kms_alias.secrets_${LOST}`, id: expect.stringMatching(/^alias\/.*@eu-central-1$/) },
      ],
    },
  });
  const third = await rejoin(after, THIRD, "--yes");
  expect(third).toMatchObject({ code: 0, complete: true });
  expect(third.secrets.map(({ does, status }) => [does, status])).toEqual(
    Array(3).fill(["replicated", "InSync"]),
  );
  expect(await read(ASSISTED, THIRD)).toEqual(await read(ASSISTED, NEW));

  // Somebody writes where nothing is read any more.
  await secretsManager(root, LOST).send(
    new PutSecretValueCommand({
      SecretId: nameOf(ASSISTED),
      SecretString: JSON.stringify({ token: "stray" }),
    }),
  );
  const partly = await rejoin(back, LOST, "--yes");
  expect(partly).toMatchObject({ code: 1, complete: false });
  expect(partly.secrets.map(({ secret, does, stopsRotation }) => [secret, does, stopsRotation])).toEqual([
    [AUTOMATIC, "replicated", true],
    ["crypto/webhook", "replicated", false],
    [ASSISTED, "blocked", false],
  ]);
  expect(await read(ASSISTED, LOST, root)).toEqual({ token: "stray" });

  expect(await rejoin(back, LOST, "--yes", "--overwrite-diverged")).toMatchObject({
    code: 0,
    complete: true,
  });
  for (const { key } of back.plan.secrets) {
    expect(await read(key, LOST, root)).toEqual(await read(key, NEW));
    expect(await look(key, LOST)).toMatchObject({ PrimaryRegion: NEW });
    const write = secretsManager(root, LOST).send(
      new PutSecretValueCommand({ SecretId: nameOf(key), SecretString: "{}" }),
    );
    await expect(write).rejects.toThrow("replica");
  }
  const { failures } = await readers.stop();
  expect(failures).toEqual([]);

  const token = "third-token-of-a-rehearsal";
  await supply(back, token);
  for (const region of back.plan.regions.all)
    expect(await read(ASSISTED, region, root)).toMatchObject({ token });
  expect(await rejoin(back, LOST, "--yes")).toMatchObject({ code: 0, complete: true });
});

test("no right of the operator is missing", () => {
  const denied = shim.calls.by(OPERATOR).filter(({ outcome }) => outcome === "denied");
  expect(denied).toEqual([]);
});

test("there and back takes what the policy for it gives, all of it and nothing else", () => {
  const used = rightsOfPerson(BREAK_GLASS, [failoverRights(before.plan)], shim.calls);
  const { lines, unused, missing } = rightsUsed({ failover: [used] });
  process.stdout.write(`${lines.join("\n")}\n`);
  expect({ unused, missing }).toEqual({ unused: [], missing: [] });
});

/** Has the mirror of a blueprint's primary region look at everything. */
async function sweep({ functions }: Blueprint): Promise<void> {
  const mirror = functions.find(({ bundle }) => bundle === "mirror");
  const answer = await invokeFunction(root, mirror?.arn ?? "", { Sweep: true });
  if (answer.functionError !== undefined) throw new Error(JSON.stringify(answer.payload));
}

/** Lets a confirmation be so old that no wait is left. */
async function ageConfirmation({ operations, regions }: Blueprint, key: string): Promise<void> {
  const { VersionIdsToStages = {} } = await look(key, regions.primary);
  const [version = ""] =
    Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes("AWSCURRENT")) ?? [];
  await new DynamoDBClient({
    endpoint: root.endpoint,
    region: regions.primary,
    credentials: { ...root.credentials },
  }).send(
    new UpdateItemCommand({
      TableName: operations?.publicationsTable,
      Key: { secret: { S: nameOf(key) }, version: { S: version } },
      UpdateExpression: "SET confirmedAt = :at",
      ExpressionAttributeValues: { ":at": { S: "2020-01-01T00:00:00.000Z" } },
    }),
  );
}
