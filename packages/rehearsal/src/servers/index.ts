export {
  type ClusterIssuer,
  startClusterIssuer,
} from "./cluster-issuer";
export {
  type EmbeddedAws,
  startEmbeddedAws,
} from "./embedded-aws";
export {
  TAUGHT_CONDITION_KEYS,
  type TaughtConditionKeyName,
} from "./embedded-aws-conditions";
export {
  createReplicatedSecret,
  EMBEDDED_AWS_GAPS,
  type EmbeddedAwsGapName,
} from "./embedded-aws-gaps";
export { ocsfSchemas } from "./ocsf-schemas";
export {
  inNamespace,
  type OpenBao,
  type OpenBaoAnswer,
  OpenBaoRefusal,
  startOpenBao,
} from "./openbao";
export { type OutsideServer, startOutsideServer } from "./outside-server";
export { type Postgres, type PostgresConnection, startPostgres } from "./postgres";
export { defaultCacheFolder, provision } from "./provision";
export { type Redis, startRedis } from "./redis";
export { type ReportProgress, ServerFault } from "./server-fault";
export { ServerGroup, withServers } from "./server-group";
