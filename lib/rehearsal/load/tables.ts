import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";

/** Longest wait for a table, in seconds: the embedded AWS has it at once. */
const PATIENCE_SECONDS = 30;

/**
 * Makes a table whose items belong to a secret, and waits until it is there.
 *
 * @param sortKey what tells the items of one secret apart: its runs, or its versions
 */
export async function createSecretTable(
  client: DynamoDBClient,
  TableName: string,
  sortKey: "run" | "version",
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "secret", KeyType: "HASH" },
        { AttributeName: sortKey, KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "secret", AttributeType: "S" },
        { AttributeName: sortKey, AttributeType: "S" },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: PATIENCE_SECONDS }, { TableName });
}
