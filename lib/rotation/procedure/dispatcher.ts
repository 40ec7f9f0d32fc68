import type { RunView } from "../../contracts/dispatcher-answer";
import type { RunOutcome } from "../../contracts/procedure-events";
import { BY_SCHEDULE, type NewRun, type Run } from "../../contracts/run";
import { procedureFunctionName } from "../../model/names";
import { Versions } from "../machine/versions";
import { RotationError } from "../protocol/rotation-error";
import { Sweep } from "../protocol/sweep";
import { isTooEarly } from "../protocol/waiting-law";
import { type Dispatched, type DispatcherContext, type DispatcherOutcome, viewOf } from "./dispatched";
import type { DispatcherRequest, RunRequest } from "./dispatcher-event";
import { isRotationDue, isWithinWindow } from "./due-rotations";
import { keptFingerprints } from "./kept-fingerprints";
import { lastRotation } from "./last-rotation";
import { clearingRun, leftPending, retirementOf, underWay, wayBackClosed } from "./leftovers";
import { executionName, loadedRun } from "./loaded-run";
import { NewRuns } from "./new-run";
import { type Asker, type ProvenCaller, provenCaller } from "./proven-caller";
import { AFTER_VALUE, RunProgress } from "./run-progress";
import {
  goesOnAlone,
  isAskedFor,
  isBeforeProof,
  isBetterValue,
  isGivenUp,
  isWaiting,
  isWithdrawable,
  NO_LABELS,
  type Standing,
  standingOf,
} from "./run-standing";
import { recordEnd, type WithdrawalCode, withdraw } from "./withdrawal";

/** Maximum runs in a status answer. */
const SHOWN = 10;

/**
 * Begins runs, brings each to the state machine once, and takes the secret from runs that are dead. Every call may die
 * anywhere and be made again: what was begun is found in the table and goes on.
 */
export class Dispatcher {
  readonly #context: DispatcherContext;
  readonly #newRuns: NewRuns;
  readonly #progress: RunProgress;
  readonly #sweeps: Sweep;

  constructor(context: DispatcherContext) {
    this.#context = context;
    this.#newRuns = new NewRuns(context);
    this.#progress = new RunProgress(context);
    this.#sweeps = new Sweep(context);
  }

  /** @throws RotationError for every failure that is known */
  async run(request: DispatcherRequest): Promise<DispatcherOutcome> {
    switch (request.action) {
      case "rotate":
      case "stage":
      case "promote":
        return this.#begin(request);
      case "rollback":
        return this.#rollback(this.#secret(request.key), request);
      case "status":
        return this.#status(this.#secret(request.key));
      case "fingerprint":
        return keptFingerprints(this.#secret(request.key), this.#context);
      case "label-moved":
        return this.#labelMoved(request.secretName, request.versionId);
      case "load":
        return { result: "loaded", ...(await loadedRun(request, this.#context)) };
      case "confirm":
        for (const { name } of this.#secrets()) if (name === request.secretName) await this.#confirm(name);
        // One is not the sweep's to confirm, which would go on from there.
        if (request.secretName !== undefined) return { result: "nothing-to-do" };
        await this.#sweeps.over(this.#secrets(), ({ name }) => this.#confirm(name));
        return { result: "nothing-to-do" };
      case "sweep":
        return this.#sweep();
    }
  }

  async #begin(request: RunRequest): Promise<DispatcherOutcome> {
    const secret = this.#secret(request.key);
    // Before anything else: a command may also go on with a run, end one that is dead, or take the place of another.
    const asker = await this.#whoAsks(request);
    const open = await this.#context.runs.open(secret.name);
    const standing = open && (await this.#standingOf(open));
    const isReplaced = open !== undefined && isWaiting(standing) && isBetterValue(secret, open, request);
    const isLeaked = open !== undefined && request.emergency && !open.emergency;
    if (open !== undefined && standing === "over") await this.#recordDeadRun(secret, open);
    else if (open !== undefined && !isReplaced && !isLeaked) {
      if (!isAskedFor(open, request, this.#context.settings.changeRequest)) throw underWay(open);
      return this.#progress.goOn(secret, open, request);
    }
    const run = await this.#newRuns.newRun(secret, request, asker);
    if (isReplaced) await this.#withdraw(secret, open, "value-replaced");
    else if (isLeaked && standing !== "over") await this.#supersede(secret, open, standing);
    const leftover = await this.#takeUpPending(secret, run, request);
    const begun = await this.#context.runs.begin(run, this.#context.clock.now());
    const outcome = await this.#progress.goOn(secret, begun, request);
    if (leftover === undefined || outcome.result !== "under-way") return outcome;
    return { ...outcome, run: { ...outcome.run, leftover } };
  }

  /** Takes the secret from an open run: what has leaked does not wait for its end. */
  async #supersede(secret: Dispatched, open: Run, standing: Standing | undefined): Promise<RunOutcome> {
    const { runs, executions } = this.#context;
    if (isBeforeProof(open) && isWaiting(standing)) {
      if (open.status === "starting") await runs.retreat(open);
      return this.#withdraw(secret, open, "superseded");
    }
    for (const direction of ["forward", "back"] as const) {
      await executions.stop(executionName(secret, { ...open, direction }));
    }
    return this.#record(open, "failed", "superseded");
  }

  /**
   * A pending version without a run: while it is there, Secrets Manager begins no rotation of another one. It is the new
   * run's own, or else it is cleared away by a run of its own, which says so in the log of rotations. People's values are
   * left alone: they wait for their rotation.
   */
  async #takeUpPending(
    secret: Dispatched,
    next: NewRun,
    { versionId }: RunRequest,
  ): Promise<RunView["leftover"]> {
    const { runs, clock, log } = this.#context;
    const version = leftPending(await this.#labels(secret.name));
    if (version === undefined || secret.rotation === "operator-assisted") return undefined;
    if (version === next.newVersion)
      return versionId === undefined ? { version, became: "adopted" } : undefined;
    log.warn("pending version of no run is cleared away", { secret: secret.name, version });
    const run = await runs.begin(
      {
        secret: secret.name,
        run: clearingRun(version),
        kind: "rotation",
        newVersion: version,
        startedBy: next.startedBy,
        startedByIs: next.startedByIs,
      },
      clock.now(),
    );
    await this.#withdraw(secret, run, "never-current");
    return { version, became: "cleared" };
  }

  async #whoAsks(asker: Asker & Pick<RunRequest, "scheduled">): Promise<ProvenCaller> {
    // Nobody asks for what is due, and no event can say that it is.
    if (asker.scheduled) return { startedBy: asker.requester };
    return provenCaller(asker, this.#context.settings, this.#context.identities);
  }

  /** Goes on with a run in the place of whoever asked for it. A promotion that no later try can make is given up. */
  async #goOnAlone(secret: Dispatched, run: Run): Promise<void> {
    try {
      await this.#progress.goOn(secret, run, { action: "rotate" });
    } catch (failure) {
      const isOver = failure instanceof RotationError && !failure.retryable && run.kind === "promotion";
      if (!isOver) throw failure;
      await this.#withdraw(secret, run, "never-current");
    }
  }

  /** Stops what follows the run, and has the state machine take it back. */
  async #rollback(secret: Dispatched, asker: Asker): Promise<DispatcherOutcome> {
    const { runs, log } = this.#context;
    const { startedBy: by, startedByIs = "as said" } = await this.#whoAsks(asker);
    log.info("calling back", { secret: secret.name, by, byIs: startedByIs });
    const open = await runs.open(secret.name);
    if (open === undefined) throw new RotationError("run-missing", `${secret.name} has no open run`);
    // It goes back to nothing: what it retires was left behind on purpose, or by a failure.
    if (open.kind === "retirement") throw underWay(open);
    if (isBeforeProof(open) || open.status === "withdrawing") {
      const standing = await this.#standingOf(open);
      if (standing === "to-start" || (standing === "under-way" && open.status === "starting")) {
        await this.#progress.start(secret, open);
      }
      if (isWithdrawable(secret, open, standing)) {
        // Whoever was about to make it current has died, or else what that call does is taken back below.
        if (open.status === "starting") await runs.retreat(open);
        const pending = leftPending(await this.#labels(secret.name));
        const outcome = await this.#withdraw(secret, open, "called-back", pending);
        if (outcome === "failed") throw wayBackClosed(open);
        const status = outcome === "rolled-back" ? outcome : "withdrawn";
        return { result: "under-way", run: viewOf(secret, { ...open, status }) };
      }
    }
    return this.#progress.start(secret, await runs.turnBack(open));
  }

  async #status(secret: Dispatched): Promise<DispatcherOutcome> {
    const { runs } = this.#context;
    const open = await runs.open(secret.name);
    const latest = await runs.latest(secret.name, SHOWN);
    const published = await this.#holdsPublished(secret);
    const unproven = await this.#unprovenIn(secret);
    return {
      result: "status",
      ...(unproven === undefined ? {} : { unproven }),
      ...(published === undefined ? {} : { published }),
      ...(open === undefined ? {} : { open: viewOf(secret, open) }),
      latest: latest.map((run) => viewOf(secret, run)),
    };
  }

  /**
   * `true` when the current value holds a published key that nobody uses yet, where keys are published beside what people
   * supply. They may not read it, so its function says.
   */
  async #holdsPublished(secret: Dispatched): Promise<boolean | undefined> {
    if (!secret.supplied || !secret.publishes) return undefined;
    const answer = await this.#context.functions.invoke(secret.function, {
      Look: "published",
      SecretId: secret.name,
    });
    return (answer as { readonly published?: boolean } | undefined)?.published ?? false;
  }

  /** Asked of KMS: the form of a label proves nothing. */
  async #unprovenIn({ name }: Dispatched): Promise<string | undefined> {
    const labels = await this.#labels(name);
    const current = labels.holderOf("AWSCURRENT");
    if (current === undefined) return undefined;
    const isProved = await this.#context.proofs.proves(
      labels.secretArn,
      current,
      labels.labelsOf(current) ?? [],
    );
    return isProved ? undefined : current;
  }

  async #labelMoved(secretName: string, versionId: string): Promise<DispatcherOutcome> {
    const secret = this.#secrets().find(({ name }) => name === secretName);
    if (secret === undefined) return { result: "nothing-to-do" };
    await this.#confirm(secretName);
    const run = await this.#context.runs.read(secretName, versionId);
    if (run === undefined || !isBeforeProof(run)) return { result: "nothing-to-do" };
    // A first value is current before it was tested, and so is what somebody has put by hand.
    if ((await this.#labels(secretName)).proofsOf(versionId).length === 0) return { result: "nothing-to-do" };
    return this.#progress.start(secret, run);
  }

  /**
   * Confirms a secret's current version. The next sweep repeats what fails here, so that no run waits for longer than
   * that.
   */
  async #confirm(secretName: string): Promise<void> {
    try {
      await this.#context.confirm?.(secretName);
    } catch (failure) {
      if (!(failure instanceof RotationError)) throw failure;
      this.#context.log.warn(failure.message, { secret: secretName, code: failure.code });
    }
  }

  /** Looks at every open run, whatever events were missed. */
  async #sweep(): Promise<DispatcherOutcome> {
    const { runs, clock, log } = this.#context;
    const count = { started: 0, ended: 0, freed: 0, failed: 0 };
    await this.#sweeps.over(this.#secrets(), async (secret) => {
      await this.#confirm(secret.name);
      try {
        const orphan = await runs.freeOrphan(secret.name);
        if (orphan !== undefined) {
          count.freed += 1;
          log.warn("lock of no run", { secret: secret.name, run: orphan });
        }
        const open = await runs.open(secret.name);
        if (open === undefined) {
          const latest = await runs.latest(secret.name, SHOWN);
          if ((await this.#retireLeft(secret, latest)) || (await this.#startDue(secret, latest)))
            count.started += 1;
          return;
        }
        const standing = await this.#standingOf(open);
        if (standing === "to-start") {
          await this.#progress.start(secret, open);
          count.started += 1;
        } else if (standing === "unproven" || (isWaiting(standing) && open.status === "starting")) {
          // Whoever was about to make its version current may have died: that call can be repeated.
          await this.#progress.takeSteps(
            secret,
            open,
            standing === "unproven" ? AFTER_VALUE : ["finishSecret"],
          );
          await this.#progress.start(secret, open);
          count.started += 1;
        } else if (goesOnAlone(secret, open, standing, clock.now())) {
          await this.#goOnAlone(secret, open);
          count.started += 1;
        } else if (standing === "over") {
          const isCalledBack = open.status === "withdrawing";
          const outcome = await this.#recordDeadRun(secret, open);
          count.ended += 1;
          // Its end is recorded; a call that fails pages.
          if (isCalledBack && outcome === "failed") throw wayBackClosed(open);
        }
      } catch (failure) {
        if (!(failure instanceof RotationError)) throw failure;
        count.failed += 1;
        log.error(failure.message, { secret: secret.name, code: failure.code });
      }
    });
    if (count.failed > 0) {
      throw new RotationError("throttled", `${count.failed} of the open runs could not be looked after`);
    }
    return { result: "swept", ...count };
  }

  /**
   * Starts the rotation that a secret's schedule has for now.
   *
   * @returns `false` when there is none, or when it has to wait: for the overlap of the one before, for a Vault
   */
  async #startDue(secret: Dispatched, latest: readonly Run[]): Promise<boolean> {
    const { clock, log } = this.#context;
    if (secret.schedule === undefined || !isWithinWindow(secret.schedule, clock.now())) return false;
    const { last, isServed } = lastRotation(await this.#context.store.describe(secret.name), latest);
    // The first value is bootstrap's, in the order in which secrets need each other.
    if (!isServed || !isRotationDue(secret.schedule, last, clock.now())) return false;
    try {
      await this.#begin({
        action: "rotate",
        key: secret.key,
        requester: BY_SCHEDULE,
        emergency: false,
        scheduled: true,
      });
      return true;
    } catch (failure) {
      if (!isTooEarly(failure)) throw failure;
      log.info("rotation on schedule has to wait", { secret: secret.name, code: failure.code });
      return false;
    }
  }

  async #standingOf(run: Run): Promise<Standing> {
    const { executions, clock } = this.#context;
    if (isGivenUp(run)) return "over";
    const secret = this.#secrets().find(({ name }) => name === run.secret);
    const state = secret && (await executions.state(executionName(secret, run)));
    const execution = state === undefined || state === "running" ? state : "ended";
    const labels = execution === undefined ? await this.#labels(run.secret) : NO_LABELS;
    return standingOf(run, { execution, labels, now: clock.now() });
  }

  /** Begins the run that retires what the latest run has left. */
  async #retireLeft(secret: Dispatched, latest: readonly Run[]): Promise<boolean> {
    const { runs, clock, log } = this.#context;
    if (latest[0] === undefined) return false;
    const run = retirementOf(await this.#labels(secret.name), latest, clock.now());
    if (run === undefined) return false;
    log.warn("what a run has left is retired", { secret: secret.name, version: run.oldVersion });
    await this.#progress.start(secret, await runs.begin(run, clock.now()));
    return true;
  }

  /** Has a dead run recorded, which lets go of the secret. Gives how it ended. */
  async #recordDeadRun(secret: Dispatched, run: Run): Promise<RunOutcome> {
    if (run.status === "withdrawing") return this.#withdraw(secret, run, "called-back");
    this.#context.log.warn("run is dead", { secret: run.secret, run: run.run, status: run.status });
    const isForgotten = run.status === "rotating" && run.kind !== "promotion" && run.kind !== "retirement";
    if (isForgotten) return this.#withdraw(secret, run, "never-current");
    return this.#record(run, "failed", isBeforeProof(run) ? "never-current" : "execution-ended");
  }

  /** Gives up a run whose version nobody was served. */
  #withdraw(secret: Dispatched, run: Run, code: WithdrawalCode, also?: string): Promise<RunOutcome> {
    return withdraw({ run, code, also }, { ...this.#context, ...this.#recorder, rotator: secret.function });
  }

  #record(run: Run, outcome: RunOutcome, code: string): Promise<RunOutcome> {
    return recordEnd(run, { outcome, code }, { ...this.#context, ...this.#recorder });
  }

  get #recorder(): { readonly recorder: string } {
    const { registry, environment } = this.#context.settings;
    return { recorder: procedureFunctionName(registry, environment, "recorder") };
  }

  async #labels(secretName: string): Promise<Versions> {
    return new Versions(await this.#context.store.describe(secretName));
  }

  #secret(key: string): Dispatched {
    const found = this.#secrets().find((secret) => secret.key === key);
    if (found === undefined) {
      throw new RotationError(
        "secret-not-ours",
        `${this.#context.settings.environment} has no ${key} in AWS`,
      );
    }
    return found;
  }

  #secrets(): readonly Dispatched[] {
    return Object.entries(this.#context.settings.secrets).map(([name, secret]) => ({ ...secret, name }));
  }
}
