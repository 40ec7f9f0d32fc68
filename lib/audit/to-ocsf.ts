import { createHash } from "node:crypto";
import { canonicalJson } from "../model/canonical-json";
import type { AuditScope } from "./audit-scope";
import type { AuditFact, RunFact } from "./normalised";
import {
  ACTIVITIES,
  type ApiActivityEvent,
  type EntityManagementEvent,
  OCSF_CLASSES,
  OCSF_PROFILES,
  OCSF_VERSION,
  type OcsfEnrichment,
  type OcsfEvent,
} from "./ocsf";

/** Looked up beside an event: what its version is, and to which run it belongs. */
export interface KnownOfVersion {
  /** `hmac-sha256:<key id>:<hex>`, as the function that rotates has made it. */
  readonly fingerprint?: string;
  readonly run?: RunFact;
}

/**
 * Id of an event: the same for the same fact, whichever way it comes and however often. The form of a UUID of the version for what
 * everybody makes as he likes (RFC 9562, version 8).
 */
export function eventId(identity: readonly string[]): string {
  const hex = createHash("sha256")
    .update(canonicalJson(["audit-event", ...identity]))
    .digest("hex");
  const variant = (8 + (Number.parseInt(hex.charAt(16), 16) % 4)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A fact as an event of OCSF. */
export function toOcsf(fact: AuditFact, scope: AuditScope, known: KnownOfVersion = {}): OcsfEvent {
  const run = fact.run ?? known.run;
  const fingerprint = fact.fingerprint ?? known.fingerprint;
  const isChange = fact.isChange && fact.error === undefined;
  const enrichments = enrichmentsOf(fact, fingerprint, run);
  const named = `${fact.resource.name}${fact.resource.version === undefined ? "" : ` (${fact.resource.version})`}`;
  const common = {
    activity_id: ACTIVITIES[fact.activity],
    activity_name: NAMES[fact.activity],
    severity_id: fact.severity ?? (fact.error === undefined ? (1 as const) : (3 as const)),
    ...(fact.error === undefined
      ? ({ status_id: 1, status: "Success" } as const)
      : ({ status_id: 2, status: "Failure", status_code: fact.error } as const)),
    time: fact.time.getTime(),
    time_dt: fact.time.toISOString(),
    message: `${fact.operation} of ${named} in ${scope.environment}${fact.error === undefined ? "" : `: ${fact.error}`}`,
    metadata: {
      uid: eventId(fact.identity),
      version: OCSF_VERSION,
      profiles: OCSF_PROFILES,
      product: { name: "secrets-registry", vendor_name: "cdktf-secrets-registry" },
      original_time: fact.originalTime,
      ...(run === undefined ? {} : { correlation_uid: run.run }),
      event_code: fact.operation,
      log_provider: fact.service,
    },
    actor: fact.actor,
    api: {
      operation: fact.operation,
      service: { name: fact.service },
      // The id by which the source's own record is found.
      request: { uid: fact.requestId ?? fact.sourceId },
      ...(fact.error === undefined ? {} : { response: { error: fact.error } }),
    },
    cloud: {
      provider: fact.provider,
      ...(fact.region === undefined ? {} : { region: fact.region }),
      ...(fact.provider === "AWS"
        ? { account: { uid: scope.account, type_id: 10 as const }, cloud_partition: scope.partition }
        : {}),
    },
    ...(enrichments.length > 0 ? { enrichments } : {}),
  };
  if (isChange) {
    const { uid, name, category, categoryName } = OCSF_CLASSES.entityManagement;
    return {
      class_uid: uid,
      class_name: name,
      category_uid: category,
      category_name: categoryName,
      type_uid: uid * 100 + common.activity_id,
      ...common,
      entity: fact.resource,
      ...(fact.from === undefined ? {} : { src_endpoint: fact.from }),
    } satisfies EntityManagementEvent;
  }
  const { uid, name, category, categoryName } = OCSF_CLASSES.apiActivity;
  return {
    class_uid: uid,
    class_name: name,
    category_uid: category,
    category_name: categoryName,
    type_uid: uid * 100 + common.activity_id,
    ...common,
    resources: [fact.resource],
    src_endpoint: fact.from ?? { svc_name: fact.service },
  } satisfies ApiActivityEvent;
}

const NAMES = {
  create: "Create",
  read: "Read",
  update: "Update",
  delete: "Delete",
  other: "Other",
} as const;

function enrichmentsOf(
  fact: AuditFact,
  fingerprint: string | undefined,
  run: RunFact | undefined,
): readonly OcsfEnrichment[] {
  const attribute = fact.isChange && fact.error === undefined ? "entity.version" : "resources[0].version";
  const version = fact.subject?.version ?? fact.resource.version ?? "";
  return [
    ...(fingerprint === undefined
      ? []
      : [{ name: attribute, value: version, type: "fingerprint", data: { fingerprint } } as const]),
    ...(run === undefined
      ? []
      : [
          {
            name: attribute,
            value: version,
            type: "run",
            data: Object.fromEntries(Object.entries(run).filter(([, entry]) => entry !== undefined)),
          } as const,
        ]),
  ];
}

/** Fingerprint in an event; `undefined`: it has none. */
export const fingerprintIn = (event: OcsfEvent): string | undefined => {
  const found = event.enrichments?.find(({ type }) => type === "fingerprint")?.data.fingerprint;
  return typeof found === "string" ? found : undefined;
};
