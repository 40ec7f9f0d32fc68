import { type AwsCall, parameterText } from "./aws-call";
import { type Exchange, refuse } from "./exchange";
import { answerByOwnPolicies } from "./own-policies";
import { type WireAnswer, xmlText } from "./wire";

/** Access keys of an IAM user (IAM User Guide, "IAM and AWS STS quotas"). */
const MOST_KEYS = 2;

/** CreateAccessKey, with AWS's limit. The embedded AWS judges the caller's rights; a third key is taken back. */
export async function createAccessKey(exchange: Exchange): Promise<WireAnswer> {
  const { call, account, upstream } = exchange;
  const answer = await exchange.forward();
  const UserName = xmlText(answer.body, "UserName") ?? parameterText(call, "UserName");
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

/**
 * The answer of GetAccessKeyLastUsed to whoever may ask it of the key's user. The embedded AWS knows no resource for it, so
 * the caller's inline policies are judged here when it refuses.
 */
async function answerForOwner(exchange: Exchange): Promise<WireAnswer> {
  const { call, account, upstream } = exchange;
  const refused = await exchange.forward();
  if (refused.status !== 403) return refused;
  const asked = { account, region: call.region, service: "iam" };
  const answer = await upstream.queryAsRoot(
    { ...asked, operation: call.operation },
    { AccessKeyId: parameterText(call, "AccessKeyId") ?? "" },
  );
  const user = xmlText(answer.body, "UserName");
  if (user === undefined) return refused;
  const resource = `arn:aws:iam::${account}:user/${user}`;
  return answerByOwnPolicies(exchange, refused, resource, async () => answer);
}

/** Times at which access keys of users were used last, as far as that went through the shim. */
export class AccessKeyUses {
  readonly #uses = new Map<
    string,
    { readonly at: Date; readonly service: string; readonly region: string }
  >();

  /** A call whose signature was good, whether IAM allowed it or not. */
  note({ accessKeyId, service, region }: AwsCall): void {
    if (accessKeyId !== undefined) this.#uses.set(accessKeyId, { at: new Date(), service, region });
  }

  /** GetAccessKeyLastUsed, with the use. AWS is some minutes late; the shim is not. */
  async lastUsed(exchange: Exchange): Promise<WireAnswer> {
    const answer = await answerForOwner(exchange);
    const use = this.#uses.get(parameterText(exchange.call, "AccessKeyId") ?? "");
    if (answer.status !== 200 || use === undefined) return answer;
    const used =
      `<AccessKeyLastUsed><LastUsedDate>${use.at.toISOString()}</LastUsedDate>` +
      `<ServiceName>${use.service}</ServiceName><Region>${use.region}</Region></AccessKeyLastUsed>`;
    const body = answer.body.toString("utf8").replace(/<AccessKeyLastUsed>.*<\/AccessKeyLastUsed>/s, used);
    return { ...answer, body: Buffer.from(body) };
  }
}
