import type { DispatchedSecret, DispatcherSettings } from "../../contracts/function-settings";
import type { LoadedRun, RunKind, RunOutcome } from "../../contracts/procedure-events";
import { BY_SCHEDULE, hasEnded, type NewRun, promotionRun, type Run } from "../../contracts/run";
import { procedureFunctionName } from "../../model/names";
import { derivedVersionId } from "../machine/derived-version";
import { Versions } from "../machine/versions";
import { STEPS, type Step } from "../protocol/event";
import type { Clock, Logbook, ProofChecks, Publications, SecretStore } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import { enforceWait, isTooEarly } from "../protocol/waiting-law";
import type { CallerIdentities } from "./caller-identity";
import type { DispatcherRequest, RunRequest } from "./dispatcher-event";
import { isRotationDue, isWithinWindow } from "./due-rotations";
import { clearingRun, leftPending, retirementOf, underWay } from "./leftovers";
import { executionName, loadedRun } from "./loaded-run";
import type { Executions, Functions, ScheduledRotations } from "./procedure-ports";
import { type Asker, type ProvenCaller, provenCaller } from "./proven-caller";
import type { RunTable } from "./run-table";
import { record, type WithdrawalCode, withdraw } from "./withdrawal";

/** What the dispatcher works with. */
export interface DispatcherContext {
  readonly settings: DispatcherSettings;
  readonly runs: RunTable;
  readonly store: Pick<SecretStore, "describe">;
  readonly publications: Pick<Publications, "confirmedAt">;
  /** Confirms a secret's current version, once it is proved and every region has it. @default the mirror confirms */
  readonly confirm?: ((secretName: string) => Promise<void>) | undefined;
  readonly proofs: ProofChecks;
  readonly rotations: ScheduledRotations;
  readonly functions: Functions;
  readonly identities: CallerIdentities;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly log: Logbook;
  /** A version id that no secret has. */
  readonly newVersion: () => string;
}

/** A run as people are shown it. */
export interface RunView {
  readonly secret: string;
  readonly run: string;
  readonly kind: RunKind;
  readonly status: Run["status"];
  readonly direction: Run["direction"];
  readonly newVersion: string;
  readonly oldVersion?: string | undefined;
  readonly startedAt: string;
  readonly startedBy: string;
  readonly startedByIs?: "proven" | undefined;
  readonly change?: NewRun["change"];
  readonly emergency?: boolean | undefined;
  readonly endedAt?: string | undefined;
  /** Name of the execution that follows it. */
  readonly execution: string;
  /** A version that was AWSPENDING without a run when this one began: it became this run's own, or was given up. */
  readonly leftover?: { readonly version: string; readonly became: "adopted" | "cleared" } | undefined;
}

/** What a call came to: the run that it was about, or those that it looked at. */
export type DispatcherOutcome =
  | { readonly result: "under-way"; readonly run: RunView }
  | { readonly result: "nothing-to-do" }
  | ({ readonly result: "loaded" } & LoadedRun)
  | {
      readonly result: "status";
      readonly open?: RunView;
      readonly latest: readonly RunView[];
      readonly published?: boolean;
      /** The version under AWSCURRENT, when nothing proves that it has passed its test. */
      readonly unproven?: string;
    }
  | {
      readonly result: "swept";
      readonly started: number;
      readonly ended: number;
      /** Locks that belonged to no run. */
      readonly freed: number;
      readonly failed: number;
    };

/** More runs are not shown. */
const SHOWN = 10;
/**
 * A run whose version has no label yet may be in the middle of getting one. No function lives longer than 15 minutes,
 * so after this time nobody will give it one.
 */
const UNLABELLED_FOR_MS = 3_600_000;

/** What follows when a version has its value. */
const AFTER_VALUE: readonly Step[] = ["setSecret", "testSecret", "finishSecret"];

/**
 * `waiting`: its version is not current yet, or not tested, and somebody has to bring it there. `unproven`: it is current,
 * and nobody has tested it for so long that nobody will. `over`: nothing will bring the run to its end: its execution has
 * ended without doing so, or its version never got a label. Only then may another run have the secret.
 */
type Standing = "waiting" | "unproven" | "under-way" | "to-start" | "over";

interface Dispatched extends DispatchedSecret {
  readonly name: string;
}

/**
 * Begins runs, brings each to the state machine once, and takes the secret from runs that are dead. Every call may die
 * anywhere and be made again: what was begun is found in the table and goes on.
 */
export class Dispatcher {
  readonly #context: DispatcherContext;

  constructor(context: DispatcherContext) {
    this.#context = context;
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
      case "label-moved":
        return this.#labelMoved(request.secretName, request.versionId);
      case "load":
        return { result: "loaded", ...(await loadedRun(request, this.#context)) };
      case "confirm": {
        for (const { name } of this.#secrets()) {
          if (request.secretName === undefined || request.secretName === name) await this.#confirm(name);
        }
        return { result: "nothing-to-do" };
      }
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
    const isLeft = open !== undefined && standing === "waiting" && isBetterValue(secret, open, request);
    const isLeaked = open !== undefined && request.emergency && !open.emergency;
    if (open !== undefined && standing === "over") await this.#bury(secret, open);
    else if (open !== undefined && !isLeft && !isLeaked) {
      if (!this.#isAskedFor(open, request)) throw underWay(open);
      return this.#goOn(secret, open, request);
    }
    const run = await this.#newRun(secret, request, asker);
    if (isLeft) await this.#withdraw(secret, open, "value-replaced");
    else if (isLeaked && standing !== "over") await this.#supersede(secret, open, standing);
    const leftover = await this.#takeUpPending(secret, run, request);
    const begun = await this.#context.runs.begin(run, this.#context.clock.now());
    const outcome = await this.#goOn(secret, begun, request);
    if (leftover === undefined || outcome.result !== "under-way") return outcome;
    return { ...outcome, run: { ...outcome.run, leftover } };
  }

  /** Takes the secret from an open run: what has leaked does not wait for its end. */
  async #supersede(secret: Dispatched, open: Run, standing: Standing | undefined): Promise<RunOutcome> {
    const { runs, executions } = this.#context;
    if (isBeforeProof(open) && standing === "waiting") {
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

  /**
   * Whether an open run is the one that a command asks for, so that the command goes on with it. A command that names no
   * version asks for its change request's run; one that Secrets Manager's schedule began is nobody's.
   */
  #isAskedFor(open: Run, { action, versionId, change }: RunRequest): boolean {
    if (open.kind === "retirement") return false;
    if ((open.kind === "promotion") !== (action === "promote")) return false;
    if (versionId !== undefined)
      return versionId === (action === "promote" ? open.oldVersion : open.newVersion);
    return this.#context.settings.changeRequest === "none" || open.change?.digest === change;
  }

  /** Everything that can be refused is refused here, before anything has changed. */
  async #newRun(secret: Dispatched, request: RunRequest, asker: ProvenCaller): Promise<NewRun> {
    const labels = await this.#labels(secret.name);
    const current = labels.standing;
    const run =
      request.action === "promote"
        ? await this.#promotionOf(secret, request.versionId ?? current, labels)
        : await this.#rotationOf(secret, request, labels);
    const before = await this.#context.runs.read(run.secret, run.run);
    if (before !== undefined && hasEnded(before)) {
      throw new RotationError("run-ended", `run ${run.run} of ${run.secret} is ${before.status}`);
    }
    const change = await this.#approvedChange(secret, request);
    // Where no version was ever verified, no value was ever served: there is nobody to wait for.
    if (labels.isServed && current !== undefined && !request.emergency) {
      await this.#enforceWait(secret, request, current);
    }
    return {
      ...run,
      ...asker,
      ...(change === undefined ? {} : { change }),
      ...(request.emergency ? { emergency: true } : {}),
    };
  }

  /** The first promotion of a published version, or another one after the way back from it. */
  async #promotionOf(
    secret: Dispatched,
    published: string | undefined,
    labels: Versions,
  ): Promise<Omit<NewRun, "startedBy" | "change">> {
    for (let attempt = 1; ; attempt += 1) {
      const run = promotionOf(secret, published, attempt);
      const before = await this.#context.runs.read(run.secret, run.run);
      const isBack = published !== undefined && labels.has(published, "AWSCURRENT");
      if (before === undefined || !hasEnded(before) || !isBack) return run;
    }
  }

  async #rotationOf(
    secret: Dispatched,
    { action, versionId, emergency }: RunRequest,
    labels: Versions,
  ): Promise<Omit<NewRun, "startedBy" | "change">> {
    const isByPeople = secret.rotation === "operator-assisted" && action === "rotate";
    const waiting = isByPeople ? labels.holderOf("AWSPENDING") : undefined;
    // What was made before a leak was known may hold what has leaked.
    const adopted =
      secret.rotation === "automatic" && !emergency ? await this.#adopted(secret, labels) : undefined;
    const version = versionId ?? waiting ?? adopted ?? this.#context.newVersion();
    // What people supply lies in an inbox, under the version that they name; what rules made, under AWSPENDING.
    const isThere = waiting !== undefined || labels.has(version, "AWSCURRENT");
    if (isByPeople && !isThere && !(secret.supplied && versionId !== undefined)) {
      throw new RotationError("operator-needed", `${secret.name} has no value that waits to be rotated in`);
    }
    // What somebody has put past every test, createSecret takes back.
    const current = labels.standing;
    return {
      secret: secret.name,
      run: version,
      // In an emergency nothing is published first: every key is another one, and is used at once.
      kind: secret.rotation === "manual-dual-publish" && !emergency ? "publication" : "rotation",
      newVersion: version,
      // A secret's first value is current at once, and has nothing before it that was ever served.
      ...(labels.isServed && current !== undefined && current !== version ? { oldVersion: current } : {}),
    };
  }

  /**
   * A pending version that a schedule was refused with, before it had a run: Secrets Manager goes on with it and with no
   * other, so the run is about that one.
   */
  async #adopted(secret: Dispatched, labels: Versions): Promise<string | undefined> {
    const { runs, log } = this.#context;
    const pending = leftPending(labels);
    if (pending === undefined || (await runs.read(secret.name, pending)) !== undefined) return undefined;
    log.warn("pending version of no run is adopted", { secret: secret.name, version: pending });
    return pending;
  }

  /** The change request by which a run begins; `undefined`: none, and none is needed. */
  async #approvedChange(secret: Dispatched, request: RunRequest): Promise<NewRun["change"]> {
    const { settings, runs, clock } = this.#context;
    const isRequired = settings.changeRequest === "required" && !request.scheduled;
    if (request.change === undefined) {
      if (isRequired)
        throw new RotationError("change-missing", `${settings.environment} takes no other change`);
      return undefined;
    }
    const change = await runs.approved(request.change);
    if (change === undefined) {
      // Where nothing needs an approval, a file is no proof of one.
      if (!isRequired) return undefined;
      throw new RotationError("change-not-approved", `nobody has vouched for ${request.change}`);
    }
    if (change.key !== secret.key) {
      throw new RotationError(
        "change-not-approved",
        `${change.id} is for ${change.key}, not for ${secret.key}`,
      );
    }
    const today = clock.now().toISOString().slice(0, 10);
    if (today < change.from || today > change.until) {
      throw new RotationError("change-not-open", `${change.id}: from ${change.from} to ${change.until}`);
    }
    return { id: change.id, digest: change.digest, requester: change.requester };
  }

  async #whoAsks(asker: Asker & Pick<RunRequest, "scheduled">): Promise<ProvenCaller> {
    // Nobody asks for what is due, and no event can say that it is.
    if (asker.scheduled) return { startedBy: asker.requester };
    return provenCaller(asker, this.#context.settings, this.#context.identities);
  }

  async #enforceWait(secret: Dispatched, { action }: RunRequest, current: string): Promise<void> {
    const { publications, clock } = this.#context;
    const waits = {
      overlap: { seconds: secret.overlapSeconds },
      publishLead: { seconds: secret.publishLeadSeconds },
    };
    await enforceWait(
      action === "promote" ? action : "rotate",
      waits,
      secret.name,
      current,
      publications,
      clock.now(),
    );
  }

  /** Brings a run as far as the dispatcher can. */
  async #goOn(
    secret: Dispatched,
    run: Run,
    { action }: Pick<RunRequest, "action">,
  ): Promise<DispatcherOutcome> {
    if (run.direction === "back") return this.#start(secret, run);
    if (!isBeforeProof(run)) return { result: "under-way", run: viewOf(secret, run) };
    if (action === "stage") {
      await this.#takeSteps(secret, run, ["createSecret"]);
      return { result: "under-way", run: viewOf(secret, run) };
    }
    if (run.kind === "promotion") await this.#promote(secret, run);
    else if (secret.rotation !== "automatic") await this.#takeSteps(secret, run, STEPS);
    else {
      const labels = await this.#labels(secret.name);
      if (!labels.has(run.newVersion, "AWSCURRENT")) {
        // AWSCURRENT's event brings the run here again.
        await this.#context.rotations.start(secret.name, run.newVersion);
        return { result: "under-way", run: viewOf(secret, run) };
      }
      if (labels.proofsOf(run.newVersion).length === 0) await this.#takeSteps(secret, run, AFTER_VALUE);
    }
    return this.#start(secret, run);
  }

  /** Goes on with a run in the place of whoever asked for it. A promotion that no later try can make is given up. */
  async #goOnAlone(secret: Dispatched, run: Run): Promise<void> {
    try {
      await this.#goOn(secret, run, { action: "rotate" });
    } catch (failure) {
      const isOver = failure instanceof RotationError && !failure.retryable && run.kind === "promotion";
      if (!isOver) throw failure;
      await this.#withdraw(secret, run, "never-current");
    }
  }

  /** Steps, as Secrets Manager would ask for them. */
  async #takeSteps(secret: Dispatched, run: Run, steps: readonly Step[]): Promise<void> {
    for (const Step of steps) {
      // It moves AWSCURRENT, so nobody may withdraw the run meanwhile.
      if (Step === "finishSecret") await this.#claim(run);
      try {
        await this.#context.functions.invoke(secret.function, {
          Step,
          SecretId: secret.name,
          ClientRequestToken: run.newVersion,
        });
      } catch (failure) {
        if (Step === "finishSecret") await this.#retreat(secret, run);
        throw failure;
      }
    }
  }

  /**
   * From here on nobody withdraws the run.
   *
   * @throws RotationError `run-ended` for one that is over, or was withdrawn by somebody else
   */
  async #claim(run: Run): Promise<void> {
    await this.#context.runs.advance(run, "starting");
    const now = await this.#context.runs.read(run.secret, run.run);
    // What is about to be recorded as ended stays where it was.
    const isStuck = now?.status === "rotating" && now.endedAt !== undefined;
    if (now !== undefined && !hasEnded(now) && now.status !== "withdrawing" && !isStuck) return;
    throw new RotationError("run-ended", `run ${run.run} of ${run.secret} is ${now?.status ?? "gone"}`);
  }

  /** A version that could not be made current can be given up again. */
  async #retreat(secret: Dispatched, run: Run): Promise<void> {
    if ((await this.#labels(secret.name)).has(run.newVersion, "AWSCURRENT")) return;
    await this.#context.runs.retreat(run);
  }

  async #promote(secret: Dispatched, run: Run): Promise<void> {
    await this.#context.functions.invoke(secret.function, {
      Phase: "promote",
      SecretId: secret.name,
      VersionId: run.oldVersion,
      RunId: run.run,
    });
  }

  async #start(secret: Dispatched, run: Run): Promise<DispatcherOutcome> {
    const { executions, runs, log } = this.#context;
    if (run.direction === "forward") await this.#claim(run);
    // Whoever turned the run back may have died before this.
    else await executions.stop(executionName(secret, { ...run, direction: "forward" }));
    await executions.start(executionName(secret, run), { secret: run.secret, run: run.run });
    await runs.advance(run, "proving");
    log.info("run handed on", { secret: run.secret, run: run.run, direction: run.direction });
    const status = run.status === "awaiting-approval" ? run.status : "proving";
    return { result: "under-way", run: viewOf(secret, { ...run, status }) };
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
        await this.#start(secret, open);
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
    return this.#start(secret, await runs.turnBack(open));
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
   * Whether the current value holds a published key that nobody uses yet, where keys are published beside what people
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
    return this.#start(secret, run);
  }

  /** What fails here is done again by the next sweep, and keeps no run waiting for longer than that. */
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
    for (const secret of this.#secrets()) {
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
          continue;
        }
        const standing = await this.#standingOf(open);
        if (standing === "to-start") {
          await this.#start(secret, open);
          count.started += 1;
        } else if (standing === "unproven" || (standing === "waiting" && open.status === "starting")) {
          // Whoever was about to make its version current may have died: that call can be repeated.
          await this.#takeSteps(secret, open, standing === "unproven" ? AFTER_VALUE : ["finishSecret"]);
          await this.#start(secret, open);
          count.started += 1;
        } else if (standing === "waiting" && goesOnAlone(secret, open, clock.now())) {
          await this.#goOnAlone(secret, open);
          count.started += 1;
        } else if (standing === "over") {
          const isCalledBack = open.status === "withdrawing";
          const outcome = await this.#bury(secret, open);
          count.ended += 1;
          // Its end is recorded; a call that fails pages.
          if (isCalledBack && outcome === "failed") throw wayBackClosed(open);
        }
      } catch (failure) {
        if (!(failure instanceof RotationError)) throw failure;
        count.failed += 1;
        log.error(failure.message, { secret: secret.name, code: failure.code });
      }
    }
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
    const { last, isServed } = await this.#lastRotation(secret, latest);
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

  /** By a run that was not withdrawn, or by Secrets Manager: a first value has no run. */
  async #lastRotation(
    { name }: Dispatched,
    latest: readonly Run[],
  ): Promise<{ readonly last: Date | undefined; readonly isServed: boolean }> {
    const run = latest.find(
      ({ kind, status }) => kind !== "promotion" && kind !== "retirement" && status !== "withdrawn",
    );
    const description = await this.#context.store.describe(name);
    const known = [run?.startedAt, description.lastRotatedAt].flatMap((date) => date ?? []);
    return {
      last: known.length === 0 ? undefined : new Date(Math.max(...known.map((date) => date.getTime()))),
      isServed: new Versions(description).isServed,
    };
  }

  async #standingOf(run: Run): Promise<Standing> {
    const { executions, clock } = this.#context;
    const secret = this.#secrets().find(({ name }) => name === run.secret);
    // Whoever withdrew it, or began it only to do so, may have died before that was recorded.
    if (run.status === "withdrawing" || run.run === clearingRun(run.newVersion)) return "over";
    const state = secret && (await executions.state(executionName(secret, run)));
    if (state !== undefined) return state === "running" ? "under-way" : "over";
    if (run.direction === "back") return "to-start";
    const labels = await this.#labels(run.secret);
    const isOld = clock.now().getTime() - run.startedAt.getTime() > UNLABELLED_FOR_MS;
    if (labels.has(run.newVersion, "AWSCURRENT")) {
      if (labels.proofsOf(run.newVersion).length > 0) return "to-start";
      return isOld ? "unproven" : "waiting";
    }
    if (labels.has(run.newVersion, "AWSPENDING")) return "waiting";
    return isOld ? "over" : "waiting";
  }

  /** Begins the run that retires what the latest run has left. */
  async #retireLeft(secret: Dispatched, latest: readonly Run[]): Promise<boolean> {
    const { runs, clock, log } = this.#context;
    if (latest[0] === undefined) return false;
    const run = retirementOf(await this.#labels(secret.name), latest, clock.now());
    if (run === undefined) return false;
    log.warn("what a run has left is retired", { secret: secret.name, version: run.oldVersion });
    await this.#start(secret, await runs.begin(run, clock.now()));
    return true;
  }

  /** Has a dead run recorded, which lets go of the secret. Gives how it ended. */
  async #bury(secret: Dispatched, run: Run): Promise<RunOutcome> {
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
    return record(run, { outcome, code }, { ...this.#context, ...this.#recorder });
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

const wayBackClosed = ({ run, secret, newVersion }: Run): RotationError =>
  new RotationError("way-back-closed", `run ${run} of ${secret} has ended with version ${newVersion} in use`);

/** Whether nothing follows a run yet. */
const isBeforeProof = ({ status }: Run): boolean => status === "rotating" || status === "starting";

/** Secrets Manager tries the steps of a rotation several times by itself. */
const LEFT_ALONE_FOR_MS = 3_600_000;

/**
 * Whether a sweep goes on with a run in the place of whoever asked for it. What has leaked waits for nobody, and a promotion
 * is one call, whose caller may have died. Secrets Manager gives a rotation up until its next schedule, and what was made
 * for it would live that long.
 */
function goesOnAlone({ rotation }: Dispatched, run: Run, now: Date): boolean {
  if (run.emergency === true || run.kind === "promotion") return true;
  return rotation === "automatic" && now.getTime() - run.startedAt.getTime() > LEFT_ALONE_FOR_MS;
}

/**
 * Whether a run can be given up. Secrets Manager goes on by itself with what it has begun, so there it is too early; and a
 * promotion is one call, which may be under way.
 */
function isWithdrawable({ rotation }: Dispatched, run: Run, standing: string): boolean {
  if (run.status === "withdrawing") return true;
  if (!isBeforeProof(run) || run.kind === "promotion") return false;
  return standing === "over" || (standing === "waiting" && rotation !== "automatic");
}

/** Whether an operator supplies another value, by the same change request, in the place of one that was refused. */
function isBetterValue(secret: Dispatched, open: Run, { action, versionId, change }: RunRequest): boolean {
  const isAnother = action === "rotate" && versionId !== undefined && versionId !== open.newVersion;
  const isSame = open.change === undefined || open.change.digest === change;
  const isWaiting = open.kind === "rotation" && open.status === "rotating";
  return isAnother && isSame && isWaiting && secret.rotation === "operator-assisted";
}

function promotionOf(
  secret: Dispatched,
  published: string | undefined,
  attempt: number,
): Omit<NewRun, "startedBy" | "change"> {
  if (!secret.publishes || published === undefined) {
    throw new RotationError("nothing-published", `${secret.name} has no published value`);
  }
  const run = promotionRun(published, attempt);
  return {
    secret: secret.name,
    run,
    kind: "promotion",
    newVersion: derivedVersionId({ runId: run, phase: "promote", versionId: published }),
    oldVersion: published,
  };
}

const viewOf = (secret: Dispatched, { startedAt, endedAt, ...run }: Run): RunView => ({
  ...run,
  startedAt: startedAt.toISOString(),
  ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
  execution: executionName(secret, run),
});
