export type { FunctionSettings, RotatedSecret } from "../model/function-settings";
export { isSupplied, type SuppliedSecret } from "../model/supplied-values";
export { PHASES, type Phase, STEPS, type Step } from "./event";
export {
  completeValue,
  type SuppliedField,
  suppliedFields,
} from "./operator-value";
export type { Publications, SecretDescription, SecretStore } from "./ports";
export { DUE_LIMITS, type DueState, dueStates, type StuckReason } from "./procedure/due-states";
export { BY_SCHEDULE, type Run } from "./procedure/run";
export type { ApprovedChange, RunTable } from "./procedure/run-table";
export { gatherFacts, type WatchedSecrets } from "./procedure/watcher";
export { ROTATION_FAULTS, RotationError, type RotationFaultCode } from "./rotation-error";
export type { RotationOutcome } from "./rotation-machine";
export { genericValueSchema, type KindValue, VALUE_SCHEMAS } from "./value-schemas";
export { looksLikeProof } from "./version-proof";
export { type Change, earliest, type Waits, waitBefore } from "./waiting-law";
