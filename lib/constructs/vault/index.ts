export { ClusterLogin, type ClusterLoginProps } from "./cluster-login";
export { KvMount, type KvMountProps } from "./kv-mount";
export { VaultAclPolicy, type VaultAclPolicyProps } from "./vault-acl-policy";
export { VaultLoginRole, type VaultLoginRoleProps } from "./vault-login-role";
export { VaultSecrets, type VaultSecretsProps } from "./vault-secrets";
