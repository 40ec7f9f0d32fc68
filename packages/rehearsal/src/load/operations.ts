import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateAliasCommand, CreateKeyCommand } from "@aws-sdk/client-kms";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  type AuditKeyPlan,
  type Blueprint,
  type FunctionPlan,
  type OperationsPlan,
  type RolePlan,
  type RulePlan,
  rotates,
  type Tags,
} from "../../../../lib/blueprint";
import type { PolicyDocument, PolicyStatement } from "../../../../lib/model";
import { type AwsAccess, clientSettings, kms, loadRole, secretsManager } from "./aws-account";
import { allowSecretsManager, loadFunction } from "./functions";
import { createSecretTable } from "./tables";

/** The deployment package of a function: its bundle, with the settings of this rehearsal. */
export type ZipOf = (plan: FunctionPlan) => Uint8Array;

/**
 * Loads the functions of a blueprint and what surrounds them, the key of proofs among it, as the deployer whose credentials `access` holds. The
 * functions call AWS at the endpoint of `access`.
 *
 * @param environment variables of every function
 * @returns ARNs of the functions by name
 */
export async function loadOperations(
  access: AwsAccess,
  blueprint: Blueprint,
  zipOf: ZipOf,
  environment: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, string>> {
  const { operations, procedure, regions } = blueprint;
  if (operations === undefined) return new Map();
  const region = regions.primary;
  await loadSurroundings(access, region, operations);
  if (procedure !== undefined) await loadAuditKey(access, region, procedure.auditKey, procedure.tags);
  const load = async (plan: FunctionPlan): Promise<readonly [string, string]> => {
    await loadRole(access, blueprint, embeddedRole(plan.role));
    await logs(access, region).send(new CreateLogGroupCommand({ logGroupName: plan.logGroup }));
    const arn = await loadFunction(access, {
      name: plan.name,
      region,
      roleArn: plan.role.arn,
      zip: zipOf(plan),
      environment,
      timeoutSeconds: plan.timeoutSeconds,
      memoryMb: plan.memoryMb,
    });
    if (rotates(plan)) await allowSecretsManager(access, arn);
    return [plan.name, arn];
  };
  const arns = new Map(await Promise.all(blueprint.functions.map(load)));
  const topicArn = topicArnOf(blueprint, operations);
  if (operations.forwarder) await loadRole(access, blueprint, operations.forwarder.role);
  await Promise.all(
    operations.rules.map((rule) => loadRule(access, rule.region ?? region, rule, arns, topicArn, operations)),
  );
  return arns;
}

/** Switches the rotation of every scheduled secret on, without rotating it: what Terraform does. */
export async function loadSchedules(
  access: AwsAccess,
  blueprint: Blueprint,
  functionArns: ReadonlyMap<string, string>,
): Promise<void> {
  const client = secretsManager(access, blueprint.regions.primary);
  for (const secret of blueprint.secrets) {
    if (secret.store !== "aws" || !secret.schedule || !secret.rotatedBy) continue;
    await client.send(
      new RotateSecretCommand({
        SecretId: secret.name,
        RotationLambdaARN: functionArns.get(secret.rotatedBy),
        RotationRules:
          secret.schedule.how === "cadence"
            ? { AutomaticallyAfterDays: secret.schedule.automaticallyAfterDays }
            : {
                ScheduleExpression: secret.schedule.expression,
                Duration: `${secret.schedule.windowHours}h`,
              },
        RotateImmediately: false,
      }),
    );
  }
}

/** A role without the conditions that the embedded AWS never finds true. */
export const embeddedRole = (role: RolePlan): RolePlan => {
  const embedded = <T extends { readonly document: PolicyDocument }>({ document, ...rest }: T) => ({
    ...rest,
    document: { ...document, Statement: document.Statement.map(embeddedStatement) },
  });
  const { inline, managed } = role.policies;
  return { ...role, policies: { inline: inline.map(embedded), managed: managed.map(embedded) } };
};

/** See the gaps `metric-namespace-key`, `batched-sends`, `key-alias-resource` and `task-answers`. */
function embeddedStatement(whole: PolicyStatement): PolicyStatement {
  const { Condition, ...statement } = whole;
  if ("cloudwatch:namespace" in (Condition?.StringEquals ?? {})) return statement;
  if (statement.Action.includes("sqs:SendMessage"))
    return { ...whole, Action: [...whole.Action, "sqs:SendMessageBatch"] };
  if (statement.Action.includes("states:SendTaskSuccess")) return { ...whole, Resource: ["*"] };
  if (!statement.Action.some((action) => action === "kms:GenerateMac" || action === "kms:VerifyMac"))
    return whole;
  const aliases = Condition?.["ForAnyValue:StringEquals"]?.["kms:ResourceAliases"] ?? [];
  return {
    ...statement,
    Resource: (statement.Resource ?? []).flatMap((keys) =>
      aliases.map((alias) => keys.replace(/key\/\*$/, alias)),
    ),
  };
}

const logs = (access: AwsAccess, region: string) => new CloudWatchLogsClient(clientSettings(access, region));

const keyTags = (tags: Tags) => Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));

async function loadAuditKey(
  access: AwsAccess,
  region: string,
  plan: AuditKeyPlan,
  tags: Tags,
): Promise<void> {
  const client = kms(access, region);
  const { KeyMetadata: key } = await client.send(
    new CreateKeyCommand({
      Description: plan.description,
      KeyUsage: "GENERATE_VERIFY_MAC",
      KeySpec: "HMAC_256",
      Policy: JSON.stringify(embeddedKeyPolicy(plan.policy)),
      Tags: keyTags(tags),
    }),
  );
  await client.send(new CreateAliasCommand({ AliasName: plan.alias, TargetKeyId: key?.KeyId }));
}

/** For every algorithm: the embedded AWS does not know which one a call names (see its gap `mac-algorithm-key`). */
const embeddedKeyPolicy = (policy: PolicyDocument): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.map(({ Condition, ...statement }) => {
    if (Condition === undefined) return statement;
    const { StringEquals: _, ...conditions } = Condition;
    return { ...statement, Condition: conditions };
  }),
});

async function loadSurroundings(access: AwsAccess, region: string, plan: OperationsPlan): Promise<void> {
  const { KeyMetadata: key } = await kms(access, region).send(
    new CreateKeyCommand({
      Description: plan.key.description,
      Policy: JSON.stringify(plan.key.policy),
      Tags: keyTags(plan.tags),
    }),
  );
  await kms(access, region).send(
    new CreateAliasCommand({ AliasName: plan.key.alias, TargetKeyId: key?.KeyId }),
  );
  await createSecretTable(
    new DynamoDBClient(clientSettings(access, region)),
    plan.publicationsTable,
    "version",
  );
  await new SQSClient(clientSettings(access, region)).send(
    new CreateQueueCommand({
      QueueName: plan.deadLetters.name,
      Attributes: { KmsMasterKeyId: key?.Arn ?? "", Policy: JSON.stringify(plan.deadLetters.policy) },
    }),
  );
  await new SNSClient(clientSettings(access, region)).send(
    new CreateTopicCommand({
      Name: plan.alarms.name,
      Attributes: { KmsMasterKeyId: key?.Arn ?? "", Policy: JSON.stringify(plan.alarms.policy) },
    }),
  );
}

const topicArnOf = ({ partition, regions, account }: Blueprint, { alarms }: OperationsPlan): string =>
  `arn:${partition}:sns:${regions.primary}:${account}:${alarms.name}`;

async function loadRule(
  access: AwsAccess,
  region: string,
  rule: RulePlan,
  functionArns: ReadonlyMap<string, string>,
  topicArn: string,
  { forwarder }: Pick<OperationsPlan, "forwarder">,
): Promise<void> {
  const events = new EventBridgeClient(clientSettings(access, region));
  await events.send(
    new PutRuleCommand({
      Name: rule.name,
      Description: rule.description,
      ...("pattern" in rule.when
        ? { EventPattern: JSON.stringify(rule.when.pattern) }
        : { ScheduleExpression: `rate(${rule.when.every.seconds / 60} minutes)` }),
    }),
  );
  const { target } = rule;
  const arn = "bus" in target ? target.bus : "topic" in target ? topicArn : functionArns.get(target.function);
  if (arn === undefined) throw new Error(`rule ${rule.name} calls a function that is not there`);
  await events.send(
    new PutTargetsCommand({
      Rule: rule.name,
      Targets: [
        {
          Id: rule.word,
          Arn: arn,
          ...("function" in target && target.input ? { Input: JSON.stringify(target.input) } : {}),
          ...("topic" in target && target.text
            ? { InputTransformer: { InputPathsMap: target.text.paths, InputTemplate: target.text.template } }
            : {}),
          ...("bus" in target && forwarder ? { RoleArn: forwarder.role.arn } : {}),
        },
      ],
    }),
  );
  if (!("function" in target)) return;
  await new LambdaClient(clientSettings(access, region)).send(
    new AddPermissionCommand({
      FunctionName: target.function,
      StatementId: `Rule-${rule.word}`,
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: rule.arn,
    }),
  );
}
