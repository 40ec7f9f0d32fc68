import type { PolicyStatement } from "../../../../lib/model";

/** As policies are written: where there may be lists, there may be single texts. */
export type WrittenStatement = Omit<PolicyStatement, "Action" | "Resource" | "Condition"> & {
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
};

const listOf = (value: string | readonly string[]): readonly string[] => [value].flat();

/** The same statement, with lists where there may be some. */
export const withLists = ({
  Action,
  Resource,
  Condition = {},
  ...rest
}: WrittenStatement): PolicyStatement => ({
  ...rest,
  Action: listOf(Action),
  ...(Resource === undefined ? {} : { Resource: listOf(Resource) }),
  Condition: Object.fromEntries(
    Object.entries(Condition).map(([operator, keys]) => [
      operator,
      Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, listOf(values)])),
    ]),
  ),
});
