export type {
  AuditScopeSettings as AuditScope,
  KnownPrincipal,
} from "../contracts/audit-settings";
