export type { FunctionSettings, RotatedSecret } from "../model/function-settings";
export { PHASES, type Phase, STEPS, type Step } from "./event";
export {
  type CompletedValue,
  completeValue,
  isSupplied,
  type SuppliedField,
  type SuppliedSecret,
  suppliedFields,
} from "./operator-value";
export type { Publications, SecretDescription, SecretStore } from "./ports";
export { ROTATION_FAULTS, RotationError, type RotationFaultCode } from "./rotation-error";
export type { RotationOutcome } from "./rotation-machine";
export { genericValueSchema, type KindValue, VALUE_SCHEMAS } from "./value-schemas";
export { type Change, earliest, type Waits, waitBefore } from "./waiting-law";
