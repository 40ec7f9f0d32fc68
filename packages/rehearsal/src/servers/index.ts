export {
  type ClusterIssuer,
  type ClusterIssuerOptions,
  type ServiceAccountTokenRequest,
  startClusterIssuer,
} from "./cluster-issuer";
export {
  type EmbeddedAws,
  type EmbeddedAwsOptions,
  type RootCredentials,
  startEmbeddedAws,
} from "./embedded-aws";
export {
  TAUGHT_CONDITION_KEYS,
  type TaughtConditionKey,
  type TaughtConditionKeyName,
} from "./embedded-aws-conditions";
export {
  createReplicatedSecret,
  EMBEDDED_AWS_GAPS,
  type EmbeddedAwsGap,
  type EmbeddedAwsGapName,
} from "./embedded-aws-gaps";
export { type OcsfSchemas, ocsfSchemas } from "./ocsf-schemas";
export {
  baoBinary,
  inNamespace,
  type OpenBao,
  type OpenBaoAnswer,
  type OpenBaoCall,
  type OpenBaoOptions,
  OpenBaoRefusal,
  startOpenBao,
} from "./openbao";
export { type JobTokenRequest, type OutsideServer, startOutsideServer } from "./outside-server";
export { type Postgres, type PostgresConnection, type PostgresOptions, startPostgres } from "./postgres";
export { defaultCacheFolder, type ProvisionedServers, type ProvisionOptions, provision } from "./provision";
export { type Redis, startRedis } from "./redis";
export { type Progress, ServerFault } from "./server-fault";
export { ServerGroup, type ServerGroupOptions, withServers } from "./server-group";
export type { ProvisionedServerOptions, ServerOptions } from "./server-options";
export type { SigningAlgorithm } from "./signing-key";
