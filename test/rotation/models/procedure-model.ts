import type { LoadedRun, RecorderEvent } from "../../../lib/contracts/procedure-events";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { ModelExecution } from "./executions-model";

/** What an execution needs of its world. */
export interface ProcedureWorld {
  now(): number;
  /** Asks the dispatcher what an execution may do. */
  load(execution: ModelExecution): Promise<LoadedRun>;
  isConfirmed(versionId: string): Promise<boolean>;
  /** A phase of the secret's function. */
  phase(phase: "verify" | "rollback" | "decommission", versionId: string, run: LoadedRun): Promise<string>;
  /** Health checks and approvers; `false`: they refuse. */
  vouches(): boolean;
  record(event: Pick<RecorderEvent, "Run" | "Outcome">): Promise<void>;
}

const MINUTE = 60_000;
const RETRY = 30 * MINUTE;

/**
 * What the state machine does (`lib/blueprint/procedure/state-machine.ts`), one step at a time: confirmed, proved, overlap, proved,
 * decommissioned, recorded; until the decommission whatever fails leads back. Its own tests run the definition itself.
 */
export class ProcedureModel {
  #run: LoadedRun | undefined;
  #state: "begin" | "confirm" | "prove" | "decommission" | "rollback" = "begin";
  #overlapped = false;
  #until = 0;
  #tries = 0;

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
        if (this.#tries > (run.emergency ? 1 : 48)) return this.#go(run.emergency ? "prove" : "rollback");
        return this.#wait(RETRY);
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
      return this.#failed(failure, 5, "rollback");
    }
    if (!this.world.vouches()) return this.#go("rollback");
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
      if (phase === "rollback" && result === "nothing-to-do") return this.#end("failed");
      return this.#end(phase === "decommission" && result === "nothing-to-do" ? "replaced" : outcome);
    } catch (failure) {
      return this.#failed(failure, tries, "failed");
    }
  }

  async #failed(failure: unknown, tries: number, otherwise: "rollback" | "failed"): Promise<boolean> {
    const passes = !(failure instanceof RotationError) || failure.retryable;
    this.#tries += 1;
    if (passes && this.#tries < tries) return this.#wait(RETRY);
    return otherwise === "failed" ? this.#end("failed") : this.#go(otherwise);
  }

  #go(state: "confirm" | "prove" | "decommission" | "rollback"): true {
    this.#state = state;
    this.#tries = 0;
    return true;
  }

  #wait(milliseconds: number): false {
    this.#until = this.world.now() + milliseconds;
    return false;
  }

  async #end(Outcome: RecorderEvent["Outcome"]): Promise<boolean> {
    try {
      await this.world.record({ Run: this.execution.input.run, Outcome });
    } catch (failure) {
      // Turned back meanwhile: the dispatcher has stopped this one.
      if (!(failure instanceof RotationError)) throw failure;
    }
    this.execution.running = false;
    return false;
  }
}
