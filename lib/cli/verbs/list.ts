import { blueprint } from "../../blueprint";
import { type EndingGrant, formatDuration, type Registry } from "../../model";
import { nextRotations } from "../../model/next-rotations";

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
}

/** The secrets of one environment. */
export interface EnvironmentListing {
  readonly environment: string;
  readonly account: string;
  readonly secrets: readonly ListRow[];
  /** Keys that the registry has and this environment does not. */
  readonly absent: readonly string[];
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

/** Secrets of each environment. */
export function list(
  registry: Registry,
  environments: readonly string[],
  now: Date,
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
      })),
      absent: registry.secretKeys.filter((key) => !present.has(key)),
    };
  });
}
