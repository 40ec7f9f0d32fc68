import { parameterText } from "./aws-call";
import { type Exchange, refuse } from "./exchange";
import { jsonOf, type WireAnswer, xmlText } from "./wire";

/** CreateFunction, with the role's trust policy looked at. */
export async function createFunction(exchange: Exchange): Promise<WireAnswer> {
  const { call, account, upstream } = exchange;
  const role = parameterText(call, "Role") ?? "";
  const RoleName = role.slice(role.lastIndexOf("/") + 1);
  const asked = { account, region: call.region, service: "iam", operation: "GetRole" };
  const answer = await upstream.queryAsRoot(asked, { RoleName });
  const isThere = xmlText(answer.body, "Arn") === role;
  if (isThere && trustsLambda(xmlText(answer.body, "AssumeRolePolicyDocument") ?? ""))
    return exchange.forward();
  return refuse(exchange, {
    code: "InvalidParameterValueException",
    message: "The role defined for the function cannot be assumed by Lambda.",
  });
}

interface TrustStatement {
  readonly Effect?: string;
  readonly Principal?: { readonly Service?: string | readonly string[] };
}

function trustsLambda(document: string): boolean {
  const { Statement = [] } = jsonOf(Buffer.from(decodeURIComponent(document)));
  const statements = [Statement].flat() as readonly TrustStatement[];
  return statements.some(
    ({ Effect, Principal }) =>
      Effect === "Allow" && [Principal?.Service ?? []].flat().includes("lambda.amazonaws.com"),
  );
}
