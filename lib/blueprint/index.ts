export { type AccessRow, accessOf } from "./access";
export { publicSettings, type RenderedFile, valueFields } from "./agent-template";
export {
  type AwsSecretPlan,
  type Blueprint,
  blueprint,
  type ClusterPlan,
  type KeyPlan,
  type OidcProviderPlan,
  type RolePlan,
  type SecretPlan,
  type Tags,
  type VaultAuthPlan,
  type VaultPlan,
  type VaultRolePlan,
  type VaultSecretPlan,
  type WorkloadPlan,
} from "./blueprint";
export { CA_FILE, type PodPlan, type TokenVolume } from "./pod";
export type { NamedPolicy, RolePolicies } from "./reader-policy";
export { type SecretReference, type SecretReferenceInput, secretReference } from "./secret-reference";
export type { VaultPolicy, VaultRule } from "./vault-policy";
