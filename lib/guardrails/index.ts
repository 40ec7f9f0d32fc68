/** Guardrails on any Terraform of a cdktf app, as pure rules: no engine is loaded here. */
export {
  buildCommandBreaches,
  dockerfileBreaches,
  isDockerfile,
  isYaml,
  yamlBuildBreaches,
} from "./build-files";
export { checkStack, type GuardrailSettings } from "./check-stack";
export { GUARDRAILS, type GuardrailFinding, type GuardrailId, guardrailText } from "./guardrail";
export type { GuardrailAccessRule } from "./rules/access-rule";
export {
  type GuardrailFile,
  GuardrailSettingsError,
  type GuardrailSuppression,
  parseGuardrailFile,
  parseSuppressions,
  type SuppressedFindings,
  suppress,
} from "./suppressions";
export { credentialIn, credentialLines } from "./text-file";
