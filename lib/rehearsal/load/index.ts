export {
  type AwsAccess,
  type Credentials,
  type HumanRole,
  kms,
  loadAwsAccount,
  secretsManager,
  takeHumanRole,
  takeWorkloadRole,
} from "./aws-account";
export {
  allowSecretsManager,
  type FunctionAnswer,
  invokeFunction,
  type LoadedFunction,
  loadFunction,
} from "./functions";
export { loadVaultServer, type RehearsedCluster, type VaultCall } from "./vault-server";
