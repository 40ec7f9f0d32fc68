export { type AccessVerdict, isKeyPattern, judgeAccess, matchesKey } from "./access-rules";
export type { AuditInput, AuditSink, AuditSinkSettingsInput, SinkCredential } from "./audit-definition";
export type {
  ChangesInput,
  GitHubChangesInput,
  GitLabChangesInput,
  OidcChangesInput,
} from "./changes";
export {
  CONTROLLER_KINDS,
  type ControllerKind,
  isJob,
  JOB_KINDS,
  type JobKind,
  RESTARTED_KINDS,
} from "./controller-kinds";
export type { NamedController } from "./controllers";
export type { AccessRuleInput, ParsedAccessRule, RegistryInput } from "./definition";
export { type Duration, days, formatDuration, hours, inHours, minutes, seconds } from "./duration";
export type { EndingGrant } from "./ending-grants";
export type {
  ClusterInput,
  EnvironmentInput,
  NetworkInput,
  ParsedEnvironment,
  PrincipalsInput,
  Tier,
  VaultInput,
} from "./environment-definition";
export { type Fault, formatFault, RegistryError } from "./faults";
export { mergeSecrets } from "./fragments";
export { type GenerationRule, rulesMakeValue } from "./generic-settings";
export type { HealthCheck, HealthCheckInEnvironmentInput, HealthCheckInput } from "./health-checks";
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
export type {
  ConsumerInEnvironmentInput,
  ConsumerInput,
  FileInput,
  ParsedFile,
  ParsedSecret,
  SecretInEnvironmentInput,
  SecretInput,
  SecretInputCommon,
} from "./secret-definition";
export type {
  AgentResourcesInput,
  ControllerInput,
  HelmInput,
  ParsedWorkload,
  ReloadInput,
  WorkloadInput,
} from "./workload-definition";
