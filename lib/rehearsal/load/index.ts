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
export { loadVaultServer, type RehearsedCluster, type VaultCall } from "./vault-server";
