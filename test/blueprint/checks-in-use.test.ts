import jsonata from "jsonata";
import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import { draft } from "../model/sample";

const registry = (reports?: "version"): Registry => {
  const sample = draft();
  const url = "https://api.example.com/secrets";
  sample.workloads.backend.checks = { uses: { type: "health", url, ...(reports ? { reports } : {}) } };
  return defineRegistry(sample) as unknown as Registry;
};

test("a check that asks the application for its version reaches the checker", () => {
  const checkOf = (of: Registry) =>
    blueprint(of, "dev").functions.find(({ bundle }) => bundle === "checker")?.settings;
  expect(checkOf(registry("version"))).toMatchObject({ checks: { "backend/uses": { reports: "version" } } });
  expect(JSON.stringify(checkOf(registry()))).not.toContain("reports");
});

test.each([
  { overlapped: false, overlapSeconds: 28_800, inUse: false },
  { overlapped: true, overlapSeconds: 28_800, inUse: true },
  // A single slot has no time in which anybody could have refreshed.
  { overlapped: true, overlapSeconds: 0, inUse: false },
])("the version is asked for after an overlap: %j", async ({ overlapped, overlapSeconds, inUse }) => {
  const check = blueprint(registry(), "dev").procedure?.stateMachine.definition.States.Check;
  const { Payload } = (check?.Arguments ?? {}) as { readonly Payload?: { readonly InUse: string } };
  const expression = jsonata((Payload?.InUse ?? "").replace(/^\{%|%\}$/g, ""));
  await expect(expression.evaluate({}, { overlapped, run: { overlapSeconds } })).resolves.toBe(inUse);
});
