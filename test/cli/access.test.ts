import { blueprint, principalAccess, principalsOf } from "../../lib/blueprint";
import { run } from "../../lib/cli/program";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { registry } from "../../registry";

/** Runs the command line on this repository's registry. */
async function cli(...args: readonly string[]) {
  let [out, err] = ["", ""];
  const code = await run(args, {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    readInput: async () => "",
  } as never);
  return { code, out, err };
}

const plan = blueprint(registry, "prod");

describe("access --all", () => {
  test("has a row for each principal that a secret's policy exempts from a denial, and for nobody else", () => {
    const rows = principalAccess(registry, "prod");
    for (const secret of plan.secrets) {
      if (secret.store !== "aws") continue;
      for (const { arn } of principalsOf(registry, "prod")) {
        const request = {
          action: "secretsmanager:GetSecretValue",
          resource: `arn:aws:secretsmanager:eu-central-1:${plan.account}:secret:${secret.name}-AbCdEf`,
          principal: arn,
          context: { "aws:RequestedRegion": "eu-central-1", "secretsmanager:VersionStage": "AWSCURRENT" },
        };
        // What the finished policy of the secret says, apart from the product's own reading of it.
        const { because } = evaluateAccess(request, { identity: [], resource: secret.policy });
        const row = rows.find((candidate) => candidate.arn === arn && candidate.secret === secret.key);
        if (because === "explicit-deny") expect([arn, secret.key, row?.can ?? []]).not.toContain("read");
        if (row?.can.includes("read")) expect([arn, secret.key, because]).not.toContain("explicit-deny");
      }
    }
  });

  test("names the functions, the mirror, people and why", async () => {
    const { code, out } = await cli("access", "--env", "prod", "--all");
    expect(code).toBe(0);
    const lines = out.split("\n").filter((line) => line.startsWith("payments/stripe"));
    const kinds = lines.map((line) => line.split(/ {2,}/)[1]);
    expect(kinds).toEqual(
      expect.arrayContaining(["break-glass", "deployer", "mirror", "rotation function", "workload"]),
    );
    expect(out).toMatch(
      /payments\/stripe +rotation function +acme-prod--rotate-stripe +aws +\S*read,write +registry +rotates it/,
    );
    expect(out).toMatch(/db\/reporting-ro +workload +backend-read +vault +read/);
    expect(out).toContain("denied each value by the secret's own policy");
  });

  test("one principal by name or by ARN, in every format", async () => {
    const [byName, byArn] = await Promise.all(
      ["break-glass", `arn:aws:iam::${plan.account}:role/break-glass`].map((name) =>
        cli("access", "principal", name, "--env", "prod", "--format", "json"),
      ),
    );
    expect(byName?.out).toBe(byArn?.out);
    const rows = JSON.parse(byName?.out ?? "[]");
    expect(rows.length).toBeGreaterThan(10);
    expect(new Set(rows.map(({ kind }: { kind: string }) => kind))).toEqual(new Set(["break-glass"]));
    expect((await cli("access", "principal", "backend", "--env", "prod", "--format", "md")).out).toContain(
      "| jwt/signing |",
    );
  });

  test("why: for what is possible, and for what is not", async () => {
    const possible = await cli("access", "why", "backend", "jwt/signing", "--env", "prod");
    expect(possible.out).toContain("workload backend can read jwt/signing:\n- consumer");
    const denied = await cli("access", "why", "backend", "payments/stripe", "--env", "prod");
    expect(denied).toMatchObject({ code: 0 });
    expect(denied.out).toContain("workload backend cannot reach payments/stripe:");
    expect(denied.out).toContain('accessRules["backend"].deny forbids payments/*');
    expect(denied.out).toContain("the policy of secret prod/payments/stripe denies it");
  });

  test("a name that nobody has is the caller's fault, with the nearest one", async () => {
    const { code, err } = await cli("access", "principal", "backnd", "--env", "prod");
    expect(code).toBe(2);
    expect(err).toContain('prod names no principal "backnd". Did you mean "backend"?');
    expect((await cli("access", "whose", "--env", "prod")).code).toBe(2);
  });
});
