export { type AccessVerdict, isKeyPattern, judgeAccess, matchesKey } from "./access-rules";
export type { AuditInput, AuditSink, AuditSinkSettingsInput, SinkCredential } from "./audit-definition";
export type {
  ChangesInput,
  GitHubChangesInput,
  GitLabChangesInput,
  OidcChangesInput,
} from "./changes";
export {
  type AccessRuleInput,
  type AgentResourcesInput,
  type ClusterInput,
  CONTROLLER_KINDS,
  type ConsumerInput,
  type ControllerKind,
  type EnvironmentInput,
  type EnvironmentPlanInput,
  type FileInput,
  type HelmInput,
  isJob,
  JOB_KINDS,
  type JobKind,
  type NetworkInput,
  type ParsedAccessRule,
  type ParsedEnvironment,
  type ParsedFile,
  type ParsedSecret,
  type ParsedWorkload,
  type PlannedConsumerInput,
  type PrincipalsInput,
  RESTARTED_KINDS,
  type RegistryInput,
  type ReloadInput,
  type SecretInput,
  type SecretInputCommon,
  type Tier,
  type VaultInput,
  type WorkloadInput,
} from "./definition";
export { type Duration, days, formatDuration, hours, inHours, minutes, seconds } from "./duration";
export { type Fault, formatFault, RegistryError } from "./faults";
export { mergeSecrets } from "./fragments";
export { type GenerationRule, rulesMakeValue } from "./generic-settings";
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
export { PROCEDURE_FUNCTIONS, type ProcedureFunction } from "./names";
export type { Partition } from "./partitions";
export { compactLength, type PolicyDocument, type PolicyStatement } from "./policy-document";
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
export type {
  CadenceSchedule,
  CalendarSchedule,
  RotationHours,
  RotationSchedule,
  ScheduleCommon,
} from "./rotation-schedule";
export { GENERIC_CHECKS } from "./rules/generic";
export { IDENTITIES, LOGINS } from "./rules/supported";
