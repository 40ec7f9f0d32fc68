import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../lib/cli/program";
import { readTerraformPlan } from "../../lib/preview";
import { FakeTerminal } from "../cli/fake-terminal";
import { MODEL, withFolder } from "../cli/run-cli";
import { draft } from "../model/sample";

/** A value that must never be seen again. */
const canary = (): string => `canary-${randomBytes(12).toString("hex")}`;

interface Planted {
  readonly plan: object;
  readonly values: readonly string[];
}

/** A plan with a value in every place that Terraform puts one. */
function planted(): Planted {
  const values: string[] = [];
  const plant = (): string => {
    const value = canary();
    values.push(value);
    return value;
  };
  const change = (address: string, type: string, actions: readonly string[]) => ({
    address,
    previous_address: plant(),
    mode: "managed",
    type,
    name: plant(),
    index: plant(),
    provider_name: plant(),
    change: {
      actions,
      before: { secret_string: plant(), source_code_hash: plant(), name: plant() },
      after: { secret_string: plant(), source_code_hash: plant() },
      before_sensitive: { secret_string: true },
      after_sensitive: {},
      importing: { id: plant() },
      replace_paths: [[plant()]],
    },
    action_reason: plant(),
  });
  const plan = {
    format_version: "1.2",
    terraform_version: plant(),
    variables: { token: { value: plant() } },
    planned_values: {
      outputs: { leak: { value: plant() } },
      root_module: { resources: [{ values: plant() }] },
    },
    prior_state: { values: plant() },
    configuration: { root_module: plant() },
    resource_drift: [change("aws_kms_key.drift", "aws_kms_key", ["update"])],
    output_changes: { leak: { actions: ["create"], after: plant() } },
    resource_changes: [
      change("aws_secretsmanager_secret.secrets_crypto--webhook", "aws_secretsmanager_secret", ["delete"]),
      change(`aws_kms_key.keys["${plant()}"]`, "aws_kms_key", ["delete", "create"]),
      change(`module.m["a\\"]${plant()}"].aws_dynamodb_table.t[0]`, "aws_dynamodb_table", ["delete"]),
      change(`${plant()} | <b>`, "aws_s3_bucket", ["delete"]),
      change("aws_lambda_function.f", "aws_lambda_function", ["update"]),
      change("aws_iam_role.r", "aws_iam_role", ["update"]),
      change("aws_iam_role.s", "aws_iam_role", ["no-op"]),
      change("aws_iam_role.t", "aws_iam_role", ["forget"]),
    ],
  };
  return { plan, values };
}

async function previewWith(plan: string | Buffer, ...args: string[]) {
  return withFolder(async (folder) => {
    const registry = join(folder, "registry.js");
    writeFileSync(
      registry,
      `const { defineRegistry } = require(${JSON.stringify(MODEL)});
exports.registry = defineRegistry(${JSON.stringify(draft())});`,
    );
    const file = join(folder, "plan.json");
    writeFileSync(file, plan);
    const terminal = new FakeTerminal();
    const code = await run(
      ["preview", "--base", registry, "--head", registry, "--plan", `prod=${file}`, ...args],
      terminal,
    );
    return { code, out: terminal.printed, err: terminal.told };
  });
}

test.each(["text", "md", "json"])("no value of a plan is printed as %s", async (format) => {
  const { plan, values } = planted();
  const { code, out, err } = await previewWith(
    JSON.stringify(plan),
    "--format",
    format,
    "--fail-on",
    "destroy",
  );
  expect({ code, err }).toEqual({ code: 1, err: "" });
  expect(values.length).toBeGreaterThan(60);
  for (const value of values) expect(out).not.toContain(value);
  expect(out).not.toContain("canary-");
});

test("a plan says what is destroyed, and folds functions' code into one number", async () => {
  const { plan } = planted();
  const { out } = await previewWith(JSON.stringify(plan));
  expect(out).toContain("Terraform destroys aws_secretsmanager_secret.secrets_crypto--webhook.");
  expect(out).toContain("Terraform destroys and makes anew aws_kms_key.keys[…].");
  expect(out).toContain("Terraform destroys module.m[…].aws_dynamodb_table.t[…].");
  expect(out).toContain("Terraform destroys aws_s3_bucket.");
  expect(out).toContain(
    "Terraform by its plan: 0 to add, 3 to change (0 of them functions' code alone), 1 to replace, 3 to destroy.",
  );
});

test("a function's code alone is told from its other attributes", () => {
  const plan = (after: object) => ({
    format_version: "1.2",
    resource_changes: [
      {
        address: "aws_lambda_function.f",
        type: "aws_lambda_function",
        change: { actions: ["update"], before: { source_code_hash: "a", timeout: 3 }, after },
      },
    ],
  });
  const [code] = readTerraformPlan(JSON.stringify(plan({ source_code_hash: "b", timeout: 3 })));
  const [more] = readTerraformPlan(JSON.stringify(plan({ source_code_hash: "b", timeout: 4 })));
  expect([code?.codeOnly, more?.codeOnly]).toEqual([true, false]);
});

const secret = canary();

test.each([
  [
    "truncated",
    JSON.stringify({ format_version: "1.2", resource_changes: [{ address: secret }] }).slice(0, -4),
    "is not JSON",
  ],
  ["text", `value ${secret}`, "is not JSON"],
  ["binary", Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0xfe, 0]), "is not JSON"],
  ["empty", "", "is not JSON"],
  ["a list", JSON.stringify([secret]), "no object"],
  ["a text", JSON.stringify(secret), "no object"],
  ["null", "null", "no object"],
  [
    "a state",
    JSON.stringify({ format_version: "1.0", values: { root_module: secret } }),
    "no resource_changes",
  ],
  ["another version", JSON.stringify({ format_version: secret, resource_changes: [] }), "format_version"],
  ["no version", JSON.stringify({ resource_changes: [], token: secret }), "no format_version"],
  ["a failed run", JSON.stringify({ format_version: "1.2", errored: true, variables: secret }), "failed"],
  [
    "changes that are none",
    JSON.stringify({ format_version: "1.2", resource_changes: [secret] }),
    "without address",
  ],
  [
    "a change without actions",
    JSON.stringify({
      format_version: "1.2",
      resource_changes: [{ address: "a.b", type: "a", change: secret }],
    }),
    "without actions",
  ],
])("refuses %s, and quotes nothing of it", async (_, text, message) => {
  const { code, out, err } = await previewWith(text);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("plan.json");
  expect(err).toContain(message);
  expect(err).not.toContain(secret);
});

test("a plan of a hundred megabytes is read", async () => {
  const entry = JSON.stringify({
    address: "aws_iam_role.r",
    type: "aws_iam_role",
    change: { actions: ["no-op"], before: { policy: "x".repeat(10_000) }, after: null },
  });
  const filler = Array.from({ length: 10_000 }, () => entry).join(",");
  const last = JSON.stringify({
    address: "aws_kms_key.k",
    type: "aws_kms_key",
    change: { actions: ["delete"], before: {}, after: null },
  });
  const text = `{"format_version":"1.2","resource_changes":[${filler},${last}]}`;
  expect(text.length).toBeGreaterThan(100_000_000);
  const { code, out } = await previewWith(text);
  expect(code).toBe(0);
  expect(out).toContain("Terraform destroys aws_kms_key.k.");
}, 60_000);

test("a plan of an environment that nobody named is refused", async () => {
  const { code, err } = await previewWith(
    JSON.stringify(planted().plan),
    "--plan",
    "somewhere=/nowhere.json",
  );
  expect(code).toBe(2);
  expect(err).toContain("There are: dev, prod.");
});
