export type {
  AuditScopeSettings as AuditScope,
  KnownPrincipal,
  VaultScopeSettings as VaultScope,
} from "../model/audit-settings";
