import * as z from "zod/mini";
import { type CallerProof, callerProof, proofBinding } from "../../contracts/caller-proof";
import type { ApprovalGateSettings } from "../../contracts/function-settings";
import type { ApprovalAnswer } from "../../contracts/procedure-events";
import { BY_SCHEDULE, type Decision, type Run } from "../../contracts/run";
import type { Clock, Logbook } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import { openRun } from "../protocol/run-authority";
import { type CallerIdentities, isOneOf, isSameCaller } from "./caller-identity";
import type { RunTable } from "./run-table";

/** Executions that wait for a decision. Their tokens are kept where people cannot read them. */
export interface ApprovalTokens {
  add(secret: string, run: string, token: string): Promise<void>;
  of(secret: string, run: string): Promise<readonly string[]>;
}

/** Answers to the state machine. A token of an execution that no longer waits is no fault. */
export interface TaskAnswers {
  succeed(token: string, answer: ApprovalAnswer): Promise<void>;
  fail(token: string, error: string): Promise<void>;
}

/** The approval gate's world. */
export interface ApprovalGateContext {
  readonly settings: ApprovalGateSettings;
  readonly runs: Pick<RunTable, "read" | "decide">;
  readonly tokens: ApprovalTokens;
  readonly answers: TaskAnswers;
  readonly identities: CallerIdentities;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logbook;
}

/** Event of the gate: an execution waits (`ask`), or a person decides. */
export type ApprovalGateEvent =
  | { readonly Action: "ask"; readonly Secret: string; readonly Run: string; readonly Token: string }
  | {
      readonly Action: "approve" | "reject";
      readonly Secret: string;
      readonly Run: string;
      readonly Proof: CallerProof;
    };

/** Result of one call. */
export interface ApprovalGateOutcome {
  readonly result: "waiting" | "approved" | "rejected";
  /** ARN of who decided, as STS says. */
  readonly by?: string;
}

const name = z.string().check(z.minLength(1), z.maxLength(2_048));

/** Run-time schema of the gate's events. */
export const approvalGateEvent: z.ZodMiniType<ApprovalGateEvent> = z.union([
  z.strictObject({ Action: z.literal("ask"), Secret: name, Run: name, Token: name }),
  z.strictObject({ Action: z.enum(["approve", "reject"]), Secret: name, Run: name, Proof: callerProof }),
]);

/**
 * Takes decisions about the end of old credentials: from an approver who proves who he is, never from who asked. The decision
 * is written to the run, where the rotation function looks for it; then the execution that waits is notified.
 */
export class ApprovalGate {
  readonly #context: ApprovalGateContext;

  constructor(context: ApprovalGateContext) {
    this.#context = context;
  }

  /**
   * @throws RotationError `run-missing`, `run-ended`, `run-too-early`, `run-turned-back`, `proof-refused`,
   * `approver-refused`, `already-decided`
   */
  async run(event: ApprovalGateEvent): Promise<ApprovalGateOutcome> {
    return event.Action === "ask" ? this.#ask(event) : this.#decide(event);
  }

  async #ask({
    Secret,
    Run: id,
    Token,
  }: ApprovalGateEvent & { Action: "ask" }): Promise<ApprovalGateOutcome> {
    const run = await this.#open(Secret, id);
    // Before the look at the decision, so that none is missed.
    await this.#context.tokens.add(Secret, id, Token);
    const { decision } = await this.#open(Secret, id);
    if (decision === undefined) return { result: "waiting" };
    await this.#notify(run, decision);
    return { result: decision.answer, by: decision.by };
  }

  async #decide({
    Proof,
    ...asked
  }: ApprovalGateEvent & { readonly Proof: CallerProof }): Promise<ApprovalGateOutcome> {
    const { settings, runs, identities, clock, log } = this.#context;
    const { Secret, Run: id, Action } = asked;
    const caller = await identities.of(Proof, proofBinding(settings, "approval-gate", asked));
    if (!isOneOf(caller, settings.approvers)) {
      throw new RotationError(
        "approver-refused",
        `${caller.arn} is none of ${settings.environment}'s approvers`,
      );
    }
    const run = await this.#open(Secret, id);
    for (const other of askersOf(run)) {
      if (Action === "approve" && isSameCaller(caller.arn, other)) {
        throw new RotationError(
          "approver-refused",
          `${other} asked for this, and an approver is never the requester`,
        );
      }
    }
    if (run.status !== "awaiting-approval") {
      throw new RotationError("run-too-early", `run ${id} of ${Secret} is ${run.status}`);
    }
    const answer = Action === "approve" ? "approved" : "rejected";
    const decision = await runs.decide(run, { answer, by: caller.arn, at: clock.now() });
    log.info("decided", { secret: Secret, run: id, answer: decision.answer, by: decision.by });
    // Whoever decided first may have died before this.
    await this.#notify(run, decision);
    if (decision.answer !== answer) {
      throw new RotationError(
        "already-decided",
        `run ${id} of ${Secret} was ${decision.answer} by ${decision.by}`,
      );
    }
    return { result: decision.answer, by: decision.by };
  }

  async #open(secret: string, id: string): Promise<Run> {
    const run = await openRun({ runs: this.#context.runs, secretName: secret }, id);
    if (run.direction === "back") throw new RotationError("run-turned-back", `run ${id} of ${secret}`);
    return run;
  }

  async #notify({ secret, run }: Run, { answer, by }: Decision): Promise<void> {
    const { tokens, answers } = this.#context;
    for (const token of await tokens.of(secret, run)) {
      if (answer === "approved") await answers.succeed(token, { approver: by });
      else await answers.fail(token, "Rejected");
    }
  }
}

/** Requesters of a run: its starter, unless that was the schedule, and the requester of its change. */
const askersOf = ({ startedBy, change }: Run): readonly string[] =>
  [startedBy === BY_SCHEDULE ? undefined : startedBy, change?.requester].filter(
    (asker) => asker !== undefined,
  );
