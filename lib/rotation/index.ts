export { BY_SCHEDULE, type Run } from "../contracts/run";
export {
  adoptsValue,
  hasInbox,
  type InboxSecret,
  isSupplied,
  type SuppliedSecret,
} from "../model/supplied-values";
export type { RotationOutcome } from "./machine/rotation-machine";
export { DUE_LIMITS, type DueState, dueStates } from "./procedure/due-states";
export { gatherFacts, type WatchedSecrets } from "./procedure/watcher";
export { type Phase, STEPS, type Step } from "./protocol/event";
export { labelHolder } from "./protocol/label-holder";
export type { Publications, SecretDescription } from "./protocol/ports";
export { ROTATION_FAULTS, RotationError } from "./protocol/rotation-error";
export { severalAtOnce } from "./protocol/several-at-once";
export { looksLikeProof } from "./protocol/version-proof";
export { type Change, earliest, waitBefore } from "./protocol/waiting-law";
export {
  completeValue,
  suppliedFields,
} from "./values/operator-value";
export { genericValueSchema, type KindValue, VALUE_SCHEMAS } from "./values/value-schemas";
