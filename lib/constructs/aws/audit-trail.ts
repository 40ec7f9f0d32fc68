import { Cloudtrail } from "@cdktf/provider-aws/lib/cloudtrail";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import { Construct } from "constructs";
import type { AuditPlan, AuditQueuePlan, AuditRulePlan, FunctionPlan } from "../../blueprint";
import { hideIdsBelow, setAddress } from "../address";
import { literalJson } from "../literal-text";
import { policyText, writesPolicies } from "../policy-files";
import { ExclusiveRole } from "./exclusive-role";
import { lockedBucket } from "./locked-bucket";
import { metricAlarm } from "./metric-alarm";
import { RegistryFunction } from "./registry-function";

/** Two weeks, SQS's longest: a SIEM that is down for a day, or for a week, loses nothing. */
const QUEUE_SECONDS = 14 * 24 * 3_600;
/** SQS's most. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html */
const RECEIVES = 1_000;
/** Age of an event that the queue did not take, before it is a dead letter. */
const EVENT_AGE_SECONDS = 86_400;
const EVENT_RETRIES = 185;
const NORMALISER_BATCH = 10;
/** A batch of more than ten messages needs a window. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const SINK_WINDOW_SECONDS = 5;

/** Input of {@link AuditTrail}. */
export interface AuditTrailProps {
  /** Plan of the trail: `blueprint(registry, "prod").audit`, or a plan of one's own, by `auditTrailPlan`. */
  readonly plan: AuditPlan;
  /** Region of queues, functions and archive. */
  readonly region: string;
  /** ARN of the topic to which its alarms go. */
  readonly alarmTopicArn: string;
  /** Folder of the functions' bundles. @default `dist/functions` of this package */
  readonly bundles?: string;
  /** @default the stack's own AWS provider */
  readonly provider?: AwsProvider;
}

/**
 * Audit trail: who did what to a secret, in one form, in an archive that nobody can change, and at SIEMs: rules of
 * EventBridge, a queue, a function that makes events of OCSF, a queue and a function for each sink, dead letters,
 * alarms, and a trail of CloudTrail where the plan has one. The policies that people need are written beside the stack,
 * as `policies/audit-reviewer.json` and `audit-shipper.json`.
 *
 * Queues and archive are encrypted with keys of SQS and S3: events hold no value, and what is kept for years must not die with a key.
 *
 * @example Alone, in a stack that has no registry
 * new AuditTrail(stack, "audit", {
 *   plan: auditTrailPlan({ registry: "acme", environment: "prod", trail: "organization", sinks: [], … }),
 *   region: "eu-central-1",
 *   alarmTopicArn: onCall.arn,
 * });
 */
export class AuditTrail extends Construct {
  /** Name (a token) of the bucket with every event. */
  readonly archive: string;

  constructor(
    scope: Construct,
    id: string,
    { plan, region, alarmTopicArn, bundles, provider }: AuditTrailProps,
  ) {
    super(scope, id);
    hideIdsBelow(this);
    const own = provider ? { provider } : {};
    const common: Common = { ...own, region };
    const tags = { ...plan.tags };
    const { preventDestroy } = plan;
    this.archive = lockedBucket(this, "audit-archive", plan.archive, {
      ...common,
      preventDestroy,
      tags,
    }).name;
    this.#trail(common, plan);

    const deadLetters = this.#queue(common, "audit-dead-letters", plan.deadLetters, undefined, tags);
    const events = this.#queue(common, "audit-events", plan.events, deadLetters.arn, tags);
    const reads = (word: string, entry: FunctionPlan, queue: SqsQueue, batchSize: number): void => {
      const made = new RegistryFunction(this, entry.word, {
        ...own,
        plan: entry,
        region,
        ...(bundles === undefined ? {} : { bundles }),
      });
      setAddress(
        this,
        new LambdaEventSourceMapping(this, `${word}-reader`, {
          ...common,
          functionName: made.function.arn,
          eventSourceArn: queue.arn,
          batchSize,
          ...(batchSize > NORMALISER_BATCH ? { maximumBatchingWindowInSeconds: SINK_WINDOW_SECONDS } : {}),
          functionResponseTypes: ["ReportBatchItemFailures"],
        }),
        word,
      );
    };
    reads("audit-events", plan.normaliser, events, NORMALISER_BATCH);
    for (const sink of plan.sinks) {
      const word = `audit-sink-${sink.name}`;
      const queue = this.#queue(common, word, sink.queue, deadLetters.arn, tags);
      reads(word, sink.function, queue, sink.batchSize);
    }

    const forwarder = plan.forwarder
      ? new ExclusiveRole(this, "forwarder", {
          ...own,
          plan: plan.forwarder.role,
          word: "audit-forwarder",
          description: "EventBridge passes audit events of other regions on to the primary one",
          rights: "what EventBridge may do to pass audit events on",
        })
      : undefined;
    for (const rule of plan.rules) {
      this.#rule({ ...common, region: rule.region }, rule, {
        queueArn: events.arn,
        deadLetterArn: deadLetters.arn,
        ...(plan.forwarder && forwarder ? { bus: plan.forwarder.bus, forwarderArn: forwarder.arn } : {}),
      });
    }
    for (const alarm of plan.alarms) metricAlarm(this, alarm, { ...common, topicArn: alarmTopicArn, tags });
    for (const entry of [plan.normaliser, ...plan.sinks.map((sink) => sink.function)]) {
      metricAlarm(
        this,
        {
          word: `${entry.word.replace(/^function--/, "")}-fails`,
          description: `${entry.name} fails`,
          namespace: "AWS/Lambda",
          metric: "Errors",
          dimensions: { FunctionName: entry.name },
          statistic: "Sum",
          periodSeconds: 300,
          whenMissing: "notBreaching",
        },
        { ...common, topicArn: alarmTopicArn, tags },
      );
    }
    writesPolicies(this, {
      "audit-reviewer.json": policyText(plan.people.reviewer),
      "audit-shipper.json": policyText(plan.people.shipper),
    });
  }

  #trail(common: Common, { trail, preventDestroy, tags }: AuditPlan): void {
    if (trail === undefined) return;
    const bucket = lockedBucket(this, "audit-trail", trail.bucket, { ...common, preventDestroy, tags });
    setAddress(
      this,
      new Cloudtrail(this, "trail", {
        ...common,
        name: trail.name,
        s3BucketName: bucket.name,
        isMultiRegionTrail: true,
        includeGlobalServiceEvents: true,
        enableLogFileValidation: true,
        enableLogging: true,
        // All management events, reads among them, which is what a trail logs without selectors: the provider leaves that one selector
        // out of what it reads (`flattenEventSelector` of internal/service/cloudtrail/trail.go), so that every plan would set it again.
        // https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-cloudtrail.html
        tags: { ...tags },
        // CloudTrail tries the bucket's policy when the trail is made.
        dependsOn: [bucket.policy],
      }),
      "audit",
    );
  }

  #queue(
    common: Common,
    word: string,
    plan: AuditQueuePlan,
    deadLetterArn: string | undefined,
    tags: Readonly<Record<string, string>>,
  ): SqsQueue {
    const queue = setAddress(
      this,
      new SqsQueue(this, word, {
        ...common,
        name: plan.name,
        sqsManagedSseEnabled: true,
        messageRetentionSeconds: QUEUE_SECONDS,
        visibilityTimeoutSeconds: plan.visibilitySeconds,
        ...(deadLetterArn === undefined
          ? {}
          : {
              redrivePolicy: JSON.stringify({
                deadLetterTargetArn: deadLetterArn,
                maxReceiveCount: RECEIVES,
              }),
            }),
        tags,
      }),
      word,
    );
    if (plan.policy) {
      setAddress(
        this,
        new SqsQueuePolicy(this, `${word}-policy`, {
          ...common,
          queueUrl: queue.url,
          policy: literalJson(plan.policy),
        }),
        word,
      );
    }
    return queue;
  }

  #rule(
    common: Common,
    plan: AuditRulePlan,
    to: {
      readonly queueArn: string;
      readonly deadLetterArn: string;
      readonly bus?: string;
      readonly forwarderArn?: string;
    },
  ): void {
    const rule = setAddress(
      this,
      new CloudwatchEventRule(this, `rule-${plan.word}`, {
        ...common,
        name: plan.name,
        description: plan.description,
        // What the provider has as its own default is left to it.
        ...(plan.seesReads ? { state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" } : {}),
        ...("pattern" in plan.when
          ? { eventPattern: literalJson(plan.when.pattern) }
          : { scheduleExpression: `rate(${plan.when.everyMinutes} minutes)` }),
      }),
      plan.word,
    );
    setAddress(
      this,
      new CloudwatchEventTarget(this, `target-${plan.word}`, {
        ...common,
        rule: rule.name,
        ...(plan.to === "bus"
          ? {
              arn: to.bus ?? "",
              ...(to.forwarderArn === undefined ? {} : { roleArn: to.forwarderArn }),
            }
          : {
              arn: to.queueArn,
              retryPolicy: {
                maximumEventAgeInSeconds: EVENT_AGE_SECONDS,
                maximumRetryAttempts: EVENT_RETRIES,
              },
              deadLetterConfig: { arn: to.deadLetterArn },
            }),
      }),
      plan.word,
    );
  }
}

interface Common {
  readonly region: string;
  readonly provider?: AwsProvider;
}
