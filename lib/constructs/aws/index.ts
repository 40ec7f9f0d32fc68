export { AuditTrail, type AuditTrailProps } from "./audit-trail";
export { AwsSecrets, type AwsSecretsProps } from "./aws-secrets";
export { OidcProvider, type OidcProviderProps } from "./oidc-provider";
export { type CallableFunction, Operations, type OperationsProps } from "./operations";
export { RegistryFunction, type RegistryFunctionProps } from "./registry-function";
export { ReplicatedSecret, type ReplicatedSecretProps } from "./replicated-secret";
export { RotationProcedure, type RotationProcedureProps } from "./rotation-procedure";
export { SecretsKey, type SecretsKeyProps } from "./secrets-key";
export { WorkloadIdentity, type WorkloadIdentityProps } from "./workload-identity";
