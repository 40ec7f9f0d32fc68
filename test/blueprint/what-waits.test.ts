import { blueprint } from "../../lib/blueprint";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { accepted, registryOf } from "../model/combinations";

const made = accepted().filter(
  ({ kind, variant, rotation }) =>
    kind === "generic" && variant === "rules" && rotation === "operator-assisted",
);
const plan = blueprint(registryOf(made), "dev");
const [secret] = plan.secrets;
const [operator = ""] = plan.principals.operators;

/** A read by an operator whose role has every right, as the secret's own policy decides it. */
function reads(context: Readonly<Record<string, string>>): boolean {
  if (secret?.store !== "aws") throw new Error("no secret");
  return evaluateAccess(
    {
      action: "secretsmanager:GetSecretValue",
      resource: `arn:aws:secretsmanager:${plan.regions.primary}:${plan.account}:secret:${secret.name}-AbCdEf`,
      principal: operator,
      context,
    },
    {
      identity: [
        {
          Version: "2012-10-17",
          Statement: [{ Sid: "All", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
        },
      ],
      resource: secret.policy,
    },
  ).allowed;
}

const STAGE = "secretsmanager:VersionStage";

test("a person who takes a made value to its target reads what waits under AWSPENDING, whatever rights the role has", () => {
  expect(reads({ [STAGE]: "AWSPENDING" })).toBe(true);
});

test.each([
  ["the current value", { [STAGE]: "AWSCURRENT" }],
  ["the value before", { [STAGE]: "AWSPREVIOUS" }],
  ["a version by a label of its own", { [STAGE]: "VERIFIED.0" }],
  ["a version by its id alone, and the default", {}],
])("%s is refused by the secret's own policy", (_, context) => {
  expect(reads(context)).toBe(false);
});
