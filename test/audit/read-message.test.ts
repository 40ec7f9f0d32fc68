import { randomBytes, randomUUID } from "node:crypto";
import fc from "fast-check";
import { eventId, fingerprintIn, type OcsfEvent, readMessage, resourceOf, toOcsf } from "../../lib/audit";
import {
  PROCEDURE_SOURCE,
  RUN_RECORDED,
  VAULT_AUDIT_ENTRY,
  VAULT_SOURCE,
} from "../../lib/contracts/audit-events";
import { cloudTrailEvent, type TrailCaller } from "../../packages/rehearsal/src/audit/cloudtrail-model";
import { recordWith } from "../model/random-record";
import { propertyRuns } from "../property-runs";
import { ACCOUNT, ocsfCheck, REGION, ROLES, SCOPE, SECRET, SECRET_ARN } from "./audit-world";

const VERSION = "11111111-2222-4333-8444-555555555555";
const session = (roleArn: string, name = "i-0abc"): TrailCaller => ({
  is: "session",
  roleArn,
  session: name,
});

const call = (operation: string, more: Partial<Parameters<typeof cloudTrailEvent>[0]> = {}): object =>
  cloudTrailEvent({
    service: "secretsmanager",
    operation,
    account: ACCOUNT,
    region: REGION,
    identity: session(ROLES.backend),
    request: { SecretId: SECRET },
    ...more,
  });

const eventsOf = (message: object | string): readonly OcsfEvent[] => {
  const reading = readMessage(typeof message === "string" ? message : JSON.stringify(message), SCOPE);
  return reading.outcome === "facts" ? reading.facts.map((fact) => toOcsf(fact, SCOPE)) : [];
};
const outcomeOf = (message: object | string): string =>
  readMessage(typeof message === "string" ? message : JSON.stringify(message), SCOPE).outcome;

const labelUpdated = (label: string, version = VERSION): object => ({
  version: "0",
  id: randomUUID(),
  "detail-type": "Secret Label Updated",
  source: "aws.secretsmanager",
  account: ACCOUNT,
  time: "2026-12-01T10:00:00Z",
  region: REGION,
  resources: [SECRET_ARN],
  detail: { name: SECRET, labelUpdated: label, versionId: version },
});

const serviceEvent = (eventName: string): object => ({
  version: "0",
  id: randomUUID(),
  "detail-type": "AWS Service Event via CloudTrail",
  source: "aws.secretsmanager",
  account: ACCOUNT,
  time: "2026-12-01T10:00:00Z",
  region: REGION,
  resources: [],
  detail: {
    eventVersion: "1.11",
    userIdentity: { accountId: ACCOUNT, invokedBy: "secretsmanager.amazonaws.com" },
    eventTime: "2026-12-01T10:00:00Z",
    eventSource: "secretsmanager.amazonaws.com",
    eventName,
    awsRegion: REGION,
    sourceIPAddress: "secretsmanager.amazonaws.com",
    requestParameters: null,
    responseElements: null,
    additionalEventData: { SecretId: SECRET_ARN },
    eventID: randomUUID(),
    readOnly: false,
    eventType: "AwsServiceEvent",
  },
});

const entry = (path: string, operation: string, more: object = {}): object => ({
  version: "0",
  id: randomUUID(),
  "detail-type": VAULT_AUDIT_ENTRY,
  source: VAULT_SOURCE,
  account: ACCOUNT,
  time: "2026-12-01T10:00:00Z",
  region: REGION,
  resources: [],
  detail: {
    vault: "eu-central",
    entry: {
      time: "2026-12-01T10:00:00.123456789Z",
      type: "response",
      auth: {
        client_token: `hmac-sha256:${"a".repeat(64)}`,
        accessor: `hmac-sha256:${"b".repeat(64)}`,
        display_name: "kubernetes-main-backend-backend",
        policies: ["acme-prod-backend"],
        entity_id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        token_type: "service",
        metadata: {
          role: "acme-prod-backend",
          service_account_name: "backend",
          service_account_namespace: "backend",
        },
      },
      request: { id: randomUUID(), operation, path, mount_type: "kv", remote_address: "10.0.3.4" },
      response: { data: { metadata: { version: 7 } } },
      ...more,
    },
  },
});

const KINDS: readonly (readonly [string, object, 3004 | 6003, string])[] = [
  [
    "create",
    call("CreateSecret", {
      request: { Name: SECRET },
      response: { ARN: SECRET_ARN, Name: SECRET, VersionId: VERSION },
    }),
    3004,
    "Create",
  ],
  [
    "manual put",
    call("PutSecretValue", { response: { ARN: SECRET_ARN, Name: SECRET, VersionId: VERSION } }),
    3004,
    "Update",
  ],
  ["rotate", call("RotateSecret", { response: { ARN: SECRET_ARN, VersionId: VERSION } }), 3004, "Update"],
  ["rotation done", serviceEvent("RotationSucceeded"), 3004, "Update"],
  ["rotation failed", serviceEvent("RotationFailed"), 6003, "Update"],
  [
    "label move",
    call("UpdateSecretVersionStage", {
      request: { SecretId: SECRET, VersionStage: "AWSCURRENT", MoveToVersionId: VERSION },
    }),
    3004,
    "Update",
  ],
  ["label event", labelUpdated("AWSCURRENT"), 3004, "Update"],
  [
    "policy change",
    call("PutResourcePolicy", { request: { SecretId: SECRET_ARN, ResourcePolicy: "{}" } }),
    3004,
    "Update",
  ],
  ["delete", call("DeleteSecret", { response: { ARN: SECRET_ARN } }), 3004, "Delete"],
  ["version deleted", serviceEvent("EndSecretVersionDelete"), 3004, "Delete"],
  ["restore", call("RestoreSecret"), 3004, "Update"],
  [
    "replicate",
    call("ReplicateSecretToRegions", {
      request: { SecretId: SECRET, AddReplicaRegions: [{ Region: "eu-west-1" }] },
    }),
    3004,
    "Update",
  ],
  ["read", call("GetSecretValue"), 6003, "Read"],
  [
    "read of several",
    call("BatchGetSecretValue", { request: { SecretIdList: [SECRET, "other/thing"] } }),
    6003,
    "Read",
  ],
  [
    "refused read",
    call("GetSecretValue", { identity: session(ROLES.stranger), error: "AccessDeniedException" }),
    6003,
    "Read",
  ],
  ["refused put", call("PutSecretValue", { error: "AccessDeniedException" }), 6003, "Update"],
  [
    "break-glass",
    call("GetSecretValue", { identity: session(ROLES.breakGlass, "jane@acme.example") }),
    6003,
    "Read",
  ],
  ["call of tomorrow", call("FrobnicateSecret"), 3004, "Other"],
  [
    "decrypt",
    call("Decrypt", {
      service: "kms",
      request: { EncryptionContext: { SecretARN: SECRET_ARN, SecretVersionId: VERSION } },
    }),
    6003,
    "Read",
  ],
  [
    "key policy",
    call("PutKeyPolicy", {
      service: "kms",
      request: { KeyId: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${VERSION}` },
    }),
    3004,
    "Update",
  ],
  [
    "key deletion",
    call("ScheduleKeyDeletion", { service: "kms", request: { KeyId: VERSION } }),
    3004,
    "Delete",
  ],
  [
    "role changed",
    call("PutRolePolicy", { service: "iam", request: { RoleName: "acme-prod-backend", PolicyName: "more" } }),
    3004,
    "Update",
  ],
  ["vault write", entry("kv-prod/data/db/app-primary", "update"), 3004, "Update"],
  ["vault read", entry("kv-prod/data/db/app-primary", "read"), 6003, "Read"],
  [
    "vault refusal",
    entry("kv-prod/data/db/app-primary", "read", {
      type: "request",
      error: "1 error occurred:\n\t* permission denied\n\n",
    }),
    6003,
    "Read",
  ],
  ["vault login", entry("auth/kubernetes-main/login", "update"), 6003, "Other"],
  ["vault policy", entry("sys/policies/acl/acme-prod-backend", "update"), 3004, "Update"],
  ["vault audit device", entry("sys/audit/file", "delete"), 3004, "Delete"],
  ["vault lease", entry("database-prod/creds/db--reporting-ro", "read"), 6003, "Read"],
];

describe("events of every kind", () => {
  let check: Awaited<ReturnType<typeof ocsfCheck>>;
  beforeAll(async () => {
    check = await ocsfCheck();
  }, 120_000);

  it.each(KINDS)(
    "%s: valid by OCSF's own schema, with class and activity",
    (_name, message, classUid, activity) => {
      const [event, ...others] = eventsOf(message);
      expect(others).toEqual([]);
      if (event === undefined) throw new Error("no event");
      expect(check(event)).toEqual([]);
      expect([event.class_uid, event.activity_name]).toEqual([classUid, activity]);
      expect(event.type_uid).toBe(classUid * 100 + event.activity_id);
      expect(event.actor.user?.uid ?? event.actor.user?.name ?? event.actor.invoked_by).toBeDefined();
      expect(resourceOf(event)?.name).toBeTruthy();
    },
  );

  it("refuses what the schema does not have, so that the check checks", () => {
    const [event] = eventsOf(call("GetSecretValue"));
    expect(check({ ...event, secretString: "x" } as unknown as OcsfEvent)).not.toEqual([]);
    expect(check({ ...event, activity_id: 77 } as unknown as OcsfEvent)).not.toEqual([]);
  });

  it("a run's record: the change, and each phase with who had it done", () => {
    const record = { ...randomRecordOf("db/app-primary"), environment: "prod" };
    const message = {
      source: PROCEDURE_SOURCE,
      "detail-type": RUN_RECORDED,
      time: record.endedAt,
      region: REGION,
      detail: record,
    };
    const events = eventsOf(message);
    expect(events).toHaveLength(1 + record.phases.length);
    for (const event of events) {
      expect(check(event)).toEqual([]);
      expect(event.metadata.correlation_uid).toBe(record.id);
      expect(fingerprintIn(event)).toBe(record.fingerprints?.new);
    }
    expect(new Set(events.map((event) => event.metadata.uid)).size).toBe(events.length);
  });
});

function randomRecordOf(secret: string) {
  const [record] = fc.sample(recordWith("11111111-2222-4333-8444-666666666666"), { numRuns: 1, seed: 4 });
  if (record === undefined) throw new Error("no record");
  return { ...record, secret };
}

it("names the whole identity chain, and the ServiceAccount behind the role", () => {
  const [event] = eventsOf(
    call("GetSecretValue", {
      identity: {
        is: "session",
        roleArn: ROLES.backend,
        session: "backend-7f9c",
        sourceIdentity: "jane",
        webIdentityProvider: `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.eks.example/id/A1`,
      },
    }),
  );
  expect(event?.actor).toMatchObject({
    user: {
      uid: `arn:aws:sts::${ACCOUNT}:assumed-role/acme-prod-backend/backend-7f9c`,
      account: { uid: ACCOUNT },
      groups: [{ name: "workload:backend" }, { name: "serviceaccount:backend:backend" }],
    },
    session: { uid: "backend-7f9c", issuer: ROLES.backend, uid_alt: "jane", is_mfa: false },
    idp: { name: `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.eks.example/id/A1` },
  });
  expect(event?.src_endpoint).toEqual({ ip: "192.0.2.10" });
});

it("names secrets in the registry's words, however the caller has named them", () => {
  for (const id of [SECRET, SECRET_ARN, SECRET_ARN.slice(0, -7)]) {
    const [event] = eventsOf(call("GetSecretValue", { request: { SecretId: id } }));
    expect(event && resourceOf(event)).toMatchObject({
      name: "db/app-primary",
      data: { environment: "prod", store: "aws", inRegistry: true },
    });
  }
  const [old] = eventsOf(call("GetSecretValue", { request: { SecretId: "prod/gone/long-ago" } }));
  expect(old && resourceOf(old)).toMatchObject({ name: "prod/gone/long-ago", data: { inRegistry: false } });
});

it("finds the secret of a refusal that has no parameters in the refusal", () => {
  const refused = call("GetSecretValue", { error: "AccessDenied" }) as { detail: Record<string, unknown> };
  for (const named of [SECRET, SECRET_ARN]) {
    refused.detail.requestParameters = null;
    refused.detail.errorMessage = `User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${named} because no policy allows it`;
    expect(resourceOf(eventsOf(refused)[0] as OcsfEvent)?.name).toBe("db/app-primary");
  }
});

it("is about this environment alone", () => {
  expect(outcomeOf(call("GetSecretValue", { request: { SecretId: "stage/db/app-primary" } }))).toBe(
    "not-ours",
  );
  expect(outcomeOf(call("PutRolePolicy", { service: "iam", request: { RoleName: "somebody" } }))).toBe(
    "not-ours",
  );
  expect(
    outcomeOf(
      call("Decrypt", {
        service: "kms",
        request: { EncryptionContext: { SecretARN: SECRET_ARN.replace("prod/", "stage/") } },
      }),
    ),
  ).toBe("not-ours");
  expect(outcomeOf(entry("kv-stage/data/db/app-primary", "read"))).toBe("not-ours");
  expect(
    outcomeOf({ source: "aws.events", "detail-type": "Scheduled Event", time: "2026-12-01T10:00:00Z" }),
  ).toBe("heartbeat");
});

it.each([
  ["no JSON", "{"],
  ["an empty text", ""],
  ["no event", JSON.stringify([1, 2])],
  ["null", "null"],
  ["another source", JSON.stringify({ source: "evil", "detail-type": "x" })],
  [
    "a record without its id",
    JSON.stringify({
      source: "aws.secretsmanager",
      "detail-type": "AWS API Call via CloudTrail",
      detail: { eventName: "GetSecretValue" },
    }),
  ],
  ["a time of nobody", JSON.stringify({ ...labelUpdated("AWSCURRENT"), time: "tomorrow" })],
  [
    "a run without form",
    JSON.stringify({ source: PROCEDURE_SOURCE, "detail-type": RUN_RECORDED, detail: { secret: "x" } }),
  ],
  [
    "a huge one",
    JSON.stringify({ source: "aws.secretsmanager", "detail-type": "x", detail: "y".repeat(600_000) }),
  ],
])("puts aside %s, and says where without quoting it", (_name, body) => {
  const reading = readMessage(body, SCOPE);
  expect(reading.outcome).toBe("malformed");
  if (reading.outcome === "malformed") expect(reading.reason).not.toMatch(/evil|tomorrow|yyy/);
});

it("has the same id for the same fact, whichever way it comes, and another for another", () => {
  const detail = call("GetSecretValue", { eventId: VERSION });
  const again = { ...detail, id: randomUUID(), region: "eu-west-1" };
  expect(eventsOf(detail)[0]?.metadata.uid).toBe(eventsOf(again)[0]?.metadata.uid);
  expect(eventsOf(labelUpdated("AWSCURRENT"))[0]?.metadata.uid).toBe(
    eventsOf(labelUpdated("AWSCURRENT"))[0]?.metadata.uid,
  );
  expect(eventsOf(labelUpdated("AWSCURRENT"))[0]?.metadata.uid).not.toBe(
    eventsOf(labelUpdated("AWSCURRENT", "99999999-2222-4333-8444-555555555555"))[0]?.metadata.uid,
  );
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string(), { maxLength: 4 }), (a, b) => {
      expect(eventId(a)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(eventId(a) === eventId(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    propertyRuns("event ids", { ci: 200, nightly: 20_000 }),
  );
});

it("copies no value, wherever a record has one", () => {
  const messages = KINDS.map(([, message]) => message);
  fc.assert(
    fc.property(fc.nat(messages.length - 1), fc.nat(1_000), fc.boolean(), (kind, place, inKey) => {
      const canary = `canary-${randomBytes(18).toString("base64url")}`;
      const { planted, count } = plant(messages[kind], canary, place, inKey);
      fc.pre(count > 0);
      const reading = readMessage(JSON.stringify(planted), SCOPE);
      const shown =
        reading.outcome === "facts" ? reading.facts.map((fact) => toOcsf(fact, SCOPE)) : [reading];
      expect(JSON.stringify(shown)).not.toContain(canary.slice(7, 25));
    }),
    propertyRuns("no value in events", { ci: 600, nightly: 60_000 }),
  );
});

/** Fields in which callers write; AWS and Vault themselves write the others. */
const CALLERS =
  /^(requestParameters|responseElements|additionalEventData|userAgent|errorMessage|labelUpdated|request|response|error)$/;
const SERVERS = /^(id|operation|mount_type|remote_address)$/;

/** Puts a text in place of the n-th text that a caller wrote, or beside all that callers wrote. */
function plant(
  message: unknown,
  canary: string,
  place: number,
  beside: boolean,
): { readonly planted: unknown; readonly count: number } {
  let count = 0;
  const visit = (data: unknown, put: number, isCallers: boolean): unknown => {
    if (typeof data === "string") return isCallers && count++ === put && !beside ? canary : data;
    if (Array.isArray(data)) return data.map((part) => visit(part, put, isCallers));
    if (typeof data !== "object" || data === null) return data;
    const entries = Object.entries(data).map(([name, part]) => [
      name,
      visit(part, put, (isCallers || CALLERS.test(name)) && !SERVERS.test(name)),
    ]);
    const more = beside ? { secretString: canary, description: canary, value: { deep: canary } } : {};
    return { ...Object.fromEntries(entries), ...more };
  };
  visit(message, -1, false);
  const total = count;
  count = 0;
  return { planted: visit(message, place % Math.max(total, 1), false), count: total + (beside ? 1 : 0) };
}
