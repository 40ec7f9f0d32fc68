import {
  DescribeExecutionCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import type { ProcedureInput } from "../../contracts/procedure-events";
import type { Executions } from "../procedure/procedure-ports";
import { awsFailure, awsNameOf } from "./aws-failure";

/** {@link Executions} of one Standard state machine: only those have names that are taken once. */
export class StepFunctionsExecutions implements Executions {
  readonly #client: SFNClient;
  readonly #stateMachineArn: string;

  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.#stateMachineArn = stateMachineArn;
  }

  async start(name: string, input: ProcedureInput): Promise<void> {
    try {
      await this.#client.send(
        new StartExecutionCommand({
          stateMachineArn: this.#stateMachineArn,
          name,
          input: JSON.stringify(input),
        }),
      );
    } catch (failure) {
      // It has ended, or was started before the settings changed.
      if (awsNameOf(failure) === "ExecutionAlreadyExists") return;
      throw awsFailure(failure, `states:StartExecution of ${name}`);
    }
  }

  async state(name: string): Promise<"running" | "ended" | undefined> {
    try {
      const { status } = await this.#client.send(
        new DescribeExecutionCommand({ executionArn: this.#arnOf(name) }),
      );
      return status === "RUNNING" || status === "PENDING_REDRIVE" ? "running" : "ended";
    } catch (failure) {
      if (awsNameOf(failure) === "ExecutionDoesNotExist") return undefined;
      throw awsFailure(failure, `states:DescribeExecution of ${name}`);
    }
  }

  async stop(name: string): Promise<void> {
    try {
      await this.#client.send(
        new StopExecutionCommand({ executionArn: this.#arnOf(name), error: "RolledBack" }),
      );
    } catch (failure) {
      if (awsNameOf(failure) === "ExecutionDoesNotExist") return;
      throw awsFailure(failure, `states:StopExecution of ${name}`);
    }
  }

  #arnOf(name: string): string {
    return `${this.#stateMachineArn.replace(":stateMachine:", ":execution:")}:${name}`;
  }
}
