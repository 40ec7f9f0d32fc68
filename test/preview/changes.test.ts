import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import schema from "../../docs/reference/preview.schema.json";
import { run } from "../../lib/cli/program";
import type { Preview } from "../../lib/preview";
import { FakeTerminal } from "../cli/fake-terminal";
import { MODEL, withFolder } from "../cli/run-cli";
import { draft } from "../model/sample";
import { CHANGES } from "./changes";
import { EXPECTED } from "./expected-changes";
import { summaryOf } from "./summary";

/** The command line on two definitions, as files that a person would have. */
const previewOf = (base: object, head: object, ...args: string[]) =>
  withFolder(async (folder) => {
    const [before, after] = [join(folder, "base.js"), join(folder, "head.js")];
    for (const [file, definition] of [
      [before, base],
      [after, head],
    ] as const) {
      writeFileSync(
        file,
        `const { defineRegistry } = require(${JSON.stringify(MODEL)});
exports.registry = defineRegistry(${JSON.stringify(definition)});`,
      );
    }
    const terminal = new FakeTerminal();
    const code = await run(["preview", "--base", before, "--head", after, ...args], terminal);
    return { code, out: terminal.printed, err: terminal.told };
  });

const isValid = new Ajv({ strict: true, allErrors: true }).compile(schema);

test("there are at least 40 changes, each with what it is expected to show", () => {
  expect(CHANGES.length).toBeGreaterThanOrEqual(40);
  expect(CHANGES.map(({ name }) => name).sort()).toEqual(Object.keys(EXPECTED).sort());
});

test.each(CHANGES)("$name", async ({ name, before, change }) => {
  const [base, head] = [draft(), draft()];
  for (const definition of [base, head]) before?.(definition);
  change(head);
  const { code, out, err } = await previewOf(base, head, "--format", "json", "--fail-on", "any");
  expect(err).toBe("");
  const preview = JSON.parse(out) as Preview;
  isValid(preview);
  expect(isValid.errors ?? []).toEqual([]);
  const { access, destroys, lapses } = preview.verdict;
  expect({
    verdict: [access, ...(destroys ? ["destroys"] : []), ...(lapses ? ["lapses"] : [])].join(", "),
    exit: code,
    lines: summaryOf(preview, name === "an environment added" ? "perf" : "prod"),
  }).toEqual(EXPECTED[name]);
});

test("--fail-on asks for one thing", async () => {
  const [base, broader, lapsed, destroyed] = [draft(), draft(), draft(), draft()];
  broader.secrets["crypto/webhook"].consumers.push("payments");
  lapsed.environments.prod.approval = "none";
  delete destroyed.secrets["crypto/webhook"];
  const codes = async (head: object) => {
    const asked = ["broadened", "lapsed", "destroy", "any"].map(
      async (what) => (await previewOf(base, head, "--fail-on", what)).code,
    );
    return [...(await Promise.all(asked)), (await previewOf(base, head)).code];
  };
  expect(await codes(broader)).toEqual([1, 0, 0, 1, 0]);
  expect(await codes(lapsed)).toEqual([0, 1, 0, 1, 0]);
  expect(await codes(destroyed)).toEqual([0, 0, 1, 1, 0]);
  expect((await previewOf(base, broader, "--fail-on", "rain")).code).toBe(2);
});

test("says what people must do, in the text form too", async () => {
  const [base, head] = [draft(), draft()];
  base.secrets["crypto/webhook"].consumers = ["backend", "payments"];
  head.secrets["partner/login"] = { ...head.secrets["admin/db"], description: "Partner" };
  const { out } = await previewOf(base, head);
  expect(out).toContain("Access is narrowed in dev, prod, and nowhere broadened.");
  expect(out).toContain("bootstrap --env prod: it makes or asks for the first values of partner/login");
  expect(out).toContain("Have at hand the values that people supply for partner/login.");
  expect(out).toContain(
    "Rotate crypto/webhook: whoever lost the right to read still knows the current value.",
  );
  expect(out).toContain("into the charts of payments, and roll them out");
  expect(out).toMatch(/A month costs \$[\d.]+ before and \$[\d.]+ after: secrets \$[\d.]+ → \$[\d.]+/);
});
