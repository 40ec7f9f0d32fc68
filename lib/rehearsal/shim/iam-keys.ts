import { textOf } from "./aws-call";
import { type Exchange, refuse } from "./exchange";
import { type WireAnswer, xmlText } from "./wire";

/** Access keys of an IAM user (IAM User Guide, "IAM and AWS STS quotas"). */
const MOST_KEYS = 2;

/** CreateAccessKey, with AWS's limit. The embedded AWS judges the caller's rights; a third key is taken back. */
export async function createAccessKey(exchange: Exchange): Promise<WireAnswer> {
  const { call, account, upstream } = exchange;
  const answer = await exchange.forward();
  const UserName = xmlText(answer.body, "UserName") ?? textOf(call, "UserName");
  if (answer.status !== 200 || UserName === undefined) return answer;
  const asked = { account, region: call.region, service: "iam" };
  const list = await upstream.queryAsRoot({ ...asked, operation: "ListAccessKeys" }, { UserName });
  const keys = list.body.toString("utf8").match(/<AccessKeyId>/g) ?? [];
  if (keys.length <= MOST_KEYS) return answer;
  const AccessKeyId = xmlText(answer.body, "AccessKeyId") ?? "";
  await upstream.queryAsRoot({ ...asked, operation: "DeleteAccessKey" }, { UserName, AccessKeyId });
  return refuse(exchange, {
    code: "LimitExceeded",
    message: `Cannot exceed quota for AccessKeysPerUser: ${MOST_KEYS}`,
    status: 409,
  });
}
