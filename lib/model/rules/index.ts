import type { Fault } from "../faults";
import type { ParsedRegistry } from "../parse";
import type { EnvironmentSecret } from "../resolve";
import { consumerFaults } from "./access";
import { adminFaults } from "./admins";
import { auditFaults } from "./audit";
import { reviewerFaults, workloadClusterFaults } from "./clusters";
import { commandFaults } from "./commands";
import type { RuleContext } from "./context";
import { controllerFaults } from "./controllers";
import { derivedNameFaults, environmentPrefixFaults } from "./derived-names";
import { environmentFaults } from "./environments";
import { functionFaults } from "./functions";
import { healthCheckFaults } from "./health-checks";
import {
  namespaceFaults,
  namespacePatternFaults,
  sharedNamespaceFaults,
  sharedSubjectFaults,
} from "./identities";
import { jobFaults } from "./jobs";
import { keyFaults } from "./keys";
import { kindSettingFaults } from "./kind-settings";
import { unknownNames } from "./names";
import { resolveSecrets } from "./resolve-settings";
import { rotatorFaults } from "./rotators";
import { unsupported } from "./supported";
import { templateFaults } from "./templates";
import { timingFaults } from "./timing";
import { uptakeFaults } from "./uptake";
import {
  deploymentFaults,
  fileFaults,
  resourceFaults,
  serviceAccountFaults,
  trustPolicyFaults,
  variableFaults,
} from "./workloads";

const RULES: readonly ((context: RuleContext) => readonly Fault[])[] = [
  unknownNames,
  keyFaults,
  consumerFaults,
  adminFaults,
  environmentFaults,
  reviewerFaults,
  workloadClusterFaults,
  functionFaults,
  auditFaults,
  unsupported,
  timingFaults,
  uptakeFaults,
  jobFaults,
  kindSettingFaults,
  rotatorFaults,
  serviceAccountFaults,
  namespaceFaults,
  namespacePatternFaults,
  sharedSubjectFaults,
  sharedNamespaceFaults,
  trustPolicyFaults,
  deploymentFaults,
  controllerFaults,
  commandFaults,
  fileFaults,
  variableFaults,
  templateFaults,
  resourceFaults,
  healthCheckFaults,
  environmentPrefixFaults,
  derivedNameFaults,
];

/** Resolves the secrets of each environment and runs every rule over what is valid. */
export function checkRules(parsed: ParsedRegistry): {
  readonly resolved: ReadonlyMap<string, readonly EnvironmentSecret[]>;
  readonly faults: readonly Fault[];
} {
  const { resolved, faults } = resolveSecrets(parsed);
  const context: RuleContext = { parsed, resolved };
  const found = RULES.flatMap((rule) => rule(context));
  // Environments share definitions: one slip in a secret is one fault.
  const distinct = new Map([...faults, ...found].map((entry) => [JSON.stringify(entry), entry]));
  return { resolved, faults: [...distinct.values()] };
}
