import type { PolicyDocument, PolicyStatement } from "../../../../lib/model";

/**
 * IAM's decision, for just the policy grammar that the blueprint emits: lists of actions and resources, a
 * principal of `*`, the account's root or one federated issuer, and a few condition operators. What it does not
 * know it refuses to judge, so a new construct in a policy cannot pass unproven. Where the embedded AWS
 * enforces the same policy, tests hold the two against each other.
 *
 * Source: IAM User Guide, "Policy evaluation logic" (within one account, without SCPs and session policies).
 */

/** Request to a service. */
export interface AccessRequest {
  /** `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** ARN of the secret or key. */
  readonly resource: string;
  /** ARN of the role, as `aws:PrincipalArn` has it. */
  readonly principal: string;
  /**
   * Condition keys of the request, without `aws:PrincipalArn`. A key that is not there is absent; one with several values has a
   * list of them.
   */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** The policies that bear on a request. */
export interface AccessPolicies {
  readonly identity: readonly PolicyDocument[];
  /** Policy of the secret, or of the key. */
  readonly resource?: PolicyDocument;
  /**
   * `true`: the resource's own policy must allow too: a key's policy must, a secret's in the same account need not.
   */
  readonly resourceMustAllow?: boolean;
  readonly boundary?: PolicyDocument;
}

/** The decision and what brought it about. */
export interface AccessDecision {
  readonly allowed: boolean;
  readonly because:
    | "allowed"
    | "explicit-deny"
    | "no-identity-allow"
    | "no-resource-allow"
    | "outside-boundary";
  /** Sid of the statement that decided, where one did. */
  readonly sid?: string;
}

/** A policy that says something that this evaluator does not know. */
class UnknownPolicyGrammarError extends Error {
  override readonly name = "UnknownPolicyGrammarError";
}

/** Matches IAM's wildcards: `*` any characters, `?` exactly one. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

type Operator = (found: string | undefined, wanted: readonly string[]) => boolean;
type SetOperator = (found: readonly string[], wanted: readonly string[]) => boolean;

const anyEqual: Operator = (found, wanted) => found !== undefined && wanted.includes(found);
const anyLike: Operator = (found, wanted) =>
  found !== undefined && wanted.some((pattern) => matchesWildcard(pattern, found));
const notEqual: Operator = (found, wanted) => !anyEqual(found, wanted);
const notLike: Operator = (found, wanted) => !anyLike(found, wanted);

/** A negated operator is true where the key is absent (IAM User Guide, "Condition operators"). */
const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: anyEqual,
  StringNotEquals: notEqual,
  StringLike: anyLike,
  StringNotLike: notLike,
  ArnLike: anyLike,
  ArnNotLike: notLike,
  ArnEquals: anyLike,
  NumericLessThanEquals: (found, wanted) =>
    found !== undefined && wanted.some((limit) => Number(found) <= Number(limit)),
  Bool: anyEqual,
  Null: (found, wanted) => wanted.includes(String(found === undefined)),
};

/** All of none is true, any of none is false. */
const SET_OPERATORS: Readonly<Record<string, SetOperator>> = {
  "ForAllValues:StringEquals": (found, wanted) => found.every((value) => anyEqual(value, wanted)),
  "ForAllValues:StringNotEquals": (found, wanted) => found.every((value) => notEqual(value, wanted)),
  "ForAllValues:StringLike": (found, wanted) => found.every((value) => anyLike(value, wanted)),
  "ForAnyValue:StringEquals": (found, wanted) => found.some((value) => anyEqual(value, wanted)),
};

function conditionHolds(statement: PolicyStatement, request: AccessRequest): boolean {
  return Object.entries(statement.Condition ?? {}).every(([name, keys]) => {
    const operator = OPERATORS[name];
    const ofSet = SET_OPERATORS[name];
    if (!operator && !ofSet)
      throw new UnknownPolicyGrammarError(`${statement.Sid}: condition operator ${name}`);
    return Object.entries(keys).every(([key, wanted]) => {
      if (wanted.some((value) => value.includes("${"))) {
        throw new UnknownPolicyGrammarError(`${statement.Sid}: policy variable in ${key}`);
      }
      const found = key === "aws:PrincipalArn" ? request.principal : request.context[key];
      if (ofSet) return ofSet(found === undefined ? [] : [found].flat(), wanted);
      // What a single-valued operator makes of several values, IAM leaves open; whether there are any, `Null` can tell.
      if (typeof found === "object" && name !== "Null")
        throw new UnknownPolicyGrammarError(`${statement.Sid}: ${name} of ${key}, which has several values`);
      return operator?.(typeof found === "object" ? found.join() : found, wanted) ?? false;
    });
  });
}

function principalMatches(statement: PolicyStatement, request: AccessRequest): boolean {
  if (statement.Principal === undefined || statement.Principal === "*") return true;
  const account = request.principal.split(":")[4];
  return Object.entries(statement.Principal).every(([type, value]) => {
    if (type !== "AWS" || !/^arn:[a-z-]+:iam::\d{12}:root$/.test(value)) {
      throw new UnknownPolicyGrammarError(`${statement.Sid}: principal ${type} ${value}`);
    }
    return value.split(":")[4] === account;
  });
}

function applies(statement: PolicyStatement, request: AccessRequest): boolean {
  return (
    statement.Action.some((action) => matchesWildcard(action.toLowerCase(), request.action.toLowerCase())) &&
    (statement.Resource ?? ["*"]).some((resource) => matchesWildcard(resource, request.resource)) &&
    principalMatches(statement, request) &&
    conditionHolds(statement, request)
  );
}

function find(
  documents: readonly PolicyDocument[],
  effect: PolicyStatement["Effect"],
  request: AccessRequest,
): PolicyStatement | undefined {
  return documents
    .flatMap((document) => document.Statement)
    .find((statement) => statement.Effect === effect && applies(statement, request));
}

/**
 * Decides a request.
 *
 * @throws UnknownPolicyGrammarError for a policy beyond the grammar above
 */
export function evaluateAccess(request: AccessRequest, policies: AccessPolicies): AccessDecision {
  const resource = policies.resource ? [policies.resource] : [];
  const boundary = policies.boundary ? [policies.boundary] : [];
  const denied = find([...policies.identity, ...resource, ...boundary], "Deny", request);
  if (denied) return { allowed: false, because: "explicit-deny", sid: denied.Sid };
  const byIdentity = find(policies.identity, "Allow", request);
  if (!byIdentity) return { allowed: false, because: "no-identity-allow" };
  if (policies.boundary && !find(boundary, "Allow", request))
    return { allowed: false, because: "outside-boundary" };
  if (policies.resourceMustAllow && !find(resource, "Allow", request)) {
    return { allowed: false, because: "no-resource-allow" };
  }
  return { allowed: true, because: "allowed", sid: byIdentity.Sid };
}
