import type { GuardrailFinding } from "../guardrail";
import { covers, escaped, globsMeet } from "../view/glob";
import { isAbout, type ViewedPolicy, type ViewedStatement, vaultRulesOf } from "../view/policy-view";
import { argumentTexts, type TerraformView, type ViewedElement } from "../view/terraform-view";
import { breach } from "./breach";

/** Secrets that a workload must not read, whoever lets it. */
export interface GuardrailAccessRule {
  /** Name of its IAM role, with `*`. */
  readonly role?: string | undefined;
  /** Its ServiceAccount, as `namespace/name`, for what Vault lets it read. */
  readonly serviceAccount?: string | undefined;
  /** Names of secrets in Secrets Manager, with `*`: `prod/payments/*`. */
  readonly deny: readonly string[];
  /** Paths of Vault, with `*`: `kv-prod/data/payments/*`. @default none */
  readonly denyVault?: readonly string[] | undefined;
}

const READS = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"];

/** AWS's own policies that read every secret. */
const READERS = /:policy\/(?:SecretsManagerReadWrite|AdministratorAccess|PowerUserAccess)$/;

/** SR040: no way leads from a workload to a secret that its access rules deny. */
export function accessBreaches(
  stack: GuardedStack,
  rules: readonly GuardrailAccessRule[],
): readonly GuardrailFinding[] {
  const { view } = stack;
  return rules.flatMap((rule) => [
    ...(rule.role === undefined
      ? []
      : view
          .of("aws_iam_role")
          .filter(({ arguments: { name } }) => typeof name === "string" && covers(rule.role ?? "", name))
          .flatMap((role) => roleBreaches(stack, rule, role))),
    ...(rule.serviceAccount === undefined ? [] : vaultBreaches(view, rule)),
  ]);
}

/** A stack and the policies in it. */
interface GuardedStack {
  readonly view: TerraformView;
  readonly policies: readonly ViewedPolicy[];
}

/** Roles that a role can become, itself first, with the way that leads there. */
function reachable(stack: GuardedStack, start: ViewedElement): ReadonlyMap<ViewedElement, string> {
  const found = new Map([[start, ""]]);
  // Entries that are added while a map is walked are walked too.
  for (const [role, way] of found) {
    const assumed = identityOf(stack, role).flatMap(({ statements = [] }) =>
      statements
        .filter(
          ({ effect, actions }) =>
            effect === "Allow" && actions.some((action) => covers(action, "sts:AssumeRole")),
        )
        .flatMap(({ resources }) => resources),
    );
    for (const other of stack.view.of("aws_iam_role")) {
      if (found.has(other)) continue;
      const name = String(other.arguments.name);
      const path = typeof other.arguments.path === "string" ? other.arguments.path : "/";
      const isAssumed = assumed.some(
        (arn) =>
          stack.view.referred(arn) === other ||
          (globsMeet(arn, `arn:*:iam::*:role${path}${name}`) && !arn.startsWith("${")),
      );
      if (isAssumed) found.set(other, `${way} by way of ${other.address}`);
    }
  }
  return found;
}

/** Policies that a role carries, in itself or attached, as far as the stack has them. */
function identityOf({ view, policies }: GuardedStack, role: ViewedElement): readonly ViewedPolicy[] {
  const isOf = (value: unknown): boolean => view.referred(value) === role || value === role.arguments.name;
  const attached = [
    ...view
      .of("aws_iam_role_policy_attachment")
      .filter(({ arguments: { role: to } }) => isOf(to))
      .map(({ arguments: { policy_arn } }) => view.referred(policy_arn)),
    ...view
      .of("aws_iam_policy_attachment")
      .filter(({ arguments: { roles } }) => argumentTexts(roles).some(isOf))
      .map(({ arguments: { policy_arn } }) => view.referred(policy_arn)),
    ...argumentTexts(role.arguments.managed_policy_arns).map((arn) => view.referred(arn)),
  ];
  return policies.filter(
    ({ carrier, side }) =>
      side === "identity" &&
      (carrier === role ||
        attached.includes(carrier) ||
        (carrier.type === "aws_iam_role_policy" && isOf(carrier.arguments.role))),
  );
}

function roleBreaches(
  stack: GuardedStack,
  rule: GuardrailAccessRule,
  start: ViewedElement,
): readonly GuardrailFinding[] {
  const change = "Take the grant away, or change the workload's access rules with the secrets' owner";
  return [...reachable(stack, start)].flatMap(([role, way]) => {
    const own = identityOf(stack, role);
    return rule.deny.flatMap((secret) => {
      const arn = `arn:*:secretsmanager:*:*:secret:${secret.endsWith("*") ? secret : `${secret}-??????`}`;
      if (own.some(({ statements = [] }) => statements.some((statement) => denies(statement, arn))))
        return [];
      const grants = own
        .filter(({ statements = [] }) => statements.some((statement) => reads(stack.view, statement, arn)))
        .map(({ carrier, at }) => [carrier, at] as const);
      const managed = [...stack.view.of("aws_iam_role_policy_attachment")].filter(
        ({ arguments: { role: to, policy_arn } }) =>
          (stack.view.referred(to) === role || to === role.arguments.name) &&
          READERS.test(String(policy_arn)),
      );
      return [
        ...grants,
        ...managed.map((attachment) => [attachment, "policy_arn"] as const),
        ...openedTo(stack, role, secret),
      ].map(([element, at]) =>
        breach(
          "SR040",
          element,
          at,
          `${start.address} can read ${secret}${way}, which its access rules deny`,
          change,
        ),
      );
    });
  });
}

const isRead = (statement: ViewedStatement): boolean => READS.some((action) => isAbout(statement, action));

/** An unconditional denial of every read of what a pattern names. */
const denies = ({ effect, actions, resources, conditions }: ViewedStatement, arn: string): boolean =>
  effect === "Deny" &&
  conditions.length === 0 &&
  READS.every((action) => actions.some((pattern) => covers(pattern, action))) &&
  resources.some((pattern) => covers(pattern, arn));

function reads(view: TerraformView, statement: ViewedStatement, arn: string): boolean {
  if (statement.effect !== "Allow" || !isRead(statement)) return false;
  if (statement.notResources.length > 0)
    return !statement.notResources.some((pattern) => covers(pattern, arn));
  return statement.resources.some((pattern) => globsMeet(resolved(view, pattern), arn));
}

/** The ARN of a secret of the stack, in place of the expression for it. */
function resolved(view: TerraformView, pattern: string): string {
  const name = view.referred(pattern)?.arguments.name;
  return typeof name === "string" ? `arn:*:secretsmanager:*:*:secret:${name}-??????` : pattern;
}

/** Policies of secrets themselves that let a role read. */
function openedTo(
  { view, policies }: GuardedStack,
  role: ViewedElement,
  denied: string,
): readonly (readonly [ViewedElement, string])[] {
  const name = String(role.arguments.name);
  return policies
    .filter(({ carrier, side, statements = [] }) => {
      if (side !== "resource" || !carrier.type.startsWith("aws_secretsmanager")) return false;
      const secret =
        carrier.type === "aws_secretsmanager_secret" ? carrier : view.referred(carrier.arguments.secret_arn);
      if (!globsMeet(String(secret?.arguments.name ?? carrier.arguments.secret_arn), denied)) return false;
      return statements.some(
        (statement) =>
          statement.effect === "Allow" &&
          isRead(statement) &&
          (statement.principals ?? []).some((principal) => {
            const who = principal.replace(/^AWS:/, "");
            return view.referred(who) === role || new RegExp(`:role/(?:.*/)?${escaped(name)}$`).test(who);
          }),
      );
    })
    .map(({ carrier, at }) => [carrier, at] as const);
}

const VAULT_READS = ["read", "sudo", "root"];

function vaultBreaches(view: TerraformView, rule: GuardrailAccessRule): readonly GuardrailFinding[] {
  const [namespace = "", name = ""] = rule.serviceAccount?.split("/") ?? [];
  const binds = (element: ViewedElement): boolean => {
    const { bound_service_account_names, bound_service_account_namespaces, bound_subject } =
      element.arguments;
    const matches = (bound: unknown, text: string): boolean =>
      argumentTexts(bound).some((glob) => covers(glob, text));
    return element.type === "vault_jwt_auth_backend_role"
      ? bound_subject === `system:serviceaccount:${namespace}:${name}`
      : matches(bound_service_account_names, name) && matches(bound_service_account_namespaces, namespace);
  };
  const logins = view.of("vault_kubernetes_auth_backend_role", "vault_jwt_auth_backend_role").filter(binds);
  return logins.flatMap((login) => {
    const held = argumentTexts(login.arguments.token_policies);
    return view
      .of("vault_policy")
      .filter(
        (policy) =>
          policy.arguments.provider === login.arguments.provider &&
          held.some((text) => text === policy.arguments.name || view.referred(text) === policy),
      )
      .flatMap((policy) => {
        const opened = (vaultRulesOf(view, policy.arguments.policy) ?? []).filter(
          ({ capabilities }) =>
            capabilities.some((capability) => VAULT_READS.includes(capability)) &&
            !capabilities.includes("deny"),
        );
        return (rule.denyVault ?? [])
          .filter((denied) => opened.some(({ path }) => globsMeet(path.replaceAll("+", "*"), denied)))
          .map((denied) =>
            breach(
              "SR040",
              policy,
              "policy",
              `${rule.serviceAccount} can read ${denied} by ${login.address}, which its access rules deny`,
              "Take the path away, or change the workload's access rules with the secrets' owner",
            ),
          );
      });
  });
}
