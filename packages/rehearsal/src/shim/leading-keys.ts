import type { PolicyDocument, PolicyStatement } from "../../../../lib/model";
import { evaluateAccess } from "../evaluator";
import { type AwsCall, parameterText } from "./aws-call";
import type { Caller } from "./callers";
import { resourceArn } from "./resource-arn";
import { unknownContext } from "./source-functions";
import { judgedCalls } from "./transactions";
import type { Upstream } from "./upstream";
import { type WireAnswer, type WireError, xmlText } from "./wire";

/** The condition key that the embedded AWS does not know: it takes every call. */
const LEADING_KEYS = "dynamodb:LeadingKeys";

/** A role's policies, as far as they have passed. */
interface RolePolicies {
  readonly inline: Map<string, PolicyDocument>;
  readonly attached: Set<string>;
}

/**
 * Rights on some of a DynamoDB table's items alone. Policies are learned as they pass to IAM; a role that has one with the
 * condition key is judged here, beside the embedded AWS, for every item that a call names.
 */
export class LeadingKeys {
  readonly #upstream: Upstream;
  readonly #roles = new Map<string, RolePolicies>();
  readonly #managed = new Map<string, PolicyDocument>();
  readonly #partitionKeys = new Map<string, Promise<string>>();

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** Learns from a call of IAM that went through. */
  learn(call: AwsCall, account: string, answer: WireAnswer): void {
    if (call.service !== "iam" || answer.status >= 300) return;
    const role = this.#policiesOf(`${account} ${parameterText(call, "RoleName")}`);
    const [name, arn] = [parameterText(call, "PolicyName") ?? "", parameterText(call, "PolicyArn") ?? ""];
    switch (call.operation) {
      case "PutRolePolicy":
        role.inline.set(name, documentOf(call));
        break;
      case "DeleteRolePolicy":
        role.inline.delete(name);
        break;
      case "AttachRolePolicy":
        role.attached.add(arn);
        break;
      case "DetachRolePolicy":
        role.attached.delete(arn);
        break;
      case "CreatePolicy":
        this.#managed.set(xmlText(answer.body, "Arn") ?? "", documentOf(call));
        break;
    }
  }

  /** Reason for which a call is refused; `undefined`: it is not, as far as the key goes. */
  async refusalOf(call: AwsCall, caller: Caller | undefined): Promise<WireError | undefined> {
    if (call.service !== "dynamodb" || caller === undefined) return undefined;
    const { principal, account } = caller;
    const role = this.#roles.get(`${account} ${principal.slice(principal.lastIndexOf("/") + 1)}`);
    if (role === undefined) return undefined;
    const identity = [
      ...role.inline.values(),
      ...[...role.attached].flatMap((arn) => this.#managed.get(arn) ?? []),
    ].map(aboutItems);
    if (!identity.some(({ Statement }) => Statement.some(namesKey))) return undefined;
    for (const judged of judgedCalls(call)) {
      const resource = await resourceArn(judged, account, this.#upstream);
      const context = {
        ...(await this.contextOf(judged, account)),
        ...unknownContext(judged, caller),
      };
      const request = { action: judged.action, resource, principal, context };
      if (evaluateAccess(request, { identity }).allowed) continue;
      return {
        code: "AccessDeniedException",
        message: `User: ${principal} is not authorized to perform: ${judged.action} on resource: ${resource} because no identity-based policy allows the ${judged.action} action`,
        status: 400,
      };
    }
    return undefined;
  }

  /** The value of the key for one call about one item, or one partition. */
  async contextOf(call: AwsCall, account: string): Promise<Readonly<Record<string, string>>> {
    const table = parameterText(call, "TableName");
    if (call.service !== "dynamodb" || table === undefined) return {};
    const { Key, Item, KeyConditionExpression: condition } = call.parameters;
    const key = await this.#partitionKeyOf(account, call.region, table);
    const named = attributeText(attributesOf(Key ?? Item)[key]);
    const value = named ?? queried(String(condition ?? ""), key, call);
    return value === undefined ? {} : { [LEADING_KEYS]: value };
  }

  #policiesOf(role: string): RolePolicies {
    const known = this.#roles.get(role) ?? { inline: new Map(), attached: new Set() };
    this.#roles.set(role, known);
    return known;
  }

  #partitionKeyOf(account: string, region: string, table: string): Promise<string> {
    const place = `${account} ${region} ${table}`;
    const known = this.#partitionKeys.get(place) ?? this.#describe(account, region, table);
    this.#partitionKeys.set(place, known);
    return known;
  }

  async #describe(account: string, region: string, TableName: string): Promise<string> {
    const asked = { account, region, service: "dynamodb", operation: "DescribeTable" };
    const { body } = await this.#upstream.asRoot(asked, { TableName });
    const { KeySchema: keys = [] } = attributesOf(body.Table) as {
      readonly KeySchema?: readonly { readonly AttributeName: string; readonly KeyType: string }[];
    };
    return keys.find(({ KeyType }) => KeyType === "HASH")?.AttributeName ?? "";
  }
}

const attributesOf = (value: unknown): Readonly<Record<string, unknown>> => Object(value);

const attributeText = (value: unknown): string | undefined => {
  const { S } = attributesOf(value);
  return typeof S === "string" ? S : undefined;
};

/** The partition that a query is about. */
function queried(condition: string, key: string, call: AwsCall): string | undefined {
  const names = attributesOf(call.parameters.ExpressionAttributeNames);
  const [, name = "", value = ""] = /(#?\w+)\s*=\s*(:\w+)/.exec(condition) ?? [];
  if ((names[name] ?? name) !== key) return undefined;
  return attributeText(attributesOf(call.parameters.ExpressionAttributeValues)[value]);
}

const documentOf = (call: AwsCall): PolicyDocument =>
  JSON.parse(parameterText(call, "PolicyDocument") ?? '{"Version":"2012-10-17","Statement":[]}');

/** Part of a policy that is about DynamoDB. */
const aboutItems = ({ Version, Statement }: PolicyDocument): PolicyDocument => ({
  Version,
  Statement: [Statement]
    .flat()
    .map((statement) => ({
      ...statement,
      Action: [statement.Action].flat(),
      ...(statement.Resource === undefined ? {} : { Resource: [statement.Resource].flat() }),
    }))
    .filter(({ Action }) => Action.every((action) => action.startsWith("dynamodb:"))),
});

const namesKey = ({ Condition = {} }: PolicyStatement): boolean =>
  Object.values(Condition).some((keys) => LEADING_KEYS in keys);
