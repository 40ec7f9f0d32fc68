export { ACTION_OF, OPERATIONS, type Operation, type Outcome, probeSecret } from "./aws-probe";
export { isExpected } from "./expected-access";
export { probeVault } from "./vault-probe";
