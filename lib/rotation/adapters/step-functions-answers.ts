import { SendTaskFailureCommand, SendTaskSuccessCommand, type SFNClient } from "@aws-sdk/client-sfn";
import type { ApprovalAnswer } from "../../contracts/procedure-events";
import type { TaskAnswers } from "../procedure/approval-gate";
import { awsFailure, awsNameOf } from "./aws-failure";

/** An execution that was stopped, has waited too long or was answered. */
const GONE = /^(TaskTimedOut|TaskDoesNotExist|InvalidToken)$/;

/** {@link TaskAnswers} of Step Functions. */
export class StepFunctionsAnswers implements TaskAnswers {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async succeed(token: string, answer: ApprovalAnswer): Promise<void> {
    await this.#answer("states:SendTaskSuccess", () =>
      this.#client.send(new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(answer) })),
    );
  }

  async fail(token: string, error: string): Promise<void> {
    await this.#answer("states:SendTaskFailure", () =>
      this.#client.send(new SendTaskFailureCommand({ taskToken: token, error })),
    );
  }

  async #answer(action: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (failure) {
      if (!GONE.test(awsNameOf(failure))) throw awsFailure(failure, action);
    }
  }
}
