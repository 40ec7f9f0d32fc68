export { type AccessRow, accessOf } from "./access";
export { publicSettings, type RenderedFile, valueFields } from "./agent-template";
export type { AuditKeyPlan } from "./audit-key-plan";
export {
  type AffectedConsumer,
  type BlastRadius,
  blastRadius,
  type ConsumerReload,
  type DependentSecret,
  environmentsWith,
  type WatchingCheck,
} from "./blast-radius";
export { type Blueprint, blueprint, type ClusterPlan, type OidcProviderPlan } from "./blueprint";
export type {
  DatabaseConnectionPlan,
  DatabasePlan,
  DatabaseRolePlan,
  DynamicRolePlan,
  RolePlanCommon,
  StaticRolePlan,
} from "./database-plan";
export type { DeployerPlan } from "./deployer-rights";
export { type FunctionPlan, type RotationFunctionPlan, rotates } from "./function-plan";
export type { KeyPlan } from "./key-plan";
export type { MirrorLoginPlan } from "./mirror-login";
export type { OperationsPlan } from "./operations-plan";
export { CA_FILE, type PodPlan, type TokenVolume } from "./pod";
export { type Prerequisites, prerequisitesOf } from "./prerequisites";
export {
  type Principal,
  type PrincipalAccess,
  type PrincipalKind,
  principalAccess,
  principalsOf,
} from "./principal-access";
export type { AlarmPlan, ProcedurePlan, RecordsPlan, TopicPlan } from "./procedure-plan";
export type { NamedPolicy, RolePlan, RolePolicies } from "./role-plan";
export type { ForwarderPlan, PageText, RulePlan, RuleTarget } from "./rule-plan";
export type { AwsSecretPlan, InboxPlan, SecretPlan, SecretPlanCommon, VaultSecretPlan } from "./secret-plan";
export { type SecretReference, type SecretReferenceInput, secretReference } from "./secret-reference";
export type { State, StateMachineDefinition } from "./state-machine";
export type { Tags } from "./tags";
export {
  type VaultParameter,
  type VaultParameters,
  type VaultPolicy,
  type VaultRule,
  vaultPolicy,
} from "./vault-policy";
export type { VaultAuthPlan, VaultPlan, VaultRolePlan } from "./vault-server-plan";
export type { ReloadPlan, WorkloadPlan } from "./workload-plan";
