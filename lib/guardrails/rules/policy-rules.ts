import type { GuardrailFinding } from "../guardrail";
import { covers, globsMeet } from "../view/glob";
import { isAbout, type ViewedPolicy, type ViewedStatement, vaultRulesOf } from "../view/policy-view";
import type { TerraformView } from "../view/terraform-view";
import { breach } from "./breach";

/** Actions that read, write or open a secret, or change who may. Lists and random passwords take no secret. */
const SECRET_ACTIONS = [
  "GetSecretValue",
  "BatchGetSecretValue",
  "PutSecretValue",
  "UpdateSecret",
  "UpdateSecretVersionStage",
  "DeleteSecret",
  "RotateSecret",
  "PutResourcePolicy",
  "DeleteResourcePolicy",
  "ReplicateSecretToRegions",
].map((name) => `secretsmanager:${name}`);

const KEY_ACTIONS = ["Decrypt", "CreateGrant", "PutKeyPolicy", "ReEncryptFrom"].map((name) => `kms:${name}`);

/** Conditions that hold a statement to named callers. */
const CALLER_KEYS =
  /^(?:aws:Principal(?:Arn|Account|OrgID|OrgPaths|Tag\/.+)|aws:Source(?:Account|Arn|OrgID|OrgPaths)|kms:CallerAccount)$/i;

/** SR020, SR021, SR022 and SR090: statements on secrets, keys and Vault paths name what they are for. */
export const policyBreaches = (
  view: TerraformView,
  policies: readonly ViewedPolicy[],
  accounts: readonly string[],
): readonly GuardrailFinding[] => [
  ...policies.flatMap((policy) => policyFindings(policy, accounts)),
  ...vaultBreaches(view),
];

function policyFindings(policy: ViewedPolicy, accounts: readonly string[]): readonly GuardrailFinding[] {
  const { carrier, at, side, statements } = policy;
  if (statements === undefined) {
    return [
      breach(
        "SR090",
        carrier,
        at,
        "its policy is an expression that only Terraform can read",
        "Write it as literal JSON or by aws_iam_policy_document, or scan the plan's output",
      ),
    ];
  }
  if (side === "trust") return [];
  return statements.flatMap((statement, index) => {
    if (statement.effect !== "Allow") return [];
    const where = `${at} statement ${index + 1}`;
    const secrets = SECRET_ACTIONS.filter((action) => isAbout(statement, action));
    const keys = KEY_ACTIONS.filter((action) => isAbout(statement, action));
    if (secrets.length + keys.length === 0) return [];
    const say = (rule: "SR020" | "SR021", found: string, change: string): GuardrailFinding =>
      breach(rule, carrier, where, found, change);
    const found: GuardrailFinding[] = [];
    if (side === "identity") {
      found.push(
        ...wildcards(statement, { secrets, keys }, say),
        ...foreignResources(statement, accounts, say),
      );
    } else found.push(...openPrincipals(policy, statement, accounts, say));
    return found;
  });
}

type Say = (rule: "SR020" | "SR021", found: string, change: string) => GuardrailFinding;

function wildcards(
  statement: ViewedStatement,
  { secrets, keys }: { readonly secrets: readonly string[]; readonly keys: readonly string[] },
  say: Say,
): readonly GuardrailFinding[] {
  const action = statement.actions.find((pattern) =>
    [...secrets, ...keys].some((name) => pattern.includes("*") && covers(pattern, name)),
  );
  const resource = statement.resources.find((pattern) =>
    secrets.length > 0 && isWideSecret(pattern)
      ? true
      : keys.length > 0 && isWideKey(pattern) && !isNarrowed(statement),
  );
  return [
    ...(action !== undefined || statement.notActions.length > 0
      ? [
          say(
            "SR020",
            action === undefined
              ? "it allows all actions but some (NotAction)"
              : `it allows the actions ${action}`,
            "Name each action, such as secretsmanager:GetSecretValue",
          ),
        ]
      : []),
    ...(resource !== undefined || statement.notResources.length > 0
      ? [
          say(
            "SR020",
            resource === undefined
              ? "it allows all resources but some (NotResource)"
              : `it allows ${secrets.length > 0 ? "secrets" : "keys"} by ${resource}`,
            secrets.length > 0
              ? "Name each secret: its ARN, or its name followed by -?????? for the suffix"
              : "Name the key, or hold the statement to kms:EncryptionContext:SecretARN of named secrets",
          ),
        ]
      : []),
  ];
}

/** A `*` in the account or in the secret's name. `-??????` is the suffix that Secrets Manager gives. */
function isWideSecret(pattern: string): boolean {
  if (!pattern.includes("*") && !pattern.includes("?")) return false;
  const [, , service, , account, ...rest] = pattern.split(":");
  if (rest.length === 0) return pattern === "*" || globsMeet(pattern, "arn:aws:secretsmanager:*:*:secret:*");
  if (service !== undefined && !globsMeet(service, "secretsmanager")) return false;
  const name = rest.join(":").replace(/-\?{6}$/, "");
  return (account ?? "").includes("*") || /[*?]/.test(name);
}

function isWideKey(pattern: string): boolean {
  const [, , service, , account, ...rest] = pattern.split(":");
  if (rest.length === 0) return pattern === "*";
  return globsMeet(service ?? "", "kms") && ((account ?? "").includes("*") || rest.join(":").includes("*"));
}

/**
 * A statement held to what is opened: Secrets Manager opens a secret with its ARN as context, and a key's alias names
 * one key.
 */
const isNarrowed = ({ conditions }: ViewedStatement): boolean =>
  conditions.some(
    ({ operator, key, values }) =>
      (/^kms:EncryptionContext:/i.test(key) &&
        /^(?:String|Arn)(?:Equals|Like)/.test(operator) &&
        values.every((value) => value !== "*" && !/:secret:\*$/.test(value))) ||
      (/^kms:ResourceAliases$/i.test(key) &&
        /^String(?:Equals|Like)/.test(operator) &&
        values.every((value) => !/[*?]/.test(value))),
  );

function foreignResources(
  { resources }: ViewedStatement,
  accounts: readonly string[],
  say: Say,
): readonly GuardrailFinding[] {
  if (accounts.length === 0) return [];
  const foreign = resources.find((arn) => {
    const [, , service, , account] = arn.split(":");
    return (
      ["secretsmanager", "kms"].includes(service ?? "") &&
      /^\d{12}$/.test(account ?? "") &&
      !accounts.includes(account ?? "")
    );
  });
  return foreign === undefined
    ? []
    : [
        say(
          "SR021",
          `it reaches ${foreign}, of another account`,
          "Let that account's own roles read its secrets",
        ),
      ];
}

function openPrincipals(
  { carrier }: ViewedPolicy,
  { principals = [], excludesPrincipals, conditions }: ViewedStatement,
  accounts: readonly string[],
  say: Say,
): readonly GuardrailFinding[] {
  const isHeld = conditions.some(
    ({ key, operator, values }) => CALLER_KEYS.test(key) && !/Not/.test(operator) && !values.includes("*"),
  );
  const thing = carrier.type.includes("kms") ? "key" : "secret";
  if (excludesPrincipals) {
    return [
      say(
        "SR021",
        `it opens the ${thing} to everybody but some (NotPrincipal)`,
        "Name who may, under Principal",
      ),
    ];
  }
  if (principals.some((principal) => principal === "*" || principal === "AWS:*") && !isHeld) {
    return [
      say(
        "SR021",
        `it opens the ${thing} to everybody`,
        "Name the roles, or hold the statement to aws:PrincipalArn or aws:PrincipalOrgID",
      ),
    ];
  }
  if (accounts.length === 0) return [];
  const foreign = principals.find((principal) => {
    const account = /^AWS:(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::|$)/.exec(principal)?.[1];
    return account !== undefined && !accounts.includes(account);
  });
  return foreign === undefined
    ? []
    : [
        say(
          "SR021",
          `it opens the ${thing} to ${foreign.replace(/^AWS:/, "")}, of another account`,
          "Take the statement away, or name the account under the settings of this check where it is yours",
        ),
      ];
}

/** Paths that say nothing of one secret: a wildcard anywhere. */
function vaultBreaches(view: TerraformView): readonly GuardrailFinding[] {
  return view.of("vault_policy").flatMap((policy) => {
    const rules = vaultRulesOf(view, policy.arguments.policy);
    if (rules === undefined) {
      return [
        breach(
          "SR090",
          policy,
          "policy",
          "its text is an expression that only Terraform can read",
          "Write the paths as literal text",
        ),
      ];
    }
    return rules
      .filter(({ path, capabilities }) => !capabilities.includes("deny") && /[*+]/.test(path))
      .map(({ path, capabilities }) =>
        breach(
          "SR022",
          policy,
          "policy",
          `it allows ${capabilities.join(", ")} on ${path}`,
          "Name each path: kv/data/<secret>",
        ),
      );
  });
}
