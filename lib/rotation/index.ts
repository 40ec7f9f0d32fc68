export type { FunctionSettings, RotatedSecret } from "../contracts/function-settings";
export { BY_SCHEDULE, type Run } from "../contracts/run";
export { isSupplied, type SuppliedSecret } from "../model/supplied-values";
export type { RotationOutcome } from "./machine/rotation-machine";
export { DUE_LIMITS, type DueState, dueStates, type StuckReason } from "./procedure/due-states";
export type { ApprovedChange, RunTable } from "./procedure/run-table";
export { gatherFacts, type WatchedSecrets } from "./procedure/watcher";
export { PHASES, type Phase, STEPS, type Step } from "./protocol/event";
export type { Publications, SecretDescription, SecretStore } from "./protocol/ports";
export { ROTATION_FAULTS, RotationError, type RotationFaultCode } from "./protocol/rotation-error";
export { looksLikeProof } from "./protocol/version-proof";
export { type Change, earliest, type Waits, waitBefore } from "./protocol/waiting-law";
export {
  completeValue,
  type SuppliedField,
  suppliedFields,
} from "./values/operator-value";
export { genericValueSchema, type KindValue, VALUE_SCHEMAS } from "./values/value-schemas";
