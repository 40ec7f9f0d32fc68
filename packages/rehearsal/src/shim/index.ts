export { type AwsCall, textOf } from "./aws-call";
export { type AwsShim, type AwsShimOptions, type Handlers, startAwsShim } from "./aws-shim";
export { type ActionUse, CallLog, type CallRecord, usesByPrincipal } from "./call-log";
export { type Exchange, type Handler, refuse } from "./exchange";
export type { Fault, FaultedCall, FaultOrder, Faults } from "./faults";
export { answeredHere, onItsResource } from "./own-policies";
export type { RotationFailure, RotationOptions, RotationResult } from "./rotations";
export { SHIM_RULES, type ShimRule, type ShimRuleName } from "./rules";
export type { SecretsManagerReadings } from "./secrets";
export {
  type MissingRight,
  type RightProof,
  type RightUse,
  type UsedRights,
  usedRights,
} from "./used-rights";
export { jsonAnswer, NamedMembers, queryAnswer, type WireError } from "./wire";
