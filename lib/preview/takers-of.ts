import type { PolicyDocument, PolicyStatement } from "../model";

/**
 * Takers of a role by its trust policy, as people read them: `system:serviceaccount:backend:backend of oidc.example.com/id/1`. What a
 * statement says beyond that is in the text as well, so that no change of it is lost.
 */
export const takersOf = (trust: PolicyDocument): readonly string[] =>
  trust.Statement.filter(({ Effect }) => Effect === "Allow").flatMap(takersIn);

function takersIn({ Principal, Action, Condition = {} }: PolicyStatement): readonly string[] {
  const who =
    typeof Principal === "object"
      ? Object.values(Principal)
          .map((value) => value.replace(/^arn:[a-z-]+:iam::\d{12}:oidc-provider\//, ""))
          .join(", ")
      : (Principal ?? "nobody");
  const subject = Object.entries(Condition.StringEquals ?? {}).find(([key]) => key.endsWith(":sub"))?.[1];
  const others = Object.entries(Condition)
    .flatMap(([operator, keys]) =>
      Object.entries(keys)
        .filter(([key]) => !(operator === "StringEquals" && key.endsWith(":sub")))
        .map(([key, values]) => `${shortOf(key)}${SIGN[operator] ?? ` ${operator} `}${values.join("|")}`),
    )
    .sort();
  const rest = others.length === 0 ? "" : ` (${others.join("; ")})`;
  const verbs = Action.some(
    (action) => action === "sts:AssumeRole" || action.startsWith("sts:AssumeRoleWith"),
  )
    ? ""
    : ` by ${Action.join(", ")}`;
  return (subject ?? [""]).map((text) =>
    text === "" ? `${who}${rest}${verbs}` : `${text} of ${who}${rest}${verbs}`,
  );
}

const SIGN: Readonly<Record<string, string>> = {
  StringEquals: "=",
  ArnEquals: "=",
  StringLike: "~",
  ArnLike: "~",
};

/** `oidc.eks…/id/1:aud` as `aud`, `aws:RequestTag/kubernetes-namespace` as `kubernetes-namespace`. */
const shortOf = (key: string): string => key.replace(/^.*[:/](?=[^:/]+$)/, "");
