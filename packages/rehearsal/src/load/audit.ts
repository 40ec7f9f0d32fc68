import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { AuditPlan, AuditQueuePlan, Blueprint, FunctionPlan } from "../../../../lib/blueprint";
import { type AwsAccess, clientSettings, loadRole } from "./aws-account";
import { loadFunction } from "./functions";
import { embeddedRole, type ZipOf } from "./operations";
import { loadRecords } from "./procedure";

/** The audit trail as it is loaded. */
export interface LoadedAudit {
  /** URLs of its queues, by name. */
  readonly queues: ReadonlyMap<string, string>;
}

/** URL of a queue of the embedded AWS. */
const urlOf = ({ endpoint }: AwsAccess, account: string, { name }: AuditQueuePlan): string =>
  `${endpoint}/${account}/${name}`;

/**
 * Loads the audit trail of a blueprint: queues, functions that read them, archive, and the rules whose events the embedded AWS has. Its
 * CloudTrail brings nothing to EventBridge; what stands for it puts records into the queue of events.
 *
 * @param zipOf deployment package of a function, with settings of this rehearsal
 */
export async function loadAudit(
  access: AwsAccess,
  blueprint: Blueprint,
  plan: AuditPlan,
  zipOf: ZipOf,
): Promise<LoadedAudit> {
  const { account, regions } = blueprint;
  const region = regions.primary;
  const settings = clientSettings(access, region);
  const queues = [plan.deadLetters, plan.events, ...plan.sinks.map((sink) => sink.queue)];
  const sqs = new SQSClient(settings);
  for (const queue of queues) {
    await sqs.send(
      new CreateQueueCommand({
        QueueName: queue.name,
        Attributes: {
          // Minutes would outlast a rehearsal: what failed comes again in seconds.
          VisibilityTimeout: "2",
          ...(queue === plan.deadLetters
            ? {}
            : {
                RedrivePolicy: JSON.stringify({
                  deadLetterTargetArn: plan.deadLetters.arn,
                  maxReceiveCount: 1_000,
                }),
              }),
        },
      }),
    );
  }
  await loadRecords(new S3Client({ ...settings, forcePathStyle: true }), region, plan.archive);
  const reads = async (entry: FunctionPlan, queue: AuditQueuePlan, batchSize: number): Promise<void> => {
    await loadRole(access, blueprint, embeddedRole(entry.role));
    await loadFunction(access, {
      name: entry.name,
      region,
      roleArn: entry.role.arn,
      zip: zipOf(entry),
      timeoutSeconds: entry.timeoutSeconds,
      memoryMb: entry.memoryMb,
    });
    await new LambdaClient(settings).send(
      new CreateEventSourceMappingCommand({
        FunctionName: entry.name,
        EventSourceArn: queue.arn,
        BatchSize: batchSize,
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        // Each instance is a process of this machine: Lambda's least.
        ScalingConfig: { MaximumConcurrency: 2 },
      }),
    );
  };
  await Promise.all([
    reads(plan.normaliser, plan.events, 10),
    ...plan.sinks.map((sink) => reads(sink.function, sink.queue, sink.batchSize)),
  ]);
  await loadRules(new EventBridgeClient(settings), plan, region);
  return { queues: new Map(queues.map((queue) => [queue.name, urlOf(access, account, queue)])) };
}

async function loadRules(client: EventBridgeClient, plan: AuditPlan, region: string): Promise<void> {
  for (const rule of plan.rules) {
    if (rule.region !== region || !("pattern" in rule.when)) continue;
    await client.send(
      new PutRuleCommand({ Name: rule.name, EventPattern: JSON.stringify(rule.when.pattern) }),
    );
    await client.send(
      new PutTargetsCommand({ Rule: rule.name, Targets: [{ Id: "queue", Arn: plan.events.arn }] }),
    );
  }
}
