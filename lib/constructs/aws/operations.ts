import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import {
  CloudwatchEventTarget,
  type CloudwatchEventTargetConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { LambdaCodeSigningConfig } from "@cdktf/provider-aws/lib/lambda-code-signing-config";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import { Construct } from "constructs";
import { type FunctionPlan, type OperationsPlan, type RulePlan, rotates } from "../../blueprint";
import { hideIdsBelow, setAddress } from "../address";
import { literalJson, literalText } from "../literal-text";
import { ExclusiveRole } from "./exclusive-role";
import { metricAlarm } from "./metric-alarm";
import { RegistryFunction } from "./registry-function";

/** Two weeks, SQS's longest. */
const DEAD_LETTER_SECONDS = 14 * 24 * 3_600;
/** Age of an event that a function did not take, before it is a dead letter. */
const EVENT_AGE_SECONDS = 3_600;
const EVENT_RETRIES = 8;
const KEY_DELETION_DAYS = 30;
const MINUTES_5 = 300;

/** Input of {@link Operations}. */
export interface OperationsProps {
  /** Plan of the blueprint: `blueprint(registry, "prod").operations`. */
  readonly plan: OperationsPlan;
  /** `blueprint(registry, "prod").functions`. */
  readonly functions: readonly FunctionPlan[];
  /** The environment's primary region. */
  readonly region: string;
  /** The secrets' account, for which Secrets Manager may call. */
  readonly account: string;
  /** Folder of the functions' bundles. @default `dist/functions` of this package */
  readonly bundles?: string;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/** A function that Secrets Manager may call. */
export interface CallableFunction {
  /** A token, read once for all of its secrets: each read makes one with a stack trace. */
  readonly arn: string;
  readonly permission: LambdaPermission;
}

/**
 * The functions that rotate, mirror and follow rotations, and what surrounds them: the key of their logs, the table of confirmations, the
 * queue of dead letters, the rules that call them, alarms and the topic to which these go.
 *
 * @example
 * const plan = blueprint(registry, "prod");
 * if (plan.operations) {
 *   new Operations(stack, "operations", {
 *     plan: plan.operations, functions: plan.functions, region: plan.regions.primary, account: plan.account,
 *   });
 * }
 */
export class Operations extends Construct {
  /** ARN (a token) of the key of logs, queues and topics. */
  readonly keyArn: string;
  /** ARN (a token) of the topic of alarms. */
  readonly alarmTopicArn: string;
  readonly #functions: ReadonlyMap<string, RegistryFunction>;
  readonly #callable: ReadonlyMap<string, CallableFunction>;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    hideIdsBelow(this);
    const { plan, functions, region, account, bundles, provider } = props;
    const common = { ...(provider ? { provider } : {}), region };
    const tags = { ...plan.tags };
    const keyArn = this.#key(common, plan);
    this.keyArn = keyArn;
    setAddress(
      this,
      new DynamodbTable(this, "publications", {
        ...common,
        name: plan.publicationsTable,
        billingMode: "PAY_PER_REQUEST",
        hashKey: "secret",
        rangeKey: "version",
        attribute: [
          { name: "secret", type: "S" },
          { name: "version", type: "S" },
        ],
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: plan.preventDestroy,
        tags,
      }),
      "publications",
    );
    const deadLetterArn = this.#deadLetters(common, plan, keyArn);
    this.alarmTopicArn = this.#topic(common, plan, keyArn);

    const codeSigningConfigArn = this.#codeSigning(common, plan);

    this.#functions = new Map(
      functions.map((entry) => [
        entry.name,
        new RegistryFunction(this, entry.word, {
          plan: entry,
          region,
          keyArn,
          deadLetterArn,
          ...(codeSigningConfigArn === undefined ? {} : { codeSigningConfigArn }),
          ...(bundles === undefined ? {} : { bundles }),
          ...(provider ? { provider } : {}),
        }),
      ]),
    );
    this.#callable = new Map(
      functions.filter(rotates).map((entry) => {
        const { arn, functionName } = this.#function(entry.name);
        const permission = setAddress(
          this,
          new LambdaPermission(this, `secrets-manager-calls-${entry.word}`, {
            ...common,
            statementId: "SecretsManager",
            functionName,
            action: "lambda:InvokeFunction",
            principal: "secretsmanager.amazonaws.com",
            sourceAccount: account,
          }),
          entry.word,
        );
        return [entry.name, { arn, permission }];
      }),
    );
    const forwarder = plan.forwarder
      ? new ExclusiveRole(this, "forwarder", {
          plan: plan.forwarder.role,
          word: "event-forwarder",
          description: "EventBridge passes events of other regions on to the primary one",
          rights: "what EventBridge may do to pass events on",
          ...(provider ? { provider } : {}),
        })
      : undefined;
    for (const rule of plan.rules) {
      const made = this.#rule({ ...common, region: rule.region ?? region }, rule);
      this.#target({ ...common, region: rule.region ?? region }, rule, made, deadLetterArn, forwarder?.arn);
    }
    const atOnce = { periodSeconds: MINUTES_5, whenMissing: "notBreaching" } as const;
    const told = { ...common, topicArn: this.alarmTopicArn, tags };
    for (const entry of functions) {
      const alarm = {
        ...atOnce,
        word: `${entry.word.replace(/^function--/, "")}-fails`,
        description: `${entry.name} fails`,
        namespace: "AWS/Lambda",
        metric: "Errors",
        dimensions: { FunctionName: entry.name },
        statistic: "Sum",
      } as const;
      metricAlarm(this, alarm, told);
    }
    metricAlarm(
      this,
      {
        ...atOnce,
        word: "dead-letters",
        description: "Events that no function took",
        namespace: "AWS/SQS",
        metric: "ApproximateNumberOfMessagesVisible",
        dimensions: { QueueName: plan.deadLetters.name },
        statistic: "Maximum",
      },
      told,
    );
  }

  /**
   * ARN (a token) of a function that Secrets Manager may call.
   *
   * @throws Error for a function that the plan does not have
   */
  callable(name: string): CallableFunction {
    const found = this.#callable.get(name);
    if (!found) {
      throw new Error(
        `${this.node.path}: no rotation function ${name}; there are ${[...this.#callable.keys()].join(", ")}`,
      );
    }
    return found;
  }

  #function(name: string) {
    const found = this.#functions.get(name);
    if (!found) {
      throw new Error(
        `${this.node.path}: no function ${name}; there are ${[...this.#functions.keys()].join(", ")}`,
      );
    }
    return found.function;
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html */
  #codeSigning(common: Common, { codeSigning, tags }: OperationsPlan): string | undefined {
    if (codeSigning === undefined) return undefined;
    return setAddress(
      this,
      new LambdaCodeSigningConfig(this, "code-signing", {
        ...common,
        description: "Signers of the code of secrets' functions",
        allowedPublishers: { signingProfileVersionArns: [...codeSigning.profiles] },
        policies: { untrustedArtifactOnDeployment: "Enforce" },
        tags: { ...tags },
      }),
      "functions",
    ).arn;
  }

  #key(common: Common, plan: OperationsPlan): string {
    const key = setAddress(
      this,
      new KmsKey(this, "key", {
        ...common,
        description: literalText(plan.key.description),
        enableKeyRotation: true,
        deletionWindowInDays: KEY_DELETION_DAYS,
        policy: literalJson(plan.key.policy),
        tags: { ...plan.tags },
      }),
      "operations",
    );
    setAddress(
      this,
      new KmsAlias(this, "alias", { ...common, name: plan.key.alias, targetKeyId: key.keyId }),
      "operations",
    );
    return key.arn;
  }

  #deadLetters(common: Common, plan: OperationsPlan, keyArn: string): string {
    const queue = setAddress(
      this,
      new SqsQueue(this, "dead-letters", {
        ...common,
        name: plan.deadLetters.name,
        kmsMasterKeyId: keyArn,
        messageRetentionSeconds: DEAD_LETTER_SECONDS,
        tags: { ...plan.tags },
      }),
      "dead-letters",
    );
    setAddress(
      this,
      new SqsQueuePolicy(this, "dead-letters-policy", {
        ...common,
        queueUrl: queue.url,
        policy: literalJson(plan.deadLetters.policy),
      }),
      "dead-letters",
    );
    return queue.arn;
  }

  #topic(common: Common, plan: OperationsPlan, keyArn: string): string {
    const topic = setAddress(
      this,
      new SnsTopic(this, "alarms", {
        ...common,
        name: plan.alarms.name,
        kmsMasterKeyId: keyArn,
        tags: { ...plan.tags },
      }),
      "alarms",
    );
    const { arn } = topic;
    setAddress(
      this,
      new SnsTopicPolicy(this, "alarms-policy", { ...common, arn, policy: literalJson(plan.alarms.policy) }),
      "alarms",
    );
    return arn;
  }

  #rule(common: Common, plan: RulePlan): CloudwatchEventRule {
    return setAddress(
      this,
      new CloudwatchEventRule(this, `rule-${plan.word}`, {
        ...common,
        name: plan.name,
        description: plan.description,
        ...("pattern" in plan.when
          ? { eventPattern: literalJson(plan.when.pattern) }
          : { scheduleExpression: `rate(${plan.when.every.seconds / 60} minutes)` }),
      }),
      plan.word,
    );
  }

  #target(
    common: Common,
    plan: RulePlan,
    rule: CloudwatchEventRule,
    deadLetterArn: string,
    forwarderArn: string | undefined,
  ): void {
    const to = (config: { readonly arn: string } & Partial<CloudwatchEventTargetConfig>): void => {
      setAddress(
        this,
        new CloudwatchEventTarget(this, `target-${plan.word}`, { ...common, rule: rule.name, ...config }),
        plan.word,
      );
    };
    if ("bus" in plan.target) {
      to({ arn: plan.target.bus, ...(forwarderArn === undefined ? {} : { roleArn: forwarderArn }) });
      return;
    }
    if ("topic" in plan.target) {
      const { text } = plan.target;
      to({
        arn: this.alarmTopicArn,
        ...(text
          ? { inputTransformer: { inputPaths: { ...text.paths }, inputTemplate: literalText(text.template) } }
          : {}),
      });
      return;
    }
    const target = this.#function(plan.target.function);
    to({
      arn: target.arn,
      ...(plan.target.input ? { input: literalJson(plan.target.input) } : {}),
      retryPolicy: { maximumEventAgeInSeconds: EVENT_AGE_SECONDS, maximumRetryAttempts: EVENT_RETRIES },
      deadLetterConfig: { arn: deadLetterArn },
    });
    setAddress(
      this,
      new LambdaPermission(this, `events-call-${plan.word}`, {
        ...common,
        statementId: `Rule-${plan.word}`,
        functionName: target.functionName,
        action: "lambda:InvokeFunction",
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      }),
      plan.word,
    );
  }
}

interface Common {
  readonly region: string;
  readonly provider?: AwsProvider;
}
