import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as lambda from "@aws-sdk/client-lambda";
import * as secrets from "@aws-sdk/client-secrets-manager";
import * as sfn from "@aws-sdk/client-sfn";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { strToU8, zipSync } from "fflate";
import { type AwsSecretPlan, type Blueprint, blueprint } from "../../lib/blueprint";
import { defineRegistry, type PolicyDocument } from "../../lib/model";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import {
  type AwsAccess,
  loadAudit,
  loadAwsAccount,
  loadOperations,
  loadProcedure,
  loadSchedules,
  takeHumanRole,
} from "../../packages/rehearsal/src/load";
import { clientSettings } from "../../packages/rehearsal/src/load/aws-account";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { auditSinks, draft } from "../model/sample";
import { ON_BEHALF, PROVIDER_SOURCE } from "../stacks/aws-provider-source";
import { providerCalls } from "./aws-provider-calls";

/**
 * The deployer's own policies, and nothing else: what an apply, a change and a destroy ask for is allowed, what an attacker who
 * holds the deployer asks for is refused.
 */
const definition = draft();
definition.environments.prod.audit = { trail: "create", sinks: auditSinks() };
const plan: Blueprint = blueprint(defineRegistry(definition), "prod");
const { account, partition, regions } = plan;
const region = regions.primary;

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;
let deployer: AwsAccess;
let admin: AwsAccess;
let made: Parameters<typeof providerCalls>[2];
/** Actions that the making of the environment asked for. */
let asked: ReadonlySet<string>;

const root = (): AwsAccess => ({ endpoint: shim.endpoint, credentials: aws.rootCredentials(account) });
const ALL: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Sid: "All", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};

/**
 * Actions that the embedded AWS judges by the resource `*`, or by a tag or key that it does not know, so that a narrower
 * right never suffices: the evaluator holds the calls against the policies as they are.
 */
const JUDGED_ANYHOW: readonly string[] = [
  "cloudtrail:AddTags",
  "cloudtrail:ListTags",
  "cloudtrail:RemoveTags",
  "cloudwatch:DeleteAlarms",
  "cloudwatch:DescribeAlarms",
  "cloudwatch:ListTagsForResource",
  "cloudwatch:TagResource",
  "cloudwatch:UntagResource",
  "dynamodb:ListTagsOfResource",
  "dynamodb:TagResource",
  "dynamodb:UntagResource",
  "events:DeleteRule",
  "events:DescribeRule",
  "events:ListTagsForResource",
  "events:ListTargetsByRule",
  "events:PutRule",
  "events:PutTargets",
  "events:RemoveTargets",
  "events:TagResource",
  "events:UntagResource",
  "iam:CreatePolicy",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:UpdateAlias",
  "lambda:CreateEventSourceMapping",
  "lambda:CreateFunction",
  "lambda:DeleteEventSourceMapping",
  "lambda:GetEventSourceMapping",
  "lambda:UpdateEventSourceMapping",
  "sns:ListTagsForResource",
  "sns:TagResource",
  "sns:UntagResource",
  "states:ListTagsForResource",
  "states:TagResource",
  "states:UntagResource",
];

/** It judges a role or policy that is being made by its name, without the path that AWS has in the ARN. */
const withoutPath = (arn: string): string => arn.replace(/:(role|policy)\/.*\/([^/]+)$/, ":$1/$2");

/** Judged by `iam:PolicyARN`, which it does not know: they are never allowed there, and evaluated here. */
const ATTACHMENTS: readonly string[] = ["iam:AttachRolePolicy", "iam:DetachRolePolicy"];

/** It takes these calls for others of the same path. */
const MISTAKEN: Readonly<Record<string, string>> = {
  "lambda:DeleteFunctionConcurrency": "lambda:PutFunctionConcurrency",
  "lambda:GetEventSourceMapping": "lambda:ListEventSourceMappings",
};

const embedded = (document: PolicyDocument): PolicyDocument => ({
  ...document,
  Statement: document.Statement.flatMap((statement) => {
    const named = statement.Action.includes("iam:PassRole")
      ? statement
      : {
          ...statement,
          Resource: (statement.Resource ?? []).flatMap((arn) => [...new Set([arn, withoutPath(arn)])]),
        };
    const anyhow = statement.Action.filter(
      (action) => JUDGED_ANYHOW.includes(action) || action in MISTAKEN,
    ).map((action) => MISTAKEN[action] ?? action);
    return anyhow.length === 0
      ? [named]
      : [named, { Sid: `${statement.Sid}Anyhow`, Effect: "Allow", Action: anyhow, Resource: ["*"] } as const];
  }),
});

/** Makes the deployer's role as an administrator does, with the files that a synth writes, and takes it. */
async function takeDeployer(): Promise<AwsAccess> {
  const client = new iam.IAMClient(clientSettings(root(), region));
  const [, resource = ""] = plan.principals.deployer.split(":role");
  const RoleName = resource.slice(resource.lastIndexOf("/") + 1);
  const policyArn = async (name: string, document: PolicyDocument): Promise<string> => {
    const { Policy } = await client.send(
      new iam.CreatePolicyCommand({ PolicyName: name, PolicyDocument: JSON.stringify(document) }),
    );
    return Policy?.Arn ?? "";
  };
  const trust = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: `arn:${partition}:iam::${account}:root` },
        Action: "sts:AssumeRole",
      },
    ],
  };
  await client.send(
    new iam.CreateRoleCommand({
      RoleName,
      Path: resource.slice(0, resource.lastIndexOf("/") + 1),
      AssumeRolePolicyDocument: JSON.stringify(trust),
      PermissionsBoundary: await policyArn("deployer-boundary", plan.deployer.boundary),
    }),
  );
  for (const [at, document] of plan.deployer.policies.entries())
    await client.send(
      new iam.AttachRolePolicyCommand({
        RoleName,
        PolicyArn: await policyArn(`deployer-${at + 1}`, embedded(document)),
      }),
    );
  const { Credentials: taken } = await new STSClient(clientSettings(root(), region)).send(
    new AssumeRoleCommand({ RoleArn: plan.principals.deployer, RoleSessionName: "deploy" }),
  );
  return {
    endpoint: shim.endpoint,
    credentials: {
      accessKeyId: taken?.AccessKeyId ?? "",
      secretAccessKey: taken?.SecretAccessKey ?? "",
      sessionToken: taken?.SessionToken ?? "",
    },
  };
}

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group });
  deployer = await takeDeployer();
  admin = {
    endpoint: shim.endpoint,
    credentials: await takeHumanRole(root(), plan, {
      arn: `arn:${partition}:iam::${account}:role/administrator`,
      policy: ALL,
    }),
  };
  // The clusters' issuers are there: prod refers to them.
  await loadAwsAccount(deployer, { ...plan, clusters: [] });
  const zip = zipSync({ "index.js": strToU8("exports.handler = async () => ({});") });
  const functions = await loadOperations(deployer, plan, () => zip);
  await loadProcedure(deployer, plan);
  await loadSchedules(deployer, plan, functions);
  if (plan.audit === undefined) throw new Error("no audit trail");
  await loadAudit(deployer, plan, plan.audit, () => zip);
  const { EventSourceMappings: [mapping] = [] } = await new lambda.LambdaClient(
    clientSettings(root(), region),
  ).send(new lambda.ListEventSourceMappingsCommand({ FunctionName: plan.audit.normaliser.name }));
  const UUID = mapping?.UUID ?? "";
  asked = new Set(shim.calls.by(plan.principals.deployer).map(({ action }) => action));
  const aliases = await new kms.KMSClient(clientSettings(root(), region)).send(
    new kms.ListAliasesCommand({}),
  );
  const keyOf = (name: string | undefined) =>
    aliases.Aliases?.find(({ AliasName }) => AliasName === name)?.TargetKeyId ?? "";
  const rotated = plan.secrets.find((secret) => secret.store === "aws" && secret.schedule !== undefined);
  made = {
    keyId: keyOf(plan.operations?.key.alias),
    secretsKeyId: keyOf(plan.key.alias),
    functionArn: functions.get((rotated as AwsSecretPlan).rotatedBy ?? "") ?? "",
    mapping: {
      id: UUID,
      arn: `arn:${partition}:lambda:${region}:${account}:event-source-mapping:${UUID}`,
    },
  };
}, 300_000);

afterAll(() => group?.stop(), 60_000);

const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  /AccessDenied|Forbidden|AuthorizationError|403/.test(`${error.name} ${error.message}`);

const refused = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => false,
    (error: unknown) => {
      if (isRefusal(error)) return true;
      return false;
    },
  );

const actions = plan.deployer.policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action));

const secret = plan.secrets.find((candidate) => candidate.store === "aws") as AwsSecretPlan;
const SecretId = secret.name;
const [workload] = plan.workloads;
if (workload === undefined) throw new Error("no workload");
const FOREIGN_ROLE = "somebody-elses";

/** Calls of S3 Control, which the SDK here is not; `terraform-aws-attributes.test.ts` has the shim's. */
const NOT_SENT: readonly string[] = ["s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"];

type Attack = readonly [what: string, send: () => Promise<unknown>];

/** Attacks of somebody who holds the deployer's role. */
function attacks(access: AwsAccess, foreignKey: string): readonly Attack[] {
  const settings = clientSettings(access, region);
  const ofSecrets = new secrets.SecretsManagerClient(settings);
  const ofIam = new iam.IAMClient(settings);
  const ofKeys = new kms.KMSClient(settings);
  const ofMachines = new sfn.SFNClient(settings);
  const [, deployerName = ""] = /([^/]+)$/.exec(plan.principals.deployer) ?? [];
  const document = JSON.stringify(ALL);
  return [
    ["reads a value", () => ofSecrets.send(new secrets.GetSecretValueCommand({ SecretId }))],
    [
      "reads values",
      () => ofSecrets.send(new secrets.GetSecretValueCommand({ SecretId, VersionStage: "AWSPREVIOUS" })),
    ],
    [
      "writes a value",
      () => ofSecrets.send(new secrets.PutSecretValueCommand({ SecretId, SecretString: "x" })),
    ],
    [
      "moves a label",
      () =>
        ofSecrets.send(
          new secrets.UpdateSecretVersionStageCommand({
            SecretId,
            VersionStage: "AWSCURRENT",
            MoveToVersionId: "x".repeat(32),
          }),
        ),
    ],
    [
      "makes a secret of another environment",
      () => ofSecrets.send(new secrets.CreateSecretCommand({ Name: "payroll/db" })),
    ],
    [
      "widens the policy of somebody else's key",
      () =>
        ofKeys.send(
          new kms.PutKeyPolicyCommand({ KeyId: foreignKey, PolicyName: "default", Policy: document }),
        ),
    ],
    [
      "deletes somebody else's key",
      () => ofKeys.send(new kms.ScheduleKeyDeletionCommand({ KeyId: foreignKey })),
    ],
    ["makes a key without the environment's tags", () => ofKeys.send(new kms.CreateKeyCommand({}))],
    [
      "widens its own rights",
      () =>
        ofIam.send(
          new iam.PutRolePolicyCommand({
            RoleName: deployerName,
            PolicyName: "more",
            PolicyDocument: document,
          }),
        ),
    ],
    [
      "takes its own boundary off",
      () => ofIam.send(new iam.DeleteRolePermissionsBoundaryCommand({ RoleName: deployerName })),
    ],
    [
      "attaches an administrator's policy to a role of the environment",
      () =>
        ofIam.send(
          new iam.AttachRolePolicyCommand({
            RoleName: workload?.role.name,
            PolicyArn: `arn:${partition}:iam::aws:policy/AdministratorAccess`,
          }),
        ),
    ],
    [
      "makes itself trusted by somebody else's role",
      () =>
        ofIam.send(
          new iam.UpdateAssumeRolePolicyCommand({ RoleName: FOREIGN_ROLE, PolicyDocument: document }),
        ),
    ],
    [
      "makes a role outside of the environment's path",
      () => ofIam.send(new iam.CreateRoleCommand({ RoleName: "mine", AssumeRolePolicyDocument: document })),
    ],
    [
      "takes a workload's role",
      () =>
        new STSClient(settings).send(
          new AssumeRoleCommand({ RoleArn: workload?.role.arn, RoleSessionName: "x" }),
        ),
    ],
    [
      "starts an execution past the dispatcher",
      () =>
        ofMachines.send(new sfn.StartExecutionCommand({ stateMachineArn: plan.procedure?.stateMachine.arn })),
    ],
    [
      "answers an approval",
      () => ofMachines.send(new sfn.SendTaskSuccessCommand({ taskToken: "x", output: "{}" })),
    ],
  ];
}

async function foreignThings(): Promise<string> {
  const settings = clientSettings(root(), region);
  const { KeyMetadata } = await new kms.KMSClient(settings).send(new kms.CreateKeyCommand({}));
  await new iam.IAMClient(settings).send(
    new iam.CreateRoleCommand({ RoleName: FOREIGN_ROLE, AssumeRolePolicyDocument: JSON.stringify(ALL) }),
  );
  return KeyMetadata?.KeyId ?? "";
}

const passes = (list: readonly Attack[]): Promise<readonly string[]> =>
  Promise.all(list.map(async ([what, send]) => ((await refused(send())) ? [] : [what]))).then((found) =>
    found.flat(),
  );

const key = `arn:${partition}:kms:${region}:${account}:key/1234`;
const service = {
  "kms:ViaService": `secretsmanager.${region}.amazonaws.com`,
  "kms:CallerAccount": account,
};
const arn = `arn:${partition}:secretsmanager:${region}:${account}:secret:${SecretId}-AbCdEf`;
const decides = (
  action: string,
  resource: string,
  context: Readonly<Record<string, string>>,
  identity: readonly PolicyDocument[] = plan.deployer.policies,
) =>
  evaluateAccess(
    { action, resource, principal: plan.principals.deployer, context },
    { identity, boundary: plan.deployer.boundary, ...(action.startsWith("kms:") ? keyPolicy : {}) },
  ).allowed;
const keyPolicy = { resource: plan.key.policies[region] as PolicyDocument, resourceMustAllow: true };
const role = plan.functions[0]?.role.arn ?? "";

describe("an attacker who holds the deployer", () => {
  test("is refused all of this, with the policies and the boundary that a synth writes", async () => {
    const list = attacks(deployer, await foreignThings());
    expect(await passes(list)).toEqual([]);
    process.stdout.write(`attacks of the deployer: ${list.length} refused (enforced)\n`);
  }, 60_000);

  test("may drop a secret's policy, which is its work, and reads no value then either", async () => {
    const client = new secrets.SecretsManagerClient(clientSettings(deployer, region));
    await client.send(new secrets.DeleteResourcePolicyCommand({ SecretId }));
    expect(await refused(client.send(new secrets.GetSecretValueCommand({ SecretId })))).toBe(true);
    await client.send(
      new secrets.PutResourcePolicyCommand({ SecretId, ResourcePolicy: JSON.stringify(secret.policy) }),
    );
  });

  /** Calls for which the embedded AWS does not know a condition, or asks for no right. */
  test.each([
    [
      "decrypts a value through Secrets Manager",
      "kms:Decrypt",
      key,
      { ...service, "kms:EncryptionContext:SecretARN": arn, "kms:EncryptionContext:SecretVersionId": "1" },
      false,
    ],
    ["decrypts by itself", "kms:Decrypt", key, { "kms:CallerAccount": account }, false],
    [
      "has the key tried for a new secret",
      "kms:Decrypt",
      key,
      { ...service, "kms:EncryptionContext:SecretARN": "RequestToValidateKeyAccess" },
      true,
    ],
    [
      "has the key tried for a secret",
      "kms:Decrypt",
      key,
      {
        ...service,
        "kms:EncryptionContext:SecretARN": arn,
        "kms:EncryptionContext:SecretVersionId": "RequestToValidateKeyAccess",
      },
      true,
    ],
    [
      "writes a value by UpdateSecret",
      "kms:GenerateDataKey",
      key,
      { ...service, "kms:EncryptionContext:SecretARN": arn },
      false,
    ],
    [
      "passes a function's role to Lambda",
      "iam:PassRole",
      role,
      { "iam:PassedToService": "lambda.amazonaws.com" },
      true,
    ],
    [
      "passes a function's role to a machine",
      "iam:PassRole",
      role,
      { "iam:PassedToService": "ec2.amazonaws.com" },
      false,
    ],
    [
      "passes somebody else's role",
      "iam:PassRole",
      `arn:${partition}:iam::${account}:role/${FOREIGN_ROLE}`,
      { "iam:PassedToService": "lambda.amazonaws.com" },
      false,
    ],
    [
      "makes somebody else's key its own by a tag",
      "kms:TagResource",
      key,
      {
        "kms:ResourceAliases": "alias/payroll",
        ...Object.fromEntries(
          Object.entries(plan.key.tags).map(([tag, value]) => [`aws:RequestTag/${tag}`, value]),
        ),
      },
      false,
    ],
  ] as const)("%s: by the policies", (_what, action, resource, context, wanted) => {
    expect(decides(action, resource, context)).toBe(wanted);
  });

  test.each([
    ["a value", "secretsmanager:GetSecretValue", arn, {}],
    ["a value of others", "secretsmanager:GetSecretValue", arn.replace("prod/", "payroll/"), {}],
    [
      "decryption",
      "kms:Decrypt",
      key,
      { ...service, "kms:EncryptionContext:SecretARN": arn, "kms:EncryptionContext:SecretVersionId": "1" },
    ],
    ["a role passed to a machine", "iam:PassRole", role, { "iam:PassedToService": "ec2.amazonaws.com" }],
    ["a session of a workload", "sts:AssumeRole", workload.role.arn, {}],
    ["itself", "iam:PutRolePolicy", plan.principals.deployer, {}],
    ["a record", "s3:PutObject", `arn:${partition}:s3:::${plan.procedure?.records.name}/one.json`, {}],
    ["an audit event", "s3:DeleteObjectVersion", `${plan.audit?.archive.arn}/one.json`, {}],
  ] as const)("the boundary keeps an administrator's rights from %s", (_what, action, resource, context) => {
    expect(decides(action, resource, context, [ALL])).toBe(false);
  });
});

describe("whoever has every right in the account, and is not the deployer", () => {
  const replica = regions.replicas[0] ?? "";

  function administration(access: AwsAccess): readonly Attack[] {
    const client = new secrets.SecretsManagerClient(clientSettings(access, region));
    const elsewhere = new secrets.SecretsManagerClient(clientSettings(access, replica));
    return [
      ["reads the value", () => client.send(new secrets.GetSecretValueCommand({ SecretId }))],
      [
        "writes a value",
        () => client.send(new secrets.PutSecretValueCommand({ SecretId, SecretString: "x" })),
      ],
      [
        "moves a label",
        () =>
          client.send(
            new secrets.UpdateSecretVersionStageCommand({
              SecretId,
              VersionStage: "AWSCURRENT",
              MoveToVersionId: "x".repeat(32),
            }),
          ),
      ],
      ["drops the policy", () => client.send(new secrets.DeleteResourcePolicyCommand({ SecretId }))],
      [
        "replaces the policy",
        () =>
          client.send(
            new secrets.PutResourcePolicyCommand({ SecretId, ResourcePolicy: JSON.stringify(secret.policy) }),
          ),
      ],
      ["deletes the secret", () => client.send(new secrets.DeleteSecretCommand({ SecretId }))],
      [
        "updates it with a value",
        () => client.send(new secrets.UpdateSecretCommand({ SecretId, SecretString: "x" })),
      ],
      [
        "has it rotated by another function",
        () => client.send(new secrets.RotateSecretCommand({ SecretId })),
      ],
      ["ends its rotation", () => client.send(new secrets.CancelRotateSecretCommand({ SecretId }))],
      [
        "removes a replica",
        () =>
          client.send(
            new secrets.RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: [replica] }),
          ),
      ],
      [
        "replicates it elsewhere",
        () =>
          client.send(
            new secrets.ReplicateSecretToRegionsCommand({
              SecretId,
              AddReplicaRegions: [{ Region: "ap-south-1" }],
            }),
          ),
      ],
      [
        "cuts a replica loose",
        () => elsewhere.send(new secrets.StopReplicationToReplicaCommand({ SecretId })),
      ],
    ];
  }

  test("reads, writes and administers no secret", async () => {
    const list = administration(admin);
    expect(await passes(list)).toEqual([]);
    process.stdout.write(`whoever is not the deployer: ${list.length} refused (enforced)\n`);
  }, 60_000);

  test.each([
    ["the deployer", plan.principals.deployer],
    ["break-glass", plan.principals.breakGlass[0] ?? ""],
    ["the account's root, when all roles are gone", `arn:${partition}:iam::${account}:root`],
  ])("%s may still repair the policy", (_who, principal) => {
    for (const action of [
      "secretsmanager:PutResourcePolicy",
      "secretsmanager:DeleteResourcePolicy",
      "secretsmanager:DeleteSecret",
    ])
      expect(
        evaluateAccess(
          { action, resource: "*", principal, context: {} },
          { identity: [ALL], resource: secret.policy },
        ).allowed,
      ).toBe(true);
  });

  test("the dispatcher starts rotations, and does nothing else of it", () => {
    const principal = plan.functions.find(({ name }) => name.endsWith("--dispatcher"))?.role.arn ?? "";
    const may = (action: string) =>
      evaluateAccess(
        { action, resource: "*", principal, context: {} },
        { identity: [ALL], resource: secret.policy },
      ).allowed;
    expect(may("secretsmanager:RotateSecret")).toBe(true);
    expect(may("secretsmanager:CancelRotateSecret")).toBe(false);
    expect(may("secretsmanager:GetSecretValue")).toBe(false);
  });
});

describe("an apply, a change and a destroy with the deployer's policies alone", () => {
  test("are allowed, call by call, and each call that the provider's source names is made", async () => {
    const calls = providerCalls(deployer, plan, made);
    const denied: string[] = [];
    for (const { action, send } of calls) {
      if ((await refused(send())) && !ATTACHMENTS.includes(action)) denied.push(action);
    }
    expect(denied).toEqual([]);
    for (const action of ATTACHMENTS) {
      const own = `arn:${partition}:iam::${account}:policy${workload?.role.path}${workload?.role.name}-read-1`;
      const administrator = `arn:${partition}:iam::aws:policy/AdministratorAccess`;
      const may = (policy: string) => decides(action, workload?.role.arn ?? "", { "iam:PolicyARN": policy });
      expect([action, may(own), may(administrator)]).toEqual([
        action,
        true,
        // What does not belong to a role of the registry is taken off, and nothing of the kind is put on.
        action === "iam:DetachRolePolicy",
      ]);
    }
    const sent = new Set([...asked, ...calls.map(({ action }) => action)]);
    const known = new Set(actions);
    const bySource = Object.values(PROVIDER_SOURCE).flatMap(
      ({ create, read, update, destroy, tags = [] }) => [...create, ...read, ...update, ...destroy, ...tags],
    );
    const behalf = new Set(ON_BEHALF.map(([action]) => action));
    expect([...known].filter((action) => !sent.has(action) && !behalf.has(action)).sort()).toEqual(
      NOT_SENT.filter((action) => known.has(action)),
    );
    expect(bySource.filter((action) => known.has(action) && !sent.has(action)).sort()).toEqual(
      bySource.filter((action) => NOT_SENT.includes(action) && known.has(action)).sort(),
    );
    expect(calls.map(({ action }) => action).filter((action) => !known.has(action))).toEqual([]);
    const enforced = [...known].filter((action) => sent.has(action)).length;
    process.stdout.write(
      `deployer: ${known.size} rights, ${enforced} used by calls of the provider, ${known.size - enforced} asked for by AWS on behalf of others\n`,
    );
  }, 120_000);
});
