export { userCalls } from "./aws-users";
export { PostgresqlServers } from "./postgresql";
export { type RehearsedTargets, startTargets } from "./start-targets";
export type { LoginResult, RehearsedTarget } from "./target-servers";
