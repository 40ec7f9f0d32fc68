export { type CompareOptions, compare } from "./compare";
export { type MonthlyCost, PRICES } from "./cost";
export { PlanFault, type PlannedChange, readPlan } from "./plan-file";
export type {
  AccessDifference,
  AddedSecret,
  Blast,
  BlastOf,
  ChangedSecret,
  Difference,
  EnvironmentPreview,
  Preview,
  ResourceCounts,
  Risk,
  RiskKind,
  Verdict,
} from "./preview";
export type { AccessCell, EnvironmentState, PeopleCell, RegistryState, TakerCell } from "./registry-state";
export { stateOfOutput } from "./state-of-output";
export { stateOfRegistry } from "./state-of-registry";
export { OutputFault, TerraformJson } from "./terraform-json";
export { word, words } from "./word";
