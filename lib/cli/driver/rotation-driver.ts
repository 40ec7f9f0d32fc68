import { randomUUID } from "node:crypto";
import type { FunctionPlan } from "../../blueprint";
import { formatDuration } from "../../model";
import { USED_UP } from "../../model/supplied-values";
import {
  type Change,
  earliest,
  type Phase,
  RotationError,
  type RotationOutcome,
  STEPS,
  type Step,
  waitBefore,
} from "../../rotation";
import { UserFault } from "../terminal/user-fault";
import { confirmerOf, readersOf } from "./confirmation";
import type { DriverContext, DriverOutcome, PhaseOptions, RotatedPlan } from "./driven-rotation";
import { FailedRotation, failedBy, failedTooEarly, failureOf } from "./failed-rotation";
import type { Report } from "./progress";
import { type VersionLabels, versionLabels } from "./version-labels";
import { versionOfPhase } from "./version-of-phase";

/** A step that may succeed by itself is tried so often. */
const ATTEMPTS = 3;

/**
 * Starts and follows rotations. It keeps no state of its own: what was done stands in the labels and values of the
 * secret, so that a command that was interrupted goes on when it is run again, and starts nothing twice.
 *
 * Every method throws {@link FailedRotation}.
 */
export class RotationDriver {
  readonly #context: DriverContext;

  constructor(context: DriverContext) {
    this.#context = context;
  }

  get environment(): string {
    return this.#context.plan.environment;
  }

  /** @throws UserFault when the secret is not there, or not as it was deployed */
  async labels(secret: RotatedPlan): Promise<VersionLabels> {
    const description = await this.#context.cloud.describe(secret.name);
    if (description === undefined) {
      throw new UserFault(
        `There is no secret ${secret.name} in account ${this.#context.plan.account}. Deploy the environment first (terraform apply).`,
      );
    }
    if (description.deleted) {
      throw new UserFault(
        `${secret.name} is scheduled for deletion. Restore it (aws secretsmanager restore-secret), or retire it in the registry.`,
      );
    }
    if (secret.rotation === "automatic" && !description.rotationEnabled) {
      throw new UserFault(
        `Rotation of ${secret.name} is switched off, so Secrets Manager does not rotate it. Switch it on (terraform apply).`,
      );
    }
    return versionLabels(description);
  }

  /** One rotation by Secrets Manager, of a kind that rotates by itself. */
  async rotate(secret: RotatedPlan): Promise<DriverOutcome> {
    const { cloud, progress } = this.#context;
    const labels = await this.labels(secret);
    const unfinished = labels.pending ?? (labels.verified ? undefined : labels.current);
    if (unfinished !== undefined) {
      await progress.step(`${secret.key}: go on with version ${unfinished}`, (report) =>
        this.#follow(secret, unfinished, report, isRunning(labels)),
      );
      return { result: "followed", version: unfinished };
    }
    if (labels.current !== undefined) {
      if (await this.#isUnconfirmed(secret, labels.current)) {
        return { result: "followed", version: labels.current };
      }
      await this.#requireTime("rotate", secret, labels.current);
    }
    const version = randomUUID();
    await progress.step(`${secret.key}: rotate by Secrets Manager`, async (report) => {
      await cloud.startRotation(secret.name, version);
      // Another caller's rotation may have come first; then that one is followed.
      const { pending = version } = await this.labels(secret);
      report(`version ${pending}`);
      await this.#follow(secret, pending, report, true);
    });
    return { result: "done", version: (await this.labels(secret)).current ?? version };
  }

  /** A new value that people supply, through its rotation. */
  async supply(
    secret: RotatedPlan,
    supplied: unknown,
    { emergency }: Pick<PhaseOptions, "emergency">,
  ): Promise<DriverOutcome> {
    const version = await this.putSupplied(secret, supplied, { emergency });
    try {
      await this.steps(secret, version, STEPS);
    } catch (failure) {
      const isRepeated = failure instanceof FailedRotation && failure.code === "value-repeated";
      const { current, verified } = await this.labels(secret);
      if (!isRepeated || current === undefined || !verified) throw failure;
      const unconfirmed = await this.#isUnconfirmed(secret, current);
      return { result: unconfirmed ? "followed" : "already-done", version: current };
    }
    return { result: "done", version };
  }

  /**
   * Puts what was supplied into the secret's inbox. Nothing else is done with it.
   *
   * @returns the version that is to be made of it
   */
  async putSupplied(
    secret: RotatedPlan,
    supplied: unknown,
    { emergency }: Pick<PhaseOptions, "emergency">,
  ): Promise<string> {
    const labels = await this.labels(secret);
    if (labels.verified && labels.current !== undefined && !emergency) {
      await this.#requireTime("rotate", secret, labels.current);
    }
    const version = randomUUID();
    await this.#intoInbox(secret, "put what was supplied", version, JSON.stringify(supplied));
    return version;
  }

  /** Takes out of sight what was supplied, where no function will: nothing in the inbox can be asked for by a label. */
  async takeBack(secret: RotatedPlan): Promise<void> {
    for (const _ of ["current", "previous"]) {
      await this.#intoInbox(secret, "take back what was supplied", randomUUID(), USED_UP);
    }
  }

  async #intoInbox(secret: RotatedPlan, what: string, version: string, value: string): Promise<void> {
    const { cloud, progress } = this.#context;
    const { inbox } = secret;
    if (inbox === undefined) throw new Error(`nobody supplies values of ${secret.key}`);
    await progress.step(`${secret.key}: ${what}`, () => cloud.putIntoInbox(inbox.name, version, value));
  }

  /** `true` where AWSCURRENT holds a published key that nobody uses yet, as its function says. */
  async holdsNext(secret: RotatedPlan): Promise<boolean> {
    return (await this.#look(secret)).published ?? false;
  }

  /** Name of the key that AWSCURRENT has in use, as its function says; `undefined`: it says none. */
  async keyInUse(secret: RotatedPlan): Promise<string | undefined> {
    return (await this.#look(secret)).keyInUse;
  }

  async #look(secret: RotatedPlan): Promise<Partial<RotationOutcome>> {
    const answer = await this.#invoke(secret, { Look: "published", SecretId: secret.name });
    return (answer as Partial<RotationOutcome> | undefined) ?? {};
  }

  /** Goes on with a version that was made earlier and has not passed its test yet. */
  async resume(secret: RotatedPlan, version: string): Promise<DriverOutcome> {
    await this.steps(secret, version, STEPS);
    return { result: "done", version };
  }

  /**
   * Has AWSCURRENT log in and proved anew, where not every Vault has confirmed it: after the loss of a region its proof is by
   * a key that is gone. One that is proved is left alone.
   */
  async reprove(secret: RotatedPlan, version: string): Promise<void> {
    if (await this.#isUnconfirmed(secret, version))
      await this.steps(secret, version, ["testSecret", "finishSecret"]);
  }

  /** Has the function make a value that a person then takes to the target; `promote` goes on. */
  async stage(secret: RotatedPlan): Promise<DriverOutcome> {
    const labels = await this.labels(secret);
    const waiting = labels.pending ?? (labels.verified ? undefined : labels.current);
    const version = waiting ?? randomUUID();
    if (waiting === undefined) await this.steps(secret, version, ["createSecret"]);
    return { result: "staged", version };
  }

  /** Publishes a next key: accepted by everybody from now on, used by nobody until `promote`. */
  async publish(secret: RotatedPlan, { emergency }: Pick<PhaseOptions, "emergency">): Promise<DriverOutcome> {
    const labels = await this.labels(secret);
    const unfinished = labels.pending ?? (labels.verified ? undefined : labels.current);
    if (unfinished === undefined && labels.current !== undefined && !emergency) {
      if (await this.holdsNext(secret)) {
        const unconfirmed = await this.#isUnconfirmed(secret, labels.current);
        return { result: unconfirmed ? "followed" : "already-done", version: labels.current };
      }
      await this.#requireTime("rotate", secret, labels.current);
    }
    const version = unfinished ?? randomUUID();
    await this.steps(secret, version, STEPS);
    return { result: unfinished === undefined ? "done" : "followed", version };
  }

  /** One phase after a rotation. */
  async phase(secret: RotatedPlan, phase: Phase, options: PhaseOptions): Promise<DriverOutcome> {
    const labels = await this.labels(secret);
    const version = options.version ?? (await versionOfPhase(secret, phase, labels, this.#context));
    const call = (about: string) => this.#call(secret, phase, about, options.emergency);
    try {
      return await call(version);
    } catch (failure) {
      if (failure instanceof FailedRotation && failure.code === "run-ended" && phase === "rollback") {
        // It has gone back and ended: by a call whose answer was lost, or by the sweep.
        const { current } = await this.labels(secret);
        if (current !== undefined && current !== version) return { result: "already-done", version };
      }
      // After a promotion the keys that it put to use are AWSCURRENT, and no next key is left. Whether that
      // is this promotion's doing, the function can say of the version that it was made from.
      const mayBeDone =
        failure instanceof FailedRotation && failure.code === "nothing-published" && phase === "promote";
      if (!mayBeDone || labels.previous === undefined) throw failure;
      try {
        return await call(labels.previous);
      } catch {
        throw failure;
      }
    }
  }

  /** Takes steps of the protocol in Secrets Manager's place. */
  async steps(secret: RotatedPlan, version: string, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#context.progress.step(`${secret.key}: ${step}`, (report) =>
        this.#insist(report, () =>
          this.#invoke(secret, { Step: step, SecretId: secret.name, ClientRequestToken: version }),
        ),
      );
    }
  }

  /**
   * Waits until every Vault serves AWSCURRENT; where there is none, every region.
   *
   * @returns when the last one did; `undefined` where nobody confirms
   */
  async confirmed(secret: RotatedPlan, version: string): Promise<Date | undefined> {
    const { plan, pace, progress } = this.#context;
    if (confirmerOf(plan) === undefined) return undefined;
    return progress.step(`${secret.key}: ${readersOf(plan)} serves it`, async (report) => {
      const until = pace.now().getTime() + pace.confirmationMs;
      report(`waiting for ${plan.vaults.map(({ name }) => name).join(", ") || plan.regions.all.join(", ")}`);
      for (;;) {
        const at = await this.confirmedAt(secret, version);
        if (at !== undefined) return at;
        if (pace.now().getTime() > until) {
          throw new FailedRotation(
            "not-confirmed",
            `not-confirmed: not ${readersOf(plan)} has confirmed version ${version} of ${secret.name}. To do: look at the alarms and the log group of the function that confirms (${confirmerOf(plan)?.name}); run the same command again to go on waiting.`,
            true,
          );
        }
        await pace.sleep(pace.lookEveryMs);
      }
    });
  }

  /** Time at which the last Vault confirmed a version; `undefined`: not all of them have. */
  confirmedAt(secret: RotatedPlan, version: string): Promise<Date | undefined> {
    const { plan, cloud } = this.#context;
    const table = plan.operations?.publicationsTable;
    return table === undefined ? Promise.resolve(undefined) : cloud.confirmedAt(table, secret.name, version);
  }

  /**
   * Earliest time of a change; `undefined`: it has nothing to wait for, or the wait has not begun, because not every
   * Vault has confirmed the version.
   */
  async possibleFrom(change: Change, secret: RotatedPlan, version: string): Promise<Date | undefined> {
    const wait = this.#context.pace.waitOf(waitBefore(change, secret));
    if (wait.seconds === 0) return undefined;
    const confirmedAt = await this.confirmedAt(secret, version);
    return confirmedAt && earliest(confirmedAt, wait);
  }

  /** Looks until a version is AWSCURRENT and proved; when nothing moves, asks the function for the reason. */
  async #follow(secret: RotatedPlan, version: string, report: Report, running: boolean): Promise<void> {
    const { pace } = this.#context;
    const patience = pace.patienceMs(this.#functionOf(secret).timeoutSeconds);
    const until = pace.now().getTime() + (running ? patience : 0);
    for (;;) {
      const labels = await this.labels(secret);
      if (labels.current === version && labels.verified) return;
      if (!labels.has(version)) {
        throw new FailedRotation(
          "rotation-abandoned",
          `rotation-abandoned: version ${version} of ${secret.name} has lost its labels: somebody put another value, or cancelled it. To do: run the same command again.`,
          true,
        );
      }
      if (pace.now().getTime() >= until) break;
      await pace.sleep(pace.lookEveryMs);
    }
    report("nothing moves: asking the function itself");
    for (const step of STEPS) {
      report(step);
      await this.#insist(report, () =>
        this.#invoke(secret, { Step: step, SecretId: secret.name, ClientRequestToken: version }),
      );
    }
  }

  async #call(
    secret: RotatedPlan,
    phase: Phase,
    version: string,
    emergency: boolean,
  ): Promise<DriverOutcome> {
    return this.#context.progress.step(`${secret.key}: ${phase} version ${version}`, async (report) => {
      const payload = await this.#insist(report, () =>
        this.#invoke(secret, {
          Phase: phase,
          SecretId: secret.name,
          VersionId: version,
          // One run for each version and phase, so that a command that is run again asks for the same.
          RunId: `cli-${version}`,
          ...(emergency ? { Emergency: true } : {}),
        }),
      );
      const { result = "done", versionId = version } = (payload ?? {}) as Partial<RotationOutcome>;
      return { result, version: versionId };
    });
  }

  async #invoke(secret: RotatedPlan, event: object): Promise<unknown> {
    const answer = await this.#context.cloud.invoke(secret.rotatedBy, event);
    if (!answer.answered) throw failureOf(secret.rotatedBy, answer);
    return answer.payload;
  }

  /** Tries again what may succeed by itself; waits of hours are for the caller. */
  async #insist<T>(report: Report, call: () => Promise<T>): Promise<T> {
    const { default: pRetry } = await import("p-retry");
    return pRetry(call, {
      retries: ATTEMPTS - 1,
      minTimeout: this.#context.pace.retryAfterMs,
      shouldRetry: ({ error }) =>
        error instanceof FailedRotation && error.retryable && !failedTooEarly(error),
      onFailedAttempt: ({ error, retriesLeft }) => {
        if (error instanceof FailedRotation && retriesLeft > 0 && error.retryable && !failedTooEarly(error)) {
          report(`${error.code}: trying again`);
        }
      },
    });
  }

  async #isUnconfirmed(secret: RotatedPlan, version: string): Promise<boolean> {
    return (
      confirmerOf(this.#context.plan) !== undefined && (await this.confirmedAt(secret, version)) === undefined
    );
  }

  /**
   * Refuses what the function would refuse, before Secrets Manager has staged a version for it.
   *
   * @throws FailedRotation `not-published-yet`, `overlap-running`
   */
  async #requireTime(change: Change, secret: RotatedPlan, version: string): Promise<void> {
    const wait = this.#context.pace.waitOf(waitBefore(change, secret));
    if (wait.seconds === 0) return;
    const from = await this.possibleFrom(change, secret, version);
    if (from === undefined) {
      throw failedBy(
        new RotationError(
          "not-published-yet",
          `${secret.name}: not ${readersOf(this.#context.plan)} has confirmed version ${version}`,
        ),
      );
    }
    if (this.#context.pace.now() < from) {
      throw failedBy(
        new RotationError(
          "overlap-running",
          `${secret.name}: ${change} is possible from ${from.toISOString()}, ${formatDuration(wait)} after version ${version} was confirmed`,
        ),
      );
    }
  }

  #functionOf(secret: RotatedPlan): FunctionPlan {
    const found = this.#context.plan.functions.find(({ name }) => name === secret.rotatedBy);
    if (!found) throw new Error(`the blueprint has no function ${secret.rotatedBy}`);
    return found;
  }
}

/** `true` where Secrets Manager may be at work on an unfinished rotation: not when a person put a value over a proved one. */
const isRunning = (labels: VersionLabels): boolean => labels.pending !== undefined || !labels.everVerified;
