/**
 * Events as the Open Cybersecurity Schema Framework has them, as far as this package writes them: Entity Management for what
 * changes a secret or what protects it, API Activity for reads, refusals and everything else.
 *
 * https://schema.ocsf.io/1.5.0/classes/entity_management, https://schema.ocsf.io/1.5.0/classes/api_activity
 */

/** Version of the schema that every event names. */
export const OCSF_VERSION = "1.5.0" as const;
/** Profiles of the schema that every event uses. */
export const OCSF_PROFILES = ["cloud", "datetime"] as const;

/** The two classes of events. */
export const OCSF_CLASSES = {
  entityManagement: {
    uid: 3004,
    name: "Entity Management",
    category: 3,
    categoryName: "Identity & Access Management",
  },
  apiActivity: { uid: 6003, name: "API Activity", category: 6, categoryName: "Application Activity" },
} as const;

/** Activities, with the numbers that both classes share. */
export const ACTIVITIES = { create: 1, read: 2, update: 3, delete: 4, other: 99 } as const;
/** One of {@link ACTIVITIES}. */
export type Activity = keyof typeof ACTIVITIES;

/** JSON data. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** An account of a cloud. Type 10 is an AWS account. */
export interface OcsfAccount {
  readonly uid: string;
  readonly type_id?: 10;
}

/** Actor: the last link of the identity chain, and what it was derived from. */
export interface OcsfActor {
  readonly user?: {
    /** ARN of the session, the role, the user; name of the entity in Vault. */
    readonly uid?: string;
    readonly name?: string;
    readonly type?: string;
    readonly type_id: 0 | 1 | 2 | 3 | 99;
    /** AWS's principal id. */
    readonly uid_alt?: string;
    /** Access key, or accessor of a token (hashed by Vault). */
    readonly credential_uid?: string;
    readonly account?: OcsfAccount;
    readonly groups?: readonly { readonly name: string }[];
  };
  readonly session?: {
    /** Name of the session. */
    readonly uid?: string;
    /** ARN of the role, or mount of the auth method, that made the session. */
    readonly issuer?: string;
    /** `sts:SourceIdentity`: set once, and kept through every role that is taken from there. */
    readonly uid_alt?: string;
    readonly is_mfa?: boolean;
    readonly created_time?: number;
  };
  /** Provider of a web identity. */
  readonly idp?: { readonly name: string };
  /** AWS service that called on somebody's behalf, or by itself. */
  readonly invoked_by?: string;
}

/** Source of the call: an address, or a service. */
export type OcsfEndpoint = { readonly ip: string } | { readonly svc_name: string };

/** Resource that the event is about. */
export interface OcsfResource {
  /** ARN, or the path in Vault. */
  readonly uid: string;
  /** Key of the secret in the registry; name of the role, the policy, the key. */
  readonly name: string;
  readonly type: string;
  /** Version id in Secrets Manager; `kv:<number>` in Vault. */
  readonly version?: string;
  readonly data: { readonly [name: string]: Json };
}

/** Something that was looked up beside the event: a fingerprint, a run. */
export interface OcsfEnrichment {
  /** Attribute that it belongs to. */
  readonly name: string;
  readonly value: string;
  readonly type: "fingerprint" | "run";
  readonly data: { readonly [name: string]: Json };
}

/** Attributes that events of both classes have. */
interface OcsfCommon {
  readonly activity_id: number;
  readonly activity_name: string;
  readonly category_name: string;
  readonly class_name: string;
  readonly type_uid: number;
  readonly severity_id: 1 | 2 | 3 | 4 | 5;
  readonly status_id: 1 | 2;
  readonly status: "Success" | "Failure";
  /** Code of the refusal or fault. */
  readonly status_code?: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly time_dt: string;
  readonly message: string;
  readonly metadata: {
    /** The same for the same event, however often and by whichever way it comes. */
    readonly uid: string;
    readonly version: typeof OCSF_VERSION;
    readonly profiles: typeof OCSF_PROFILES;
    readonly product: { readonly name: string; readonly vendor_name: string };
    /** Id that the source gave it, by which its own record is found. */
    readonly original_time: string;
    readonly correlation_uid?: string;
    readonly event_code: string;
    readonly log_provider: string;
  };
  readonly actor: OcsfActor;
  readonly api: {
    readonly operation: string;
    readonly service: { readonly name: string };
    readonly request?: { readonly uid: string };
    readonly response?: { readonly error: string };
  };
  readonly cloud: {
    readonly provider: "AWS" | "Vault";
    readonly region?: string;
    readonly account?: OcsfAccount;
    readonly cloud_partition?: string;
  };
  readonly enrichments?: readonly OcsfEnrichment[];
}

/** A change. */
export interface EntityManagementEvent extends OcsfCommon {
  readonly class_uid: 3004;
  readonly category_uid: 3;
  readonly entity: OcsfResource;
  readonly src_endpoint?: OcsfEndpoint;
}

/** A read, a refusal, or what is neither a change nor a read. */
export interface ApiActivityEvent extends OcsfCommon {
  readonly class_uid: 6003;
  readonly category_uid: 6;
  readonly resources: readonly OcsfResource[];
  readonly src_endpoint: OcsfEndpoint;
}

/** An event as it is archived and delivered. */
export type OcsfEvent = EntityManagementEvent | ApiActivityEvent;

/** Resource that the event is about, whichever class it has. */
export const resourceOf = (event: OcsfEvent): OcsfResource | undefined =>
  event.class_uid === 3004 ? event.entity : event.resources[0];
