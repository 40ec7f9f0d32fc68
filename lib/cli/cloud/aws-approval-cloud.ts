import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SendTaskFailureCommand, SendTaskSuccessCommand, SFNClient } from "@aws-sdk/client-sfn";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { ApprovalAnswer } from "../../model";
import { DynamoDbRuns } from "../../rotation/cloud";
import { UserFault } from "../user-fault";
import type { ApprovalCloud } from "./approval-cloud";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";

/** {@link ApprovalCloud} by AWS's SDK: credentials, endpoints and proxies come from its own chain. */
export function awsApprovalCloud(props: AwsRotationCloudProps, runsTable: string): ApprovalCloud {
  const runs = new DynamoDbRuns(new DynamoDBClient({ ...props }), runsTable);
  const sts = new STSClient({ ...props });
  const stepFunctions = new SFNClient({ ...props });
  return {
    async caller() {
      const { Arn = "", Account = "" } = await asked("sts:GetCallerIdentity", () =>
        sts.send(new GetCallerIdentityCommand({})),
      );
      return { arn: Arn, account: Account };
    },
    run: (secretName, run) => runs.read(secretName, run),
    async answer(token, approver, approves) {
      const output: ApprovalAnswer = { approver };
      if (approves) {
        await asked("states:SendTaskSuccess", () =>
          stepFunctions.send(
            new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(output) }),
          ),
        );
      } else {
        await asked("states:SendTaskFailure", () =>
          stepFunctions.send(
            new SendTaskFailureCommand({ taskToken: token, error: "Rejected", cause: `by ${approver}` }),
          ),
        );
      }
    },
  };
}

/** @throws UserFault with the name of AWS's failure, never its message */
async function asked<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    const name = failure instanceof Error && /^\w{1,64}$/.test(failure.name) ? failure.name : "unknown";
    if (/^(TaskTimedOut|TaskDoesNotExist|InvalidToken)$/.test(name)) {
      throw new UserFault(
        "Nobody waits for this answer: the run was answered, called back, or has waited too long. Look with secrets-registry rotate status.",
      );
    }
    throw new UserFault(`AWS did not do ${action} (${name}). Take a role of the environment's approvers.`);
  }
}
