import type { Registry, RotationMode } from "../../model";
import { completeValue, isSupplied, RotationError } from "../../rotation";
import { requireAccount } from "../cloud/require-account";
import type { RotationCloud } from "../cloud/rotation-cloud";
import type { DriverOutcome, RotatedPlan } from "../driver/driven-rotation";
import { FailedRotation, failedBy, failedTooEarly } from "../driver/failed-rotation";
import type { Pace } from "../driver/pace";
import type { Progress } from "../driver/progress";
import { RotationDriver } from "../driver/rotation-driver";
import type { Terminal } from "../terminal/terminal";
import { UserFault } from "../terminal/user-fault";
import { confirmEmergency } from "./emergency";
import { type FoundSecret, findSecret } from "./find-secret";
import { readCommand, suppliedValue } from "./supplied-value";
import { faultOfSupplied } from "./supplied-values";

/** Phases that `rotate` takes; without one, it takes the whole rotation. */
export const ROTATE_PHASES = ["publish", "promote", "verify", "decommission", "rollback"] as const;
/** One of them. */
export type RotatePhase = (typeof ROTATE_PHASES)[number];

/** Options of `rotate`. */
export interface RotateOptions {
  readonly environment: string;
  readonly phase?: RotatePhase | undefined;
  readonly valueFrom?: "stdin" | undefined;
  readonly versionId?: string | undefined;
  readonly emergency: boolean;
  /** An emergency is meant: nobody is asked. @default false */
  readonly yes?: boolean | undefined;
}

/** Ports of the rotation verbs. */
export interface RotationHost {
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly pace: Pace;
  /** AWS in an environment's primary region, with that environment's credentials. */
  readonly cloudIn: (region: string, environment: string) => RotationCloud;
}

/** Result of a rotation. */
export interface RotationReport {
  readonly secret: string;
  /** Name in Secrets Manager. */
  readonly name: string;
  readonly environment: string;
  readonly rotation: RotationMode;
  readonly phase: "rotate" | RotatePhase;
  readonly outcome: DriverOutcome["result"] | "too-early" | "failed";
  /** The version that it was about. */
  readonly version?: string;
  /** `true` when AWSCURRENT has passed its test. */
  readonly verified: boolean;
  /** Time at which the last Vault had AWSCURRENT: ISO 8601, UTC. */
  readonly confirmedAt?: string;
  readonly fault?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  /** Next step, as a sentence. */
  readonly next?: string;
}

/** `true` where a script may go on. */
export const succeeded = ({ outcome }: Pick<RotationReport, "outcome">): boolean =>
  outcome !== "failed" && outcome !== "too-early";

/**
 * Rotates one secret of an environment, or takes one phase of it, by calling its function past the dispatcher. Where
 * change requests are needed, operators' roles may not do that.
 *
 * @throws UserFault and UnknownNameError before anything was changed
 */
export async function rotate(
  registry: Registry,
  key: string,
  options: RotateOptions,
  host: RotationHost,
): Promise<RotationReport> {
  const found = findSecret(registry, options.environment, key);
  checkOptions(found, options);
  const { plan, secret } = found;
  const cloud = host.cloudIn(plan.regions.primary, plan.environment);
  await requireAccount(cloud, plan);
  const driver = new RotationDriver({ plan, cloud, pace: host.pace, progress: host.progress });
  const act = await chosen(found, options, host, driver);
  if (options.emergency) await confirmEmergency(found, options, host.terminal);
  const subject = {
    secret: key,
    name: secret.name,
    environment: plan.environment,
    rotation: secret.rotation,
    phase: options.phase ?? "rotate",
  } as const;
  try {
    const { result: outcome, version } = await act();
    const { current, verified } = await driver.labels(secret);
    const isServed = current !== undefined && verified && outcome !== "staged";
    const confirmedAt = isServed ? await driver.confirmed(secret, current) : undefined;
    const next =
      outcome === "staged"
        ? takeToTarget(found, version)
        : current && (await nextOf(found, options, current, driver));
    return {
      ...subject,
      outcome,
      version,
      verified,
      ...(confirmedAt ? { confirmedAt: confirmedAt.toISOString() } : {}),
      ...(next ? { next } : {}),
    };
  } catch (error) {
    const failure = error instanceof RotationError ? failedBy(error) : error;
    if (!(failure instanceof FailedRotation)) throw error;
    const { code, message, retryable } = failure;
    return {
      ...subject,
      outcome: failedTooEarly(failure) ? "too-early" : "failed",
      verified: (await driver.labels(secret)).verified,
      fault: { code, message, retryable },
    };
  }
}

/** Action that the options choose, with everything that it needs from the caller. */
async function chosen(
  found: FoundSecret,
  options: RotateOptions,
  host: RotationHost,
  driver: RotationDriver,
): Promise<() => Promise<DriverOutcome>> {
  const { secret, resolved } = found;
  const { phase, emergency, versionId: version } = options;
  // Nobody is asked for a value that cannot be put.
  await driver.labels(secret);
  if (phase === "publish") return () => driver.publish(secret, { emergency });
  if (phase !== undefined) return () => driver.phase(secret, phase, { emergency, version });
  if (!isSupplied(resolved)) {
    return () => (secret.rotation === "automatic" ? driver.rotate(secret) : driver.stage(secret));
  }
  const supplied = await suppliedValue(found, resolved, options, host.terminal);
  try {
    completeValue(resolved, supplied);
  } catch (failure) {
    throw new UserFault(faultOfSupplied(secret.key, resolved, failure));
  }
  return () => driver.supply(secret, supplied, { emergency });
}

/** @throws UserFault for options that mean nothing together, or nothing for this secret */
function checkOptions({ secret, resolved, plan }: FoundSecret, options: RotateOptions): void {
  const { key, rotation } = secret;
  const { phase, valueFrom, versionId: version, emergency } = options;
  const refuse = (text: string): never => {
    throw new UserFault(text);
  };
  const command = `secrets-registry rotate ${key} --env ${plan.environment}`;
  if (rotation === "manual-dual-publish" && phase === undefined) {
    refuse(
      `${key} is rotated in phases in ${plan.environment}. Begin with: ${command} --phase publish. Then promote, then decommission, each when its time has come.`,
    );
  }
  if (phase === "publish" && rotation !== "manual-dual-publish") {
    refuse(
      `${key} is not published by hand in ${plan.environment}: its rotation is ${rotation}. Rotate it with: ${command}.`,
    );
  }
  if (phase === "promote" && rotation === "automatic") {
    refuse(`Rotations of ${key} promote by themselves in ${plan.environment}. Rotate it with: ${command}.`);
  }
  if (valueFrom !== undefined && (!isSupplied(resolved) || phase !== undefined)) {
    refuse(
      isSupplied(resolved)
        ? `--phase ${phase} takes no value. Supply one with: ${command} --value-from ${valueFrom}.`
        : `The value of ${key} is made by its rotation: nobody supplies it. Leave --value-from out.`,
    );
  }
  if (version !== undefined && (phase === undefined || phase === "publish")) {
    refuse(
      "--version-id names the version of --phase promote, verify, decommission or rollback. Leave it out, or add a phase.",
    );
  }
  if (emergency && phase === undefined && rotation === "automatic") {
    refuse(
      `Secrets Manager takes the steps of ${key}, and without a run they keep their waits. For a leak, leave --direct out: ${command} --emergency.`,
    );
  }
  if (emergency && (phase === "verify" || phase === "rollback")) {
    refuse(`--phase ${phase} waits for nothing, so there is nothing to skip. Leave --emergency out.`);
  }
}

const takeToTarget = ({ secret, plan }: FoundSecret, version: string): string =>
  `Read version ${version} (${readCommand({ secret, plan }, version)}), set it at the target, then: secrets-registry rotate ${secret.key} --env ${plan.environment} --phase promote.`;

/** Step that is left to do, and the time from which it may be done; `undefined`: none. */
async function nextOf(
  { secret, plan }: FoundSecret,
  { phase }: RotateOptions,
  current: string,
  driver: RotationDriver,
): Promise<string | undefined> {
  if (phase === "verify" || phase === "decommission" || phase === "rollback") return undefined;
  const change =
    phase === "publish" ? "promote" : phase === undefined ? afterRotation(secret) : "decommission";
  if (change === undefined) return undefined;
  const from = await driver.possibleFrom(change, secret, current);
  if (from === undefined) return undefined;
  const what =
    change === "promote" ? "The published key can be put to use" : "The old credential can be ended";
  return `${what} from ${from.toISOString()}: secrets-registry rotate ${secret.key} --env ${plan.environment} --phase ${change}.`;
}

/** A single slot has nothing left; keys that others check are used only after they are accepted everywhere. */
function afterRotation({
  acceptedBy,
  rotation,
  publishLead,
}: RotatedPlan): "promote" | "decommission" | undefined {
  if (acceptedBy === "single-slot") return undefined;
  return rotation === "operator-assisted" && publishLead.seconds > 0 ? "promote" : "decommission";
}
