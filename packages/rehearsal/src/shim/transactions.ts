import type { AwsCall } from "./aws-call";

/** Actions by the members of a transaction's items. */
const ACTION_OF = {
  ConditionCheck: "dynamodb:ConditionCheckItem",
  Delete: "dynamodb:DeleteItem",
  Get: "dynamodb:GetItem",
  Put: "dynamodb:PutItem",
  Update: "dynamodb:UpdateItem",
} as const;

/**
 * Calls that IAM judges for a call: the call itself; for a transaction of DynamoDB, which is no action, one for each of its
 * items. The embedded AWS does so, too.
 *
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
 */
export function judgedCalls(call: AwsCall): readonly AwsCall[] {
  const { TransactItems: items } = call.parameters;
  if (call.service !== "dynamodb" || !Array.isArray(items)) return [call];
  return items.flatMap((item: Readonly<Record<string, object>>) =>
    Object.entries(ACTION_OF).flatMap(([member, action]) => {
      const parameters = item[member];
      return parameters === undefined ? [] : [{ ...call, action, parameters: { ...parameters } }];
    }),
  );
}
