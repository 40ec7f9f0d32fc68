/**
 * Types and schemas that cross the border between commands, functions and the state machine. The registry and its rules
 * are the model's.
 */
export type {
  AuditFunction,
  AuditNormaliserSettings,
  AuditScopeSettings,
  AuditSinkSettings,
  KnownPrincipal,
  VaultScopeSettings,
} from "./audit-settings";
export {
  CHANGE_REQUESTS,
  type ChangeFacts,
  type ChangeReading,
  type ChangeRequest,
  ChangeRequestError,
  changeDigest,
  isOpenChange,
  isSamePerson,
  readChangeRequest,
} from "./change-request";
export type {
  ApprovalGateSettings,
  ChangeGateSettings,
  CheckerSettings,
  DispatchedSchedule,
  DispatchedSecret,
  DispatcherSettings,
  FunctionSettings,
  MirroredConnection,
  MirroredSecret,
  MirroredVault,
  MirrorSettings,
  ProcedureSettings,
  ProcedureSettingsCommon,
  RecorderSettings,
  RestartedCluster,
  RestartedWorkload,
  RestarterSettings,
  RotatedSecret,
  WatchedSecret,
  WatcherSettings,
} from "./function-settings";
export type { ApprovalAnswer, LoadedRun, ProcedureInput, RunKind, RunOutcome } from "./procedure-events";
export { endDayOf, type RotationRecord, readRotationRecord, recordDigest } from "./rotation-record";
