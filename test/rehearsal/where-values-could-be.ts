import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { rotates } from "../../lib/blueprint";
import { synthesize } from "../stacks/synthesized";
import type { RehearsedRotations } from "./rehearsed-rotations";

const clientSettings = ({ world, region }: RehearsedRotations) => ({
  // Past the shim: looking is no part of the rehearsal.
  endpoint: world.aws.endpoint,
  region,
  credentials: { ...world.as.root.credentials },
});

/**
 * Sends every event of Secrets Manager to a queue, from now on.
 *
 * @returns reads the queue empty
 */
export async function eventsFromNowOn(rotations: RehearsedRotations): Promise<() => Promise<string>> {
  const sqs = new SQSClient(clientSettings(rotations));
  const events = new EventBridgeClient(clientSettings(rotations));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "every-event" }));
  const { account } = rotations.world.plan;
  await events.send(
    new PutRuleCommand({
      Name: "every-event",
      EventPattern: JSON.stringify({ source: ["aws.secretsmanager"] }),
    }),
  );
  await events.send(
    new PutTargetsCommand({
      Rule: "every-event",
      Targets: [{ Id: "queue", Arn: `arn:aws:sqs:${rotations.region}:${account}:every-event` }],
    }),
  );
  return async () => {
    const texts: string[] = [];
    for (;;) {
      // What was read stays hidden: nothing comes twice.
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
      );
      if (Messages.length === 0) return texts.join("\n");
      texts.push(...Messages.map(({ Body = "" }) => Body));
    }
  };
}

/** Output of the functions, by the name of their log group. */
async function functionLogs(rotations: RehearsedRotations): Promise<ReadonlyMap<string, string>> {
  const logs = new CloudWatchLogsClient(clientSettings(rotations));
  const texts = new Map<string, string>();
  for (const plan of rotations.world.plan.functions) {
    const { logGroup: logGroupName } = plan;
    const lines: string[] = [];
    for (let nextToken: string | undefined, first = true; first || nextToken; first = false) {
      const page = await logs.send(
        new DescribeLogStreamsCommand({ logGroupName, ...(nextToken ? { nextToken } : {}) }),
      );
      for (const { logStreamName } of page.logStreams ?? []) {
        const { events = [] } = await logs.send(
          new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true, limit: 10_000 }),
        );
        lines.push(...events.map(({ message = "" }) => message));
      }
      nextToken = page.nextToken;
    }
    const isCalled = rotates(plan) || plan.bundle === "mirror";
    if (isCalled || lines.length > 0) texts.set(`log ${logGroupName}`, lines.join("\n"));
  }
  return texts;
}

/** Everything but Secrets Manager and Vault that a value could have come to, by what it is. */
export async function whereValuesCouldBe(
  rotations: RehearsedRotations,
  events: () => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  const { world, group, registry } = rotations;
  const serverLogs = readdirSync(group.folder).filter((name) => name.endsWith(".log"));
  return new Map([
    ...(await functionLogs(rotations)),
    ["events", await events()],
    ["records of AWS calls", JSON.stringify(world.shim.calls.all)],
    ["what the command line printed and reported", rotations.said],
    [
      "synthesized Terraform",
      synthesize({ registry, environment: world.plan.environment }, (_, __, text) => text),
    ],
    ...serverLogs.map(
      (name) => [`server log ${name}`, readFileSync(join(group.folder, name), "utf8")] as const,
    ),
  ]);
}
