import type { Blueprint, SecretPlan } from "../blueprint";
import { isMirrored } from "../blueprint";
import { rootArn } from "../blueprint/platform/aws-arns";
import type { Registry } from "../model";
import { mirrorName, procedureFunctionName } from "../model/names";
import { isSupplied } from "../model/supplied-values";
import { SECRET_ACTIONS } from "./actions";

/** Principals that may use one secret by the registry, and nobody else. Roles by their ARNs. */
export interface ExpectedSecret {
  readonly key: string;
  readonly name: string;
  readonly regions: readonly string[];
  /** Rights by actions that go together. */
  readonly rights: readonly { readonly actions: readonly string[]; readonly callers: readonly string[] }[];
  /** Roles of workloads, which read what is served alone. */
  readonly consumers: readonly string[];
  /** Role of the function that rotates it. */
  readonly rotator: string | undefined;
}

const READ = SECRET_ACTIONS.read;
const [PUT, MOVE] = SECRET_ACTIONS.write;
const ROTATE = "secretsmanager:RotateSecret";
const ADMINISTER = SECRET_ACTIONS.administer.filter((action) => action !== ROTATE);

/** The registry's matrix of an environment's secrets in Secrets Manager: from what it says of each, and from no policy. */
export function expectedAccess(registry: Registry, plan: Blueprint): readonly ExpectedSecret[] {
  const environment = registry.environment(plan.environment);
  const { deployer, operators, breakGlass } = plan.principals;
  const roleOf = (name: string | undefined): readonly string[] =>
    plan.functions.filter((entry) => entry.name === name).map(({ role }) => role.arn);
  const mirror = roleOf(mirrorName(registry.id, plan.environment));
  const dispatcher = roleOf(procedureFunctionName(registry.id, plan.environment, "dispatcher"));
  const administrators = [deployer, ...breakGlass, rootArn(plan)];
  const usersOf = (key: string): readonly string[] =>
    plan.secrets.flatMap((other) => (other.admin === key ? roleOf(rotatorOf(other)) : []));
  return plan.secrets.flatMap((secret): readonly ExpectedSecret[] => {
    const source = registry.secretIn(plan.environment, secret.key);
    if (secret.store !== "aws" || source === undefined) return [];
    const rotator = roleOf(secret.rotatedBy);
    const consumers = plan.workloads
      .filter(({ name }) => secret.consumers.includes(name))
      .map(({ role }) => role.arn);
    const takers = secret.rotation === "operator-assisted" && !isSupplied(source) ? operators : [];
    const copies = isMirrored(environment, source) ? mirror : [];
    const readers = [...consumers, ...breakGlass, ...rotator, ...usersOf(secret.key), ...copies, ...takers];
    return [
      {
        key: secret.key,
        name: secret.name,
        regions: secret.regions,
        consumers,
        rotator: rotator[0],
        rights: [
          { actions: READ, callers: readers },
          { actions: [PUT, MOVE], callers: [...breakGlass, ...rotator] },
          { actions: ADMINISTER, callers: administrators },
          { actions: [ROTATE], callers: [...administrators, ...operators, ...dispatcher] },
        ],
      },
      ...(secret.inbox
        ? [
            {
              key: `inbox of ${secret.key}`,
              name: secret.inbox.name,
              regions: [plan.regions.primary],
              consumers: [],
              rotator: undefined,
              rights: [
                { actions: READ, callers: rotator },
                { actions: [PUT], callers: [...operators, ...breakGlass, ...rotator] },
                { actions: [MOVE], callers: [] },
                { actions: ADMINISTER, callers: administrators },
              ],
            },
          ]
        : []),
    ];
  });
}

const rotatorOf = (secret: SecretPlan): string | undefined =>
  secret.store === "aws" ? secret.rotatedBy : undefined;
