import { PROCEDURE_SOURCE, VAULT_SOURCE } from "../../contracts/audit-events";
import { ruleName } from "../../model/names";
import { ruleArn } from "../platform/aws-arns";
import type { AuditRulePlan, AuditTrailInput } from "./audit-plan";

/** Four heartbeats before an hour without one pages. */
const HEARTBEAT_MINUTES = 15;

type Matcher = string | Readonly<Record<string, unknown>>;

interface Watched {
  readonly word: string;
  readonly description: string;
  readonly pattern: object;
  readonly seesReads?: boolean;
  /** Default: in the primary region alone. */
  readonly at?: "everywhere" | "global";
}

/** Administrative calls of KMS: records name keys by id, which nobody knows before they are made, so these are all keys'. */
const KEY_CALLS: readonly string[] = [
  "CancelKeyDeletion",
  "CreateGrant",
  "DeleteAlias",
  "DisableKey",
  "DisableKeyRotation",
  "EnableKey",
  "PutKeyPolicy",
  "ReplicateKey",
  "RevokeGrant",
  "ScheduleKeyDeletion",
  "UpdateAlias",
];

/** Rules of an audit trail, sorted by word. */
export function auditRules(input: AuditTrailInput): readonly AuditRulePlan[] {
  const { registry, environment, regions, globalRegion } = input;
  const rule = (watched: Watched, region: string): AuditRulePlan => {
    const word = region === regions.primary ? watched.word : `${watched.word}--${region}`;
    // As the registry's other rules are named, so that whoever dismantles one pages.
    const name = ruleName(registry, environment, watched.word);
    return {
      name,
      word,
      arn: ruleArn(input, region, name),
      description: watched.description,
      region,
      when: { pattern: watched.pattern },
      seesReads: watched.seesReads ?? false,
      to: region === regions.primary ? "queue" : "bus",
    };
  };
  const placesOf = ({ at }: Watched): readonly string[] =>
    at === "everywhere" ? regions.all : at === "global" ? [globalRegion] : [];
  const heartbeat = ruleName(registry, environment, "audit-heartbeat");
  return [
    ...watchedBy(input).flatMap((watched) =>
      [...new Set([regions.primary, ...placesOf(watched)])].map((region) => rule(watched, region)),
    ),
    {
      name: heartbeat,
      word: "audit-heartbeat",
      arn: ruleArn(input, regions.primary, heartbeat),
      description: "A sign of life that goes the way of every event",
      region: regions.primary,
      when: { everyMinutes: HEARTBEAT_MINUTES },
      seesReads: false,
      to: "queue" as const,
    },
  ].sort((a, b) => (a.word < b.word ? -1 : 1));
}

function watchedBy({
  registry,
  environment,
  account,
  partition,
  scope,
}: AuditTrailInput): readonly Watched[] {
  const prefix: Matcher = { prefix: scope.secretPrefix };
  const arns: Matcher = {
    wildcard: `arn:${partition}:secretsmanager:*:${account}:secret:${scope.secretPrefix}*`,
  };
  const ofTrail = (source: string, detail: object, types = ["AWS API Call via CloudTrail"]): object => ({
    source: [`aws.${source}`],
    "detail-type": types,
    detail,
  });
  const everywhere = { at: "everywhere", seesReads: true } as const;
  return [
    {
      word: "audit-labels",
      description: "A label of a secret has a new version: Secrets Manager's own event, without a trail",
      // https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
      pattern: {
        source: ["aws.secretsmanager"],
        "detail-type": ["Secret Label Updated"],
        resources: [arns],
      },
    },
    {
      ...everywhere,
      word: "audit-calls",
      description: "Calls about secrets, reads among them",
      pattern: ofTrail("secretsmanager", { requestParameters: { secretId: [prefix, arns] } }),
    },
    {
      ...everywhere,
      word: "audit-created",
      description: "Secrets that are made",
      pattern: ofTrail("secretsmanager", { requestParameters: { name: [prefix] } }),
    },
    {
      ...everywhere,
      word: "audit-batches",
      description: "Reads of several secrets at once",
      pattern: ofTrail("secretsmanager", { eventName: ["BatchGetSecretValue"] }),
    },
    {
      ...everywhere,
      word: "audit-refusals",
      description: "Refused calls, whose records may name their secret in the refusal alone",
      pattern: ofTrail("secretsmanager", {
        errorCode: [{ prefix: "AccessDenied" }],
        requestParameters: [null],
      }),
    },
    {
      ...everywhere,
      word: "audit-services",
      description: "Secrets Manager's own events: rotations, deletions, replications",
      pattern: ofTrail("secretsmanager", { additionalEventData: { SecretId: [arns] } }, [
        "AWS Service Event via CloudTrail",
      ]),
    },
    {
      ...everywhere,
      word: "audit-decrypts",
      description: "Use of a key for a secret's value",
      pattern: ofTrail("kms", {
        requestParameters: { encryptionContext: { SecretARN: [arns] } },
      }),
    },
    {
      ...everywhere,
      seesReads: false,
      word: "audit-keys",
      description: "Changes of keys and of who may use them",
      pattern: ofTrail("kms", { eventName: KEY_CALLS }),
    },
    ...(scope.rolePrefix === undefined
      ? []
      : [
          {
            word: "audit-roles",
            description: "Changes of the registry's roles",
            at: "global" as const,
            pattern: ofTrail("iam", { requestParameters: { roleName: [{ prefix: scope.rolePrefix }] } }),
          },
        ]),
    {
      word: "audit-runs",
      description: `Runs of rotations of ${registry} in ${environment}`,
      pattern: { source: [PROCEDURE_SOURCE], detail: { environment: [environment] } },
    },
    {
      word: "audit-vault",
      description: "Entries of Vault's audit devices",
      pattern: { source: [VAULT_SOURCE] },
    },
  ];
}
