export { compare } from "./compare";
export { copiesOf, costDriversOf, type MonthlyCost, monthlyCost, PRICES, UNPRICED } from "./cost";
export { policiesOfOutput } from "./policies-of-output";
export type {
  EnvironmentPreview,
  Preview,
  Risk,
} from "./preview";
export type { AccessCell, RegistryState, TakerCell } from "./registry-state";
export { requestText } from "./request-text";
export { stateOfOutput } from "./state-of-output";
export { stateOfRegistry } from "./state-of-registry";
export { OutputFault, TerraformJson } from "./terraform-json";
export { type PlannedChange, readTerraformPlan, TerraformPlanFault } from "./terraform-plan";
export { word, words } from "./word";
