import { formatDuration, sumOf } from "../duration";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault, type PathStep } from "../faults";
import { heldFor } from "../held-for";
import { acceptorLag } from "../kinds";
import { type EnvironmentSecret, leastOverlap } from "../resolve";
import { rotationSchedule } from "../rotation-schedule";
import { forEnvironments, type RuleContext } from "./context";

const DAY = 86_400;

/** Path at which the author wrote the cadence of an environment. */
function cadencePath(context: RuleContext, secret: EnvironmentSecret): readonly PathStep[] {
  const own = context.parsed.secrets.get(secret.key)?.environments[secret.environment]?.rotateEvery;
  return own
    ? ["secrets", secret.key, "environments", secret.environment, "rotateEvery"]
    : ["secrets", secret.key, "rotateEvery"];
}

/** Secrets Manager counts rotation in 1 to 1000 days; a Vault engine in seconds, at least 5. */
function cadenceFaults(context: RuleContext, secret: EnvironmentSecret): readonly Fault[] {
  const { seconds } = secret.rotateEvery;
  const path = cadencePath(context, secret);
  if (secret.store === "vault") {
    return seconds >= 5
      ? []
      : [
          fault(
            path,
            formatDuration(secret.rotateEvery),
            "at least 5 seconds, as Vault's engines take it",
            "lengthen it",
          ),
        ];
  }
  if (seconds % DAY === 0 && seconds >= DAY && seconds <= 1_000 * DAY) return [];
  return [
    fault(
      path,
      formatDuration(secret.rotateEvery),
      "1 to 1000 whole days, as Secrets Manager takes them",
      "choose days(1) to days(1000)",
    ),
  ];
}

/** Secrets that rotate by themselves need a schedule that keeps the cadence and leaves each rotation its time. */
function scheduleFaults(
  context: RuleContext,
  environment: ParsedEnvironment,
  secret: EnvironmentSecret,
): readonly Fault[] {
  const { seconds } = secret.rotateEvery;
  const valid = seconds % DAY === 0 && seconds >= DAY;
  const busy = sumOf(secret.overlap, secret.publishLead);
  if (secret.store !== "aws" || secret.rotation !== "automatic" || !valid || busy.seconds >= seconds)
    return [];
  if (rotationSchedule(secret.key, secret.rotateEvery, busy, environment.rotationHours, secret.schedule))
    return [];
  return [
    fault(
      cadencePath(context, secret),
      formatDuration(secret.rotateEvery),
      `a cadence that a schedule keeps, with more than ${formatDuration(busy)} between two rotations`,
      "lengthen the cadence, or shorten the overlap",
    ),
  ];
}

function overlapFaults(
  context: RuleContext,
  environment: ParsedEnvironment,
  secret: EnvironmentSecret,
): readonly Fault[] {
  const definition = context.parsed.secrets.get(secret.key);
  const at = (step: string): readonly PathStep[] => ["secrets", secret.key, step];
  if (secret.acceptedBy === "single-slot") {
    return [
      ...(definition?.dualWrite
        ? [
            fault(
              at("dualWrite"),
              "true, for a credential with a single slot",
              "no dual write: the old credential dies when the new one is made",
              "remove it, or choose a kind that accepts two credentials at once",
            ),
          ]
        : []),
      ...(definition?.overlap
        ? [
            fault(
              at("overlap"),
              `${formatDuration(definition.overlap)}, for a credential with a single slot`,
              "no overlap: the old credential dies when the new one is made",
              "remove it, or choose a kind that accepts two credentials at once",
            ),
          ]
        : []),
    ];
  }
  const faults: Fault[] = [];
  if (definition?.dualWrite === false) {
    faults.push(
      fault(
        at("dualWrite"),
        "false",
        `dual write: ${secret.acceptedBy === "target" ? "the target accepts" : "own workloads accept"} both credentials, and pods refresh at different times`,
        "remove it",
      ),
    );
  }
  const held = heldFor(
    environment,
    secret.consumers.map(({ workload }) => context.parsed.workloads.get(workload)),
  );
  const least = leastOverlap(held, acceptorLag(secret).afterSwitch);
  if (definition?.overlap && definition.overlap.seconds <= least.seconds) {
    faults.push(
      fault(
        at("overlap"),
        formatDuration(definition.overlap),
        `longer than ${formatDuration(least)}: refresh interval, reload margin and what the kind's acceptors need beyond`,
        "lengthen it, or remove it for the default",
      ),
    );
  }
  const whole = sumOf(secret.overlap, secret.publishLead);
  if (whole.seconds >= secret.rotateEvery.seconds) {
    faults.push(
      fault(
        cadencePath(context, secret),
        formatDuration(secret.rotateEvery),
        `longer than ${formatDuration(whole)}, which one rotation takes until the old credential is gone`,
        "lengthen the cadence: a new rotation inside a running overlap is refused",
      ),
    );
  }
  return faults;
}

/** Cadences and overlaps that no store or no pod could keep. */
export const timingFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (_, environment, secrets) =>
    secrets.flatMap((secret) => [
      ...cadenceFaults(context, secret),
      ...overlapFaults(context, environment, secret),
      ...scheduleFaults(context, environment, secret),
    ]),
  );
