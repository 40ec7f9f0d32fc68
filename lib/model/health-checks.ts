import * as z from "zod/mini";
import type { Duration } from "./duration";
import { duration, oneLine } from "./grammar";
import { checkUrl } from "./server-grammar";

/**
 * A proof that a workload is well after a rotation, before the old credential goes (policy: "verify health
 * endpoints and synthetic checks before decommissioning"). One GET request each, redirects not followed. The login
 * with the new credential is the kind's own test and stands in no registry.
 */
export interface HealthCheckInput {
  /** `health`: the workload's own endpoint. `synthetic`: a request as a user would make it, through the workload. */
  readonly type: "health" | "synthetic";
  /** https URL that the checks' function can reach. Where it differs per environment, it stands there. */
  readonly url?: string;
  /** Status that the answer must have. Default: 200. */
  readonly status?: number;
  /** Text that the body must hold. No pattern: a slow one would stall the check. Default: any body. */
  readonly contains?: string;
  /**
   * `version`: the application itself says what it uses. Once the overlap is over, before the old credential goes, the body must
   * hold the id of the version that is in use by then (`_version` in a file with `version: true`, `VersionId` of
   * GetSecretValue); a reload that failed shows here. One pod answers: a body that names the oldest of all pods proves more.
   * Default: nothing is asked.
   */
  readonly reports?: "version";
  /** Longest time of one try, 1 to 60 seconds. Default: 10 seconds. */
  readonly timeout?: Duration;
}

/** A check's differences in one environment; `none`: it does not run there. */
export type HealthCheckInEnvironmentInput = Partial<HealthCheckInput> | "none";

/** A check as one environment runs it. */
export interface HealthCheck {
  /** Unique within its workload. */
  readonly name: string;
  readonly type: "health" | "synthetic";
  readonly url: string;
  readonly status: number;
  readonly contains?: string;
  readonly reports?: "version";
  readonly timeout: Duration;
}

const timeout = duration.check(
  z.refine((value) => value.seconds <= 60, {
    params: {
      allowed: "1 to 60 seconds",
      change: "choose seconds(60) or less: the check is tried again anyway",
    },
    message: "time-out",
  }),
);

const type = z.enum(["health", "synthetic"]);
const status = z.int().check(z.gte(100), z.lte(599));

/** Run-time schema of a check. */
export const healthCheckSchema = z.strictObject({
  type,
  url: z.optional(checkUrl),
  status: z.optional(status),
  contains: z.optional(oneLine),
  reports: z.optional(z.literal("version")),
  timeout: z.optional(timeout),
});

const differences = z.partial(healthCheckSchema);

/** Run-time schema of a check's differences in an environment. */
export const healthCheckInEnvironmentSchema = z.union([z.literal("none"), differences]);

/** The checks of a workload as they were written. */
export interface WrittenChecks {
  readonly checks: Readonly<Record<string, z.output<typeof healthCheckSchema>>>;
  readonly environments: Readonly<
    Record<
      string,
      { readonly checks: Readonly<Record<string, z.output<typeof healthCheckInEnvironmentSchema>>> }
    >
  >;
}

/** One check with an environment's differences merged in; `undefined` where it does not run. */
export function mergedCheck(
  { checks, environments }: WrittenChecks,
  environment: string,
  name: string,
): z.output<typeof differences> | undefined {
  const here = environments[environment]?.checks[name];
  return here === "none" ? undefined : { ...checks[name], ...here };
}

/** Names of all checks that a workload has in an environment or elsewhere, sorted. */
export function checkNames({ checks, environments }: WrittenChecks, environment: string): readonly string[] {
  return [
    ...new Set([...Object.keys(checks), ...Object.keys(environments[environment]?.checks ?? {})]),
  ].sort();
}

/** The checks of a workload in an environment, sorted by name. The rules have seen that each is complete. */
export function checksIn(written: WrittenChecks, environment: string): readonly HealthCheck[] {
  return checkNames(written, environment).flatMap((name) => {
    const check = mergedCheck(written, environment, name);
    if (check?.type === undefined || check.url === undefined) return [];
    return [
      {
        name,
        type: check.type,
        url: check.url,
        status: check.status ?? 200,
        ...(check.contains === undefined ? {} : { contains: check.contains }),
        ...(check.reports === undefined ? {} : { reports: check.reports }),
        timeout: check.timeout ?? { seconds: 10 },
      },
    ];
  });
}
