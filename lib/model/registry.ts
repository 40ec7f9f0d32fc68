import type { ParsedAccessRule, RegistryInput } from "./definition";
import { dayFaults, type EndingGrant, endingGrantsIn, isHeldOn } from "./ending-grants";
import type { ParsedEnvironment } from "./environment-definition";
import { fault, RegistryError } from "./faults";
import { calendarDate } from "./grammar";
import { defaultRolePath } from "./names";
import { nearest, nearestOf } from "./nearest";
import { type ParsedRegistry, parseRegistry } from "./parse";
import { type Partition, partitionOf } from "./partitions";
import { type EnvironmentSecret, needsApproval, needsChangeRequest } from "./resolve";
import { checkRules } from "./rules";
import { resolveSecrets } from "./rules/resolve-settings";
import type { ParsedSecret } from "./secret-definition";
import type { ParsedWorkload } from "./workload-definition";

/** An environment with every default filled in. */
export interface Environment
  extends Omit<ParsedEnvironment, "clusters" | "preventDestroy" | "rolePath" | "changeRequest" | "approval"> {
  readonly name: string;
  /** AWS partition of its regions. */
  readonly partition: Partition;
  /** Primary region first, then the replicas, sorted. */
  readonly allRegions: readonly string[];
  readonly clusters: readonly Cluster[];
  readonly preventDestroy: boolean;
  readonly changeRequest: "required" | "none";
  readonly approval: "required" | "none";
  readonly rolePath: string;
}

/** A cluster with its account filled in. */
export type Cluster = ParsedEnvironment["clusters"][number] & { readonly account: string };

/** A Vault of an environment. */
export type VaultServer = ParsedEnvironment["vaults"][number];

/** A workload with every default filled in. */
export interface Workload extends ParsedWorkload {
  readonly name: string;
}

/** A secret as defined, before an environment's differences. */
export interface Secret extends ParsedSecret {
  readonly key: string;
}

const sorted = (values: readonly string[]): string[] => [...values].sort();

function byName<T>(a: [string, T], b: [string, T]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

const TIERS = ["development", "staging", "production"];

/** The order in which a change travels: Dev → Stage → Prod. */
function byTierThenName(a: [string, ParsedEnvironment], b: [string, ParsedEnvironment]): number {
  return TIERS.indexOf(a[1].tier) - TIERS.indexOf(b[1].tier) || byName(a, b);
}

/** A checked registry. Made by {@link defineRegistry} only, so whoever holds one need not check again. */
export class Registry<E extends string = string, W extends string = string, K extends string = string> {
  /** The definition as it was given: another copy of this library makes its own registry of that. */
  readonly definition: unknown;
  readonly id: string;
  /** Names of the environments, development first, production last; then by name. */
  readonly environmentNames: readonly E[];
  /** Names of the workloads, sorted. */
  readonly workloadNames: readonly W[];
  /** Keys of the secrets, sorted. */
  readonly secretKeys: readonly K[];
  /** Day that it is of, see {@link on}; `undefined`: none. */
  readonly day: string | undefined;

  readonly #parsed: ParsedRegistry;
  /** The registries of other days: whatever is computed of one is computed once. */
  readonly #days: Map<string, Registry<E, W, K>>;
  readonly #environments: ReadonlyMap<string, Environment>;
  readonly #workloads: ReadonlyMap<string, Workload>;
  readonly #secrets: ReadonlyMap<string, Secret>;
  readonly #rules: ReadonlyMap<string, ParsedAccessRule>;
  readonly #resolved: ReadonlyMap<string, readonly EnvironmentSecret[]>;
  readonly #byKey: ReadonlyMap<string, ReadonlyMap<string, EnvironmentSecret>>;

  /** @internal */
  constructor(
    definition: unknown,
    parsed: ParsedRegistry,
    resolved: ReadonlyMap<string, readonly EnvironmentSecret[]>,
    day?: string,
    days = new Map<string, Registry<E, W, K>>(),
  ) {
    this.definition = definition;
    this.id = parsed.id;
    this.day = day;
    this.#parsed = parsed;
    this.#days = days;
    this.#environments = new Map(
      [...parsed.environments].sort(byTierThenName).map(([name, environment]) => [
        name,
        {
          ...environment,
          name,
          partition: partitionOf(environment.regions.primary),
          // Lists whose order means nothing are sorted, so that reordering a registry changes no plan.
          regions: { ...environment.regions, replicas: sorted(environment.regions.replicas) },
          allRegions: [environment.regions.primary, ...sorted(environment.regions.replicas)],
          principals: {
            ...environment.principals,
            operators: sorted(environment.principals.operators),
            approvers: sorted(environment.principals.approvers),
            breakGlass: sorted(environment.principals.breakGlass),
          },
          vaults: environment.vaults.map((vault) => ({ ...vault, regions: sorted(vault.regions) })),
          clusters: environment.clusters.map((cluster) => ({
            ...cluster,
            account: cluster.account ?? environment.account,
          })),
          preventDestroy: environment.preventDestroy ?? environment.tier === "production",
          changeRequest: needsChangeRequest(environment) ? "required" : "none",
          approval: needsApproval(environment) ? "required" : "none",
          rolePath: environment.rolePath ?? defaultRolePath(parsed.id, name),
        },
      ]),
    );
    this.#workloads = new Map(
      [...parsed.workloads].sort(byName).map(([name, workload]) => [name, { ...workload, name }]),
    );
    this.#secrets = new Map(
      [...parsed.secrets].sort(byName).map(([key, secret]) => [key, { ...secret, key }]),
    );
    this.#rules = parsed.accessRules;
    this.#resolved = resolved;
    this.#byKey = new Map(
      [...resolved].map(([name, secrets]) => [name, new Map(secrets.map((secret) => [secret.key, secret]))]),
    );
    this.environmentNames = [...this.#environments.keys()] as E[];
    this.workloadNames = [...this.#workloads.keys()] as W[];
    this.secretKeys = [...this.#secrets.keys()] as K[];
  }

  /** An environment by name. */
  environment(name: E): Environment {
    return this.#find(this.#environments, name, "environment");
  }

  /** A workload by name. */
  workload(name: W): Workload {
    return this.#find(this.#workloads, name, "workload");
  }

  /** A secret by key, as defined for all environments. */
  secret(key: K): Secret {
    return this.#find(this.#secrets, key, "secret");
  }

  /** The rule that limits a workload, if there is one. */
  accessRule(workload: W): ParsedAccessRule | undefined {
    return this.#rules.get(workload);
  }

  /** The secrets that an environment has, sorted by key, with its differences merged in. */
  secretsIn(environment: E): readonly EnvironmentSecret[] {
    return this.#find(this.#resolved, environment, "environment");
  }

  /** One secret as an environment has it; `undefined` where the environment does not have it. */
  secretIn(environment: E, key: K): EnvironmentSecret | undefined {
    this.secret(key);
    this.secretsIn(environment);
    return this.#byKey.get(environment)?.get(key);
  }

  /**
   * The registry of a day, in UTC: without the grants whose last day is over. The same registry and day give the same output; nothing
   * here reads a clock.
   *
   * @param day `2027-03-31`
   * @throws RegistryError for what is no day
   * @example
   * new SecretsRegistry(this, "secrets", { registry: registry.on(new Date().toISOString().slice(0, 10)), environment: "prod" });
   */
  on(day: string): Registry<E, W, K> {
    if (!calendarDate.safeParse(day).success) {
      throw new RegistryError([
        fault(["on"], JSON.stringify(day), "a date such as 2026-12-31", "write year, month and day"),
      ]);
    }
    const known = this.#days.get(day);
    if (known) return known;
    // A grant less breaks no rule, so that a day in the future never makes a registry invalid.
    const { resolved } = resolveSecrets(this.#parsed, (grant) => isHeldOn(day, grant));
    const registry = new Registry<E, W, K>(this.definition, this.#parsed, resolved, day, this.#days);
    this.#days.set(day, registry);
    return registry;
  }

  /** Grants of an environment that end by themselves, those that have ended too; sorted by secret and workload. */
  endingGrants(environment: E): readonly EndingGrant[] {
    return endingGrantsIn(this.#parsed, environment, this.secretsIn(environment), this.day);
  }

  /**
   * Asks that the registry is of a day where an environment has grants with a last day.
   *
   * @throws RegistryError where it is of none
   */
  requireDay(environment: E): void {
    if (this.day !== undefined) return;
    const faults = dayFaults(this.#parsed, environment, this.secretsIn(environment));
    if (faults.length > 0) throw new RegistryError(faults);
  }

  #find<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
    const found = map.get(name);
    if (found === undefined) {
      // Typed callers cannot get here; JavaScript and command lines can.
      throw new UnknownNameError(what, name, [...map.keys()]);
    }
    return found;
  }
}

/** Names that a message lists: more of them hide the hint. */
const MANY = 20;

/** A name that the registry does not have, asked of it from untyped code. */
export class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";

  constructor(
    readonly what: string,
    readonly found: string,
    readonly allowed: readonly string[],
  ) {
    const near = nearest(found, allowed);
    const has =
      allowed.length > MANY
        ? `The registry has ${allowed.length}; the nearest are ${nearestOf(found, allowed, 3).join(", ")}.`
        : `The registry has: ${allowed.join(", ")}.`;
    super(
      `Unknown ${what} ${JSON.stringify(found)}.${near === undefined ? "" : ` Did you mean ${JSON.stringify(near)}?`}` +
        ` ${has}`,
    );
  }
}

/**
 * Checks a definition and makes a registry of it.
 *
 * Names are kept as literal types: a misspelt consumer, environment or key does not compile. The same and all other
 * rules are checked at run time.
 *
 * @throws RegistryError with every fault at once
 * @example
 * const registry = defineRegistry({
 *   id: "acme",
 *   environments: { prod: { tier: "production", account: "111122223333", … } },
 *   workloads: { backend: { namespace: "backend" } },
 *   secrets: {
 *     "crypto/webhook": {
 *       kind: "hmac-key", description: "HMAC secret for webhooks", owner: "payments",
 *       consumers: ["backend"], rotateEvery: days(180), store: "aws",
 *     },
 *   },
 *   accessRules: { backend: { deny: ["payments/*"] } },
 * });
 */
export function defineRegistry<const E extends string, const W extends string, const K extends string>(
  definition: RegistryInput<E, W, K>,
): Registry<E, W, K> {
  const { parsed, faults: shapeFaults } = parseRegistry(definition);
  const { resolved, faults: ruleFaults } = checkRules(parsed);
  const faults = [...shapeFaults, ...ruleFaults];
  if (faults.length > 0) throw new RegistryError(faults);
  return new Registry<E, W, K>(definition, parsed, resolved);
}
