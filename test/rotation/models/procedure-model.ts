import type { LoadedRun, PhaseResult, RecorderEvent } from "../../../lib/contracts/procedure-events";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { ModelExecution } from "./executions-model";

/** Ports of an execution. */
export interface ProcedureWorld {
  now(): number;
  /** Asks the dispatcher what an execution may do. */
  load(execution: ModelExecution): Promise<LoadedRun>;
  isConfirmed(versionId: string): Promise<boolean>;
  /** A phase of the secret's function. */
  phase(phase: "verify" | "rollback" | "decommission", versionId: string, run: LoadedRun): Promise<string>;
  /** Health checks and approvers; `false`: they refuse. */
  vouches(): boolean;
  record(event: RecorderEvent): Promise<void>;
}

const MINUTE = 60_000;
const RETRY = 30 * MINUTE;

/** States of the definition in which a phase fails. */
const STATES = {
  verify: "Verify",
  approve: "Approve",
  decommission: "Decommission",
  rollback: "Rollback",
} as const satisfies Readonly<Record<PhaseResult["phase"], string>>;

/**
 * Model of the state machine (`lib/blueprint/procedure/state-machine.ts`), one step at a time: confirmed, proved,
 * overlap, proved, decommissioned, recorded; until the decommission whatever fails leads back. Its own tests run the
 * definition itself.
 */
export class ProcedureModel {
  #run: LoadedRun | undefined;
  #state: "begin" | "confirm" | "prove" | "decommission" | "rollback" = "begin";
  #overlapped = false;
  #until = 0;
  #tries = 0;
  #since = 0;
  #fault: RecorderEvent["Fault"] = null;
  readonly #phases: PhaseResult[] = [];

  constructor(
    readonly execution: ModelExecution,
    private readonly world: ProcedureWorld,
  ) {}

  /** Goes on until it waits. */
  async step(): Promise<void> {
    while (this.execution.running && this.world.now() >= this.#until) {
      this.#run ??= await this.#load();
      if (this.#run === undefined || !(await this.#next(this.#run))) return;
    }
  }

  /** `undefined`: it is refused, and ends without a record (`NoRun`). */
  async #load(): Promise<LoadedRun | undefined> {
    try {
      return await this.world.load(this.execution);
    } catch (failure) {
      if (!(failure instanceof RotationError)) throw failure;
      this.execution.running = false;
      return undefined;
    }
  }

  /** `false`: it waits. */
  async #next(run: LoadedRun): Promise<boolean> {
    switch (this.#state) {
      case "begin":
        return this.#go(run.back ? "rollback" : "confirm");
      case "confirm":
        if (await this.world.isConfirmed(run.newVersion)) return this.#go("prove");
        // A day, or in an emergency half an hour.
        this.#tries += 1;
        if (this.#tries <= (run.emergency ? 1 : 48)) return this.#wait(RETRY);
        if (run.emergency) return this.#go("prove");
        this.#fault = { state: "Confirmed", code: "not-confirmed" };
        return this.#go("rollback");
      case "prove":
        return this.#prove(run);
      case "decommission":
        return this.#attempt("decommission", run.oldVersion ?? "", run, 24, "decommissioned");
      case "rollback":
        if (run.kind === "retirement") return this.#end("failed");
        return this.#attempt("rollback", run.newVersion, run, 12, "rolled-back");
    }
  }

  async #prove(run: LoadedRun): Promise<boolean> {
    try {
      await this.world.phase("verify", run.newVersion, run);
    } catch (failure) {
      return this.#failed("verify", failure, 5, "rollback");
    }
    if (!this.world.vouches()) {
      this.#went("verify", { state: "Check", code: "CheckFailed" });
      return this.#go("rollback");
    }
    this.#went("verify");
    if (run.kind === "publication") return this.#end("published");
    if (run.oldVersion === undefined) return this.#end("replaced");
    if (this.#overlapped || run.emergency) return this.#go("decommission");
    this.#overlapped = true;
    return this.#wait(run.overlapSeconds * 1_000);
  }

  async #attempt(
    phase: "rollback" | "decommission",
    version: string,
    run: LoadedRun,
    tries: number,
    outcome: RecorderEvent["Outcome"],
  ): Promise<boolean> {
    try {
      const result = await this.world.phase(phase, version, run);
      this.#went(phase);
      if (phase === "rollback" && result === "nothing-to-do") return this.#end("failed");
      return this.#end(phase === "decommission" && result === "nothing-to-do" ? "replaced" : outcome);
    } catch (failure) {
      return this.#failed(phase, failure, tries, "failed");
    }
  }

  async #failed(
    phase: PhaseResult["phase"],
    failure: unknown,
    tries: number,
    otherwise: "rollback" | "failed",
  ): Promise<boolean> {
    const passes = !(failure instanceof RotationError) || failure.retryable;
    this.#tries += 1;
    if (passes && this.#tries < tries) return this.#wait(RETRY);
    // A process that died has no code: `States.TaskFailed`, cut to its last word.
    this.#went(phase, {
      state: STATES[phase],
      code: failure instanceof RotationError ? failure.code : "TaskFailed",
    });
    return otherwise === "failed" ? this.#end("failed") : this.#go(otherwise);
  }

  /** Notes a phase that has come to its end. */
  #went(phase: PhaseResult["phase"], fault?: NonNullable<RecorderEvent["Fault"]>): void {
    this.#phases.push({
      phase,
      startedAt: new Date(this.#since).toISOString(),
      endedAt: new Date(this.world.now()).toISOString(),
      outcome: fault === undefined ? "done" : "failed",
      ...(fault === undefined ? {} : { fault: fault.code }),
    });
    if (fault !== undefined) this.#fault = fault;
  }

  #go(state: "confirm" | "prove" | "decommission" | "rollback"): true {
    this.#state = state;
    this.#tries = 0;
    this.#since = this.world.now();
    return true;
  }

  #wait(milliseconds: number): false {
    this.#until = this.world.now() + milliseconds;
    return false;
  }

  async #end(Outcome: RecorderEvent["Outcome"]): Promise<boolean> {
    try {
      const { secret: Secret, run: Run } = this.execution.input;
      await this.world.record({ Secret, Run, Outcome, Phases: this.#phases, Checks: [], Fault: this.#fault });
    } catch (failure) {
      // Turned back meanwhile: the dispatcher has stopped this one. Whatever else the recorder refuses is a fault.
      if (!(failure instanceof RotationError && failure.code === "run-turned-back")) throw failure;
    }
    this.execution.running = false;
    return false;
  }
}
