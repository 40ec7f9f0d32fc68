import { blueprint } from "../../lib/blueprint";
import { type EnvironmentPolicies, newlySharedTokens, policiesOf, widened } from "../../lib/proof";
import { registry } from "../../registry";
import { type Draft, WAYS } from "./ways-to-widen";

const policies = (): EnvironmentPolicies => policiesOf(blueprint(registry, "prod"));
const draft = (): Draft => JSON.parse(JSON.stringify(policies())) as Draft;

/** Statements of the first secret's policy. */
const firstPolicy = <T>({ secrets: [first] }: Draft): T[] =>
  (first?.policy as { Statement: T[] } | undefined)?.Statement ?? [];

const findings = (base: EnvironmentPolicies, head: EnvironmentPolicies) => [
  ...widened(base, head),
  ...newlySharedTokens([base], [head]),
];

test("policies that are written alike widen nothing", () => {
  expect(findings(policies(), draft())).toEqual([]);
});

test("there are twelve ways", () => expect(WAYS).toHaveLength(12));

test.each(WAYS)("names a request that becomes possible by $name", ({ widen, finding }) => {
  const [base, head] = [draft(), draft()];
  widen(head, base);
  expect(findings(base, head)).toContainEqual(expect.objectContaining({ ...finding, is: "possible" }));
  // The way back widens nothing.
  expect(findings(head, base).filter(({ way }) => way === finding.way)).toEqual([]);
});

test("a wildcard in a role's own policy widens nothing that the secrets' policies deny", () => {
  const [base, head] = [draft(), draft()];
  const policy = head.roles.find(({ name }) => name === "backend")?.policies[0] as {
    Statement: { Action: string[]; Resource: string[] }[];
  };
  policy.Statement.push({
    ...policy.Statement[0],
    Action: ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
    Resource: ["arn:aws:secretsmanager:*:333333333333:secret:*"],
  });
  expect(findings(base, head)).toEqual([]);
});

describe("what the engine does not know is not safe", () => {
  const withCondition = (condition: object): Draft => {
    const made = draft();
    const [deny] = firstPolicy<{ Condition: object }>(made);
    if (deny) deny.Condition = { ...deny.Condition, ...condition };
    return made;
  };

  test("a condition beyond the grammar is not decided", () => {
    const found = widened(draft(), withCondition({ IpAddress: { "aws:SourceIp": ["10.0.0.0/8"] } }));
    expect(found).not.toEqual([]);
    expect(found.every(({ is }) => is === "undecided")).toBe(true);
    expect(found[0]?.because.join()).toContain("10.0.0.0/8");
  });

  test("the same on both sides is decided without knowing it", () => {
    const [base, head] = [1, 2].map(() =>
      withCondition({ IpAddress: { "aws:SourceIp": ["10.0.0.0/8"] } }),
    ) as [Draft, Draft];
    const [deny] = firstPolicy<{ Condition: { ArnNotLike: Record<string, string[]> } }>(head);
    deny?.Condition.ArnNotLike["aws:PrincipalArn"]?.pop();
    expect(widened(base, head)).toEqual([]);
  });

  test.each([
    ["a policy that is no JSON", "{"],
    [
      "an element that IAM does not have",
      { Statement: [{ Effect: "Deny", Principal: "*", Action: "*", Wish: 1 }] },
    ],
    [
      "a policy variable",
      { Statement: [{ Effect: "Deny", Principal: "*", Action: "*", Resource: "${aws:username}" }] },
    ],
    [
      "NotPrincipal",
      {
        Statement: [{ Effect: "Deny", NotPrincipal: { AWS: "arn:aws:iam::333333333333:root" }, Action: "*" }],
      },
    ],
  ])("%s in place of a secret's policy is not called safe", (_, policy) => {
    const head = draft();
    const [first, ...rest] = head.secrets;
    head.secrets = [{ ...(first as (typeof head.secrets)[number]), policy }, ...rest];
    expect(widened(draft(), head)).not.toEqual([]);
  });
});
