/** Folder into which agents render where a workload names no other (vault-k8s, `secretVolumePath`). */
export const SECRETS_FOLDER = "/vault/secrets";
