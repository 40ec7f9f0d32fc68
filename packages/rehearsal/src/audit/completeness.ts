import { setTimeout as sleep } from "node:timers/promises";
import { GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { DescribeSecretCommand } from "@aws-sdk/client-secrets-manager";
import { SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { OcsfEvent } from "../../../../lib/audit";
import type { Blueprint } from "../../../../lib/blueprint";
import { secretName } from "../../../../lib/model/names";
import { type AwsAccess, secretsManager } from "../load";
import { clientSettings } from "../load/aws-account";
import type { CallRecord } from "../shim";
import { cloudTrailEvent, type TrailCaller } from "./cloudtrail-model";
import type { RehearsedTrail } from "./rehearsed-trail";

/** Comparison of an archive with what was seen to happen. */
export interface AuditCompleteness {
  /** Events of class 3004. */
  readonly changes: number;
  /** Values that were read, and reads that were refused. */
  readonly reads: number;
  readonly events: number;
  /** Calls, labels and events without what they should have, in words. */
  readonly missing: readonly string[];
  /** Sinks that nothing stood for. */
  readonly leftOut: readonly string[];
}

/** World whose audit trail is read. */
export interface AuditedWorld {
  readonly plan: Blueprint;
  /** Root at the embedded AWS itself: what is read here is nobody's call. */
  readonly root: AwsAccess;
  /** Every call that passed the shim. */
  readonly calls: readonly CallRecord[];
}

/**
 * Calls that stand in no record here: they change nothing and read no value. CloudTrail has them; a rehearsal looks at its secrets some
 * hundred times, and each record is three calls more.
 */
const LEFT_OUT = /^secretsmanager:(Describe|List|GetResourcePolicy|GetRandomPassword)/;
const VALUE_READS: ReadonlySet<string> = new Set(["GetSecretValue", "BatchGetSecretValue"]);
const BATCH = 10;
const LOOK_EVERY_MS = 700;
/** Of a trail that brings nothing more. */
const PATIENCE_MS = 30_000;

/** Calls about secrets of the environment that CloudTrail would have recorded. */
function recordedCalls({ plan, calls }: AuditedWorld): readonly CallRecord[] {
  const isOurs = ({ resource }: CallRecord): boolean =>
    resource.includes(`:secret:${secretName(plan.environment, "")}`) ||
    resource.startsWith(secretName(plan.environment, ""));
  return calls.filter(
    (call) =>
      call.action.startsWith("secretsmanager:") &&
      !LEFT_OUT.test(call.action) &&
      !call.injected &&
      call.outcome !== "implied" &&
      // CloudTrail has no record of what nobody signed.
      call.principal.startsWith("arn:") &&
      // The account's root is the rehearsal itself, which looks at everything; nobody of the organisation is root.
      !call.principal.endsWith(":root") &&
      isOurs(call),
  );
}

/**
 * Puts CloudTrail's records of a run into the trail's queue, where the embedded AWS brings none; waits until the archive has what it
 * should; and says what it has not. Labels come by Secrets Manager's own event: each version that is or was current must have one.
 */
export async function auditCompleteness(
  world: AuditedWorld,
  trail: RehearsedTrail,
): Promise<AuditCompleteness> {
  const { plan, root } = world;
  const settings = clientSettings(root, plan.regions.primary);
  const calls = recordedCalls(world);
  await bring(new SQSClient(settings), trail.queues.get(trail.plan.events.name) ?? "", calls, plan.account);
  const versions = await servedVersions(world);
  const archive = new Archive(new S3Client({ ...settings, forcePathStyle: true }), trail);
  let progress = { events: 0, missing: 0, at: Date.now() };
  for (;;) {
    const events = await archive.read();
    const missing = [...missingOf(calls, versions, events), ...undelivered(trail, events)];
    if (events.length !== progress.events || missing.length !== progress.missing)
      progress = { events: events.length, missing: missing.length, at: Date.now() };
    if (missing.length > 0 && Date.now() < progress.at + PATIENCE_MS) {
      await sleep(LOOK_EVERY_MS);
      continue;
    }
    return {
      changes: events.filter(({ class_uid }) => class_uid === 3004).length,
      reads: events.filter(({ api }) => VALUE_READS.has(api.operation)).length,
      events: events.length,
      missing,
      leftOut: trail.leftOut,
    };
  }
}

async function bring(
  client: SQSClient,
  QueueUrl: string,
  calls: readonly CallRecord[],
  account: string,
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(calls.length / BATCH) }, (_, at) =>
    calls.slice(at * BATCH, (at + 1) * BATCH),
  );
  for (const batch of batches) {
    await client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: batch.map((call, at) => ({
          Id: String(at),
          MessageBody: JSON.stringify(recordOf(call, account)),
        })),
      }),
    );
  }
}

const operationOf = ({ action }: CallRecord): string => action.split(":")[1] ?? "";

function recordOf(call: CallRecord, account: string): object {
  const operation = operationOf(call);
  const id = call.resource;
  const { version } = call;
  const isRead = VALUE_READS.has(operation);
  return cloudTrailEvent({
    service: "secretsmanager",
    operation,
    account,
    region: call.region,
    time: call.at,
    identity: identityOf(call),
    request: {
      [operation === "CreateSecret" ? "name" : "secretId"]: id,
      ...(version === undefined ? {} : { [isRead ? "versionId" : "clientRequestToken"]: version }),
    },
    ...(call.outcome === "allowed"
      ? {}
      : { error: call.outcome === "denied" ? "AccessDeniedException" : call.outcome }),
    requestId: call.requestId,
  });
}

const identityOf = ({ principal, functionArn }: CallRecord): TrailCaller =>
  principal.includes(":user/")
    ? { is: "user", arn: principal }
    : {
        is: "session",
        roleArn: principal,
        session: functionArn?.split(":").at(-1) ?? "rehearsal",
      };

/** Versions that are or were AWSCURRENT, by the name of their secret. */
async function servedVersions({
  plan,
  root,
}: AuditedWorld): Promise<
  readonly { readonly name: string; readonly key: string; readonly version: string }[]
> {
  const client = secretsManager(root, plan.regions.primary);
  const found = await Promise.all(
    plan.secrets.map(async (secret) => {
      if (secret.store !== "aws") return [];
      const { VersionIdsToStages = {} } = await client.send(
        new DescribeSecretCommand({ SecretId: secret.name }),
      );
      return Object.entries(VersionIdsToStages)
        .filter(([, labels]) => labels.includes("AWSCURRENT") || labels.includes("AWSPREVIOUS"))
        .map(([version]) => ({ name: secret.name, key: secret.key, version }));
    }),
  );
  return found.flat();
}

function missingOf(
  calls: readonly CallRecord[],
  versions: Awaited<ReturnType<typeof servedVersions>>,
  events: readonly OcsfEvent[],
): readonly string[] {
  const requests = new Set(events.map(({ api }) => `${api.operation} ${api.request?.uid}`));
  const labelled = new Set(
    events.flatMap((event) =>
      event.api.operation === "SecretLabelUpdated" && "entity" in event ? [event.entity.version] : [],
    ),
  );
  return [
    ...calls
      .filter((call) => !requests.has(`${operationOf(call)} ${call.requestId}`))
      .map((call) => `${operationOf(call)} of ${call.resource} by ${call.principal}`),
    ...versions
      .filter(({ version }) => !labelled.has(version))
      .map(({ key, version }) => `label of ${key}, version ${version}`),
  ];
}

/** Archived events that the SIEM has not. */
function undelivered({ plan, receiver }: RehearsedTrail, events: readonly OcsfEvent[]): readonly string[] {
  if (plan.sinks.length === 0) return [];
  const received = new Set(receiver.received.map(({ metadata }) => metadata.uid));
  return events
    .filter(({ metadata }) => !received.has(metadata.uid))
    .map(({ metadata, api }) => `${api.operation} at the SIEM, event ${metadata.uid}`);
}

/** Events of an archive, by the ids in its keys; what the SIEM has of them already is not read again. */
class Archive {
  readonly #events = new Map<string, OcsfEvent>();
  readonly #client: S3Client;
  readonly #trail: RehearsedTrail;

  constructor(client: S3Client, trail: RehearsedTrail) {
    this.#client = client;
    this.#trail = trail;
  }

  async read(): Promise<readonly OcsfEvent[]> {
    const keys = await this.#keys();
    const received = new Map(this.#trail.receiver.received.map((event) => [event.metadata.uid, event]));
    const unread: string[] = [];
    for (const key of keys) {
      if (this.#events.has(key)) continue;
      const event = received.get(key.slice(key.lastIndexOf("/") + 1, -".json".length));
      if (event) this.#events.set(key, event);
      else unread.push(key);
    }
    for (let at = 0; at < unread.length; at += BATCH) {
      await Promise.all(unread.slice(at, at + BATCH).map((key) => this.#take(key)));
    }
    return [...this.#events.values()];
  }

  async #keys(): Promise<readonly string[]> {
    const keys: string[] = [];
    const { name } = this.#trail.plan.archive;
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: name, Prefix: "events/" });
    for await (const { Contents: objects = [] } of pages)
      keys.push(...objects.flatMap(({ Key }) => Key ?? []));
    return keys;
  }

  async #take(Key: string): Promise<void> {
    const { Body } = await this.#client.send(
      new GetObjectCommand({ Bucket: this.#trail.plan.archive.name, Key }),
    );
    this.#events.set(Key, JSON.parse((await Body?.transformToString()) ?? "") as OcsfEvent);
  }
}
