export { type BackendSettings, setBackend } from "./backend-settings";
export { SecretsStack, type SecretsStackProps } from "./secrets-stack";
export { removeStaleStacks } from "./stale-stacks";
