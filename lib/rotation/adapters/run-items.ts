import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { FINAL_STATUSES, OPEN_STATUSES, RUN_KINDS, type Run } from "../../contracts/run";

/** An item of DynamoDB. */
export type Item = Record<string, AttributeValue>;

/** Key of a run, or of a secret's lock. */
export const keyOf = (secret: string, run: string) => ({ secret: { S: secret }, run: { S: run } });

/** A run as its item. */
export function itemOf({ change, oldVersion, startedAt, ...run }: Run): Item {
  return {
    ...keyOf(run.secret, run.run),
    kind: { S: run.kind },
    newVersion: { S: run.newVersion },
    ...(oldVersion === undefined ? {} : { oldVersion: { S: oldVersion } }),
    startedAt: { S: startedAt.toISOString() },
    startedBy: { S: run.startedBy },
    ...(run.startedByIs === undefined ? {} : { startedByIs: { S: run.startedByIs } }),
    ...(change === undefined
      ? {}
      : {
          change: {
            M: {
              id: { S: change.id },
              digest: { S: change.digest },
              ...(change.requester === undefined ? {} : { requester: { S: change.requester } }),
            },
          },
        }),
    ...(run.emergency ? { emergency: { BOOL: true } } : {}),
    status: { S: run.status },
    direction: { S: run.direction },
  };
}

/** An item as the run that it is. */
export function runOf(item: Item): Run {
  const text = (name: string): string => item[name]?.S ?? "";
  const { id, digest, requester } = item.change?.M ?? {};
  return {
    secret: text("secret"),
    run: text("run"),
    kind: RUN_KINDS.find((kind) => kind === text("kind")) ?? "rotation",
    newVersion: text("newVersion"),
    oldVersion: item.oldVersion?.S,
    startedAt: new Date(text("startedAt")),
    startedBy: text("startedBy"),
    ...(text("startedByIs") === "proven" ? { startedByIs: "proven" as const } : {}),
    ...(id?.S === undefined || digest?.S === undefined
      ? {}
      : {
          change: {
            id: id.S,
            digest: digest.S,
            ...(requester?.S === undefined ? {} : { requester: requester.S }),
          },
        }),
    ...(item.emergency?.BOOL ? { emergency: true } : {}),
    status: [...OPEN_STATUSES, ...FINAL_STATUSES].find((status) => status === text("status")) ?? "failed",
    direction: text("direction") === "back" ? "back" : "forward",
    ...(item.endedAt?.S === undefined ? {} : { endedAt: new Date(item.endedAt.S) }),
    ...decisionOf(item),
  };
}

function decisionOf({ decision }: Item): Pick<Run, "decision"> {
  const { answer, by, at } = decision?.M ?? {};
  if (by?.S === undefined || at?.S === undefined) return {};
  return {
    decision: { answer: answer?.S === "approved" ? "approved" : "rejected", by: by.S, at: new Date(at.S) },
  };
}
