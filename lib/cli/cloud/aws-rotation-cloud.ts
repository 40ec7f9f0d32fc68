import { DescribeTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  DescribeSecretCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { DescribeExecutionCommand, GetExecutionHistoryCommand, SFNClient } from "@aws-sdk/client-sfn";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { CallerProof } from "../../contracts/caller-proof";
import type { Run, SecretDescription } from "../../rotation";
import { DynamoDbRuns } from "../../rotation/cloud";
import { FailedCheck, UserFault } from "../terminal/user-fault";
import type { ExecutionView, FunctionAnswer, RotationCloud } from "./rotation-cloud";
import { signedProof } from "./signed-proof";

/** Names that the SDK and AWS give to credentials that are missing, unknown or out of date. */
const NO_CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|ExpiredToken(Exception)?|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken(Exception)?)$/;
const DENIED = /^AccessDenied(Exception)?$/;

/** A function may take 15 minutes (Lambda's longest), and its answer comes at the end. */
const ANSWER_TIMEOUT_MS = 16 * 60_000;

/** Settings that differ from the SDK's own chain. */
export interface AwsRotationCloudProps {
  readonly region: string;
  /** @default the SDK's own chain */
  readonly endpoint?: string;
  /** @default the SDK's own chain */
  readonly credentials?: NonNullable<SecretsManagerClientConfig["credentials"]>;
  /** Profile of AWS's shared configuration. @default the SDK's own chain */
  readonly profile?: string;
}

/** {@link RotationCloud} by AWS's SDK: credentials, endpoints and proxies come from its own chain. */
export class AwsRotationCloud implements RotationCloud {
  readonly #region: string;
  readonly #secrets: SecretsManagerClient;
  readonly #lambda: LambdaClient;
  readonly #dynamoDb: DynamoDBClient;
  readonly #sts: STSClient;
  readonly #stepFunctions: SFNClient;

  constructor(props: AwsRotationCloudProps) {
    this.#region = props.region;
    this.#secrets = new SecretsManagerClient({ ...props });
    this.#lambda = new LambdaClient({
      ...props,
      requestHandler: { requestTimeout: ANSWER_TIMEOUT_MS },
      // Each attempt of a step is the driver's decision.
      maxAttempts: 1,
    });
    this.#dynamoDb = new DynamoDBClient({ ...props });
    this.#sts = new STSClient({ ...props });
    this.#stepFunctions = new SFNClient({ ...props });
  }

  async callerAccount(): Promise<string> {
    const { Account } = await ask("sts:GetCallerIdentity", "the credentials", () =>
      this.#sts.send(new GetCallerIdentityCommand({})),
    );
    return Account ?? "";
  }

  async callerArn(): Promise<string> {
    const { Arn } = await ask("sts:GetCallerIdentity", "the credentials", () =>
      this.#sts.send(new GetCallerIdentityCommand({})),
    );
    return Arn ?? "";
  }

  proofOf(binding: string): Promise<CallerProof> {
    return ask("sts:GetCallerIdentity", "the credentials", () =>
      signedProof(this.#sts, this.#region, binding),
    );
  }

  async describe(secretName: string): Promise<SecretDescription | undefined> {
    const secret = await unlessMissing("secretsmanager:DescribeSecret", secretName, () =>
      this.#secrets.send(new DescribeSecretCommand({ SecretId: secretName })),
    );
    if (secret === undefined) return undefined;
    return {
      name: secretName,
      arn: secret.ARN ?? secretName,
      rotationEnabled: secret.RotationEnabled ?? false,
      deleted: secret.DeletedDate !== undefined,
      primaryRegion: secret.PrimaryRegion,
      labels: new Map(Object.entries(secret.VersionIdsToStages ?? {})),
    };
  }

  async createdAt(secretName: string): Promise<ReadonlyMap<string, Date>> {
    const { Versions = [] } = await ask("secretsmanager:ListSecretVersionIds", secretName, () =>
      this.#secrets.send(new ListSecretVersionIdsCommand({ SecretId: secretName, MaxResults: 100 })),
    );
    return new Map(Versions.map(({ VersionId = "", CreatedDate = new Date(0) }) => [VersionId, CreatedDate]));
  }

  async putIntoInbox(inboxName: string, versionId: string, value: string): Promise<void> {
    await ask("secretsmanager:PutSecretValue", inboxName, () =>
      this.#secrets.send(
        new PutSecretValueCommand({
          SecretId: inboxName,
          ClientRequestToken: versionId,
          SecretString: value,
        }),
      ),
    );
  }

  async startRotation(secretName: string, versionId: string): Promise<void> {
    await ask("secretsmanager:RotateSecret", secretName, async () => {
      try {
        await this.#secrets.send(
          new RotateSecretCommand({ SecretId: secretName, ClientRequestToken: versionId }),
        );
      } catch (failure) {
        // "A previous rotation isn't complete. That rotation will be reattempted."
        const isRunning =
          nameOf(failure) === "InvalidRequestException" &&
          failure instanceof Error &&
          failure.message.includes("previous rotation");
        if (!isRunning) throw failure;
      }
    });
  }

  async invoke(functionName: string, event: object): Promise<FunctionAnswer> {
    const { FunctionError, Payload } = await ask("lambda:InvokeFunction", functionName, () =>
      this.#lambda.send(
        new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(event)) }),
      ),
    );
    const text = Buffer.from(Payload ?? []).toString("utf8");
    const payload: unknown = text === "" ? undefined : JSON.parse(text);
    if (FunctionError === undefined) return { answered: true, payload };
    const { errorType, errorMessage } = (payload ?? {}) as Readonly<Record<string, unknown>>;
    return { answered: false, errorType: String(errorType ?? ""), errorMessage: String(errorMessage ?? "") };
  }

  async hasFunction(functionName: string): Promise<boolean> {
    const found = await unlessMissing("lambda:GetFunctionConfiguration", functionName, () =>
      this.#lambda.send(new GetFunctionConfigurationCommand({ FunctionName: functionName })),
    );
    return found !== undefined && found.State !== "Pending" && found.State !== "Failed";
  }

  async hasTable(tableName: string): Promise<boolean> {
    const found = await unlessMissing("dynamodb:DescribeTable", tableName, () =>
      this.#dynamoDb.send(new DescribeTableCommand({ TableName: tableName })),
    );
    return found !== undefined;
  }

  async confirmedAt(tableName: string, secretName: string, versionId: string): Promise<Date | undefined> {
    const { Item } = await ask("dynamodb:GetItem", tableName, () =>
      this.#dynamoDb.send(
        new GetItemCommand({
          TableName: tableName,
          Key: { secret: { S: secretName }, version: { S: versionId } },
          ConsistentRead: true,
        }),
      ),
    );
    const at = new Date(Item?.confirmedAt?.S ?? Number.NaN);
    return Number.isNaN(at.getTime()) ? undefined : at;
  }

  run(tableName: string, secretName: string, run: string): Promise<Run | undefined> {
    return ask("dynamodb:GetItem", tableName, () =>
      new DynamoDbRuns(this.#dynamoDb, tableName).read(secretName, run),
    );
  }

  async execution(executionArn: string): Promise<ExecutionView | undefined> {
    try {
      const { status = "" } = await this.#stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
      const { events = [] } = await this.#stepFunctions.send(
        new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 50 }),
      );
      const entered = events
        .filter(({ stateEnteredEventDetails }) => stateEnteredEventDetails !== undefined)
        .sort((a, b) => (b.id ?? 0) - (a.id ?? 0));
      return { status, state: entered[0]?.stateEnteredEventDetails?.name };
    } catch (failure) {
      const name = nameOf(failure);
      if (name === "ExecutionDoesNotExist") return undefined;
      throw faultOf(name, "states:GetExecutionHistory", executionArn);
    }
  }
}

/** The name of an SDK failure; never its message, which may quote what was sent. */
export function nameOf(failure: unknown): string {
  const name = failure instanceof Error ? failure.name : "";
  return /^[\w.]{1,64}$/.test(name) ? name : "unknown";
}

/**
 * Asks AWS, and reports a failure by codes and names.
 *
 * @param whenDenied advice for a caller without the right
 * @throws UserFault or FailedCheck
 */
export async function ask<T>(
  action: string,
  resource: string,
  call: () => Promise<T>,
  whenDenied = ROLE_THAT_MAY,
): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    throw faultOf(nameOf(failure), action, resource, whenDenied);
  }
}

/** Asks AWS; `undefined` for what it does not have. */
export async function unlessMissing<T>(
  action: string,
  resource: string,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call();
  } catch (failure) {
    const name = nameOf(failure);
    if (name === "ResourceNotFoundException") return undefined;
    throw faultOf(name, action, resource);
  }
}

const ROLE_THAT_MAY =
  "Take a role that may: of the environment's principals.operators for a rotation, principals.ci to vouch for a change, with the rights that docs/reference/policies.md lists.";

function faultOf(name: string, action: string, resource: string, whenDenied = ROLE_THAT_MAY): Error {
  if (NO_CREDENTIALS.test(name)) {
    return new UserFault(
      `AWS has no good credentials from you (${name}). Log in, then say which to use, such as AWS_PROFILE=<profile of an operator>.`,
    );
  }
  if (DENIED.test(name)) {
    return new UserFault(`These credentials may not do ${action} on ${resource}. ${whenDenied}`);
  }
  return new FailedCheck(
    `AWS did not do ${action} on ${resource} (${name}). Run the same command again: it goes on where it was.`,
  );
}
