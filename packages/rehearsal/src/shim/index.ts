export { type AwsCall, parameterText } from "./aws-call";
export { type AwsShim, type AwsShimOptions, type Handlers, startAwsShim } from "./aws-shim";
export { CallLog, type CallRecord, usesByPrincipal } from "./call-log";
export { type Exchange, type Handler, refuse } from "./exchange";
export type { FaultedCall, InjectedFault } from "./faults";
export { answeredHere, onItsResource } from "./own-policies";
export type { RotationResult } from "./rotations";
export { SHIM_RULES, type ShimRuleName } from "./rules";
export {
  type RightProof,
  type RightUse,
  type UsedRights,
  usedRights,
} from "./used-rights";
export { jsonAnswer, NamedMembers, queryAnswer, type WireError } from "./wire";
