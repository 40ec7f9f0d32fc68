import { blueprint } from "../../lib/blueprint";
import { run } from "../../lib/cli/program";
import { type EnvironmentPolicies, policiesOf, prove } from "../../lib/proof";
import { registry } from "../../registry";
import { FakeTerminal } from "../cli/fake-terminal";
import { type Draft, WAYS } from "./ways-to-widen";

const plain = registry as never as Parameters<typeof prove>[0];
const policies = (environment: "prod"): EnvironmentPolicies => policiesOf(blueprint(registry, environment));
const draft = (): Draft => JSON.parse(JSON.stringify(policies("prod"))) as Draft;

test.each(["dev", "stage", "prod"])(
  "%s allows what the registry says, and no other request",
  (environment) => {
    const { beyond, missing, about } = prove(plain, environment);
    expect({ beyond, missing }).toEqual({ beyond: [], missing: [] });
    expect(about.secrets).toBeGreaterThan(10);
    expect(about.roles).toBeGreaterThan(10);
  },
);

// The two that end at a service or a second association are about what a preview compares.
const APART = ["a pod identity association for another ServiceAccount"];

test.each(WAYS.filter(({ name }) => !APART.includes(name)))(
  "$name is beyond the registry",
  ({ widen, finding }) => {
    const head = draft();
    widen(head, draft());
    const { beyond } = prove(plain, "prod", head);
    expect(beyond).toContainEqual(expect.objectContaining({ way: finding.way, is: "possible" }));
  },
);

test("what the registry has and a policy does not allow is missing", () => {
  const head = draft();
  const role = head.roles.find(({ name }) => name === "backend");
  (role as unknown as { policies: unknown[] }).policies = [];
  const { beyond, missing } = prove(plain, "prod", head);
  expect(beyond).toEqual([]);
  expect(missing).toContainEqual({
    caller: "arn:aws:iam::333333333333:role/acme/prod/acme-prod-backend",
    action: "secretsmanager:GetSecretValue",
    secret: "db/app-primary",
  });
});

test("the command says so, in each form", async () => {
  for (const format of ["text", "md", "json"]) {
    const terminal = new FakeTerminal();
    expect(await run(["prove", "--env", "prod", "--format", format], terminal)).toBe(0);
    if (format === "json") expect(JSON.parse(terminal.printed)).toMatchObject({ beyond: [], missing: [] });
    else expect(terminal.printed).toContain("allows what the registry says, and no other request.");
  }
});
