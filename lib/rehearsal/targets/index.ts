export { PostgresqlServers } from "./postgresql";
export { type RehearsedTargets, startTargets } from "./start-targets";
export type { Attempt, RehearsedTarget, SuppliedValues } from "./target-servers";
