import {
  auditKeyAlias,
  deadLetterQueue,
  inboxName,
  operationsKeyAlias,
  publicationsTable,
  runsTable,
  secretName,
} from "../../model/names";
import type { PolicyStatement } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { hasInbox } from "../../model/supplied-values";
import {
  type AccountScope,
  anyKeyArn,
  logStreamArns,
  queueArn,
  secretArnPattern,
  secretArnPrefix,
  secretArnPrefixIn,
  secretsManagerService,
  serviceIn,
  tableArn,
} from "../platform/aws-arns";
import { isMirrored } from "../store/mirrored";
import { statement, targetRights } from "./target-rights";

/**
 * Rights of the functions' roles, statement by statement. Every action is one that the function's code calls or that
 * Lambda calls for it; a rehearsal counts the calls and finds each statement used.
 */

/** ARNs of secrets in a region. */
export const arnsIn = (
  environment: Environment,
  region: string,
  secrets: readonly EnvironmentSecret[],
): string[] =>
  secrets.map((secret) =>
    secretArnPattern(environment, region, secretName(environment.name, secret.physicalKey)),
  );

/** ARNs of the inboxes of some secrets, which lie in the primary region alone. */
export const inboxArnsIn = (environment: Environment, secrets: readonly EnvironmentSecret[]): string[] =>
  secrets.map((secret) =>
    secretArnPattern(
      environment,
      environment.regions.primary,
      inboxName(environment.name, secret.physicalKey),
    ),
  );

/** Decryption, and for writers encryption, of the environment's secrets through Secrets Manager. */
export function throughSecretsManager(
  environment: Environment,
  sid: string,
  actions: readonly string[],
  regions: readonly string[],
  prefix = environment.name,
): PolicyStatement {
  return {
    Sid: sid,
    Effect: "Allow",
    Action: actions,
    Resource: regions.map((region) => anyKeyArn(environment, region)),
    Condition: {
      StringEquals: { "kms:ViaService": regions.map(secretsManagerService) },
      StringLike: { "kms:EncryptionContext:SecretARN": [secretArnPrefix(environment, prefix)] },
    },
  };
}

/** Rights of a rotation function: its own secrets, their admin credentials, their targets in AWS. */
export function rotationRights(
  registry: Registry,
  environment: Environment,
  secrets: readonly EnvironmentSecret[],
  procedure: boolean,
): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  const admins = adminsOf(registry, environment, secrets);
  const supplied = secrets.filter(hasInbox);
  return [
    statement(
      "RotateSecrets",
      [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
      ],
      arnsIn(environment, primary, secrets),
    ),
    // What was supplied is read, and then overwritten.
    ...(supplied.length > 0
      ? [
          statement(
            "UseUpInboxes",
            [
              "secretsmanager:DescribeSecret",
              "secretsmanager:GetSecretValue",
              "secretsmanager:PutSecretValue",
            ],
            inboxArnsIn(environment, supplied),
          ),
        ]
      : []),
    ...(admins.length > 0
      ? [
          {
            Sid: "ReadAdminCredentials",
            Effect: "Allow",
            Action: ["secretsmanager:GetSecretValue"],
            Resource: arnsIn(environment, primary, admins),
          } as const,
        ]
      : []),
    // A new value is written under the key of every region that has a replica.
    throughSecretsManager(
      environment,
      "UseKeysThroughSecretsManager",
      ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
      environment.allRegions,
    ),
    ...onItemsOf(
      environment,
      secrets,
      "ReadAndWithdrawConfirmations",
      ["dynamodb:DeleteItem", ...(secrets.some(waits) ? ["dynamodb:GetItem"] : [])],
      publicationsTable(registry.id, environment.name),
    ),
    // What a phase may do stands there, and whose run it was that came first.
    ...(procedure
      ? onItemsOf(
          environment,
          secrets,
          "ReadRuns",
          ["dynamodb:GetItem"],
          runsTable(registry.id, environment.name),
        )
      : []),
    ...(procedure
      ? onItemsOf(
          environment,
          secrets.filter(({ rotation }) => rotation === "automatic"),
          "BeginRuns",
          ["dynamodb:PutItem"],
          runsTable(registry.id, environment.name),
        )
      : []),
    byAuditKey(registry, environment, "MakeProofsAndFingerprints", "kms:GenerateMac"),
    ...targetRights(environment, secrets),
  ];
}

/** Characters of names in one statement: two such statements fit into a managed policy. */
const NAMES_LENGTH = 2_500;

/**
 * A right on the items of some secrets in a table whose partition key is the secret's name, in as many statements as its
 * names need. The key is in every call of these actions, those in transactions included, which are judged item by item; so
 * "for all values" is never true of none.
 *
 * Sources: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html,
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
 */
function onItemsOf(
  environment: Environment,
  secrets: readonly EnvironmentSecret[],
  sid: string,
  actions: readonly string[],
  table: string,
): readonly PolicyStatement[] {
  const parts: string[][] = [];
  let room = 0;
  for (const { physicalKey } of secrets) {
    const name = secretName(environment.name, physicalKey);
    if (name.length + 3 > room) {
      parts.push([]);
      room = NAMES_LENGTH;
    }
    parts.at(-1)?.push(name);
    room -= name.length + 3;
  }
  return parts.map((names, index) => ({
    ...statement(index === 0 ? sid : `${sid}${index + 1}`, actions, [
      tableArn(environment, environment.regions.primary, table),
    ]),
    Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": names } },
  }));
}

/** Use of the audit key, which makes proofs of versions and fingerprints of values. */
export const byAuditKey = (
  registry: Registry,
  environment: Environment,
  Sid: string,
  action: "kms:GenerateMac" | "kms:VerifyMac",
): PolicyStatement => ({
  Sid,
  Effect: "Allow",
  Action: [action],
  Resource: [anyKeyArn(environment, environment.regions.primary)],
  Condition: {
    "ForAnyValue:StringEquals": {
      "kms:ResourceAliases": [auditKeyAlias(registry.id, environment.name)],
    },
  },
});

/** `true` where a change has to wait until every Vault has confirmed a version. A single slot has no overlap. */
const waits = ({ overlap, publishLead }: EnvironmentSecret): boolean =>
  overlap.seconds > 0 || publishLead.seconds > 0;

/** The admin secrets of some secrets, sorted, each once. */
function adminsOf(
  registry: Registry,
  environment: Environment,
  secrets: readonly EnvironmentSecret[],
): readonly EnvironmentSecret[] {
  const keys = new Set(secrets.flatMap(({ admin }) => (admin === undefined ? [] : [admin])));
  return [...keys].sort().flatMap((key) => registry.secretIn(environment.name, key) ?? []);
}

/** Rights of the mirror: to read what it copies, to prove who it is, to confirm; without a copy, less. */
export function mirrorRights(
  registry: Registry,
  environment: Environment,
  secrets: readonly EnvironmentSecret[],
  audiences: readonly string[],
): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  const arns = (chosen: readonly EnvironmentSecret[]): readonly string[] =>
    withinOneRole(environment, arnsIn(environment, primary, chosen));
  const copied = secrets.filter((secret) => isMirrored(environment, secret));
  return [
    ...(secrets.length > 0
      ? [statement("DescribeSecrets", ["secretsmanager:DescribeSecret"], arns(secrets))]
      : []),
    // Whatever nobody consumes is not copied, hence not read.
    ...(copied.length > 0
      ? [
          statement("ReadSecrets", ["secretsmanager:GetSecretValue"], arns(copied)),
          throughSecretsManager(environment, "DecryptThroughSecretsManager", ["kms:Decrypt"], [primary]),
        ]
      : []),
    ...(secrets.length > 0 ? [byAuditKey(registry, environment, "CheckProofs", "kms:VerifyMac")] : []),
    {
      Sid: "ProveIdentityToVault",
      Effect: "Allow",
      Action: ["sts:GetWebIdentityToken"],
      // The action knows no resource.
      Resource: ["*"],
      Condition: {
        // True of no value as well, but a request without an audience is refused by STS itself.
        "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": audiences },
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_policies.html
        StringEquals: { "sts:SigningAlgorithm": [SIGNING_ALGORITHM] },
        NumericLessThanEquals: { "sts:DurationSeconds": [String(TOKEN_SECONDS)] },
      },
    },
    confirmVersions(registry, environment),
  ];
}

/** Right to confirm versions in the table of confirmations. */
export const confirmVersions = (registry: Registry, environment: Environment): PolicyStatement => ({
  Sid: "ConfirmVersions",
  Effect: "Allow",
  // Transactions ask for the rights of what they hold.
  Action: ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
  Resource: [
    tableArn(environment, environment.regions.primary, publicationsTable(registry.id, environment.name)),
  ],
});

/** Life of the mirror's identity token, in seconds: AWS's shortest; signed by the stronger of AWS's algorithms. */
const TOKEN_SECONDS = 60;
const SIGNING_ALGORITHM = "ES384";

/** More characters of ARNs, twice, do not fit into the ten policies of a role. */
const MIRRORED_LENGTH = 22_000;

/**
 * There is one mirror, one dispatcher and one watcher, so they cannot share their work. Where ARNs outgrow a role, it
 * names the environment's prefix: each secret's own policy still denies everybody else its value.
 *
 * @param length characters that the ARNs may have. Default: half of what a role's policies hold
 * @param region of the ARNs. Default: the primary one
 */
export const withinOneRole = (
  environment: Environment,
  arns: readonly string[],
  length = MIRRORED_LENGTH,
  region = environment.regions.primary,
): readonly string[] =>
  arns.reduce((sum, arn) => sum + arn.length + 3, 0) <= length
    ? arns
    : [`${secretArnPrefixIn(environment, region, environment.name)}*`];

/** Logs and dead letters: what Lambda itself does with the role of every function of a registry. */
export function functionBaseRights(
  registry: Registry,
  environment: Environment,
  logGroup: string,
): readonly PolicyStatement[] {
  const { primary } = environment.regions;
  return [
    writeLog(environment, primary, logGroup),
    {
      Sid: "SendDeadLetters",
      Effect: "Allow",
      Action: ["sqs:SendMessage"],
      Resource: [queueArn(environment, primary, deadLetterQueue(registry.id, environment.name))],
    },
    {
      Sid: "EncryptDeadLetters",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: [anyKeyArn(environment, primary)],
      Condition: {
        StringEquals: { "kms:ViaService": [serviceIn("sqs", primary)] },
        "ForAnyValue:StringEquals": {
          "kms:ResourceAliases": [operationsKeyAlias(registry.id, environment.name)],
        },
      },
    },
  ];
}

/** Lines into a function's own log group. */
export const writeLog = (scope: AccountScope, region: string, logGroup: string): PolicyStatement => ({
  Sid: "WriteLog",
  Effect: "Allow",
  Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
  Resource: [logStreamArns(scope, region, logGroup)],
});

/**
 * Lambda makes the network interfaces of a function with its role. EC2 knows no resource for most of it, so the
 * function's own code is denied what Lambda may do.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
 */
export function networkRights(arn: string): readonly PolicyStatement[] {
  const actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];
  return [
    { Sid: "LambdaJoinsNetwork", Effect: "Allow", Action: actions, Resource: ["*"] },
    {
      Sid: "CodeDoesNot",
      Effect: "Deny",
      Action: actions,
      Resource: ["*"],
      Condition: { ArnEquals: { "lambda:SourceFunctionArn": [arn] } },
    },
  ];
}
