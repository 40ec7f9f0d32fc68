export type {
  AuditPlan,
  AuditQueuePlan,
  AuditRulePlan,
  AuditSinkInput,
  AuditSinkPlan,
  AuditTrailInput,
  TrailPlan,
} from "./audit/audit-plan";
export { auditTrailPlan } from "./audit/audit-trail-plan";
export type { DeployerPlan } from "./deployer/deployer-rights";
export { type Blueprint, blueprint, type ClusterPlan, type OidcProviderPlan } from "./environment/blueprint";
export type { ClusterAccountPlan, PodAssociationPlan, PodRolePlan } from "./environment/cluster-account-plan";
export { type FunctionPlan, type RotationFunctionPlan, rotates } from "./functions/function-plan";
export type { ReloadPlan, WorkloadPlan } from "./identity/workload-plan";
export type { AuditKeyPlan } from "./keys/audit-key-plan";
export type { KeyPlan } from "./keys/key-plan";
export type { OperationsPlan } from "./operations/operations-plan";
export type { NamedPolicy, RolePlan, RolePolicies } from "./platform/role-plan";
export type { ForwarderPlan, PageText, RulePlan, RuleTarget } from "./platform/rule-plan";
export type { Tags } from "./platform/tags";
export {
  type VaultParameter,
  type VaultParameters,
  type VaultPolicy,
  type VaultRule,
  vaultPolicy,
} from "./platform/vault-policy";
export { publicSettings, type RenderedFile, valueFields } from "./pods/agent-template";
export { CA_FILE, type PodPlan, type TokenVolume } from "./pods/pod";
export type { AlarmPlan } from "./procedure/procedure-alarms";
export type { ProcedurePlan, RecordsPlan, TopicPlan } from "./procedure/procedure-plan";
export type { StateMachineDefinition } from "./procedure/state-machine";
export type { State } from "./procedure/states/language";
export { isMirrored } from "./store/mirrored";
export type {
  AwsSecretPlan,
  InboxPlan,
  SecretPlan,
  SecretPlanCommon,
  VaultSecretPlan,
} from "./store/secret-plan";
export type {
  DatabaseConnectionPlan,
  DatabasePlan,
  DatabaseRolePlan,
  DynamicRolePlan,
  RolePlanCommon,
  StaticRolePlan,
} from "./vault/database-plan";
export type { MirrorLoginPlan } from "./vault/mirror-login";
export type { VaultAuthPlan, VaultPlan, VaultRolePlan } from "./vault/vault-server-plan";
export { type AccessRow, accessOf } from "./views/access";
export { type AccountRoles, accountRoles } from "./views/account-roles";
export {
  type AffectedConsumer,
  type BlastRadius,
  blastRadius,
  type ConsumerReload,
  type DependentSecret,
  environmentsWith,
  type WatchingCheck,
} from "./views/blast-radius";
export { type AccessVerb, GrantIndex, type PossibleAccess, possibleAccess } from "./views/policy-access";
export { type Prerequisites, prerequisitesOf } from "./views/prerequisites";
export {
  type Principal,
  type PrincipalAccess,
  type PrincipalKind,
  principalAccess,
  principalsOf,
} from "./views/principal-access";
export { type SecretReference, type SecretReferenceInput, secretReference } from "./views/secret-reference";
