export type { AssumedRole, ProviderVersions } from "./aws-provider";
export { type BackendSettings, setBackend } from "./backend-settings";
export { ClusterAccountStack, type ClusterAccountStackProps } from "./cluster-account-stack";
export { SecretsStack, type SecretsStackProps } from "./secrets-stack";
export { removeStaleStacks } from "./stale-stacks";
