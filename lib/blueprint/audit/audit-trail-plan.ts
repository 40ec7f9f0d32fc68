import type { AuditNormaliserSettings, AuditSinkSettings } from "../../contracts/audit-settings";
import type { AuditSink, SinkCredential } from "../../model/audit-definition";
import { fault } from "../../model/faults";
import {
  auditBucket,
  auditForwarderRoleName,
  auditFunctionName,
  auditPrefix,
  fitName,
  METRIC_NAMESPACE,
} from "../../model/names";
import { type PolicyDocument, type PolicyStatement, policyDocument } from "../../model/policy-document";
import { type FunctionPlan, functionIn, logGroupOf } from "../functions/function-plan";
import { writeLog } from "../functions/function-rights";
import {
  anyKeyArn,
  bucketArn,
  eventBusArn,
  queueArn,
  roleArn,
  serviceIn,
  tableArn,
} from "../platform/aws-arns";
import { eventForwarder } from "../platform/event-forwarder";
import { MANAGED_LIMIT, MANAGED_PER_ROLE } from "../platform/role-plan";
import type { RecordsPlan } from "../procedure/procedure-plan";
import { REPLICATION, recordsPolicy } from "../procedure/procedure-resources";
import { auditAlarms } from "./audit-alarms";
import { auditPeople } from "./audit-people";
import type {
  AuditPlan,
  AuditQueuePlan,
  AuditSinkInput,
  AuditSinkPlan,
  AuditTrailInput,
  TrailPlan,
} from "./audit-plan";
import { auditRules } from "./audit-rules";

/** Seconds of one call: archive, lookups and queues; a sink has a time-out of its own below that. */
const FUNCTION_SECONDS = 60;
/** Six times the function's time, as Lambda asks for. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
const NORMALISER_VISIBILITY = 6 * FUNCTION_SECONDS;
/** Seconds until events that a sink did not take come again: with a thousand tries, ten days. */
const SINK_VISIBILITY = 900;
/** Events of a few kilobytes each: below every vendor's limit. */
const SINK_BATCH = 100;

const statement = (Sid: string, Action: readonly string[], Resource: readonly string[]): PolicyStatement => ({
  Sid,
  Effect: "Allow",
  Action,
  Resource,
});

/**
 * An audit trail as plain data. {@link blueprint} makes one for an environment of a registry; a stack without a registry plans its own.
 *
 * @throws RegistryError where a role would outgrow IAM
 */
export function auditTrailPlan(input: AuditTrailInput): AuditPlan {
  const { registry, environment, regions, sinks } = input;
  const prefix = auditPrefix(registry, environment);
  const rules = auditRules(input);
  const queue = (
    what: string,
    visibilitySeconds: number,
    policy?: (arn: string) => PolicyDocument,
  ): AuditQueuePlan => {
    const name = fitName(`${prefix}-${what}`, 80);
    const arn = queueArn(input, regions.primary, name);
    return {
      name,
      arn,
      url: `https://${serviceIn("sqs", regions.primary)}/${input.account}/${name}`,
      visibilitySeconds,
      ...(policy ? { policy: policy(arn) } : {}),
    };
  };
  const fromRules = rules.filter(({ to }) => to === "queue").map((rule) => rule.arn);
  const events = queue("events", NORMALISER_VISIBILITY, (arn) =>
    eventsPolicy(
      arn,
      fromRules,
      input.operators,
      roleOf(input, auditFunctionName(registry, environment, "normaliser")),
    ),
  );
  const deadLetters = queue("dead-letters", NORMALISER_VISIBILITY, (arn) =>
    policyDocument(rulesSend(arn, fromRules)),
  );
  const archive = archivePlan(input);
  const sinkPlans = [...sinks]
    .sort((a, b) => (a.sink.name < b.sink.name ? -1 : 1))
    .map((sink) => sinkPlan(input, sink, queue(`sink-${sink.sink.name}`, SINK_VISIBILITY), deadLetters));
  const bus = eventBusArn(input, regions.primary);
  return {
    events,
    deadLetters,
    normaliser: normaliserPlan(input, { events, deadLetters, archive, sinks: sinkPlans }),
    sinks: sinkPlans,
    archive,
    ...(input.trail === "create" ? { trail: trailPlan(input) } : {}),
    rules,
    ...(rules.some(({ to }) => to === "bus")
      ? {
          forwarder: eventForwarder(input, {
            name: auditForwarderRoleName(registry, environment),
            bus,
            tags: input.tags,
          }),
        }
      : {}),
    alarms: auditAlarms(input, { events, deadLetters, sinks: sinkPlans }),
    people: auditPeople(input, archive, sinkPlans, bus),
    preventDestroy: input.preventDestroy,
    tags: input.tags,
  };
}

const rulesSend = (arn: string, rules: readonly string[]): PolicyStatement => ({
  Sid: "RulesSend",
  Effect: "Allow",
  Principal: { Service: "events.amazonaws.com" },
  Action: ["sqs:SendMessage"],
  Resource: [arn],
  Condition: { ArnEquals: { "aws:SourceArn": rules } },
});

/**
 * Rules put messages, and operators dead letters that can be read by now; nobody else: what somebody forged would be an event. The
 * normaliser alone takes them out: what somebody else took would be none.
 */
const eventsPolicy = (
  arn: string,
  rules: readonly string[],
  operators: readonly string[],
  normaliser: string,
): PolicyDocument =>
  policyDocument(
    rulesSend(arn, rules),
    {
      Sid: "NobodyElseSends",
      Effect: "Deny",
      Principal: "*",
      Action: ["sqs:SendMessage"],
      Resource: [arn],
      Condition: {
        ArnNotEquals: { "aws:SourceArn": rules },
        ...(operators.length > 0 ? { ArnNotLike: { "aws:PrincipalArn": operators } } : {}),
      },
    },
    {
      Sid: "NormaliserTakes",
      Effect: "Deny",
      Principal: "*",
      Action: ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"],
      Resource: [arn],
      Condition: { ArnNotLike: { "aws:PrincipalArn": [normaliser] } },
    },
  );

function archivePlan(input: AuditTrailInput): RecordsPlan {
  const { registry, environment, account, regions } = input;
  const name = auditBucket(registry, environment, account, regions.primary, "archive");
  return {
    name,
    arn: bucketArn(input, name),
    lockMode: input.lockMode,
    retentionDays: input.retentionDays,
    forceDestroy: input.forceDestroy,
    policy: recordsPolicy(input, name, roleOf(input, auditFunctionName(registry, environment, "normaliser"))),
  };
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html */
function trailPlan(input: AuditTrailInput): TrailPlan {
  const { registry, environment, account, partition, regions } = input;
  const name = auditPrefix(registry, environment);
  const arn = `arn:${partition}:cloudtrail:${regions.primary}:${account}:trail/${name}`;
  const bucket = auditBucket(registry, environment, account, regions.primary, "trail");
  const ofTrail = (
    Sid: string,
    action: string,
    resource: string,
    more: Readonly<Record<string, readonly string[]>> = {},
  ): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: "cloudtrail.amazonaws.com" },
    Action: [action],
    Resource: [resource],
    Condition: { StringEquals: { "aws:SourceArn": [arn], ...more } },
  });
  const where = bucketArn(input, bucket);
  return {
    name,
    arn,
    bucket: {
      name: bucket,
      arn: where,
      lockMode: input.lockMode,
      retentionDays: input.retentionDays,
      forceDestroy: input.forceDestroy,
      policy: policyDocument(
        ofTrail("TrailLooks", "s3:GetBucketAcl", where),
        ofTrail("TrailWrites", "s3:PutObject", `${where}/AWSLogs/${account}/*`, {
          "s3:x-amz-acl": ["bucket-owner-full-control"],
        }),
        {
          Sid: "TrailAloneWrites",
          Effect: "Deny",
          Principal: "*",
          Action: ["s3:PutObject"],
          Resource: [`${where}/*`],
          // Who calls S3 by themselves has no source.
          Condition: { StringNotEquals: { "aws:SourceArn": [arn] } },
        },
        {
          Sid: "NobodyDeletes",
          Effect: "Deny",
          Principal: "*",
          Action: [
            "s3:BypassGovernanceRetention",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            ...REPLICATION,
          ],
          Resource: [`${where}/*`],
        },
      ),
    },
  };
}

const roleOf = (input: AuditTrailInput, name: string): string => roleArn(input, input.rolePath, name);

interface Parts {
  readonly events: AuditQueuePlan;
  readonly deadLetters: AuditQueuePlan;
  readonly archive: RecordsPlan;
  readonly sinks: readonly AuditSinkPlan[];
}

function normaliserPlan(input: AuditTrailInput, parts: Parts): FunctionPlan {
  const { registry, environment, account, partition, regions, runsTable } = input;
  const { events, deadLetters, archive, sinks } = parts;
  return auditFunction(input, {
    what: "normaliser",
    bundle: "audit-normaliser",
    description: `Makes one form of all audit events of ${environment}`,
    queue: events,
    settings: {
      scope: { registry, environment, account, partition, region: regions.primary, ...input.scope },
      archive: archive.name,
      sinkQueues: sinks.map(({ queue }) => queue.url),
      deadLetters: deadLetters.url,
      ...(runsTable === undefined ? {} : { runsTable }),
    } satisfies AuditNormaliserSettings,
    rights: [
      statement("HandOn", ["sqs:SendMessage"], [deadLetters.arn, ...sinks.map(({ queue }) => queue.arn)]),
      statement("Archive", ["s3:PutObject"], [`${archive.arn}/events/*`]),
      ...(runsTable === undefined
        ? []
        : [statement("NameRuns", ["dynamodb:GetItem"], [tableArn(input, regions.primary, runsTable)])]),
      {
        ...statement("CountEvents", ["cloudwatch:PutMetricData"], ["*"]),
        Condition: { StringEquals: { "cloudwatch:namespace": [METRIC_NAMESPACE] } },
      },
    ],
  });
}

function sinkPlan(
  input: AuditTrailInput,
  { sink, network }: AuditSinkInput,
  queue: AuditQueuePlan,
  deadLetters: AuditQueuePlan,
): AuditSinkPlan {
  const { registry, environment, regions } = input;
  return {
    name: sink.name,
    queue,
    batchSize: SINK_BATCH,
    function: auditFunction(input, {
      what: `sink-${sink.name}`,
      bundle: "audit-sink",
      description: `Delivers audit events of ${environment} to ${sink.name}`,
      queue,
      ...(network ? { network } : {}),
      settings: {
        registry,
        environment,
        region: regions.primary,
        sink,
        deadLetters: deadLetters.url,
      } satisfies AuditSinkSettings,
      rights: [statement("PutAside", ["sqs:SendMessage"], [deadLetters.arn]), ...sinkRights(input, sink)],
    }),
  };
}

function sinkRights(input: AuditTrailInput, sink: AuditSink): readonly PolicyStatement[] {
  if (sink.type === "firehose")
    return [statement("PutIntoStream", ["firehose:PutRecordBatch"], [sink.streamArn])];
  const { secretArn }: SinkCredential =
    sink.type === "splunk-hec" ? sink.token : sink.type === "datadog" ? sink.apiKey : sink.credential;
  const region = secretArn.split(":")[3] ?? input.regions.primary;
  return [
    statement("ReadCredential", ["secretsmanager:GetSecretValue"], [secretArn]),
    {
      ...statement("DecryptCredential", ["kms:Decrypt"], [anyKeyArn(input, region)]),
      Condition: {
        StringEquals: {
          "kms:ViaService": [serviceIn("secretsmanager", region)],
          "kms:EncryptionContext:SecretARN": [secretArn],
        },
      },
    },
  ];
}

interface AuditFunctionParts {
  readonly what: string;
  readonly bundle: "audit-normaliser" | "audit-sink";
  readonly description: string;
  readonly queue: AuditQueuePlan;
  readonly settings: FunctionPlan["settings"];
  readonly network?: AuditSinkInput["network"];
  readonly rights: readonly PolicyStatement[];
}

function auditFunction(input: AuditTrailInput, parts: AuditFunctionParts): FunctionPlan {
  const { registry, environment } = input;
  const { what, queue, network, ...rest } = parts;
  const name = auditFunctionName(registry, environment, what);
  return functionIn(input, {
    ...rest,
    name,
    word: `function--audit-${what}`,
    ...(network ? { network } : {}),
    secrets: [],
    // Lambda itself takes messages with the function's role.
    unbound: [
      statement(
        "LambdaTakesMessages",
        ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        [queue.arn],
      ),
      writeLog(input, input.regions.primary, logGroupOf(name)),
    ],
    overflow: (policies) =>
      fault(
        ["environments", environment, "audit"],
        `${name}, whose rights need ${policies} managed policies`,
        `${MANAGED_PER_ROLE} managed policies of ${MANAGED_LIMIT} characters on one role (IAM quota)`,
        "name fewer sinks",
      ),
    timeoutSeconds: FUNCTION_SECONDS,
    tags: input.tags,
  });
}
