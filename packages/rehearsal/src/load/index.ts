export { type LoadedAudit, loadAudit } from "./audit";
export {
  type AwsAccess,
  type Credentials,
  type HumanRole,
  kms,
  loadAwsAccount,
  loadInboxes,
  secretsManager,
  takeHumanRole,
  takeWorkloadRole,
} from "./aws-account";
export {
  loadDatabaseServer,
  type RehearsedDatabase,
  rehearsedUrl,
} from "./database-server";
export { embeddedDefinition, hurriedDefinition } from "./embedded-definition";
export {
  allowSecretsManager,
  functionEndpoints,
  type InvocationResult,
  invokeFunction,
  loadFunction,
} from "./functions";
export { loadOperations, loadSchedules } from "./operations";
export { loadProcedure } from "./procedure";
export { createSecretTable, createTable } from "./tables";
export { rehearsedDeployer } from "./vault-deployer";
export {
  loadVaultServer,
  type RehearsedCluster,
  type VaultCall,
} from "./vault-server";
