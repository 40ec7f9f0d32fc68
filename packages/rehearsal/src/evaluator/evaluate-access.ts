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

/** Each of an ARN's six parts is matched apart (IAM User Guide, "ARN condition operators"). */
function matchesArn(pattern: string, text: string): boolean {
  const [parts, found] = [partsOf(pattern), partsOf(text)];
  return (
    parts.length === found.length && parts.every((part, index) => matchesWildcard(part, found[index] ?? ""))
  );
}

const partsOf = (arn: string): readonly string[] => {
  const parts = arn.split(":");
  return [...parts.slice(0, 5), ...(parts.length > 5 ? [parts.slice(5).join(":")] : [])];
};

const anyArn: Operator = (found, wanted) =>
  found !== undefined && wanted.some((pattern) => matchesArn(pattern, found));
const notArn: Operator = (found, wanted) => !anyArn(found, wanted);

/** A negated operator is true where the key is absent (IAM User Guide, "Condition operators"). */
const PLAIN_OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: anyEqual,
  StringNotEquals: notEqual,
  StringLike: anyLike,
  StringNotLike: notLike,
  ArnLike: anyArn,
  ArnNotLike: notArn,
  ArnEquals: anyArn,
  ArnNotEquals: notArn,
  Bool: (found, wanted) => found !== undefined && wanted.includes(found.toLowerCase()),
  NumericLessThanEquals: (found, wanted) =>
    found !== undefined && wanted.some((limit) => Number(found) <= Number(limit)),
  Null: (found, wanted) => wanted.includes(String(found === undefined)),
};

/** `…IfExists` is true where the key is absent. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  ...PLAIN_OPERATORS,
  ...Object.fromEntries(
    Object.entries(PLAIN_OPERATORS)
      .filter(([name]) => name !== "Null")
      .map(([name, operator]): [string, Operator] => [
        `${name}IfExists`,
        (found, wanted) => found === undefined || operator(found, wanted),
      ]),
  ),
};

/** All of none is true, any of none is false. */
const SET_OPERATORS: Readonly<Record<string, SetOperator>> = {
  "ForAllValues:StringEquals": (found, wanted) => found.every((value) => anyEqual(value, wanted)),
  "ForAllValues:StringNotEquals": (found, wanted) => found.every((value) => notEqual(value, wanted)),
  "ForAllValues:StringLike": (found, wanted) => found.every((value) => anyLike(value, wanted)),
  "ForAnyValue:StringEquals": (found, wanted) => found.some((value) => anyEqual(value, wanted)),
  "ForAnyValue:StringLike": (found, wanted) => found.some((value) => anyLike(value, wanted)),
  "ForAnyValue:StringNotEquals": (found, wanted) => found.some((value) => notEqual(value, wanted)),
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
    if (type === "AWS" && value === "*") return true;
    if (type === "AWS" && NAMED_ROLE.test(value)) return value === request.principal;
    if (type !== "AWS" || !ACCOUNT.test(value)) {
      throw new UnknownPolicyGrammarError(`${statement.Sid}: principal ${type} ${value}`);
    }
    return value.split(":")[4] === account;
  });
}

const NAMED_ROLE = /^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const ACCOUNT = /^arn:[a-z-]+:iam::\d{12}:root$/;

/** A statement that names its callers, and not the account, needs no policy of theirs within the account. */
const namesCallers = ({ Principal }: PolicyStatement): boolean =>
  Principal === "*" || (Principal !== undefined && !ACCOUNT.test(Principal.AWS ?? ""));

/** A statement that names what it is not about. */
type Excepting = PolicyStatement & {
  readonly NotAction?: readonly string[];
  readonly NotResource?: readonly string[];
};

function actionMatches({ Action, NotAction }: Excepting, { action }: AccessRequest): boolean {
  const isOneOf = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => matchesWildcard(pattern.toLowerCase(), action.toLowerCase()));
  return NotAction === undefined ? isOneOf(Action) : !isOneOf(NotAction);
}

function resourceMatches({ Resource, NotResource }: Excepting, { resource }: AccessRequest): boolean {
  const isOneOf = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => matchesWildcard(pattern, resource));
  return NotResource === undefined ? isOneOf(Resource ?? ["*"]) : !isOneOf(NotResource);
}

function applies(statement: PolicyStatement, request: AccessRequest): boolean {
  return (
    actionMatches(statement, request) &&
    resourceMatches(statement, request) &&
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
  const named = resource.map((document) => ({
    ...document,
    Statement: document.Statement.filter(namesCallers),
  }));
  const byIdentity = find([...policies.identity, ...named], "Allow", request);
  if (!byIdentity) return { allowed: false, because: "no-identity-allow" };
  if (policies.boundary && !find(boundary, "Allow", request))
    return { allowed: false, because: "outside-boundary" };
  if (policies.resourceMustAllow && !find(resource, "Allow", request)) {
    return { allowed: false, because: "no-resource-allow" };
  }
  return { allowed: true, because: "allowed", sid: byIdentity.Sid };
}
