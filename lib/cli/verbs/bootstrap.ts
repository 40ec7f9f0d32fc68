import { type Blueprint, blueprint } from "../../blueprint";
import type { Registry } from "../../model";
import { adoptsValue, completeValue, isSupplied, RotationError, severalAtOnce } from "../../rotation";
import type { Places } from "../cloud/places";
import { requireAccount } from "../cloud/require-account";
import type { RotationCloud } from "../cloud/rotation-cloud";
import { confirmerOf, readersOf } from "../driver/confirmation";
import type { DriverOutcome, RotatedPlan } from "../driver/driven-rotation";
import { FailedRotation, failedBy, failureOf } from "../driver/failed-rotation";
import { type Progress, together } from "../driver/progress";
import { RotationDriver } from "../driver/rotation-driver";
import { FailedCheck } from "../terminal/user-fault";
import { checkEnvironment } from "./bootstrap-checks";
import { awaitedSecrets, suppliedValues } from "./bootstrap-values";
import type { RotationHost } from "./direct-rotation";
import { isRotated } from "./find-secret";
import { keepFirstFingerprints } from "./first-fingerprints";

/** Options of `bootstrap`. */
export interface BootstrapOptions {
  readonly environment: string;
  readonly valuesFrom?: "stdin" | undefined;
}

/** Result of `bootstrap` for one secret. */
export interface BootstrapRow {
  readonly secret: string;
  /**
   * `nothing`: it had a proved value. `made`: its rotation made the first one. `supplied`: people did. `staged`: a
   * value waits for a person to take it to the target. `vault`: Vault makes its values. `waiting`: for its admin
   * secret. `failed`.
   */
  readonly did: "nothing" | "made" | "supplied" | "staged" | "vault" | "waiting" | "failed";
  /** AWSCURRENT. */
  readonly version?: string;
  readonly verified: boolean;
  /** Time at which the last Vault had it: ISO 8601, UTC. */
  readonly confirmedAt?: string;
  readonly fault?: { readonly code: string; readonly message: string };
}

/** Result of `bootstrap` for an environment. */
export interface BootstrapReport {
  readonly environment: string;
  readonly account: string;
  /** `true` when every secret has a proved value that every Vault serves; without a Vault, every region. */
  readonly complete: boolean;
  /** Facts that could not be seen from here, and the mirror's last message. */
  readonly warnings: readonly string[];
  /** Sorted by key. */
  readonly secrets: readonly BootstrapRow[];
}

/**
 * Gives every secret of an environment its first value, in the order in which they need each other, and has them
 * mirrored. What is there is left alone, so it can be run again at any time.
 *
 * @throws FailedCheck when something that it needs is not there; nothing was changed
 * @throws UserFault when a value that people supply is missing or wrong; nothing was changed
 */
export async function bootstrap(
  registry: Registry,
  { environment, valuesFrom }: BootstrapOptions,
  host: RotationHost,
  places: Places,
): Promise<BootstrapReport> {
  const plan = blueprint(registry, registry.environment(environment).name);
  const cloud = host.cloudIn(plan.regions.primary, environment);
  await requireAccount(cloud, plan);
  const { faults, warnings, labels } = await host.progress.step(
    `${environment}: look at what is deployed`,
    () => checkEnvironment(plan, cloud, places),
  );
  if (faults.length > 0) throw new FailedCheck(explain(environment, faults));
  for (const warning of warnings) host.terminal.err(`${warning}\n`);

  const driverWith = (progress: Progress) => new RotationDriver({ plan, cloud, pace: host.pace, progress });
  const secrets = plan.secrets.filter(isRotated);
  const awaited = awaitedSecrets(registry, environment, secrets, labels);
  const values = await suppliedValues(registry, plan, awaited, valuesFrom, host.terminal);

  const rows = new Map<string, Omit<BootstrapRow, "confirmedAt">>();
  const unkept: string[] = [];
  for (const generation of adminsFirst(secrets)) {
    await together(host.progress, `${environment}: first values`, async (progress) => {
      const driver = driverWith(progress);
      await severalAtOnce(
        generation,
        async (secret) => {
          const row = await firstRotation(registry, secret, values, rows, driver);
          rows.set(secret.key, row);
          const isFirst = row.verified && row.did !== "nothing";
          if (isFirst && !(await keepFirstFingerprints(plan, secret.key, cloud))) unkept.push(secret.key);
        },
        "stop",
      );
    });
  }
  const driver = driverWith(host.progress);
  const lag = await mirrored(plan, secrets, rows, { ...host, cloud, driver });
  const finished = await Promise.all(
    plan.secrets.map(async (secret): Promise<BootstrapRow> => {
      const row = rows.get(secret.key);
      if (!row || !isRotated(secret)) return { secret: secret.key, did: "vault", verified: true };
      const at = row.version && row.verified ? await driver.confirmedAt(secret, row.version) : undefined;
      return { ...row, ...(at ? { confirmedAt: at.toISOString() } : {}) };
    }),
  );
  const needsConfirmation = confirmerOf(plan) !== undefined;
  return {
    environment,
    account: plan.account,
    complete: finished.every(
      ({ did, verified, confirmedAt }) =>
        verified && (did === "vault" || !needsConfirmation || confirmedAt !== undefined),
    ),
    warnings: [...warnings, ...[lag, unkeptLine(unkept)].filter((line) => line !== undefined)],
    secrets: finished,
  };
}

const explain = (environment: string, faults: readonly string[]): string =>
  `${environment} is not ready for its first rotations; nothing was changed:\n${faults.map((fault) => `  ${fault}`).join("\n")}`;

const unkeptLine = (keys: readonly string[]): string | undefined =>
  keys.length === 0
    ? undefined
    : `No fingerprints are kept of ${[...keys].sort().join(", ")}: until its next rotation, whose does not find its value.`;

/** Secrets in generations, each of whose admin secrets belong to those before; by key in each. */
function adminsFirst(secrets: readonly RotatedPlan[]): readonly (readonly RotatedPlan[])[] {
  const byKey = new Map(secrets.map((secret) => [secret.key, secret]));
  const generations: RotatedPlan[][] = [];
  for (const secret of secrets) {
    let depth = 0;
    for (let admin = byKey.get(secret.admin ?? ""); admin; admin = byKey.get(admin.admin ?? "")) depth += 1;
    generations[depth] = [...(generations[depth] ?? []), secret];
  }
  return generations;
}

async function firstRotation(
  registry: Registry,
  secret: RotatedPlan,
  values: ReadonlyMap<string, unknown>,
  rows: ReadonlyMap<string, Pick<BootstrapRow, "verified">>,
  driver: RotationDriver,
): Promise<Omit<BootstrapRow, "confirmedAt">> {
  const before = await driver.labels(secret);
  const { key } = secret;
  if (before.verified && before.current !== undefined) return proved(secret, before.current, driver);
  if (secret.admin !== undefined && rows.get(secret.admin)?.verified === false) {
    return { secret: key, did: "waiting", verified: false };
  }
  const resolved = registry.secretIn(driver.environment, key);
  if (resolved === undefined) throw new Error(`the registry has no ${key} in ${driver.environment}`);
  try {
    const outcome = await act(secret, resolved, values, before.pending ?? before.current, driver);
    const after = await driver.labels(secret);
    const isGiven = isSupplied(resolved) || adoptsValue(resolved);
    const did = outcome.result === "staged" ? "staged" : isGiven ? "supplied" : "made";
    await requireAdopted(secret, resolved, values, driver);
    return {
      secret: key,
      did: after.verified || did === "staged" ? did : "failed",
      ...(after.current === undefined ? {} : { version: after.current }),
      verified: after.verified,
    };
  } catch (error) {
    const failure = error instanceof RotationError ? failedBy(error) : error;
    if (!(failure instanceof FailedRotation)) throw error;
    const { code, message } = failure;
    return { secret: key, did: "failed", verified: false, fault: { code, message } };
  }
}

async function proved(
  secret: RotatedPlan,
  version: string,
  driver: RotationDriver,
): Promise<Omit<BootstrapRow, "confirmedAt">> {
  const row = { secret: secret.key, version };
  try {
    await driver.reprove(secret, version);
    return { ...row, did: "nothing", verified: true };
  } catch (failure) {
    if (!(failure instanceof FailedRotation)) throw failure;
    const { code, message } = failure;
    return { ...row, did: "failed", verified: false, fault: { code, message } };
  }
}

async function act(
  secret: RotatedPlan,
  resolved: NonNullable<ReturnType<Registry["secretIn"]>>,
  values: ReadonlyMap<string, unknown>,
  staged: string | undefined,
  driver: RotationDriver,
): Promise<DriverOutcome> {
  if (!isSupplied(resolved)) {
    // It takes the place of what an earlier call has put and nobody has used.
    if (values.has(secret.key)) {
      await driver.putSupplied(secret, values.get(secret.key), { emergency: false });
    }
    return secret.rotation === "automatic"
      ? firstOf(secret, driver)
      : driver.publish(secret, { emergency: false });
  }
  if (staged !== undefined) {
    try {
      return await driver.resume(secret, staged);
    } catch (failure) {
      // What was supplied before does not work, and there may be something better.
      const isWrong = failure instanceof FailedRotation && !failure.retryable;
      if (!isWrong || !values.has(secret.key)) throw failure;
    }
  }
  if (values.has(secret.key)) {
    return driver.supply(secret, values.get(secret.key), { emergency: false });
  }
  throw new Error(`${secret.key} has no value to go on with`);
}

/**
 * A rotation that another call had begun may have begun with another key: then tokens that are out would be refused.
 *
 * @throws FailedRotation `adopted-another`
 */
async function requireAdopted(
  secret: RotatedPlan,
  resolved: NonNullable<ReturnType<Registry["secretIn"]>>,
  values: ReadonlyMap<string, unknown>,
  driver: RotationDriver,
): Promise<void> {
  if (!adoptsValue(resolved) || !values.has(secret.key)) return;
  const { current } = completeValue(resolved, values.get(secret.key)) as { current: { kid: string } };
  const inUse = await driver.keyInUse(secret);
  if (inUse === current.kid) return;
  throw new FailedRotation(
    "adopted-another",
    `adopted-another: ${secret.key} begins with key ${inUse}, not with ${current.kid}: it was there before, and nothing has changed it. ` +
      "To do: where nothing signs with the new one yet, retire the secret and define another one; else let verifiers take both.",
    false,
  );
}

/**
 * A schedule that was made a moment ago has its function tested with an empty version, which goes by itself: what waits for
 * that one begins anew.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html (RotateImmediately)
 */
async function firstOf(secret: RotatedPlan, driver: RotationDriver): Promise<DriverOutcome> {
  try {
    return await driver.rotate(secret);
  } catch (failure) {
    if (!(failure instanceof FailedRotation && failure.code === "rotation-abandoned")) throw failure;
    return driver.rotate(secret);
  }
}

/**
 * Has the mirror bring everything to every Vault, now and not at its next sweep; without one, has the dispatcher look at every
 * region.
 *
 * @returns what it still lacks when its time is over
 */
async function mirrored(
  plan: Blueprint,
  secrets: readonly RotatedPlan[],
  rows: ReadonlyMap<string, Pick<BootstrapRow, "version" | "verified">>,
  { cloud, driver, pace, progress }: RotationHost & { cloud: RotationCloud; driver: RotationDriver },
): Promise<string | undefined> {
  const confirmer = confirmerOf(plan);
  if (confirmer === undefined) return undefined;
  const all = readersOf(plan);
  const lacking = async (): Promise<readonly string[]> => {
    const looks = secrets.map(async (secret) => {
      const { version, verified = false } = rows.get(secret.key) ?? {};
      if (version === undefined || !verified) return [];
      return (await driver.confirmedAt(secret, version)) === undefined ? [secret.key] : [];
    });
    return (await Promise.all(looks)).flat();
  };
  if ((await lacking()).length === 0) return undefined;
  return progress.step(
    plan.vaults.length > 0
      ? `${plan.environment}: mirror into every Vault`
      : `${plan.environment}: see every region have it`,
    async (report) => {
      const until = pace.now().getTime() + pace.confirmationMs;
      for (;;) {
        const answer = await cloud.invoke(
          confirmer.name,
          confirmer.bundle === "mirror" ? { Sweep: true } : { Confirm: true },
        );
        const missing = await lacking();
        if (missing.length === 0) return undefined;
        const said = answer.answered ? "" : ` ${failureOf(confirmer.name, answer).message}`;
        report(`not yet in ${all}: ${missing.join(", ")}.${said}`);
        if (pace.now().getTime() > until) {
          return `Not in ${all}: ${missing.join(", ")}.${said} ${confirmer.bundle === "mirror" ? "The mirror" : "The dispatcher"} goes on by itself; its log group is ${confirmer.logGroup}.`;
        }
        await pace.sleep(pace.sweepEveryMs);
      }
    },
  );
}
