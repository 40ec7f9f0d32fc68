import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
} from "@aws-sdk/client-dynamodb";
import type { NewRun } from "../../contracts/run";
import type { ApprovedChange, ApprovedChanges } from "../procedure/run-table";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure, isConditional } from "./aws-failure";
import type { Item } from "./run-items";

/**
 * {@link ApprovedChanges} in a DynamoDB table (partition key `change`: the digest). It is a table of its own, so that whoever
 * writes runs cannot vouch for a change.
 */
export class DynamoDbChanges implements ApprovedChanges {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async approve(change: ApprovedChange, at: Date): Promise<void> {
    try {
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: {
            ...keyOf(change.digest),
            id: { S: change.id },
            key: { S: change.key },
            requester: { S: change.requester },
            from: { S: change.from },
            until: { S: change.until },
            approvedAt: { S: at.toISOString() },
          },
          // A second approval must not make a used one fresh.
          ConditionExpression: "attribute_not_exists(change)",
        }),
      );
    } catch (failure) {
      if (!isConditional(failure)) throw awsFailure(failure, `dynamodb:PutItem of ${this.#table}`);
    }
  }

  async approved(digest: string): Promise<ApprovedChange | undefined> {
    const item = await this.#get(digest);
    if (item === undefined) return undefined;
    const text = (name: string): string => item[name]?.S ?? "";
    return {
      digest,
      id: text("id"),
      key: text("key"),
      requester: text("requester"),
      from: text("from"),
      until: text("until"),
    };
  }

  /** Part of the transaction that begins a run: it uses the change up. */
  useOf(digest: string, run: NewRun): TransactWriteItem {
    return {
      Update: {
        TableName: this.#table,
        Key: keyOf(digest),
        UpdateExpression: "SET #used = :run",
        ConditionExpression: "attribute_exists(change) AND attribute_not_exists(#used)",
        ExpressionAttributeNames: { "#used": usedBy(run) },
        ExpressionAttributeValues: { ":run": { S: run.run } },
      },
    };
  }

  /** The opposite of {@link useOf}: what a run has not used, another may. */
  freeing(digest: string, run: NewRun): TransactWriteItem {
    return {
      Update: {
        TableName: this.#table,
        Key: keyOf(digest),
        UpdateExpression: "REMOVE #used",
        ConditionExpression: "#used = :run",
        ExpressionAttributeNames: { "#used": usedBy(run) },
        ExpressionAttributeValues: { ":run": { S: run.run } },
      },
    };
  }

  /** @throws RotationError `change-not-approved`, `change-used` */
  async requireFree({ id, digest }: { readonly id: string; readonly digest: string }, run: NewRun) {
    const item = await this.#get(digest);
    if (item === undefined)
      throw new RotationError("change-not-approved", `nobody has vouched for ${digest}`);
    const user = item[usedBy(run)]?.S;
    if (user !== undefined) throw new RotationError("change-used", `${id} by run ${user}`);
  }

  async #get(digest: string): Promise<Item | undefined> {
    try {
      const { Item } = await this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: keyOf(digest), ConsistentRead: true }),
      );
      return Item;
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:GetItem of ${this.#table}`);
    }
  }
}

const keyOf = (digest: string) => ({ change: { S: digest } });

const usedBy = ({ kind }: Pick<NewRun, "kind">): string => `used-by-${kind}`;
