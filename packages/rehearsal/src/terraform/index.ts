export {
  type DeployedStack,
  rehearseTerraform,
  type TerraformRehearsal,
  type TerraformStep,
} from "./rehearse-terraform";
export type { RehearsedParts } from "./stack-servers";
export { NoProviders, StepFailure } from "./step-failure";
export type { SynthProgram } from "./synthesize";
