import { createHash } from "node:crypto";
import { groupBy } from "../../model/group-by";
import { type KindName, targetPlace } from "../../model/kinds";
import { rotationFunctionName } from "../../model/names";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { roleArn } from "../platform/aws-arns";

/** Secrets that one rotation function rotates: those of one kind in one network (docs/explanation/architecture.md, decision 13). */
export interface FunctionAssignment {
  readonly name: string;
  readonly kind: KindName;
  /** `undefined`: outside of a VPC. */
  readonly network: string | undefined;
  /** Sorted by key. */
  readonly secrets: readonly EnvironmentSecret[];
}

/**
 * Characters of ARNs and names that one function's role takes. It may have each of them twice, and each statement names the
 * function as well; that fills eight of its ten policies, with room for chance.
 */
const CAPACITY = 10_500;
/** Characters that an ARN has beyond the key, about. */
const ARN_LENGTH = 90;

/** The rotation functions of an environment, sorted by name. Whatever Vault owns is rotated by its engine. */
export function assignFunctions(registry: Registry, environment: Environment): readonly FunctionAssignment[] {
  const rotated = registry.secretsIn(environment.name).filter(({ store }) => store === "aws");
  const groups = groupBy(rotated, (secret) => [
    JSON.stringify([secret.kind, networkOf(environment, secret) ?? null]),
  ]);
  return [...groups.values()]
    .flatMap((secrets) => parts(secrets))
    .flatMap(({ secrets, part }) => {
      const [first] = secrets;
      if (first === undefined) return [];
      const network = networkOf(environment, first);
      const name = rotationFunctionName(registry.id, environment.name, first.kind, network, part);
      return [{ name, kind: first.kind, network, secrets }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Looks functions up by the secrets that they have to do with. */
export interface FunctionsBySecret {
  /** The one that rotates a secret; `undefined`: Vault does. */
  rotatorOf(key: string): FunctionAssignment | undefined;
  /** Those that change other secrets' targets with this one's value, sorted by name. */
  usersOf(key: string): readonly FunctionAssignment[];
}

/** The functions of an environment, to be looked up by secret. */
export function functionsBySecret(assignments: readonly FunctionAssignment[]): FunctionsBySecret {
  const rotators = new Map<string, FunctionAssignment>();
  const users = new Map<string, Set<FunctionAssignment>>();
  for (const assignment of assignments) {
    for (const { key, admin } of assignment.secrets) {
      rotators.set(key, assignment);
      if (admin !== undefined) users.set(admin, (users.get(admin) ?? new Set()).add(assignment));
    }
  }
  return { rotatorOf: (key) => rotators.get(key), usersOf: (key) => [...(users.get(key) ?? [])] };
}

/** ARN of a function's role, which has the function's name. */
export const functionRoleArn = (environment: Environment, name: string): string =>
  roleArn(environment, environment.rolePath, name);

/** Network in which a secret's function runs: as the author says, else in the first network if its target lies in one. */
function networkOf(environment: Environment, secret: EnvironmentSecret): string | undefined {
  if (secret.network !== undefined) return secret.network === "none" ? undefined : secret.network;
  return targetPlace(secret) === "private" ? environment.networks[0]?.name : undefined;
}

/** As many parts as are needed. Adding the n-th moves about one secret in n, all of them into it. */
function parts(
  secrets: readonly EnvironmentSecret[],
): readonly { readonly part: number; readonly secrets: readonly EnvironmentSecret[] }[] {
  const length = secrets.reduce((sum, { physicalKey }) => sum + 2 * physicalKey.length + ARN_LENGTH, 0);
  const count = Math.ceil(length / CAPACITY);
  const groups = Array.from({ length: count }, (): EnvironmentSecret[] => []);
  for (const secret of secrets) {
    groups[partOf(secret.key, count)]?.push(secret);
  }
  return groups.map((group, index) => ({ part: index + 1, secrets: group }));
}

/** Index of a key's part among `count`: jump consistent hash (Lamping, Veach, 2014, https://arxiv.org/abs/1406.2294, figure 1). */
function partOf(key: string, count: number): number {
  let hash = createHash("sha256").update(key).digest().readBigUInt64BE();
  let part = 0;
  for (let next = 0; next < count; ) {
    part = next;
    hash = BigInt.asUintN(64, hash * 2_862_933_555_777_941_757n + 1n);
    next = Math.floor((part + 1) * (2 ** 31 / (Number(hash >> 33n) + 1)));
  }
  return part;
}
