export type {
  BearerLogin,
  EnvironmentPolicies,
  EnvironmentVaultPolicy,
  FunctionPermission,
  PodAssociation,
  ProtectedKey,
  ProtectedSecret,
  VaultAclRule,
  VaultLogin,
  VaultPolicies,
} from "./environment-policies";
export type { Finding } from "./finding";
export { policiesOf } from "./policies-of-blueprint";
export { type EnvironmentProof, prove } from "./prove";
export { opensRoleOf } from "./shared-tokens";
export type { PolicyJson } from "./statement";
export { newlySharedTokens, widened } from "./widened";
