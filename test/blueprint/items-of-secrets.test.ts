import { blueprint, type FunctionPlan, type RotationFunctionPlan, rotates } from "../../lib/blueprint";
import { compactLength, defineRegistry, type PolicyDocument, type Registry } from "../../lib/model";
import { procedureFunctionName, secretName } from "../../lib/model/names";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { registry } from "../../registry";
import { draft } from "../model/sample";

/** Items that a forger with one function's role could write: evaluated, by the blueprint's own policies. */

const plan = blueprint(registry, "prod");
const { procedure, operations } = plan;
if (procedure === undefined || operations === undefined) throw new Error("prod has a procedure");
const functions = plan.functions.filter(rotates);
const owner = new Map(functions.flatMap((of) => of.secrets.map((key) => [key, of] as const)));
const keys = [...owner.keys()];

const policiesOf = ({ role }: Pick<FunctionPlan, "role">): PolicyDocument[] =>
  [...role.policies.inline, ...role.policies.managed].map(({ document }) => document);

function may(
  of: Pick<FunctionPlan, "role" | "arn">,
  operation: string,
  table: string,
  partition: string,
): boolean {
  const resource = `arn:aws:dynamodb:${plan.regions.primary}:${plan.account}:table/${table}`;
  const context = { "dynamodb:LeadingKeys": partition, "lambda:SourceFunctionArn": of.arn };
  const action = `dynamodb:${operation}`;
  return evaluateAccess({ action, resource, principal: of.role.arn, context }, { identity: policiesOf(of) })
    .allowed;
}

const WRITES = ["PutItem", "UpdateItem", "DeleteItem"] as const;
const rotatorOf = (key: string): RotationFunctionPlan => {
  const found = owner.get(key);
  if (found === undefined) throw new Error(`nobody rotates ${key}`);
  return found;
};

describe("the role of a rotation function", () => {
  test("of Datadog writes no change for Stripe, no run of it, and forges no lock of Redis", () => {
    const datadog = rotatorOf("observability/datadog");
    for (const operation of WRITES) {
      expect(may(datadog, operation, procedure.changesTable, "sha256:1")).toBe(false);
      for (const key of ["payments/stripe", "redis/app"]) {
        expect(may(datadog, operation, procedure.runsTable, secretName("prod", key))).toBe(false);
        expect(may(datadog, operation, operations.publicationsTable, secretName("prod", key))).toBe(false);
      }
      expect(may(datadog, operation, procedure.runsTable, "#change/sha256:1")).toBe(false);
    }
  });

  test("reaches the items of its own secrets, and of no other, in no table", () => {
    const reached: string[] = [];
    for (const of of functions) {
      for (const key of keys) {
        for (const table of [procedure.runsTable, operations.publicationsTable, procedure.changesTable]) {
          for (const operation of [...WRITES, "GetItem", "Query", "Scan"]) {
            if (!may(of, operation, table, secretName("prod", key))) continue;
            reached.push(`${table} ${operation}`);
            expect(of.secrets).toContain(key);
          }
        }
      }
    }
    expect([...new Set(reached)].sort()).toEqual([
      "acme-prod-secret-publications DeleteItem",
      "acme-prod-secret-publications GetItem",
      "acme-prod-secret-runs GetItem",
      "acme-prod-secret-runs PutItem",
    ]);
  });
});

test("the change gate alone puts changes; the dispatcher uses them, the recorder frees them", () => {
  const who = plan.functions
    .flatMap((of) =>
      [...WRITES, "GetItem"]
        .filter((operation) => may(of, operation, procedure.changesTable, "sha256:1"))
        .map((operation) => `${of.name} ${operation}`),
    )
    .sort();
  const own = (what: Parameters<typeof procedureFunctionName>[2]) =>
    procedureFunctionName(plan.registry, "prod", what);
  expect(who).toEqual(
    [
      ...(plan.functions.some(({ name }) => name === own("change-gate"))
        ? [`${own("change-gate")} PutItem`]
        : []),
      `${own("dispatcher")} GetItem`,
      `${own("dispatcher")} UpdateItem`,
      `${own("recorder")} UpdateItem`,
    ].sort(),
  );
});

test.each([10, 200])(
  "two thousand secrets with keys of %i characters: every name in one statement, every policy of legal size",
  (length) => {
    const definition = draft();
    const secrets: Record<string, object> = { ...definition.secrets };
    for (let at = 0; at < 2_000; at += 1) {
      const key = `many/s${String(at).padStart(length - 6, "x")}`;
      secrets[key] = {
        kind: "generic",
        description: "one of many",
        owner: "team-a",
        consumers: [],
        rotateEvery: { seconds: 90 * 86_400 },
        store: "aws",
        settings: { fields: ["token"], generate: { token: { how: "password", length: 40 } } },
      };
    }
    const many = blueprint(defineRegistry({ ...definition, secrets } as never) as Registry, "prod");
    const named = many.functions.filter(rotates).flatMap((of) =>
      policiesOf(of).flatMap((document) => {
        expect(compactLength(document)).toBeLessThanOrEqual(
          of.role.policies.inline.length > 0 ? 10_240 : 6_144,
        );
        return document.Statement.filter(({ Sid }) => Sid.startsWith("ReadAndWithdrawConfirmations")).flatMap(
          ({ Condition }) => Condition?.["ForAllValues:StringEquals"]?.["dynamodb:LeadingKeys"] ?? [],
        );
      }),
    );
    expect(new Set(named).size).toBe(named.length);
    expect(named.length).toBeGreaterThan(2_000);
  },
);
