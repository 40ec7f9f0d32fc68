import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";

/** Longest wait for a table, in seconds: the embedded AWS has it at once. */
const PATIENCE_SECONDS = 30;

/**
 * Makes a table whose items belong to a secret, and waits until it is there.
 *
 * @param sortKey that distinguishes the items of one secret: its runs, or its versions
 */
export const createSecretTable = (
  client: DynamoDBClient,
  name: string,
  sortKey: "run" | "version",
): Promise<void> => createTable(client, name, "secret", sortKey);

/** Makes a table of texts by one key or by two, and waits until it is there. */
export async function createTable(
  client: DynamoDBClient,
  TableName: string,
  partitionKey: string,
  sortKey?: string,
): Promise<void> {
  const keys = sortKey === undefined ? [partitionKey] : [partitionKey, sortKey];
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: keys.map((AttributeName, index) => ({
        AttributeName,
        KeyType: index === 0 ? "HASH" : "RANGE",
      })),
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: PATIENCE_SECONDS }, { TableName });
}
