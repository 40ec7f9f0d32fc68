import { type Blueprint, blueprint } from "../../blueprint";
import { type EndingGrant, formatDuration, type Registry } from "../../model";
import { nextRotations } from "../../model/next-rotations";
import { partitionOf } from "../../model/partitions";
import { copiesOf, costDriversOf, type MonthlyCost, monthlyCost, PRICES, UNPRICED } from "../../preview";

/** One secret of one environment, as people look for it. */
export interface ListRow {
  readonly secret: string;
  /** Secrets Manager name, or the Vault path of a secret that Vault owns. */
  readonly name: string;
  readonly kind: string;
  readonly store: "aws" | "vault";
  readonly regions: readonly string[];
  readonly rotation: string;
  readonly cadence: string;
  /** Times at which its next rotations begin by themselves: ISO 8601, UTC. Empty where people move it on. */
  readonly next: readonly string[];
  readonly consumers: readonly string[];
  /** Consumers whose grant ends by itself, those whose has ended too. */
  readonly endings: readonly Omit<EndingGrant, "secret">[];
  /** Settings that set this environment apart: mode, account, bucket, privileges. */
  readonly differences: Readonly<Record<string, string>>;
  /** Cost, asked for by `cost`. */
  readonly cost?: SecretCost;
}

/** Cost of one secret in Secrets Manager, without its share of keys, alarms and functions. */
export interface SecretCost {
  /** Copies that are billed: one for each region, and an inbox. None of a secret that Vault owns. */
  readonly copies: number;
  /** US dollars a month. */
  readonly month: number;
}

/** Cost of a month in one environment, by a dated table of list prices. */
export interface EnvironmentCost extends MonthlyCost {
  readonly currency: string;
  /** Day of the prices, ISO 8601. */
  readonly date: string;
  /** Region whose prices they are, in `aws`. */
  readonly region: string;
  /** AWS's pages of prices. */
  readonly pages: readonly string[];
  /** Partition of the environment, where it has price lists of its own and the amounts are an estimate. */
  readonly otherPartition?: string;
  /** Costs that are left out. */
  readonly without: string;
}

/** The secrets of one environment. */
export interface EnvironmentListing {
  readonly environment: string;
  readonly account: string;
  readonly secrets: readonly ListRow[];
  /** Keys that the registry has and this environment does not. */
  readonly absent: readonly string[];
  /** Cost, asked for by `cost`. */
  readonly cost?: EnvironmentCost;
}

/** Settings that the policy's matrix names; the rest is found in the blueprint. */
const TELLING = ["account", "mode", "bucket", "org", "host", "data", "privileges"] as const;

/** Dates that are listed for each secret. */
const NEXT = 3;

function differencesOf(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    TELLING.flatMap((name) => {
      const value = settings[name];
      if (value === undefined) return [];
      return [[name, Array.isArray(value) ? value.join(",") : String(value)]];
    }),
  );
}

function costOf(plan: Blueprint): EnvironmentCost {
  const { currency, date, region, pages } = PRICES;
  return {
    ...monthlyCost(costDriversOf(plan)),
    currency,
    date,
    region,
    pages,
    ...(plan.partition === partitionOf(region) ? {} : { otherPartition: plan.partition }),
    without: UNPRICED,
  };
}

const secretCost = (secret: Blueprint["secrets"][number]): SecretCost => {
  const copies = copiesOf(secret);
  return { copies, month: Math.round(copies * PRICES.secret * 100) / 100 };
};

/** Secrets of each environment, with what they cost where that is asked for. */
export function list(
  registry: Registry,
  environments: readonly string[],
  now: Date,
  { cost = false }: { readonly cost?: boolean | undefined } = {},
): readonly EnvironmentListing[] {
  return environments.map((environment) => {
    const plan = blueprint(registry, environment);
    const endings = registry.endingGrants(environment);
    const present = new Set(plan.secrets.map((secret) => secret.key));
    return {
      environment,
      account: plan.account,
      secrets: plan.secrets.map((secret) => ({
        secret: secret.key,
        name: secret.store === "aws" ? secret.name : secret.vaultPath,
        kind: secret.kind,
        store: secret.store,
        regions: secret.regions,
        rotation: secret.rotation,
        cadence: formatDuration(secret.rotateEvery),
        next:
          secret.store === "aws" && secret.schedule
            ? nextRotations(secret.schedule, now, NEXT).map((date) => date.toISOString())
            : [],
        consumers: secret.consumers,
        endings: endings
          .filter((grant) => grant.secret === secret.key)
          .map(({ workload, until, held }) => ({ workload, until, held })),
        differences: differencesOf({ ...secret.settings }),
        ...(cost ? { cost: secretCost(secret) } : {}),
      })),
      absent: registry.secretKeys.filter((key) => !present.has(key)),
      ...(cost ? { cost: costOf(plan) } : {}),
    };
  });
}
