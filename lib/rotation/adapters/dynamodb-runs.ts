import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  changeUsedBy,
  type Decision,
  type FinalStatus,
  hasEnded,
  type NewRun,
  OPEN_STATUSES,
  type Run,
} from "../../contracts/run";
import { LOCK_RUN } from "../../model/names";
import type { ApprovedChange, RunTable } from "../procedure/run-table";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure, isConditional } from "./aws-failure";
import { cancellationsOf } from "./dynamodb-cancellations";
import { DynamoDbChanges } from "./dynamodb-changes";
import { type Item, itemOf, keyOf, runOf } from "./run-items";

/**
 * {@link RunTable} in a DynamoDB table (partition key `secret`, sort key `run`). Conditional writes are the lock: one item
 * `#lock` for a secret is written together with the run that takes it, and deleted together with its end.
 */
export class DynamoDbRuns implements RunTable {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #changes: DynamoDbChanges | undefined;

  /**
   * @param changesTable table of change requests. Default: none, for whoever begins and ends no run by one
   */
  constructor(client: DynamoDBClient, table: string, changesTable?: string) {
    this.#client = client;
    this.#table = table;
    this.#changes = changesTable === undefined ? undefined : new DynamoDbChanges(client, changesTable);
  }

  async begin(run: NewRun, at: Date): Promise<Run> {
    const begun: Run = { ...run, startedAt: at, status: "rotating", direction: "forward" };
    const isFree = "attribute_not_exists(secret)";
    const change = changeUsedBy(run);
    const begins = await this.#transact([
      { Put: { TableName: this.#table, Item: itemOf(begun), ConditionExpression: isFree } },
      {
        Put: {
          TableName: this.#table,
          Item: { ...keyOf(run.secret, LOCK_RUN), holder: { S: run.run }, since: { S: at.toISOString() } },
          ConditionExpression: isFree,
        },
      },
      ...(change === undefined ? [] : [this.#changesTable().useOf(change.digest, run)]),
    ]);
    return begins ? begun : this.#met(run);
  }

  async read(secret: string, run: string): Promise<Run | undefined> {
    const item = await this.#get(keyOf(secret, run));
    return item === undefined ? undefined : runOf(item);
  }

  async open(secret: string): Promise<Run | undefined> {
    const holder = (await this.#get(keyOf(secret, LOCK_RUN)))?.holder?.S;
    const run = holder === undefined ? undefined : await this.read(secret, holder);
    // It may have ended between the two looks.
    return run === undefined || hasEnded(run) ? undefined : run;
  }

  async latest(secret: string, count: number): Promise<readonly Run[]> {
    const runs: Run[] = [];
    let from: Item | undefined;
    do {
      const page = await this.#send(`dynamodb:Query of ${this.#table}`, () =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: "secret = :secret",
            ExpressionAttributeValues: { ":secret": { S: secret } },
            ConsistentRead: true,
            ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          }),
        ),
      );
      runs.push(...(page.Items ?? []).filter(({ run }) => run?.S !== LOCK_RUN).map(runOf));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return runs.sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime()).slice(0, count);
  }

  async advance({ secret, run }: Run, status: "starting" | "proving" | "awaiting-approval"): Promise<void> {
    const earlier = OPEN_STATUSES.slice(0, OPEN_STATUSES.indexOf(status));
    await this.#update(
      secret,
      run,
      "SET #status = :status",
      { ":status": { S: status } },
      earlier,
      // What is about to be recorded as ended is not started any more.
      status === "starting" ? "attribute_not_exists(endedAt)" : undefined,
    );
  }

  async retreat({ secret, run }: Run): Promise<void> {
    await this.#update(
      secret,
      run,
      "SET #status = :status",
      { ":status": { S: "rotating" } },
      ["starting"],
      "attribute_not_exists(endedAt)",
    );
  }

  async withdraw(run: Run): Promise<void> {
    await this.#update(
      run.secret,
      run.run,
      "SET #status = :status",
      { ":status": { S: "withdrawing" } },
      ["rotating"],
      "attribute_not_exists(endedAt)",
    );
    const now = await this.#require(run);
    if (now.status !== "withdrawing" && now.status !== "withdrawn") throw ended(now);
  }

  async turnBack(run: Run): Promise<Run> {
    await this.#update(
      run.secret,
      run.run,
      "SET direction = :back",
      { ":back": { S: "back" } },
      ["proving", "awaiting-approval"],
      "attribute_not_exists(endedAt)",
    );
    const now = await this.#require(run);
    if (hasEnded(now)) throw ended(now);
    if (now.direction !== "back") {
      if (now.endedAt !== undefined) throw ended(now);
      throw new RotationError("run-too-early", `run ${run.run} of ${run.secret} is ${now.status}`);
    }
    return now;
  }

  async decide(run: Run, { answer, by, at }: Decision): Promise<Decision> {
    const M = { answer: { S: answer }, by: { S: by }, at: { S: at.toISOString() } };
    await this.#update(
      run.secret,
      run.run,
      "SET decision = :decision",
      { ":decision": { M }, ":forward": { S: "forward" } },
      ["awaiting-approval"],
      "attribute_not_exists(decision) AND attribute_not_exists(endedAt) AND direction = :forward",
    );
    const now = await this.#require(run);
    if (now.decision !== undefined) return now.decision;
    if (hasEnded(now) || now.endedAt !== undefined) throw ended(now);
    if (now.direction === "back") throw turnedBack(run);
    throw new RotationError("run-too-early", `run ${run.run} of ${run.secret} is ${now.status}`);
  }

  async close(run: Run, at: Date, succeeded: boolean): Promise<Date> {
    await this.#update(
      run.secret,
      run.run,
      "SET endedAt = :at",
      { ":at": { S: at.toISOString() }, ...(succeeded ? { ":forward": { S: "forward" } } : {}) },
      OPEN_STATUSES,
      `attribute_not_exists(endedAt)${succeeded ? " AND direction = :forward" : ""}`,
    );
    const { endedAt } = await this.#require(run);
    if (endedAt === undefined) throw turnedBack(run);
    return endedAt;
  }

  async end(run: Run, status: FinalStatus): Promise<void> {
    const change = changeUsedBy(run);
    const ends = await this.#transact([
      {
        Update: {
          TableName: this.#table,
          Key: keyOf(run.secret, run.run),
          UpdateExpression: "SET #status = :status",
          ...whileStatusIs(OPEN_STATUSES, { ":status": { S: status } }),
        },
      },
      {
        Delete: {
          TableName: this.#table,
          Key: keyOf(run.secret, LOCK_RUN),
          ConditionExpression: "holder = :run",
          ExpressionAttributeValues: { ":run": { S: run.run } },
        },
      },
      ...(change === undefined || status !== "withdrawn"
        ? []
        : [this.#changesTable().freeing(change.digest, run)]),
    ]);
    if (ends) return;
    const now = await this.#require(run);
    if (!hasEnded(now)) throw busy(run.secret);
  }

  async freeOrphan(secret: string): Promise<string | undefined> {
    const lock = await this.#get(keyOf(secret, LOCK_RUN));
    if (lock === undefined) return undefined;
    const holder = lock.holder?.S;
    // A run and its lock are written as one, so a lock that was seen first has its run.
    const run = holder === undefined ? undefined : await this.read(secret, holder);
    if (run !== undefined && !hasEnded(run)) return undefined;
    try {
      await this.#client.send(
        new DeleteItemCommand({
          TableName: this.#table,
          Key: keyOf(secret, LOCK_RUN),
          ...(holder === undefined
            ? { ConditionExpression: "attribute_not_exists(holder)" }
            : {
                ConditionExpression: "holder = :run",
                ExpressionAttributeValues: { ":run": { S: holder } },
              }),
        }),
      );
    } catch (failure) {
      // Somebody else has it by now.
      if (isConditional(failure)) return undefined;
      throw awsFailure(failure, `dynamodb:DeleteItem of ${this.#table}`);
    }
    return holder ?? "";
  }

  approve(change: ApprovedChange, at: Date): Promise<void> {
    return this.#changesTable().approve(change, at);
  }

  approved(digest: string): Promise<ApprovedChange | undefined> {
    return this.#changesTable().approved(digest);
  }

  /** The run of the same name that is open already; otherwise throws the reason for which the run did not begin. */
  async #met(run: NewRun): Promise<Run> {
    const same = await this.read(run.secret, run.run);
    if (same !== undefined) {
      if (hasEnded(same)) throw ended(same);
      return same;
    }
    const other = await this.open(run.secret);
    if (other !== undefined) {
      throw new RotationError(
        "run-under-way",
        `run ${other.run} of ${run.secret} is ${other.status} since ${other.startedAt.toISOString()}`,
      );
    }
    const change = changeUsedBy(run);
    if (change !== undefined) await this.#changesTable().requireFree(change, run);
    throw busy(run.secret);
  }

  #changesTable(): DynamoDbChanges {
    if (this.#changes !== undefined) return this.#changes;
    throw new RotationError("change-not-approved", "change requests are not at hand here");
  }

  async #require({ secret, run }: Run): Promise<Run> {
    const found = await this.read(secret, run);
    if (found === undefined) throw new RotationError("run-missing", `${secret} has no run ${run}`);
    return found;
  }

  async #get(key: Item): Promise<Item | undefined> {
    const { Item } = await this.#send(`dynamodb:GetItem of ${this.#table}`, () =>
      this.#client.send(new GetItemCommand({ TableName: this.#table, Key: key, ConsistentRead: true })),
    );
    return Item;
  }

  /** Changes a run while its status is one of some, and a condition holds; else nothing. */
  async #update(
    secret: string,
    run: string,
    expression: string,
    values: Item,
    statuses: readonly string[],
    condition?: string,
  ): Promise<void> {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: keyOf(secret, run),
          UpdateExpression: expression,
          ...whileStatusIs(statuses, values, condition),
        }),
      );
    } catch (failure) {
      if (!isConditional(failure)) throw awsFailure(failure, `dynamodb:UpdateItem of ${this.#table}`);
    }
  }

  /** `true` when all was written; `false` when a condition did not hold. */
  async #transact(items: TransactWriteItem[]): Promise<boolean> {
    try {
      await this.#client.send(new TransactWriteItemsCommand({ TransactItems: items }));
      return true;
    } catch (failure) {
      const reasons = cancellationsOf(failure);
      if (reasons.some((reason) => /^(ConditionalCheckFailed|TransactionConflict)/.test(reason)))
        return false;
      const throttled = reasons.find((reason) => /^(Throttling|ProvisionedThroughputExceeded)/.test(reason));
      if (throttled !== undefined)
        throw new RotationError("throttled", `a write to ${this.#table}`, throttled);
      throw awsFailure(failure, `a transaction in ${this.#table}`);
    }
  }

  async #send<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (failure) {
      throw awsFailure(failure, what);
    }
  }
}

/** `status` is a reserved word of DynamoDB. */
function whileStatusIs(statuses: readonly string[], values: Item, condition?: string) {
  const names = statuses.map((_, index) => `:status${index}`);
  return {
    ConditionExpression: [`#status IN (${names.join(", ")})`, condition].filter(Boolean).join(" AND "),
    ExpressionAttributeNames: { "#status": "status" },
    ExpressionAttributeValues: {
      ...values,
      ...Object.fromEntries(statuses.map((status, index) => [`:status${index}`, { S: status }])),
    },
  };
}

const ended = ({ secret, run, status }: Run): RotationError =>
  new RotationError("run-ended", `run ${run} of ${secret} is ${status}`);

const turnedBack = ({ secret, run }: Run): RotationError =>
  new RotationError("run-turned-back", `run ${run} of ${secret}`);

const busy = (secret: string): RotationError =>
  new RotationError("throttled", `several calls write runs of ${secret} at once`);
