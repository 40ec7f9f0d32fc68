import type { Handler } from "./exchange";
import { queryAnswer } from "./wire";

const NAMESPACE = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/**
 * DescribeAlarms in the form protocol, as Terraform's provider asks. The embedded AWS judges the caller, and gives whole alarms
 * in its JSON protocol only.
 */
export const describeAlarms: Handler = async (exchange) => {
  const { call, account, upstream, requestId } = exchange;
  const answer = await exchange.forward();
  if (call.protocol !== "query" || answer.status !== 200) return answer;
  const asked = { account, region: call.region, service: "cloudwatch", operation: call.operation };
  const { body } = await upstream.asRoot(asked, withLists(call.parameters));
  return queryAnswer(NAMESPACE, call.operation, dated(body), requestId);
};

/** Form fields with their lists of texts as lists. */
function withLists(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const lists: Record<string, unknown[]> = {};
  const others = Object.entries(fields).filter(([name, value]) => {
    const list = /^(\w+)\.member\.\d+$/.exec(name)?.[1];
    if (list !== undefined) lists[list] = [...(lists[list] ?? []), value];
    return list === undefined;
  });
  return { ...Object.fromEntries(others), ...lists };
}

/** With the seconds of the JSON protocol as the dates of XML. */
const dated = (body: object): object =>
  JSON.parse(
    JSON.stringify(body, (name, value) =>
      name.endsWith("Timestamp") && typeof value === "number" ? new Date(value * 1_000).toISOString() : value,
    ),
  );
