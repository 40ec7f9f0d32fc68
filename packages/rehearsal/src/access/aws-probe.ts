import { randomBytes } from "node:crypto";
import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";

/** Operations that are tried on every secret. */
export const OPERATIONS = ["read", "readPrevious", "describe", "put", "delete", "list"] as const;

/** One of {@link OPERATIONS}. */
export type Operation = (typeof OPERATIONS)[number];

/** Result of one try. */
export interface Outcome {
  readonly allowed: boolean;
  /** The value, where one was read. */
  readonly value?: string | undefined;
}

/** The IAM action that decides an operation. */
export const ACTION_OF: Readonly<Record<Operation, string>> = {
  read: "secretsmanager:GetSecretValue",
  readPrevious: "secretsmanager:GetSecretValue",
  describe: "secretsmanager:DescribeSecret",
  put: "secretsmanager:PutSecretValue",
  delete: "secretsmanager:DeleteSecret",
  list: "secretsmanager:ListSecrets",
};

const REFUSALS = ["AccessDeniedException", "AccessDenied"];

/**
 * Tries an operation on a secret.
 *
 * @throws whatever is neither success nor refusal: an answer that proves nothing
 */
export async function probeSecret(
  client: SecretsManagerClient,
  operation: Operation,
  name: string,
): Promise<Outcome> {
  try {
    return { allowed: true, value: await attempt(client, operation, name) };
  } catch (error) {
    if (error instanceof Error && REFUSALS.includes(error.name)) return { allowed: false };
    throw error;
  }
}

async function attempt(
  client: SecretsManagerClient,
  operation: Operation,
  name: string,
): Promise<string | undefined> {
  switch (operation) {
    case "read":
      return (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
    case "readPrevious":
      return (await client.send(new GetSecretValueCommand({ SecretId: name, VersionStage: "AWSPREVIOUS" })))
        .SecretString;
    case "describe":
      await client.send(new DescribeSecretCommand({ SecretId: name }));
      return undefined;
    case "put":
      await client.send(
        new PutSecretValueCommand({
          SecretId: name,
          SecretString: randomBytes(16).toString("hex"),
          VersionStages: ["PROBE"],
        }),
      );
      return undefined;
    case "delete":
      await client.send(new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: 30 }));
      return undefined;
    case "list":
      await client.send(new ListSecretsCommand({ Filters: [{ Key: "name", Values: [name] }] }));
      return undefined;
  }
}
