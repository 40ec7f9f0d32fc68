import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { tokensPartition } from "../../model/names";
import type { ApprovalTokens } from "../procedure/approval-gate";
import { awsFailure } from "./aws-failure";
import { keyOf } from "./run-items";

/** {@link ApprovalTokens} in the table of runs, in partitions of their own: people may read those of secrets alone. */
export class DynamoDbApprovalTokens implements ApprovalTokens {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async add(secret: string, run: string, token: string): Promise<void> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(tokensPartition(secret), run),
          // An execution that was redriven has another one.
          UpdateExpression: "ADD tokens :token",
          ExpressionAttributeValues: { ":token": { SS: [token] } },
        }),
      );
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:UpdateItem of ${this.#table}`);
    }
  }

  async of(secret: string, run: string): Promise<readonly string[]> {
    try {
      const { Item } = await this.#client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: keyOf(tokensPartition(secret), run),
          ConsistentRead: true,
        }),
      );
      return Item?.tokens?.SS ?? [];
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:GetItem of ${this.#table}`);
    }
  }
}
