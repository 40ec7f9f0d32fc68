import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserFault } from "../terminal/user-fault";
import type { ApprovalCloud } from "./approval-cloud";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";
import { signedProof } from "./signed-proof";

/** {@link ApprovalCloud} by AWS's SDK: credentials, endpoints and proxies come from its own chain. */
export function awsApprovalCloud(props: AwsRotationCloudProps): ApprovalCloud {
  const sts = new STSClient({ ...props });
  const lambda = new LambdaClient({ ...props });
  return {
    async caller() {
      const { Arn = "", Account = "" } = await asked("sts:GetCallerIdentity", () =>
        sts.send(new GetCallerIdentityCommand({})),
      );
      return { arn: Arn, account: Account };
    },
    proofOf: (binding) => asked("sts:GetCallerIdentity", () => signedProof(sts, props.region, binding)),
    async decide(functionName, event) {
      const { FunctionError, Payload = new Uint8Array() } = await asked("lambda:InvokeFunction", () =>
        lambda.send(
          new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(event)) }),
        ),
      );
      if (FunctionError !== undefined) throw new UserFault(refusalOf(Buffer.from(Payload).toString("utf8")));
    },
  };
}

/** A fault's text is made of codes, names and times; anything else is not shown. */
function refusalOf(text: string): string {
  try {
    const { errorMessage } = JSON.parse(text) as { readonly errorMessage?: unknown };
    if (typeof errorMessage === "string" && /^[a-z][a-z-]*: /.test(errorMessage)) return errorMessage;
  } catch {
    // The same words below.
  }
  return "The approval gate failed. Look at its log.";
}

/** @throws UserFault with the name of AWS's failure, never its message */
async function asked<T>(action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    const name = failure instanceof Error && /^\w{1,64}$/.test(failure.name) ? failure.name : "unknown";
    throw new UserFault(`AWS did not do ${action} (${name}). Take a role of the environment's approvers.`);
  }
}
