import type { PolicyDocument } from "../../../../lib/model";
import { evaluateAccess } from "../evaluator";
import { type Exchange, type Handler, refuse } from "./exchange";
import { resourceArn } from "./resource-arn";
import { type WireAnswer, xmlText } from "./wire";

/**
 * An answer for whoever may have it by own inline policies, where the embedded AWS judges by a wrong resource and refuses.
 *
 * @param asRoot the answer itself, whoever asks
 */
export async function answerByOwnPolicies(
  { call, caller, account, upstream }: Exchange,
  refused: WireAnswer,
  resource: string,
  asRoot: () => Promise<WireAnswer>,
): Promise<WireAnswer> {
  if (refused.status !== 403 || caller === undefined) return refused;
  const request = { action: call.action, resource, principal: caller.principal, context: {} };
  const asked = { account, region: call.region, service: "iam" };
  const RoleName = caller.principal.slice(caller.principal.lastIndexOf("/") + 1);
  const { body } = await upstream.queryAsRoot({ ...asked, operation: "ListRolePolicies" }, { RoleName });
  const names = [...body.toString("utf8").matchAll(/<member>([^<]+)<\/member>/g)].map(
    ([, name = ""]) => name,
  );
  const identity = await Promise.all(
    names.map(async (PolicyName): Promise<PolicyDocument> => {
      const policy = await upstream.queryAsRoot(
        { ...asked, operation: "GetRolePolicy" },
        { RoleName, PolicyName },
      );
      return JSON.parse(decodeURIComponent(xmlText(policy.body, "PolicyDocument") ?? ""));
    }),
  );
  return evaluateAccess(request, { identity }).allowed ? asRoot() : refused;
}

/** An operation that the embedded AWS does not have: answered to whoever may call it by own inline policies. */
export const answeredHere =
  (answer: (exchange: Exchange) => Promise<WireAnswer>): Handler =>
  async (exchange) => {
    const denied = { code: "AccessDeniedException", message: "Not authorized", status: 403 };
    const { call, account, upstream } = exchange;
    const resource = await resourceArn(call, account, upstream);
    return answerByOwnPolicies(exchange, refuse(exchange, denied), resource, () => answer(exchange));
  };

/** An operation of ElastiCache on what the embedded AWS knows no ARN of: tags of groups. */
export const onItsResource: Handler = async (exchange) => {
  const { call, account, upstream } = exchange;
  const { region, service, operation, parameters } = call;
  const asked = { account, region, service, operation };
  return answerByOwnPolicies(
    exchange,
    await exchange.forward(),
    await resourceArn(call, account, upstream),
    () => upstream.queryAsRoot(asked, parameters as Readonly<Record<string, string>>),
  );
};
