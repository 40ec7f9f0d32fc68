export type { AuditScope } from "./audit-scope";
export { hourPrefixes } from "./delivery/archive-key";
export type { OcsfEvent } from "./ocsf";
export { OCSF_VERSION, resourceOf } from "./ocsf";
export { readMessage } from "./read-message";
export { eventId, fingerprintIn, toOcsf } from "./to-ocsf";
