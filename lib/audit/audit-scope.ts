export type {
  AuditScopeSettings as AuditScope,
  KnownPrincipal,
  VaultScopeSettings as VaultScope,
} from "../contracts/audit-settings";
