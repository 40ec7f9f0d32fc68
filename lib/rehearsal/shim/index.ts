export { type AwsCall, textOf } from "./aws-call";
export { type AwsShim, type AwsShimOptions, startAwsShim } from "./aws-shim";
export { type ActionUse, CallLog, type CallRecord, usesByPrincipal } from "./call-log";
export type { Fault, FaultedCall, FaultOrder, Faults } from "./faults";
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
export type { WireError } from "./wire";
