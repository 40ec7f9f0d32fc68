import type { Blueprint } from "../blueprint";
import { isMirrored } from "../blueprint";
import type { CostDrivers } from "./registry-state";

/**
 * List prices in US dollars of us-east-1, as the pages had them on `date`. Other regions differ by some percent; free tiers, taxes and
 * what is agreed with AWS are left out.
 */
export const PRICES = {
  date: "2026-11-28",
  currency: "USD",
  region: "us-east-1",
  /** Each secret, and each replica as a secret of its own, a month. https://aws.amazon.com/secrets-manager/pricing/ */
  secret: 0.4,
  /** 10,000 calls. https://aws.amazon.com/secrets-manager/pricing/ */
  tenThousandCalls: 0.05,
  /** Each key, each replica key and each HMAC key, a month. https://aws.amazon.com/kms/pricing/ */
  key: 1,
  /** Standard resolution, one metric, a month. https://aws.amazon.com/cloudwatch/pricing/ */
  alarm: 0.1,
  /** A request, and a second of 512 MB on Arm. https://aws.amazon.com/lambda/pricing/ */
  request: 0.2 / 1_000_000,
  halfGigabyteSecond: 0.0000133334 / 2,
  pages: [
    "https://aws.amazon.com/secrets-manager/pricing/",
    "https://aws.amazon.com/kms/pricing/",
    "https://aws.amazon.com/cloudwatch/pricing/",
    "https://aws.amazon.com/lambda/pricing/",
  ],
} as const;

/** Costs that a registry does not tell, because they follow from use. */
export const UNPRICED =
  "logs, metrics, tables, queues and buckets; NAT and endpoints of networks; AWS KMS requests and the material that it adds to a key each year; calls of rotations and of whoever reads Secrets Manager itself; Vault; free tiers and taxes";

/** Seconds that a scheduled run is taken to last: nobody knows before it runs. */
const SECONDS_A_RUN = 2;

/** AWS reckons with months of 730 hours. */
const MONTH_SECONDS = 730 * 3_600;

/** A month's cost in US dollars, by what it is for. */
export interface MonthlyCost {
  readonly total: number;
  readonly secrets: number;
  readonly keys: number;
  readonly alarms: number;
  readonly functions: number;
  readonly calls: number;
}

/** Copies of a secret that Secrets Manager bills: one in each region, and an inbox, which lies in the primary region alone. */
export const copiesOf = (secret: Blueprint["secrets"][number]): number =>
  secret.store === "aws" ? secret.regions.length + (secret.inbox ? 1 : 0) : 0;

/** Alarms of the procedure and of the audit trail, one for each function that fails, and one for events that no function took. */
const alarmsOf = ({ procedure, operations, functions, audit }: Blueprint): number =>
  (procedure?.alarms.length ?? 0) +
  (operations ? functions.length + 1 : 0) +
  (audit ? audit.alarms.length + audit.sinks.length + 1 : 0);

/** Numbers from which an environment's cost follows. Pods read Vault at their refresh interval, which AWS does not bill. */
export function costDriversOf(plan: Blueprint): CostDrivers {
  const stored = plan.secrets.filter((secret) => secret.store === "aws");
  const scheduled = (plan.operations?.rules ?? []).flatMap(({ when, target }) =>
    "every" in when && "function" in target
      ? [{ runs: Math.round(MONTH_SECONDS / when.every.seconds), function: target.function }]
      : [],
  );
  const mirror = plan.functions.find(({ bundle }) => bundle === "mirror")?.name;
  const sweeps = scheduled.find((entry) => entry.function === mirror)?.runs ?? 0;
  return {
    secrets: stored.reduce((sum, secret) => sum + copiesOf(secret), 0),
    keys: Object.keys(plan.key.policies).length + (plan.operations ? 1 : 0) + (plan.procedure ? 1 : 0),
    alarms: alarmsOf(plan),
    runs: scheduled.reduce((sum, { runs }) => sum + runs, 0),
    // Each sweep describes what it copies; the watcher looks at every secret each hour.
    calls:
      sweeps * stored.filter((secret) => isMirrored(plan, secret)).length +
      Math.round(MONTH_SECONDS / 3_600) * (plan.procedure ? stored.length : 0),
  };
}

const cents = (dollars: number): number => Math.round(dollars * 100) / 100;

/** A month's cost. */
export function monthlyCost(drivers: CostDrivers): MonthlyCost {
  const secrets = cents(drivers.secrets * PRICES.secret);
  const keys = cents(drivers.keys * PRICES.key);
  const alarms = cents(drivers.alarms * PRICES.alarm);
  const functions = cents(drivers.runs * (PRICES.request + SECONDS_A_RUN * PRICES.halfGigabyteSecond));
  const calls = cents((drivers.calls / 10_000) * PRICES.tenThousandCalls);
  return {
    total: cents(secrets + keys + alarms + functions + calls),
    secrets,
    keys,
    alarms,
    functions,
    calls,
  };
}
