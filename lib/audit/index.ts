export type { AuditScope, KnownPrincipal, VaultScope } from "./audit-scope";
export { hourPrefixes } from "./delivery/archive-key";
export type { AuditFact, Reading, RunFact } from "./normalised";
export type { ApiActivityEvent, EntityManagementEvent, OcsfActor, OcsfEvent, OcsfResource } from "./ocsf";
export { OCSF_CLASSES, OCSF_VERSION, resourceOf } from "./ocsf";
export { readMessage } from "./read-message";
export { eventId, fingerprintIn, type KnownOfVersion, toOcsf } from "./to-ocsf";
