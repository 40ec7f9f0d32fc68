import {
  AddPermissionCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import type { AwsAccess } from "./aws-account";

/** A Lambda function as it is loaded. */
export interface LoadedFunction {
  readonly name: string;
  readonly region: string;
  readonly roleArn: string;
  /** The deployment package: `index.js` and what it reads. */
  readonly zip: Uint8Array;
  /** @default "index.handler" */
  readonly handler?: string;
  /** @default none */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
}

/** Answer of a function. */
export interface InvocationResult {
  /** `Unhandled` for every error of a function or of its process; absent for a success. */
  readonly functionError?: string | undefined;
  /** The parsed answer, or the error: `errorType`, `errorMessage`. */
  readonly payload: unknown;
  /** The end of what it wrote, at most 4 KB; with an error, that error's stack. */
  readonly logs: string;
}

/** The runtime of `lib/constructs`; the embedded AWS runs it with the Node.js that runs us. */
const RUNTIME = "nodejs24.x";
/** Secrets Manager's name as a caller of functions. */
const SECRETS_MANAGER = "secretsmanager.amazonaws.com";

/** Services that functions call, as the SDK names them in variables. */
const SERVICES = [
  "CLOUDWATCH",
  "DYNAMODB",
  "ELASTICACHE",
  "IAM",
  "KMS",
  "LAMBDA",
  "MEMORYDB",
  "S3",
  "SECRETS_MANAGER",
  "SFN",
  "SNS",
  "SQS",
  "STS",
] as const;

/**
 * Address at which a function finds AWS. With `AWS_ENDPOINT_URL` the embedded AWS would turn every HTTPS request to this machine into
 * one without TLS, those to Vault among them; an empty one keeps it from that.
 */
export const functionEndpoints = (endpoint: string): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: "",
  ...Object.fromEntries(SERVICES.map((service) => [`AWS_ENDPOINT_URL_${service}`, endpoint])),
});

const lambda = ({ endpoint, credentials }: AwsAccess, region: string): LambdaClient =>
  new LambdaClient({ endpoint, region, credentials: { ...credentials }, maxAttempts: 1 });

/**
 * Makes a function and waits until it can be called. It calls AWS at the endpoint of `access`, so that a shim
 * that it is loaded through also sees what it does.
 *
 * @returns the function's ARN
 */
export async function loadFunction(access: AwsAccess, wanted: LoadedFunction): Promise<string> {
  const client = lambda(access, wanted.region);
  const { FunctionArn: arn } = await client.send(
    new CreateFunctionCommand({
      FunctionName: wanted.name,
      Role: wanted.roleArn,
      Runtime: RUNTIME,
      Handler: wanted.handler ?? "index.handler",
      Code: { ZipFile: wanted.zip },
      Timeout: wanted.timeoutSeconds,
      MemorySize: wanted.memoryMb,
      Environment: { Variables: { ...wanted.environment, ...functionEndpoints(access.endpoint) } },
    }),
  );
  // Seconds. The waiter's own first pause is a whole one.
  const patience = { client, maxWaitTime: 30, minDelay: 0.1, maxDelay: 1 };
  await waitUntilFunctionActiveV2(patience, { FunctionName: wanted.name });
  return arn ?? "";
}

/** Lets Secrets Manager call a function for the account's secrets. */
export async function allowSecretsManager(access: AwsAccess, functionArn: string): Promise<void> {
  const [, , , region = "", account] = functionArn.split(":");
  await lambda(access, region).send(
    new AddPermissionCommand({
      FunctionName: functionArn,
      StatementId: "SecretsManager",
      Action: "lambda:InvokeFunction",
      Principal: SECRETS_MANAGER,
      SourceAccount: account,
    }),
  );
}

/** Calls a function and waits for its answer. */
export async function invokeFunction(
  access: AwsAccess,
  functionArn: string,
  payload: object,
): Promise<InvocationResult> {
  const region = functionArn.split(":")[3] ?? "";
  const client = lambda(access, region);
  const command = new InvokeCommand({
    FunctionName: functionArn,
    LogType: "Tail",
    Payload: Buffer.from(JSON.stringify(payload)),
  });
  const answer = await client.send(command).finally(() => client.destroy());
  const text = Buffer.from(answer.Payload ?? []).toString("utf8");
  return {
    functionError: answer.FunctionError,
    payload: text === "" ? undefined : JSON.parse(text),
    logs: Buffer.from(answer.LogResult ?? "", "base64").toString("utf8"),
  };
}
