import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  PutBucketPolicyCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import type { Blueprint, RecordsPlan } from "../../../../lib/blueprint";
import type { PolicyDocument } from "../../../../lib/model";
import { type AwsAccess, clientSettings, loadRole } from "./aws-account";
import { embeddedDefinition, hurriedDefinition } from "./embedded-definition";
import { createSecretTable, createTable } from "./tables";

/**
 * Loads what follows a rotation, as the deployer whose credentials `access` holds: tables of runs and of change requests,
 * bucket of records, topics, state machine. Its functions are loaded with the others.
 */
export async function loadProcedure(access: AwsAccess, blueprint: Blueprint): Promise<void> {
  const { procedure, operations, regions } = blueprint;
  if (procedure === undefined || operations === undefined) return;
  const settings = clientSettings(access, regions.primary);
  await createSecretTable(new DynamoDBClient(settings), procedure.runsTable, "run");
  await createTable(new DynamoDBClient(settings), procedure.changesTable, "change");
  await loadRecords(new S3Client({ ...settings, forcePathStyle: true }), regions.primary, procedure.records);
  for (const topic of [procedure.approvals, procedure.reminders]) {
    await new SNSClient(settings).send(
      new CreateTopicCommand({
        Name: topic.name,
        Attributes: {
          KmsMasterKeyId: operations.key.alias,
          Policy: JSON.stringify(embeddedTopicPolicy(topic.policy)),
        },
      }),
    );
  }
  const { name, role, definition } = procedure.stateMachine;
  await loadRole(access, blueprint, role);
  await new SFNClient(settings).send(
    new CreateStateMachineCommand({
      name,
      roleArn: role.arn,
      definition: JSON.stringify(hurriedDefinition(embeddedDefinition(definition))),
    }),
  );
}

/** A bucket whose objects are locked. */
export async function loadRecords(client: S3Client, region: string, plan: RecordsPlan): Promise<void> {
  await client.send(
    new CreateBucketCommand({
      Bucket: plan.name,
      ObjectLockEnabledForBucket: true,
      // S3's first region is named by leaving it out.
      ...(region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: region as "eu-central-1" } }),
    }),
  );
  await client.send(
    new PutObjectLockConfigurationCommand({
      Bucket: plan.name,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: plan.lockMode, Days: plan.retentionDays } },
      },
    }),
  );
  await client.send(new PutBucketPolicyCommand({ Bucket: plan.name, Policy: JSON.stringify(plan.policy) }));
}

/**
 * Without what the embedded AWS would deny to everybody: its Step Functions publishes without the state machine's role, so
 * that whoever else may publish is not shown by a rehearsal.
 */
const embeddedTopicPolicy = (policy: PolicyDocument): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.filter(({ Sid }) => Sid !== "OneRolePublishes"),
});
