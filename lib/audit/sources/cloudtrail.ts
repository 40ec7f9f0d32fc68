import type { AuditScope } from "../audit-scope";
import { awsIdentity, endpointOf } from "../identity";
import { type AuditFact, facts, malformed, notOurs, type Reading } from "../normalised";
import type { Activity, Json, OcsfResource } from "../ocsf";
import {
  ARN,
  AWS_ID,
  IAM_NAME,
  instant,
  LABEL,
  present,
  REGION,
  record,
  text,
  texts,
  VERSION_ID,
  WORD,
} from "../safe-text";
import { type NamedSecret, secretOf, secretResource } from "../secret-names";

/**
 * CloudTrail's records, as EventBridge brings them: `AWS API Call via CloudTrail` and `AWS Service Event via CloudTrail`.
 *
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
 */
export function readCloudTrail(detail: unknown, envelopeRegion: unknown, scope: AuditScope): Reading {
  const data = record(detail);
  const eventName = text(data.eventName, WORD);
  const eventId = text(data.eventID, AWS_ID);
  const time = instant(data.eventTime);
  const service = text(data.eventSource, /^[a-z0-9-]{1,64}\.amazonaws\.com(\.cn)?$/);
  const missing = [
    ...(eventName === undefined ? ["eventName"] : []),
    ...(eventId === undefined ? ["eventID"] : []),
    ...(time === undefined ? ["eventTime"] : []),
    ...(service === undefined ? ["eventSource"] : []),
  ];
  if (eventName === undefined || eventId === undefined || time === undefined || service === undefined)
    return malformed(`CloudTrail record: ${missing.join(", ")}`);
  const subjects = subjectsOf(service, eventName, data, scope);
  if (subjects.length === 0) return notOurs(`${service} ${eventName}`);
  const { activity, isChange } = MEANINGS[eventName] ?? meaningOf(eventName, data.readOnly);
  const error = text(data.errorCode, WORD) ?? FAILED_SERVICE_EVENTS[eventName];
  const from = endpointOf(data.sourceIPAddress);
  const requestId = text(data.requestID, AWS_ID);
  const region = text(data.awsRegion, REGION) ?? text(envelopeRegion, REGION);
  const common = {
    time,
    originalTime: String(data.eventTime),
    activity,
    isChange,
    ...(error === undefined ? {} : { error }),
    actor: awsIdentity(data.userIdentity, scope).actor,
    ...(from === undefined ? {} : { from }),
    operation: eventName,
    service,
    ...(requestId === undefined ? {} : { requestId }),
    sourceId: eventId,
    provider: "AWS",
    ...(region === undefined ? {} : { region }),
  } as const;
  return facts(
    ...subjects.map(
      ({ resource, subject }): AuditFact => ({
        ...common,
        identity: ["cloudtrail", eventId, resource.uid],
        resource,
        ...(subject === undefined ? {} : { subject }),
      }),
    ),
  );
}

interface Subject {
  readonly resource: OcsfResource;
  readonly subject?: { readonly secret: string; readonly version: string };
}

function subjectsOf(
  service: string,
  eventName: string,
  data: Readonly<Record<string, unknown>>,
  scope: AuditScope,
): readonly Subject[] {
  if (service.startsWith("secretsmanager.")) return secretsOf(eventName, data, scope);
  if (service.startsWith("kms.")) return keysOf(eventName, data, scope);
  if (service.startsWith("iam.")) return rolesOf(data, scope);
  return [];
}

function secretsOf(
  eventName: string,
  data: Readonly<Record<string, unknown>>,
  scope: AuditScope,
): readonly Subject[] {
  const asked = record(data.requestParameters);
  const answered = record(data.responseElements);
  const additional = record(data.additionalEventData);
  // Of several secrets CloudTrail has a GetSecretValue each besides; this one says that they were asked for together.
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
  if (eventName === "BatchGetSecretValue") return batchOf(asked, scope);
  // "aRN" until February 2024, says the page.
  const named =
    [answered.arn, answered.aRN, additional.SecretId, asked.secretId, asked.name, answered.name]
      .map((id) => secretOf(id, scope))
      .find((found) => found !== undefined) ?? resourceNamed(data, scope);
  return named ? [secretSubject(named, eventName, { asked, answered, additional }, scope)] : [];
}

function secretSubject(
  named: NamedSecret,
  eventName: string,
  data: Readonly<Record<"asked" | "answered" | "additional", Readonly<Record<string, unknown>>>>,
  scope: AuditScope,
): Subject {
  const { asked, answered, additional } = data;
  const version = [
    answered.versionId,
    asked.moveToVersionId,
    asked.versionId,
    asked.clientRequestToken,
    additional.SecretVersionId,
    additional.ClientRequestToken,
  ]
    .map((id) => text(id, VERSION_ID))
    .find((id) => id !== undefined);
  const details: Record<string, Json> = present({
    label: text(asked.versionStage, LABEL),
    takenFrom: text(asked.removeFromVersionId, VERSION_ID),
    labels: listed(texts(asked.versionStages, LABEL)),
    kmsKeyId: text(asked.kmsKeyId, ARN),
    replicaRegions: listed(
      (Array.isArray(asked.addReplicaRegions) ? asked.addReplicaRegions : [])
        .concat(asked.removeReplicaRegions ?? [])
        .flatMap((entry: unknown) => text(entry, REGION) ?? text(record(entry).region, REGION) ?? []),
    ),
    recoveryWindowInDays:
      typeof asked.recoveryWindowInDays === "number" ? asked.recoveryWindowInDays : undefined,
    forced: asked.forceDeleteWithoutRecovery === true ? true : undefined,
    failure: eventName === "RotationFailed" ? text(additional.errorCode, WORD) : undefined,
  });
  return {
    resource: secretResource(named, scope, { version, data: details }),
    ...(version === undefined ? {} : { subject: { secret: named.name, version } }),
  };
}

const listed = (entries: readonly string[]): readonly string[] | undefined =>
  entries.length > 0 ? entries : undefined;

/**
 * A refused call may name its secret nowhere but here: among its resources, or in the sentence of IAM, "… on resource: <ARN or name>
 * because …". Of that, nothing but a name of ours is taken.
 */
function resourceNamed(data: Readonly<Record<string, unknown>>, scope: AuditScope): NamedSecret | undefined {
  const listedArns = Array.isArray(data.resources) ? data.resources : [];
  const [, refused] = /on resource: (\S{1,512})/.exec(String(data.errorMessage ?? "")) ?? [];
  return [...listedArns, { ARN: refused }]
    .map((entry: unknown) => secretOf(record(entry).ARN ?? record(entry).arn, scope))
    .find((found) => found !== undefined);
}

function batchOf(asked: Readonly<Record<string, unknown>>, scope: AuditScope): readonly Subject[] {
  const ids = Array.isArray(asked.secretIdList) ? asked.secretIdList : [];
  const ours = ids.flatMap((id) => secretOf(id, scope) ?? []);
  // By filters it may reach ours.
  if (ids.length > 0 && ours.length === 0) return [];
  return [
    {
      resource: {
        uid: `arn:${scope.partition}:secretsmanager:${scope.region}:${scope.account}:secret:${scope.secretPrefix}*`,
        name:
          ours.length > 0 ? ours.map(({ key, name }) => key ?? name).join(", ") : `${scope.secretPrefix}*`,
        type: "Secrets",
        data: {
          registry: scope.registry,
          environment: scope.environment,
          store: "aws",
          secrets: ours.map(({ key, name }) => key ?? name),
        },
      },
    },
  ];
}

/** Calls of KMS that count for every key: records name keys by id, which the registry does not know before they are made. */
const KEY_CHANGES: ReadonlySet<string> = new Set([
  "CancelKeyDeletion",
  "CreateGrant",
  "DeleteAlias",
  "DeleteImportedKeyMaterial",
  "DisableKey",
  "DisableKeyRotation",
  "EnableKey",
  "PutKeyPolicy",
  "ReplicateKey",
  "RetireGrant",
  "RevokeGrant",
  "ScheduleKeyDeletion",
  "UpdateAlias",
]);

function keysOf(
  eventName: string,
  data: Readonly<Record<string, unknown>>,
  scope: AuditScope,
): readonly Subject[] {
  const asked = record(data.requestParameters);
  const context = record(asked.encryptionContext);
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html: the context of a secret's value.
  const secret = secretOf(context.SecretARN, scope);
  const version = text(context.SecretVersionId, VERSION_ID);
  const key =
    (Array.isArray(data.resources) ? data.resources : [])
      .map((entry: unknown) => text(record(entry).ARN, ARN))
      .find((arn) => arn !== undefined) ??
    text(asked.keyId, ARN) ??
    text(asked.keyId, VERSION_ID) ??
    text(asked.aliasName, /^alias\/[\w/-]{1,250}$/);
  if (secret) {
    return [
      {
        resource: secretResource(secret, scope, {
          version,
          data: key === undefined ? {} : { kmsKeyId: key },
        }),
        ...(version === undefined ? {} : { subject: { secret: secret.name, version } }),
      },
    ];
  }
  if (!KEY_CHANGES.has(eventName) || key === undefined) return [];
  if (scope.keys !== undefined && !scope.keys.some((id) => key === id || key.endsWith(`/${id}`))) return [];
  return [
    {
      resource: {
        uid: key,
        name: key.split("/").at(-1) ?? key,
        type: "KMS key",
        data: { registry: scope.registry, environment: scope.environment, store: "aws" },
      },
    },
  ];
}

function rolesOf(data: Readonly<Record<string, unknown>>, scope: AuditScope): readonly Subject[] {
  const asked = record(data.requestParameters);
  const name = text(asked.roleName, IAM_NAME);
  if (scope.rolePrefix === undefined || name === undefined || !name.startsWith(scope.rolePrefix)) return [];
  return [
    {
      resource: {
        uid: `arn:${scope.partition}:iam::${scope.account}:role/${name}`,
        name,
        type: "IAM role",
        data: present({
          registry: scope.registry,
          environment: scope.environment,
          store: "aws",
          policyArn: text(asked.policyArn, ARN),
        }),
      },
    },
  ];
}

interface Meaning {
  readonly activity: Activity;
  readonly isChange: boolean;
}

const change = (activity: Activity): Meaning => ({ activity, isChange: true });
const READ: Meaning = { activity: "read", isChange: false };

/** Calls whose name does not say it: their own meaning. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  BatchGetSecretValue: READ,
  CancelRotateSecret: change("update"),
  CreateSecret: change("create"),
  Decrypt: READ,
  DeleteResourcePolicy: change("update"),
  DeleteSecret: change("delete"),
  EndSecretDelete: change("delete"),
  EndSecretVersionDelete: change("delete"),
  GenerateDataKey: { activity: "other", isChange: false },
  RestoreSecret: change("update"),
  RotateSecret: change("update"),
  RotationAbandoned: change("update"),
  RotationFailed: change("update"),
  RotationStarted: { activity: "other", isChange: false },
  RotationSucceeded: change("update"),
  ScheduleKeyDeletion: change("delete"),
  TestRotationStarted: { activity: "other", isChange: false },
  ValidateResourcePolicy: READ,
};

/** Events of the service that say that something did not come to pass. */
const FAILED_SERVICE_EVENTS: Readonly<Record<string, string>> = {
  ReplicationFailed: "ReplicationFailed",
  RotationAbandoned: "RotationAbandoned",
  RotationFailed: "RotationFailed",
  TestRotationFailed: "TestRotationFailed",
};

/** A call that this version does not know is not lost: CloudTrail says whether it reads, and its name begins with a verb. */
function meaningOf(eventName: string, readOnly: unknown): Meaning {
  if (readOnly === true || /^(Describe|Get|List|BatchGet)/.test(eventName)) return READ;
  if (/^Create/.test(eventName)) return change("create");
  if (/^Delete/.test(eventName)) return change("delete");
  if (/^(Attach|Cancel|Detach|Disable|Enable|Put|Remove|Replicate|Stop|Tag|Untag|Update)/.test(eventName))
    return change("update");
  return change("other");
}
