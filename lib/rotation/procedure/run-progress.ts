import type { RunAnswer } from "../../contracts/dispatcher-answer";
import { hasEnded, type Run } from "../../contracts/run";
import { Versions } from "../machine/versions";
import { STEPS, type Step } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";
import { type Dispatched, type DispatcherContext, viewOf } from "./dispatched";
import type { RunRequest } from "./dispatcher-event";
import { executionName } from "./loaded-run";
import { isBeforeProof } from "./run-standing";

/** Steps that follow when a version has its value. */
export const AFTER_VALUE: readonly Step[] = ["setSecret", "testSecret", "finishSecret"];

/** Brings runs on: through their steps, and to the state machine once. Every call can be made again. */
export class RunProgress {
  readonly #context: Pick<
    DispatcherContext,
    "runs" | "store" | "rotations" | "functions" | "executions" | "log"
  >;

  constructor(context: DispatcherContext) {
    this.#context = context;
  }

  /** Brings a run as far as the dispatcher can. */
  async goOn(secret: Dispatched, run: Run, { action }: Pick<RunRequest, "action">): Promise<RunAnswer> {
    if (run.direction === "back") return this.start(secret, run);
    if (!isBeforeProof(run)) return { result: "under-way", run: viewOf(secret, run) };
    if (action === "stage") {
      await this.takeSteps(secret, run, ["createSecret"]);
      return { result: "under-way", run: viewOf(secret, run) };
    }
    if (run.kind === "promotion") await this.#promote(secret, run);
    else if (secret.rotation !== "automatic") await this.takeSteps(secret, run, STEPS);
    else {
      const labels = new Versions(await this.#context.store.describe(secret.name));
      if (!labels.has(run.newVersion, "AWSCURRENT")) {
        // AWSCURRENT's event brings the run here again.
        await this.#context.rotations.start(secret.name, run.newVersion);
        return { result: "under-way", run: viewOf(secret, run) };
      }
      if (labels.proofsOf(run.newVersion).length === 0) await this.takeSteps(secret, run, AFTER_VALUE);
    }
    return this.start(secret, run);
  }

  /** Steps, as Secrets Manager would ask for them. */
  async takeSteps(secret: Dispatched, run: Run, steps: readonly Step[]): Promise<void> {
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
    if (new Versions(await this.#context.store.describe(secret.name)).has(run.newVersion, "AWSCURRENT"))
      return;
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

  /** Hands a run on to the execution that follows it. */
  async start(secret: Dispatched, run: Run): Promise<RunAnswer> {
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
}
