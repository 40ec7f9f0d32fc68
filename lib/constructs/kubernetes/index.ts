export { AgentConfigMap, type AgentConfigMapProps } from "./agent-config-map";
export { ClusterSecrets, type ClusterSecretsProps } from "./cluster-secrets";
export { DeploymentPatch, type DeploymentPatchProps } from "./deployment-patch";
export { type PodFile, PodFiles, type PodFilesProps, podFiles } from "./pod-files";
export { type PodSpec, podSpec } from "./pod-spec";
export { podTemplatePatch } from "./pod-template-patch";
export { VaultCa, type VaultCaProps } from "./vault-ca";
export { WorkloadServiceAccount, type WorkloadServiceAccountProps } from "./workload-service-account";
