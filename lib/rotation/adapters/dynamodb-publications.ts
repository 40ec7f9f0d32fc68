import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { Publications } from "../protocol/ports";
import { awsFailure } from "./aws-failure";

/**
 * {@link Publications} in a DynamoDB table, where the mirror writes one item for a version when the last Vault
 * has confirmed it: `secret` (partition key: the secret's name), `version` (sort key), `confirmedAt` (ISO 8601 text).
 */
export class DynamoDbPublications implements Publications {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async confirmedAt(secretName: string, versionId: string): Promise<Date | undefined> {
    try {
      const { Item } = await this.#client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: publicationKey(secretName, versionId),
          // A confirmation that was withdrawn a moment ago must not be seen.
          ConsistentRead: true,
        }),
      );
      const at = new Date(Item?.confirmedAt?.S ?? Number.NaN);
      return Number.isNaN(at.getTime()) ? undefined : at;
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:GetItem of ${this.#table}`);
    }
  }

  async withdraw(secretName: string, versionId: string): Promise<void> {
    try {
      await this.#client.send(
        new DeleteItemCommand({ TableName: this.#table, Key: publicationKey(secretName, versionId) }),
      );
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:DeleteItem of ${this.#table}`);
    }
  }
}

/** Key of a version's item. */
export const publicationKey = (secretName: string, versionId: string) => ({
  secret: { S: secretName },
  version: { S: versionId },
});
