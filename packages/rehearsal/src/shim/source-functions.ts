import type { PolicyStatement } from "../../../../lib/model";
import { evaluateAccess, matchesWildcard } from "../evaluator";
import { type AwsCall, parameterText } from "./aws-call";
import type { Caller } from "./callers";
import type { Exchange, Handler } from "./exchange";
import { resourceArn } from "./resource-arn";
import { judgedCalls } from "./transactions";
import type { Upstream } from "./upstream";
import { jsonOf, type WireAnswer, type WireError, xmlText } from "./wire";
import { type WrittenStatement, withLists } from "./written-policy";

/** The function whose code makes a call. */
const SOURCE_FUNCTION = "lambda:SourceFunctionArn";

/** Condition keys that the embedded AWS does not know: an Allow with one never matches there. */
const UNKNOWN: readonly string[] = [SOURCE_FUNCTION, "sts:DurationSeconds", "sts:SigningAlgorithm"];

/** A policy as it was written. */
interface LearnedPolicy {
  readonly text: string;
  readonly statements: readonly PolicyStatement[];
}

interface RoleRights {
  readonly inline: Map<string, LearnedPolicy>;
  readonly attached: Set<string>;
}

/**
 * Rights of which a role's own function alone may make use, and tokens of some form alone. The embedded AWS is shown the policies
 * without such conditions, and calls are held against them here: AWS puts a function's ARN into the credentials that its code gets.
 */
export class SourceFunctions {
  readonly #upstream: Upstream;
  readonly #roles = new Map<string, RoleRights>();
  /** By the policy's ARN, then by version. */
  readonly #managed = new Map<string, Map<string, LearnedPolicy>>();
  readonly #defaults = new Map<string, string>();

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  handlers(): Readonly<Record<string, Handler>> {
    return {
      PutRolePolicy: (exchange) =>
        this.#write(exchange, (policy) =>
          this.#rightsOf(exchange).inline.set(parameterText(exchange.call, "PolicyName") ?? "", policy),
        ),
      DeleteRolePolicy: (exchange) =>
        this.#then(exchange, () =>
          this.#rightsOf(exchange).inline.delete(parameterText(exchange.call, "PolicyName") ?? ""),
        ),
      GetRolePolicy: (exchange) =>
        this.#read(
          exchange,
          "PolicyDocument",
          this.#rightsOf(exchange).inline.get(parameterText(exchange.call, "PolicyName") ?? ""),
        ),
      CreatePolicy: (exchange) =>
        this.#write(exchange, (policy, answer) =>
          this.#learnVersion(xmlText(answer.body, "Arn") ?? "", "v1", policy, true),
        ),
      CreatePolicyVersion: (exchange) =>
        this.#write(exchange, (policy, answer) =>
          this.#learnVersion(
            parameterText(exchange.call, "PolicyArn") ?? "",
            xmlText(answer.body, "VersionId") ?? "",
            policy,
            parameterText(exchange.call, "SetAsDefault") === "true",
          ),
        ),
      GetPolicyVersion: (exchange) =>
        this.#read(
          exchange,
          "Document",
          this.#managed
            .get(parameterText(exchange.call, "PolicyArn") ?? "")
            ?.get(parameterText(exchange.call, "VersionId") ?? ""),
        ),
      AttachRolePolicy: (exchange) =>
        this.#then(exchange, () =>
          this.#rightsOf(exchange).attached.add(parameterText(exchange.call, "PolicyArn") ?? ""),
        ),
      DetachRolePolicy: (exchange) =>
        this.#then(exchange, () =>
          this.#rightsOf(exchange).attached.delete(parameterText(exchange.call, "PolicyArn") ?? ""),
        ),
    };
  }

  /** Reason for which a call is refused; `undefined`: it is not, as far as the function goes. */
  async refusalOf(call: AwsCall, caller: Caller | undefined): Promise<WireError | undefined> {
    if (caller === undefined) return undefined;
    const allows = this.#allowsOf(caller);
    if (!allows.some(isBound)) return undefined;
    for (const judged of judgedCalls(call)) {
      const mayBe = allows.filter(({ Action }) => Action.some((action) => matchesAction(action, judged)));
      if (!mayBe.some(isBound)) continue;
      const resource = await resourceArn(judged, caller.account, this.#upstream);
      const matching = mayBe.filter(({ Resource = ["*"] }) =>
        Resource.some((pattern) => matchesWildcard(pattern, resource)),
      );
      // Whatever else a statement asks for is the embedded AWS's to judge.
      if (!matching.some(isBound) || matching.some((statement) => holds(statement, judged, caller))) continue;
      return {
        code: call.protocol === "query" ? "AccessDenied" : "AccessDeniedException",
        message: `User: ${caller.principal} is not authorized to perform: ${judged.action} on resource: ${resource} because no identity-based policy allows the ${judged.action} action`,
        status: call.protocol === "query" ? 403 : 400,
      };
    }
    return undefined;
  }

  #allowsOf({ account, principal }: Caller): readonly PolicyStatement[] {
    const role = this.#roles.get(`${account} ${principal.slice(principal.lastIndexOf("/") + 1)}`);
    if (role === undefined) return [];
    const attached = [...role.attached].flatMap(
      (arn) => this.#managed.get(arn)?.get(this.#defaults.get(arn) ?? "") ?? [],
    );
    return [...role.inline.values(), ...attached]
      .flatMap(({ statements }) => statements)
      .filter(({ Effect }) => Effect === "Allow");
  }

  #rightsOf({ call, account }: Exchange): RoleRights {
    const key = `${account} ${parameterText(call, "RoleName")}`;
    const known = this.#roles.get(key) ?? { inline: new Map(), attached: new Set() };
    this.#roles.set(key, known);
    return known;
  }

  #learnVersion(arn: string, version: string, policy: LearnedPolicy, isDefault: boolean): void {
    const versions = this.#managed.get(arn) ?? new Map<string, LearnedPolicy>();
    this.#managed.set(arn, versions.set(version, policy));
    if (isDefault) this.#defaults.set(arn, version);
  }

  async #write(
    exchange: Exchange,
    learn: (policy: LearnedPolicy, answer: WireAnswer) => unknown,
  ): Promise<WireAnswer> {
    const text = parameterText(exchange.call, "PolicyDocument") ?? "";
    const { Statement = [], ...rest } = jsonOf(Buffer.from(text));
    const statements = ([Statement].flat() as readonly WrittenStatement[]).map(withLists);
    const shown = statements.some((statement) => statement.Effect === "Allow" && isBound(statement))
      ? exchange.forwardForm({
          PolicyDocument: JSON.stringify({ ...rest, Statement: statements.map(unbound) }),
        })
      : exchange.forward();
    const answer = await shown;
    if (answer.status < 300) learn({ text, statements }, answer);
    return answer;
  }

  async #then(exchange: Exchange, learn: () => unknown): Promise<WireAnswer> {
    const answer = await exchange.forward();
    if (answer.status < 300) learn();
    return answer;
  }

  /** Terraform reads back what it wrote. */
  async #read(exchange: Exchange, element: string, policy: LearnedPolicy | undefined): Promise<WireAnswer> {
    const answer = await exchange.forward();
    if (answer.status !== 200 || policy === undefined || !policy.statements.some(isBound)) return answer;
    const body = answer.body
      .toString("utf8")
      .replace(
        new RegExp(`<${element}>[^<]*</${element}>`),
        () => `<${element}>${encodeURIComponent(policy.text)}</${element}>`,
      );
    return { ...answer, body: Buffer.from(body) };
  }
}

const matchesAction = (pattern: string, { action }: AwsCall): boolean =>
  matchesWildcard(pattern.toLowerCase(), action.toLowerCase());

const isBound = ({ Condition = {} }: PolicyStatement): boolean =>
  Object.values(Condition).some((keys) => Object.keys(keys).some((key) => UNKNOWN.includes(key)));

/** `true` when the part of a statement that the embedded AWS is not shown is true of a call. */
function holds(statement: PolicyStatement, call: AwsCall, caller: Caller): boolean {
  const { action } = call;
  const alone = { ...statement, Action: [action], Resource: ["*"], Condition: divided(statement).unknown };
  return evaluateAccess(
    { action, resource: "*", principal: caller.principal, context: unknownContext(call, caller) },
    { identity: [{ Version: "2012-10-17", Statement: [alone] }] },
  ).allowed;
}

/** The values of the keys in a call. */
export function unknownContext(call: AwsCall, caller: Caller | undefined): Readonly<Record<string, string>> {
  const isToken = call.action === "sts:GetWebIdentityToken";
  return {
    ...(caller?.functionArn === undefined ? {} : { [SOURCE_FUNCTION]: caller.functionArn }),
    ...(isToken
      ? {
          "sts:DurationSeconds": parameterText(call, "DurationSeconds") ?? "300",
          "sts:SigningAlgorithm": parameterText(call, "SigningAlgorithm") ?? "",
        }
      : {}),
  };
}

type Condition = NonNullable<PolicyStatement["Condition"]>;

function divided({ Condition = {} }: PolicyStatement): {
  readonly known: Condition;
  readonly unknown: Condition;
} {
  const those = (isUnknown: boolean): Condition =>
    Object.fromEntries(
      Object.entries(Condition).flatMap(([operator, keys]) => {
        const kept = Object.entries(keys).filter(([key]) => UNKNOWN.includes(key) === isUnknown);
        return kept.length > 0 ? [[operator, Object.fromEntries(kept)]] : [];
      }),
    );
  return { known: those(false), unknown: those(true) };
}

/** An Allow without the conditions that the embedded AWS does not know. */
function unbound(statement: PolicyStatement): PolicyStatement {
  const { Condition, ...rest } = statement;
  if (statement.Effect !== "Allow" || Condition === undefined) return statement;
  const { known } = divided(statement);
  return { ...rest, ...(Object.keys(known).length > 0 ? { Condition: known } : {}) };
}
