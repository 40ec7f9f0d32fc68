import { secretsKeyAlias } from "../../model/names";
import type { PolicyDocument } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import { type FunctionPlan, rotates } from "../functions/function-plan";
import { commonTags, type Tags } from "../platform/tags";
import { type SecretPlan, workloadRoleArn } from "../store/secret-plan";
import { keyPolicy } from "./key-policy";

/** The multi-region customer key of an environment's secrets. */
export interface KeyPlan {
  readonly alias: string;
  readonly description: string;
  /** Key policy of the primary or replica key in each region. */
  readonly policies: Readonly<Record<string, PolicyDocument>>;
  readonly deletionWindowDays: number;
  readonly preventDestroy: boolean;
  readonly tags: Tags;
}

/** KMS's longest waiting time before a key is gone. */
const KEY_DELETION_DAYS = 30;

/** The key of an environment, for its secrets' consumers. */
export function keyPlan(
  registry: Registry,
  environment: Environment,
  secrets: readonly SecretPlan[],
  functions: readonly FunctionPlan[],
): KeyPlan {
  const { deployer, operators, breakGlass } = environment.principals;
  const consumers = [
    ...new Set(secrets.filter(({ store }) => store === "aws").flatMap((secret) => secret.consumers)),
  ];
  const rolesOf = (chosen: (plan: FunctionPlan) => boolean): string[] =>
    functions.filter(chosen).map(({ role }) => role.arn);
  const readers = [
    ...consumers.sort().map((workload) => workloadRoleArn(registry, environment, workload)),
    ...rolesOf(({ bundle }) => bundle === "mirror"),
  ];
  return {
    alias: secretsKeyAlias(registry.id, environment.name),
    description: `Secrets of ${registry.id} in ${environment.name}`,
    policies: Object.fromEntries(
      environment.allRegions.map((region) => [
        region,
        keyPolicy({
          scope: environment,
          environment: environment.name,
          region,
          readers,
          writers: [...operators, ...breakGlass, ...rolesOf(rotates)],
          makers: [deployer],
          makersMoveValues: environment.deployerMovesValues,
        }),
      ]),
    ),
    deletionWindowDays: KEY_DELETION_DAYS,
    preventDestroy: environment.preventDestroy,
    tags: commonTags(registry, environment),
  };
}
