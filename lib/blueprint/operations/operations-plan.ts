import type { Duration } from "../../model/duration";
import {
  alarmTopic,
  deadLetterQueue,
  operationsKeyAlias,
  publicationsTable,
  ruleName,
} from "../../model/names";
import { type PolicyDocument, type PolicyStatement, policyDocument } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { FunctionPlan } from "../functions/function-plan";
import { ADMINISTRATION } from "../keys/key-policy";
import { queueArn, rootArn, ruleArn, secretArnPrefixIn, serviceIn, topicArn } from "../platform/aws-arns";
import type { ForwarderPlan, RulePlan } from "../platform/rule-plan";
import { commonTags, type Tags } from "../platform/tags";
import type { ProcedurePlan } from "../procedure/procedure-plan";
import { alarmsPublish } from "../procedure/procedure-resources";
import { tamperRules } from "./tamper-rules";

/** Key, queue, topic, tables and rules around the functions of an environment, in its primary region. */
export interface OperationsPlan {
  /** Key of logs, queue and topic. */
  readonly key: {
    readonly alias: string;
    readonly description: string;
    readonly policy: PolicyDocument;
  };
  /** DynamoDB table: partition key `secret`, sort key `version`. */
  readonly publicationsTable: string;
  /** SQS queue of events that a function could not take. */
  readonly deadLetters: { readonly name: string; readonly policy: PolicyDocument };
  /** SNS topic to which alarms go. Subscribe whoever is on call. */
  readonly alarms: { readonly name: string; readonly policy: PolicyDocument };
  /** Signing profiles whose code Lambda accepts; `undefined`: it checks no signature. */
  readonly codeSigning?: { readonly profiles: readonly string[] };
  /** EventBridge rules, sorted by name. */
  readonly rules: readonly RulePlan[];
  /** `undefined` where all events reach the primary region by themselves. */
  readonly forwarder?: ForwarderPlan;
  readonly preventDestroy: boolean;
  readonly tags: Tags;
}

/** A secret is due in days, so an hour is early enough; a rotation that stands still shows within two. */
const WATCH_EVERY: Duration = { seconds: 3_600 };
/** The mirror looks at every secret this often, and the dispatcher at every open run, whatever events they got. */
const SWEEP_EVERY: Duration = { seconds: 15 * 60 };

/** Operations plan of an environment; `undefined` where it has no functions. */
export function operationsPlan(
  registry: Registry,
  environment: Environment,
  functions: readonly FunctionPlan[],
  procedure: ProcedurePlan | undefined,
): OperationsPlan | undefined {
  if (functions.length === 0) return undefined;
  const { primary } = environment.regions;
  const watched = tamperRules(registry, environment);
  const rules = [...rulesOf(registry, environment, functions), ...watched.rules].sort((a, b) =>
    a.word < b.word ? -1 : 1,
  );
  const queue = deadLetterQueue(registry.id, environment.name);
  const topic = alarmTopic(registry.id, environment.name);
  const fromRules = (
    Sid: string,
    Action: string,
    Resource: string,
    chosen: readonly RulePlan[] | undefined,
  ): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: "events.amazonaws.com" },
    Action: [Action],
    Resource: [Resource],
    ...(chosen ? { Condition: { ArnEquals: { "aws:SourceArn": chosen.map(({ arn }) => arn) } } } : {}),
  });
  return {
    key: {
      alias: operationsKeyAlias(registry.id, environment.name),
      description: `Logs, queues and topics of ${registry.id} in ${environment.name}`,
      policy: operationsKeyPolicy(registry, environment, functions, procedure),
    },
    publicationsTable: publicationsTable(registry.id, environment.name),
    deadLetters: {
      name: queue,
      policy: policyDocument(
        fromRules(
          "RulesSendWhatFunctionsDidNotTake",
          "sqs:SendMessage",
          queueArn(environment, primary, queue),
          rules.filter(({ target }) => "function" in target),
        ),
      ),
    },
    alarms: {
      name: topic,
      policy: policyDocument(
        fromRules(
          "RulesPublish",
          "sns:Publish",
          topicArn(environment, primary, topic),
          // EventBridge takes no conditions here: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
          undefined,
        ),
        alarmsPublish(environment, topic),
      ),
    },
    ...(environment.codeSigning ? { codeSigning: environment.codeSigning } : {}),
    rules,
    ...(watched.forwarder ? { forwarder: watched.forwarder } : {}),
    preventDestroy: environment.preventDestroy,
    tags: commonTags(registry, environment),
  };
}

function rulesOf(
  registry: Registry,
  environment: Environment,
  functions: readonly FunctionPlan[],
): readonly RulePlan[] {
  const { primary } = environment.regions;
  const ours = { prefix: secretArnPrefixIn(environment, primary, environment.name) };
  const rule = (word: string, rest: Omit<RulePlan, "name" | "word" | "arn">): RulePlan => {
    const name = ruleName(registry.id, environment.name, word);
    return { name, word, arn: ruleArn(environment, primary, name), ...rest };
  };
  const mirror = functions.find(({ bundle }) => bundle === "mirror");
  const ofMirror = mirror
    ? [
        rule("label-updated", {
          description: "A secret has a new current or verified version: copy it into Vault",
          // https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
          when: {
            pattern: {
              source: ["aws.secretsmanager"],
              "detail-type": ["Secret Label Updated"],
              resources: [ours],
            },
          },
          target: { function: mirror.name },
        }),
        rule("mirror-sweep", {
          description: "Bring every Vault up to date, whatever events were missed",
          when: { every: SWEEP_EVERY },
          target: { function: mirror.name, input: { Sweep: true } },
        }),
      ]
    : [];
  const dispatcher = functions.find(({ bundle }) => bundle === "dispatcher");
  const watcher = functions.find(({ bundle }) => bundle === "watcher");
  const ofProcedure = [
    ...(dispatcher
      ? [
          rule("version-current", {
            description: "A secret has a new current version: prove it, if it is a run's",
            when: {
              pattern: {
                source: ["aws.secretsmanager"],
                "detail-type": ["Secret Label Updated"],
                resources: [ours],
                // Where there is no mirror to hear of it, the dispatcher confirms what is proved.
                ...(mirror ? { detail: { labelUpdated: ["AWSCURRENT"] } } : {}),
              },
            },
            target: { function: dispatcher.name },
          }),
          rule("run-sweep", {
            description: "Start runs whose event was missed, and let go of secrets whose run is dead",
            when: { every: SWEEP_EVERY },
            target: { function: dispatcher.name, input: { Sweep: true } },
          }),
        ]
      : []),
    ...(watcher
      ? [
          rule("watch", {
            description: "Look for secrets that are due, overdue or stuck",
            when: { every: WATCH_EVERY },
            target: { function: watcher.name, input: { Watch: true } },
          }),
        ]
      : []),
  ];
  return [
    ...ofMirror,
    ...ofProcedure,
    rule("rotation-failed", {
      description: "A rotation failed or was abandoned",
      // https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
      when: {
        pattern: {
          source: ["aws.secretsmanager"],
          "detail-type": ["AWS Service Event via CloudTrail"],
          detail: {
            eventName: ["RotationFailed", "RotationAbandoned"],
            additionalEventData: { SecretId: [ours] },
          },
        },
      },
      target: { topic: "alarms" },
    }),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Policy of the key of logs, queue and topics. Its users: the services, each for the environment's own resources;
 * senders and readers of dead letters; publishers.
 */
function operationsKeyPolicy(
  registry: Registry,
  environment: Environment,
  functions: readonly FunctionPlan[],
  procedure: ProcedurePlan | undefined,
): PolicyDocument {
  const { primary } = environment.regions;
  const { operators, breakGlass } = environment.principals;
  const forService = (
    Sid: string,
    service: string,
    Condition: PolicyStatement["Condition"],
    Action: PolicyStatement["Action"] = ["kms:Decrypt", "kms:GenerateDataKey"],
  ): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: service },
    Action,
    Resource: ["*"],
    ...(Condition ? { Condition } : {}),
  });
  const account = { StringEquals: { "aws:SourceAccount": [environment.account] } };
  const publishers = [
    ...(procedure ? [procedure.stateMachine.role.arn] : []),
    ...functions.filter(({ bundle }) => bundle === "watcher").map(({ role }) => role.arn),
  ];
  const people = [...operators, ...breakGlass, ...functions.map(({ role }) => role.arn)];
  return policyDocument(
    {
      Sid: "AccountAdministersWithoutData",
      Effect: "Allow",
      Principal: { AWS: rootArn(environment) },
      Action: ADMINISTRATION,
      Resource: ["*"],
    },
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    forService(
      "Logs",
      serviceIn("logs", primary),
      {
        ArnLike: {
          "kms:EncryptionContext:aws:logs:arn": [
            `arn:${environment.partition}:logs:${primary}:${environment.account}:log-group:/aws/lambda/${registry.id}-${environment.name}--*`,
          ],
        },
      },
      [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
    ),
    forService("EventRules", "events.amazonaws.com", account),
    // Towards an encrypted topic EventBridge names no source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    forService("EventRulesToAlarms", "events.amazonaws.com", {
      ArnEquals: {
        "kms:EncryptionContext:aws:sns:topicArn": [
          topicArn(environment, primary, alarmTopic(registry.id, environment.name)),
        ],
      },
    }),
    forService("Alarms", "cloudwatch.amazonaws.com", account),
    {
      Sid: "DeadLetters",
      Effect: "Allow",
      Principal: { AWS: rootArn(environment) },
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: ["*"],
      Condition: {
        ArnLike: { "aws:PrincipalArn": people },
        StringEquals: { "kms:ViaService": [serviceIn("sqs", primary)] },
      },
    },
    ...(procedure
      ? [
          {
            Sid: "Messages",
            Effect: "Allow",
            Principal: { AWS: rootArn(environment) },
            Action: ["kms:Decrypt", "kms:GenerateDataKey"],
            Resource: ["*"],
            Condition: {
              ArnLike: { "aws:PrincipalArn": publishers },
              StringEquals: { "kms:ViaService": [serviceIn("sns", primary)] },
            },
          } as const,
        ]
      : []),
  );
}
