import { accessOf, blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import { type Draft, draft } from "../model/sample";

const changed = (change: (definition: Draft) => void): Registry => {
  const definition = draft();
  change(definition);
  return defineRegistry(definition) as Registry;
};
const planOf = (environment: "dev" | "prod", change: (definition: Draft) => void) =>
  blueprint(changed(change), environment);

/** Readers of the webhook's key by every layer that knows them. */
function readersOf(registry: Registry, environment: "dev" | "prod") {
  const plan = blueprint(registry, environment);
  const secret = plan.secrets.find(({ key }) => key === "crypto/webhook");
  return {
    listed: secret?.consumers,
    roles: plan.workloads
      .filter(({ role }) => JSON.stringify(role.policies).includes("crypto/webhook"))
      .map(({ name }) => name),
    vault: plan.workloads
      .filter(({ vault }) => vault?.policy.text.includes("crypto/webhook"))
      .map(({ name }) => name),
    files: plan.workloads
      .filter(({ pods }) => pods[0]?.files.some((file) => file.secret === "crypto/webhook"))
      .map(({ name }) => name),
    matrix: accessOf(registry, environment)
      .filter(({ secret }) => secret === "crypto/webhook")
      .map(({ workload }) => workload),
  };
}

const all = (names: readonly string[]) => ({
  listed: names,
  roles: names,
  vault: names,
  files: names,
  matrix: names,
});

const oneEnvironment = (d: Draft): void => {
  d.secrets["crypto/webhook"].consumers = ["backend", { workload: "payments", environments: ["dev"] }];
};
const ownList = (d: Draft): void => {
  d.secrets["crypto/webhook"].environments = { dev: { consumers: ["payments"] } };
};
const nobodyInDev = (d: Draft): void => {
  d.secrets["crypto/webhook"].environments = { dev: { consumers: [] } };
};

test.each([
  ["a consumer of one environment", oneEnvironment, { dev: ["backend", "payments"], prod: ["backend"] }],
  ["consumers of one environment", ownList, { dev: ["payments"], prod: ["backend"] }],
  ["no consumers in one environment", nobodyInDev, { dev: [], prod: ["backend"] }],
] as const)("%s: every layer has the same readers", (_, change, readers) => {
  for (const environment of ["dev", "prod"] as const) {
    expect(readersOf(changed(change), environment)).toEqual(all(readers[environment]));
  }
});

test("a consumer has other files in another environment", () => {
  const change = (d: Draft): void => {
    d.secrets["crypto/webhook"].consumers = [
      { workload: "backend", environments: ["dev"] },
      { workload: "backend", environments: ["prod"], files: [{ format: "env" }] },
    ];
  };
  const formats = (["dev", "prod"] as const).map((environment) =>
    planOf(environment, change)
      .workloads.find(({ name }) => name === "backend")
      ?.pods[0]?.files.filter(({ secret }) => secret === "crypto/webhook")
      .map(({ format }) => format),
  );
  expect(formats).toEqual([["json"], ["env"]]);
});

test("a job lengthens the overlap where it consumes, and nowhere else", () => {
  const overlapIn = (environment: "dev" | "prod") =>
    planOf(environment, (d) => {
      d.workloads.payments = {
        namespace: "payments",
        controller: "CronJob",
        longestRun: { seconds: 86_400 },
      };
      oneEnvironment(d);
    }).secrets.find(({ key }) => key === "crypto/webhook")?.overlap.seconds;
  expect(overlapIn("dev")).toBeGreaterThanOrEqual(86_400);
  expect(overlapIn("prod")).toBeLessThan(86_400);
});
