import { isRecord } from "../../model/is-record";
import { covers } from "./glob";
import {
  type Arguments,
  argumentTexts,
  blocksIn,
  type TerraformView,
  type ViewedElement,
} from "./terraform-view";

/** One condition of a statement, without its operator's `ForAnyValue:` and `IfExists`. */
export interface ViewedCondition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** One statement of an IAM, trust, key or resource policy. Texts are as the policy has them. */
export interface ViewedStatement {
  readonly effect: "Allow" | "Deny";
  /** Empty for `NotAction`, which {@link notActions} holds. */
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly resources: readonly string[];
  readonly notResources: readonly string[];
  /** Principals as `AWS:<arn>`; `*` for everybody; absent in identity policies. */
  readonly principals?: readonly string[];
  readonly excludesPrincipals: boolean;
  readonly conditions: readonly ViewedCondition[];
}

/** A policy that an element carries. */
export interface ViewedPolicy {
  readonly carrier: ViewedElement;
  /** Argument that holds it: `policy`, `inline_policy[0].policy`. */
  readonly at: string;
  /** `identity`: what its holder may do. `resource`: who may use the thing. `trust`: who may take the role. */
  readonly side: "identity" | "resource" | "trust";
  /** Absent where the text is an expression that only Terraform can read. */
  readonly statements?: readonly ViewedStatement[];
}

/** Arguments that hold policies, by type of resource. */
const CARRIERS: Readonly<Record<string, readonly (readonly [string, ViewedPolicy["side"]])[]>> = {
  aws_iam_policy: [["policy", "identity"]],
  aws_iam_role_policy: [["policy", "identity"]],
  aws_iam_user_policy: [["policy", "identity"]],
  aws_iam_group_policy: [["policy", "identity"]],
  aws_ssoadmin_permission_set_inline_policy: [["inline_policy", "identity"]],
  aws_iam_role: [["assume_role_policy", "trust"]],
  aws_secretsmanager_secret: [["policy", "resource"]],
  aws_secretsmanager_secret_policy: [["policy", "resource"]],
  aws_kms_key: [["policy", "resource"]],
  aws_kms_external_key: [["policy", "resource"]],
  aws_kms_replica_key: [["policy", "resource"]],
  aws_kms_key_policy: [["policy", "resource"]],
};

/** Policies of a stack about identities, trust, secrets and keys. */
export function policiesIn(view: TerraformView): readonly ViewedPolicy[] {
  return view.elements.flatMap((carrier): readonly ViewedPolicy[] => {
    if (carrier.block !== "resource") return [];
    const direct = (CARRIERS[carrier.type] ?? []).flatMap(([at, side]) =>
      carrier.arguments[at] === undefined ? [] : [policy(view, carrier, at, side, carrier.arguments[at])],
    );
    const inline =
      carrier.type === "aws_iam_role"
        ? blocksIn(carrier.arguments.inline_policy).flatMap(({ policy: text }, index) =>
            text === undefined
              ? []
              : [policy(view, carrier, `inline_policy[${index}].policy`, "identity", text)],
          )
        : [];
    return [...direct, ...inline];
  });
}

function policy(
  view: TerraformView,
  carrier: ViewedElement,
  at: string,
  side: ViewedPolicy["side"],
  value: unknown,
): ViewedPolicy {
  const statements = statementsOf(view, value);
  return { carrier, at, side, ...(statements ? { statements } : {}) };
}

function statementsOf(view: TerraformView, value: unknown): readonly ViewedStatement[] | undefined {
  const data = view.referred(value);
  if (data?.type === "aws_iam_policy_document") {
    return blocksIn(data.arguments.statement).map(ofDataSource);
  }
  const json = parsed(value);
  return isRecord(json) ? blocksIn(json.Statement).map(ofJson) : undefined;
}

/** A text as JSON, Terraform's escapes undone; `undefined` where it is none. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return undefined;
  try {
    return JSON.parse(value.replaceAll("$${", "${").replaceAll("%%{", "%{"));
  } catch {
    return undefined;
  }
}

function ofJson(statement: Arguments): ViewedStatement {
  const principal = statement.Principal ?? statement.NotPrincipal;
  return {
    effect: statement.Effect === "Deny" ? "Deny" : "Allow",
    actions: argumentTexts(statement.Action),
    notActions: argumentTexts(statement.NotAction),
    resources: argumentTexts(statement.Resource),
    notResources: argumentTexts(statement.NotResource),
    ...(principal === undefined ? {} : { principals: principalsOf(principal) }),
    excludesPrincipals: statement.NotPrincipal !== undefined,
    conditions: Object.entries(isRecord(statement.Condition) ? statement.Condition : {}).flatMap(
      ([operator, keys]) =>
        Object.entries(isRecord(keys) ? keys : {}).map(([key, values]) => ({
          operator: bare(operator),
          key,
          values: [values].flat().map(String),
        })),
    ),
  };
}

const principalsOf = (principal: unknown): readonly string[] =>
  isRecord(principal)
    ? Object.entries(principal).flatMap(([type, ids]) =>
        argumentTexts(ids).map((id) => (type === "AWS" && id === "*" ? "*" : `${type}:${id}`)),
      )
    : argumentTexts(principal);

const bare = (operator: string): string =>
  operator.replace(/^For(?:Any|All)Values?:/, "").replace(/IfExists$/, "");

function ofDataSource(statement: Arguments): ViewedStatement {
  const principals = [...blocksIn(statement.principals), ...blocksIn(statement.not_principals)];
  return {
    effect: statement.effect === "Deny" ? "Deny" : "Allow",
    actions: argumentTexts(statement.actions),
    notActions: argumentTexts(statement.not_actions),
    resources: argumentTexts(statement.resources),
    notResources: argumentTexts(statement.not_resources),
    ...(principals.length === 0
      ? {}
      : {
          principals: principals.flatMap(({ type, identifiers }) =>
            argumentTexts(identifiers).map((id) => (id === "*" ? "*" : `${type}:${id}`)),
          ),
        }),
    excludesPrincipals: blocksIn(statement.not_principals).length > 0,
    conditions: blocksIn(statement.condition).map(({ test, variable, values }) => ({
      operator: bare(String(test)),
      key: String(variable),
      values: argumentTexts(values),
    })),
  };
}

/** `true` for a statement that an action falls under, be it by `Action` or by `NotAction`. */
export const isAbout = ({ actions, notActions }: ViewedStatement, action: string): boolean =>
  actions.length > 0
    ? actions.some((pattern) => covers(pattern, action))
    : notActions.length > 0 && !notActions.some((pattern) => covers(pattern, action));

/** One rule of a Vault policy. */
export interface ViewedVaultRule {
  readonly path: string;
  readonly capabilities: readonly string[];
}

/** Rules of a `vault_policy`; `undefined` where only Terraform can read its text. */
export function vaultRulesOf(view: TerraformView, value: unknown): readonly ViewedVaultRule[] | undefined {
  const data = view.referred(value);
  if (data?.type === "vault_policy_document") {
    return blocksIn(data.arguments.rule).map(({ path, capabilities }) => ({
      path: String(path),
      capabilities: argumentTexts(capabilities),
    }));
  }
  if (typeof value !== "string" || /^\$\{[^}]*\}$/.test(value)) return undefined;
  const text = value.replace(/^\s*#.*$/gm, "");
  return [...text.matchAll(/path\s+"([^"]*)"\s*\{([^}]*)\}/g)].map(([, path = "", body = ""]) => ({
    path,
    capabilities: [...(/capabilities\s*=\s*\[([^\]]*)\]/.exec(body)?.[1] ?? "").matchAll(/"([^"]*)"/g)].map(
      ([, capability = ""]) => capability,
    ),
  }));
}
