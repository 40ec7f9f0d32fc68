import { isRecord } from "../../model/is-record";
import type { GuardrailFinding } from "../guardrail";
import { covers } from "../view/glob";
import type { ViewedPolicy, ViewedStatement } from "../view/policy-view";
import { argumentTexts, type TerraformView, type ViewedElement } from "../view/terraform-view";
import { breach } from "./breach";

const EXACT = /^(?:StringEquals|StringLike|ArnEquals|ArnLike)$/;

/** SR030: who takes a role by a token is named by exact subject and audience, in AWS and in Vault. */
export const trustBreaches = (
  view: TerraformView,
  policies: readonly ViewedPolicy[],
): readonly GuardrailFinding[] => [
  ...policies
    .filter(({ side }) => side === "trust")
    .flatMap(({ carrier, at, statements = [] }) =>
      statements.flatMap((statement, index) =>
        statement.effect === "Allow"
          ? awsBreaches(statement).map(([found, change]) =>
              breach("SR030", carrier, `${at} statement ${index + 1}`, found, change),
            )
          : [],
      ),
    ),
  ...view.of("vault_kubernetes_auth_backend_role").flatMap(kubernetesBreaches),
  ...view.of("vault_jwt_auth_backend_role").flatMap(jwtBreaches),
];

function awsBreaches(statement: ViewedStatement): readonly (readonly [string, string])[] {
  const { principals = [], conditions } = statement;
  const held = conditions.some(({ key }) => /^(?:aws:Principal|aws:Source|sts:ExternalId)/i.test(key));
  if ((principals.includes("*") && !held) || statement.excludesPrincipals) {
    return [["everybody may take the role", "Name who may, under Principal"]];
  }
  if (!statement.actions.some((action) => covers(action, "sts:AssumeRoleWithWebIdentity"))) return [];
  if (!principals.some((principal) => principal.startsWith("Federated:"))) return [];
  return (["sub", "aud"] as const).flatMap((claim) => {
    const name = claim === "sub" ? "subject" : "audience";
    const about = conditions.filter(({ key }) => key.toLowerCase().endsWith(`:${claim}`));
    const isExact = about.some(
      ({ operator, values }) =>
        EXACT.test(operator) && values.length > 0 && values.every((value) => !/[*?]/.test(value)),
    );
    if (isExact) return [];
    const values = about.flatMap((condition) => condition.values);
    return [
      [
        values.length === 0 ? `no ${name} is named` : `its ${name} is a pattern: ${values.join(", ")}`,
        `Add StringEquals on the issuer's :${claim}${claim === "sub" ? ", such as system:serviceaccount:<namespace>:<name>" : ", such as sts.amazonaws.com"}`,
      ] as const,
    ];
  });
}

function kubernetesBreaches(role: ViewedElement): readonly GuardrailFinding[] {
  const names = (["bound_service_account_names", "bound_service_account_namespaces"] as const).flatMap(
    (argument) => {
      const bound = argumentTexts(role.arguments[argument]);
      return bound.length > 0 && bound.every((name) => !/[*?]/.test(name))
        ? []
        : [
            breach(
              "SR030",
              role,
              argument,
              bound.length === 0 ? "nobody is named" : `it is a pattern: ${bound.join(", ")}`,
              "Name the ServiceAccount and its namespace",
            ),
          ];
    },
  );
  return [...names, ...(hasText(role.arguments.audience) ? [] : [noAudience(role, "audience")])];
}

function jwtBreaches(role: ViewedElement): readonly GuardrailFinding[] {
  const { bound_subject, bound_claims, bound_claims_type, bound_audiences } = role.arguments;
  const claims = isRecord(bound_claims) ? Object.values(bound_claims).flatMap(argumentTexts) : [];
  const isExact =
    hasText(bound_subject) ||
    (claims.length > 0 && bound_claims_type !== "glob" && claims.every((claim) => !claim.includes("*")));
  return [
    ...(isExact
      ? []
      : [
          breach(
            "SR030",
            role,
            claims.length > 0 ? "bound_claims" : "bound_subject",
            claims.length > 0 ? "its subject is a pattern" : "no subject is named",
            "Set bound_subject, or bound_claims without wildcards",
          ),
        ]),
    ...(argumentTexts(bound_audiences).length > 0 ? [] : [noAudience(role, "bound_audiences")]),
  ];
}

const hasText = (value: unknown): boolean => typeof value === "string" && value !== "";

const noAudience = (role: ViewedElement, argument: string): GuardrailFinding =>
  breach("SR030", role, argument, "no audience is named", "Set it to the one that the tokens are made for");
