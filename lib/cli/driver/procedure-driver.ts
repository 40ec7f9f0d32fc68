import type * as z from "zod/mini";
import type { ProcedurePlan } from "../../blueprint";
import { proofBinding } from "../../contracts/caller-proof";
import {
  type RunAnswer,
  type RunView,
  runAnswer,
  type SecretRuns,
  statusAnswer,
  viewedRun,
} from "../../contracts/dispatcher-answer";
import type { RollbackCall, RunCall, StatusCall } from "../../contracts/dispatcher-call";
import { procedureFunctionName } from "../../model/names";
import type { DriverContext, RotatedPlan } from "./driven-rotation";
import { FailedRotation, failedTooEarly, failureOf } from "./failed-rotation";
import type { Report } from "./progress";

/** Order that begins a run. */
export interface RunOrder {
  readonly action: "rotate" | "stage" | "promote";
  /** `rotate`: the version to rotate in. `promote`: the version that was published. @default the dispatcher's choice */
  readonly versionId?: string | undefined;
  /** The change request by which it is done. */
  readonly change?: { readonly digest: string; readonly path: string } | undefined;
  readonly emergency: boolean;
}

/** Calls that may succeed by themselves are made so often. */
const ATTEMPTS = 4;
/** Looks at a run whose execution has ended before it counts as dead: the recorder ends both, one after the other. */
const LOOKS_AFTER_END = 20;
/** Statuses of a run that came to its good end. */
export const GOOD_ENDS: readonly string[] = ["decommissioned", "promoted", "published"];

/** Texts of a run's status, for a person. */
const STATUS_TEXTS: Readonly<Record<string, string>> = {
  rotating: "rotating: the new version is being made and tried",
  starting: "proving",
  proving: "proving",
  "awaiting-approval": "awaiting approval",
  withdrawing: "being withdrawn",
};

/** `true` when a run has ended. */
export const isOver = ({ status }: Pick<RunView, "status">): boolean => !(status in STATUS_TEXTS);

/**
 * Starts runs through the dispatcher, which alone may start rotations, and follows them. It keeps no state: runs stand in
 * their table, so a command that was interrupted goes on when it is run again.
 *
 * Every method throws {@link FailedRotation}.
 */
export class ProcedureDriver {
  readonly #context: DriverContext;
  readonly #procedure: ProcedurePlan;

  constructor(context: DriverContext, procedure: ProcedurePlan) {
    this.#context = context;
    this.#procedure = procedure;
  }

  /** The runs of a secret. */
  async runs({ key }: Pick<RotatedPlan, "key">): Promise<SecretRuns> {
    const call: StatusCall = { Action: "status", Key: key };
    return this.#ask(statusAnswer, call);
  }

  /** Begins a run, or goes on with the one that is under way for the same. */
  async begin({ key }: Pick<RotatedPlan, "key">, order: RunOrder): Promise<RunView> {
    const { cloud, progress } = this.#context;
    const requester = await cloud.callerArn();
    return progress.step(`${key}: ask the dispatcher to ${order.action}`, async (report) => {
      const { run } = await this.#askAsMyself(
        {
          Action: order.action,
          Key: key,
          Requester: requester,
          Emergency: order.emergency,
          ...(order.versionId === undefined ? {} : { VersionId: order.versionId }),
          ...(order.change === undefined
            ? {}
            : { Change: { Digest: order.change.digest, Path: order.change.path } }),
        },
        report,
      );
      return run;
    });
  }

  /** Has the open run taken back. */
  async rollBack({ key }: Pick<RotatedPlan, "key">): Promise<RunView> {
    return this.#context.progress.step(`${key}: roll back`, async (report) => {
      const Requester = await this.#context.cloud.callerArn();
      const { run } = await this.#askAsMyself({ Action: "rollback", Key: key, Requester }, report);
      return run;
    });
  }

  /** Looks at a run until it has ended. */
  async follow({ key, name }: RotatedPlan, run: RunView, again: () => Promise<RunView>): Promise<RunView> {
    const { pace, progress, plan } = this.#context;
    const { timeoutSeconds = 0 } = plan.functions.find(({ bundle }) => bundle === "dispatcher") ?? {};
    return progress.step(`${key}: ${run.kind} ${run.run}`, async (report) => {
      let seen = run;
      let ended = 0;
      let moved = pace.now().getTime();
      for (;;) {
        const found = await this.#context.cloud.run(this.#procedure.runsTable, name, run.run);
        if (found === undefined) throw dead(run, "it is not in the table of runs");
        seen = { ...seen, ...viewedRun(found) };
        if (isOver(seen)) return seen;
        const execution = await this.#context.cloud.execution(this.executionArn(seen));
        report(describeRun(seen, execution?.state));
        const isAlive = execution === undefined || execution.status === "RUNNING";
        ended = isAlive ? 0 : ended + 1;
        if (ended > LOOKS_AFTER_END) throw dead(seen, `its execution has ended (${execution?.status})`);
        if (execution !== undefined) moved = pace.now().getTime();
        if (pace.now().getTime() - moved > pace.patienceMs(timeoutSeconds)) {
          report("nothing moves: asking the dispatcher again");
          seen = { ...seen, ...(await again().catch(unlessEnded)) };
          moved = pace.now().getTime();
        }
        await pace.sleep(pace.lookEveryMs);
      }
    });
  }

  /** ARN of what follows a run; where it was turned back, of what takes it back. */
  executionArn({ execution, direction }: RunView): string {
    const arn = this.#procedure.stateMachine.arn.replace(":stateMachine:", ":execution:");
    const name = direction === "back" && !execution.endsWith(".back") ? `${execution}.back` : execution;
    return `${arn}:${name}`;
  }

  /** Asks with a proof of who asks: made anew for each attempt, because it is not good for long. */
  #askAsMyself(call: RunCall | RollbackCall, report: Report): Promise<RunAnswer> {
    const { cloud, plan } = this.#context;
    return this.#ask(
      runAnswer,
      async () => ({ ...call, Proof: await cloud.proofOf(proofBinding(plan, "dispatcher", call)) }),
      report,
    );
  }

  /** @throws FailedRotation `answer-malformed` for an answer that the dispatcher of this version does not give */
  async #ask<A>(
    answers: z.ZodMiniType<A>,
    call: StatusCall | (() => Promise<RunCall | RollbackCall>),
    report: Report = () => undefined,
  ): Promise<A> {
    const { cloud, pace, plan } = this.#context;
    const dispatcher = procedureFunctionName(plan.registry, plan.environment, "dispatcher");
    const { default: pRetry } = await import("p-retry");
    return pRetry(
      async () => {
        const answer = await cloud.invoke(dispatcher, typeof call === "function" ? await call() : call);
        if (!answer.answered) throw failureOf(dispatcher, answer);
        const read = answers.safeParse(answer.payload);
        if (!read.success) throw malformed(dispatcher, read.error);
        return read.data;
      },
      {
        retries: ATTEMPTS - 1,
        minTimeout: pace.retryAfterMs,
        shouldRetry: ({ error }) =>
          error instanceof FailedRotation && error.retryable && !failedTooEarly(error),
        onFailedAttempt: ({ error, retriesLeft }) => {
          if (error instanceof FailedRotation && retriesLeft > 0 && error.retryable) {
            report(`${error.code}: trying again`);
          }
        },
      },
    );
  }
}

/** The run may end between a look and the next call: the next look sees it. */
function unlessEnded(failure: unknown): Partial<RunView> {
  if (failure instanceof FailedRotation && failure.code === "run-ended") return {};
  throw failure;
}

/** Text of a run's status and state, for a person. */
export function describeRun({ status, direction, run }: RunView, state?: string): string {
  const where = state === undefined ? "" : ` (${state})`;
  if (direction === "back") return `rolling back${where}`;
  if (status === "awaiting-approval") return `awaiting approval: secrets-registry approve ${run}${where}`;
  return `${STATUS_TEXTS[status] ?? status}${where}`;
}

const malformed = (dispatcher: string, { issues }: z.core.$ZodError): FailedRotation => {
  const fields = [...new Set(issues.map(({ path }) => path.join(".")))].join(", ");
  return new FailedRotation(
    "answer-malformed",
    `answer-malformed: ${dispatcher} does not answer as this version expects (${fields}). To do: deploy the functions of this version, or run the command of theirs.`,
    false,
  );
};

const dead = ({ run, secret }: RunView, why: string): FailedRotation =>
  new FailedRotation(
    "run-dead",
    `run-dead: run ${run} of ${secret} is not ended, and ${why}. To do: look at the alarms; the dispatcher's sweep lets go of the secret, then run the same command again.`,
    true,
  );
