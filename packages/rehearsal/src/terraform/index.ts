export {
  type DeployedStack,
  rehearseTerraform,
} from "./rehearse-terraform";
export { NoProviders, StepFailure } from "./step-failure";
