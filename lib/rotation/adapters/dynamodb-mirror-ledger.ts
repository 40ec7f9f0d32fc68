import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  type Update,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { LedgerPage, MirrorLedger } from "../mirror/mirror-ports";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure, awsNameOf } from "./aws-failure";
import { cancellationsOf } from "./dynamodb-cancellations";
import { publicationKey } from "./dynamodb-publications";

/** Sort key of a secret's page. Ids of versions have 32 characters and more, so it is none. */
const PAGE = "mirror";
/** Sort key of a connection's item, whose partition is `vault/<vault>/<mount>/<connection>`. */
const ROOT_ROTATION = "root-rotation";

const OVERTAKEN = /^(ConditionalCheckFailed|TransactionConflict)(Exception)?$/;
const THROTTLED = /^(Throttling\w*|ProvisionedThroughputExceeded\w*|RequestLimitExceeded)$/;

/**
 * {@link MirrorLedger} in the publications table: beside the confirmations one item for a secret (sort key `mirror`:
 * `epoch`, `unsettled`, `confirmed`) and one for a connection (sort key `root-rotation`: `rotatedAt`).
 */
export class DynamoDbMirrorLedger implements MirrorLedger {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async open(secretName: string): Promise<LedgerPage> {
    const item = await this.#get(publicationKey(secretName, PAGE));
    return {
      epoch: Number(item?.epoch?.N ?? 0),
      unsettled: new Set(item?.unsettled?.SS ?? []),
      confirmed: item?.confirmed?.S,
    };
  }

  async announce(secretName: string, page: LedgerPage, vaults: readonly string[]): Promise<LedgerPage> {
    await this.#transact(secretName, [
      {
        Update: {
          ...this.#ifUnchanged(secretName, page),
          UpdateExpression: "SET epoch = :next ADD unsettled :vaults",
          ExpressionAttributeValues: {
            ...epochOf(page),
            ...nextEpoch(page),
            ":vaults": { SS: [...vaults] },
          },
        },
      },
      ...(page.confirmed === undefined ? [] : [this.#withdrawal(secretName, page.confirmed)]),
    ]);
    return { ...page, epoch: page.epoch + 1, unsettled: new Set([...page.unsettled, ...vaults]) };
  }

  async settle(secretName: string, page: LedgerPage, vaults: readonly string[]): Promise<void> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          ...this.#ifUnchanged(secretName, page),
          UpdateExpression: "DELETE unsettled :vaults",
          ExpressionAttributeValues: { ...epochOf(page), ":vaults": { SS: [...vaults] } },
        }),
      );
    } catch (failure) {
      throw OVERTAKEN.test(awsNameOf(failure))
        ? overtaken(secretName)
        : awsFailure(failure, `dynamodb:UpdateItem of ${this.#table}`);
    }
  }

  async confirm(secretName: string, page: LedgerPage, versionId: string, at: Date): Promise<void> {
    const { confirmed } = page;
    await this.#transact(secretName, [
      {
        Update: {
          ...this.#ifUnchanged(secretName, page),
          UpdateExpression: "SET epoch = :next, confirmed = :version",
          ExpressionAttributeValues: { ...epochOf(page), ...nextEpoch(page), ":version": { S: versionId } },
        },
      },
      {
        Put: {
          TableName: this.#table,
          Item: { ...publicationKey(secretName, versionId), confirmedAt: { S: at.toISOString() } },
        },
      },
      ...(confirmed === undefined || confirmed === versionId
        ? []
        : [this.#withdrawal(secretName, confirmed)]),
    ]);
  }

  async rootRotatedAt(vault: string, mount: string, connection: string): Promise<Date | undefined> {
    const item = await this.#get(connectionKey(vault, mount, connection));
    const at = new Date(item?.rotatedAt?.S ?? Number.NaN);
    return Number.isNaN(at.getTime()) ? undefined : at;
  }

  async recordRootRotation(vault: string, mount: string, connection: string, at: Date): Promise<void> {
    try {
      await this.#client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: { ...connectionKey(vault, mount, connection), rotatedAt: { S: at.toISOString() } },
        }),
      );
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:PutItem of ${this.#table}`);
    }
  }

  async #get(key: Record<string, AttributeValue>): Promise<Record<string, AttributeValue> | undefined> {
    try {
      const { Item } = await this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: key, ConsistentRead: true }),
      );
      return Item;
    } catch (failure) {
      throw awsFailure(failure, `dynamodb:GetItem of ${this.#table}`);
    }
  }

  async #transact(secretName: string, items: TransactWriteItem[]): Promise<void> {
    try {
      await this.#client.send(new TransactWriteItemsCommand({ TransactItems: items }));
    } catch (failure) {
      const reasons = cancellationsOf(failure);
      if (reasons.some((reason) => OVERTAKEN.test(reason))) throw overtaken(secretName);
      const throttled = reasons.find((reason) => THROTTLED.test(reason));
      if (throttled !== undefined)
        throw new RotationError("throttled", `a write to ${this.#table}`, throttled);
      throw awsFailure(failure, `a transaction in ${this.#table}`);
    }
  }

  #ifUnchanged(secretName: string, { epoch }: LedgerPage): Omit<Update, "UpdateExpression"> {
    return {
      TableName: this.#table,
      Key: publicationKey(secretName, PAGE),
      ConditionExpression: epoch === 0 ? "attribute_not_exists(epoch)" : "epoch = :epoch",
    };
  }

  #withdrawal(secretName: string, versionId: string): TransactWriteItem {
    return { Delete: { TableName: this.#table, Key: publicationKey(secretName, versionId) } };
  }
}

/** DynamoDB refuses values that no expression names. */
const epochOf = ({ epoch }: LedgerPage): Record<string, AttributeValue> =>
  epoch === 0 ? {} : { ":epoch": { N: String(epoch) } };

const nextEpoch = ({ epoch }: LedgerPage): Record<string, AttributeValue> => ({
  ":next": { N: String(epoch + 1) },
});

const connectionKey = (vault: string, mount: string, connection: string) =>
  publicationKey(`vault/${vault}/${mount}/${connection}`, ROOT_ROTATION);

const overtaken = (secretName: string) =>
  new RotationError("mirror-overtaken", `another mirror was at work on ${secretName}`);
