import type { PolicyStatement } from "../../model";
import { matchesWildcard } from "../evaluator";
import { type AwsCall, textOf } from "./aws-call";
import type { Caller } from "./callers";
import type { Exchange, Handler } from "./exchange";
import { resourceArn } from "./resource-arn";
import { judgedCalls } from "./transactions";
import type { Upstream } from "./upstream";
import { jsonOf, type WireAnswer, type WireError, xmlText } from "./wire";
import { type WrittenStatement, withLists } from "./written-policy";

/** The condition key that the embedded AWS does not know: an Allow with it never matches there. */
export const SOURCE_FUNCTION = "lambda:SourceFunctionArn";

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
 * Rights of which a role's own function alone may make use. The embedded AWS is shown the policies without that condition, and
 * callers are held against it here: AWS puts a function's ARN into the credentials that its code gets.
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
          this.#rightsOf(exchange).inline.set(textOf(exchange.call, "PolicyName") ?? "", policy),
        ),
      DeleteRolePolicy: (exchange) =>
        this.#then(exchange, () =>
          this.#rightsOf(exchange).inline.delete(textOf(exchange.call, "PolicyName") ?? ""),
        ),
      GetRolePolicy: (exchange) =>
        this.#read(
          exchange,
          "PolicyDocument",
          this.#rightsOf(exchange).inline.get(textOf(exchange.call, "PolicyName") ?? ""),
        ),
      CreatePolicy: (exchange) =>
        this.#write(exchange, (policy, answer) =>
          this.#learnVersion(xmlText(answer.body, "Arn") ?? "", "v1", policy, true),
        ),
      CreatePolicyVersion: (exchange) =>
        this.#write(exchange, (policy, answer) =>
          this.#learnVersion(
            textOf(exchange.call, "PolicyArn") ?? "",
            xmlText(answer.body, "VersionId") ?? "",
            policy,
            textOf(exchange.call, "SetAsDefault") === "true",
          ),
        ),
      GetPolicyVersion: (exchange) =>
        this.#read(
          exchange,
          "Document",
          this.#managed
            .get(textOf(exchange.call, "PolicyArn") ?? "")
            ?.get(textOf(exchange.call, "VersionId") ?? ""),
        ),
      AttachRolePolicy: (exchange) =>
        this.#then(exchange, () =>
          this.#rightsOf(exchange).attached.add(textOf(exchange.call, "PolicyArn") ?? ""),
        ),
      DetachRolePolicy: (exchange) =>
        this.#then(exchange, () =>
          this.#rightsOf(exchange).attached.delete(textOf(exchange.call, "PolicyArn") ?? ""),
        ),
    };
  }

  /** Why a call is refused; `undefined`: it is not, as far as the function goes. */
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
      if (!matching.some(isBound) || matching.some((statement) => isFor(statement, caller))) continue;
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
    const key = `${account} ${textOf(call, "RoleName")}`;
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
    const text = textOf(exchange.call, "PolicyDocument") ?? "";
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

const isBound = ({ Condition }: PolicyStatement): boolean =>
  Condition?.ArnEquals?.[SOURCE_FUNCTION] !== undefined;

/** Whether a statement is anybody's who has the role, or this function's. */
const isFor = ({ Condition }: PolicyStatement, { functionArn }: Caller): boolean => {
  const functions = Condition?.ArnEquals?.[SOURCE_FUNCTION];
  return functions === undefined || (functionArn !== undefined && functions.includes(functionArn));
};

/** An Allow without the condition that the embedded AWS does not know. */
function unbound(statement: PolicyStatement): PolicyStatement {
  const { Condition = {}, ...rest } = statement;
  if (statement.Effect !== "Allow" || !isBound(statement)) return statement;
  const { ArnEquals = {}, ...others } = Condition;
  const { [SOURCE_FUNCTION]: _, ...kept } = ArnEquals;
  const left = { ...others, ...(Object.keys(kept).length > 0 ? { ArnEquals: kept } : {}) };
  return { ...rest, ...(Object.keys(left).length > 0 ? { Condition: left } : {}) };
}
