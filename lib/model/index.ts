export { type AccessVerdict, isKeyPattern, judgeAccess, matchesKey } from "./access-rules";
export {
  CHANGE_REQUESTS,
  type ChangeFacts,
  type ChangeReading,
  type ChangeRequest,
  ChangeRequestError,
  changeDigest,
  isOpenChange,
  isSamePerson,
  readChangeRequest,
} from "./change-request";
export type {
  AccessRuleInput,
  AgentResourcesInput,
  ClusterInput,
  ConsumerInput,
  ControllerKind,
  EnvironmentInput,
  EnvironmentPlanInput,
  FileInput,
  PrincipalsInput,
  RegistryInput,
  ReloadInput,
  SecretInput,
  Tier,
  VaultInput,
  WorkloadInput,
} from "./definition";
export { type Duration, days, formatDuration, hours, inHours, minutes, seconds } from "./duration";
export { type Fault, formatFault, RegistryError } from "./faults";
export { mergeSecrets } from "./fragments";
export { rulesMakeValue } from "./generic-settings";
export type { HealthCheck, HealthCheckInput, HealthCheckPlanInput } from "./health-checks";
export {
  type AcceptedBy,
  type AnyKindSettings,
  KIND_NAMES,
  KINDS,
  type KindName,
  type KindSettings,
  type KindSettingsInput,
  type KindTraits,
  publishesKeys,
  type RotationMode,
  type Store,
  type ValueField,
} from "./kinds";
export { compactLength, type PolicyDocument, type PolicyStatement } from "./policy-document";
export type { ApprovalAnswer, LoadedRun, ProcedureInput, RunKind, RunOutcome } from "./procedure-events";
export {
  type Cluster,
  defineRegistry,
  type Environment,
  Registry,
  type Secret,
  UnknownNameError,
  type VaultServer,
  type Workload,
} from "./registry";
export type { Consumer, EnvironmentSecret } from "./resolve";
export { dayOf, type RotationRecord, readRotationRecord, recordDigest } from "./rotation-record";
export { GENERIC_CHECKS } from "./rules/generic";
export { IDENTITIES, LOGINS } from "./rules/supported";
