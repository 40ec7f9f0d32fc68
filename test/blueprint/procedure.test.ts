import validate from "asl-validator";
import fc from "fast-check";
import jsonata from "jsonata";
import {
  type AwsSecretPlan,
  type Blueprint,
  blueprint,
  type FunctionPlan,
  type ProcedurePlan,
  rotates,
  type State,
} from "../../lib/blueprint";
import type { DispatcherSettings } from "../../lib/contracts/function-settings";
import {
  compactLength,
  defineRegistry,
  type PolicyDocument,
  type PolicyStatement,
  type Registry,
  RegistryError,
} from "../../lib/model";
import {
  PROCEDURE_FUNCTIONS,
  type ProcedureFunction,
  procedureFunctionName,
  recordsBucket,
  tokensPartition,
} from "../../lib/model/names";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { registry } from "../../registry";
import { draft } from "../model/sample";
import { anyDefinition } from "./random-registry";

type Planned = Blueprint & { readonly procedure: ProcedurePlan };

const planned = (plan: Blueprint): Planned => {
  if (!plan.procedure) throw new Error(`${plan.environment} has no procedure`);
  return plan as Planned;
};

const own = (plan: Blueprint, what: ProcedureFunction): FunctionPlan => {
  const name = procedureFunctionName(plan.registry, plan.environment, what);
  const found = plan.functions.find((entry) => entry.name === name);
  if (!found) throw new Error(`no ${what}`);
  return found;
};

const statesOf = ({ procedure }: Planned): [string, State][] =>
  Object.entries(procedure.stateMachine.definition.States);

const rightsOf = (documents: readonly PolicyDocument[]): readonly PolicyStatement[] =>
  documents.flatMap(({ Statement }) => Statement);

const rolePolicies = ({ role }: Pick<FunctionPlan, "role">): PolicyDocument[] =>
  [...role.policies.inline, ...role.policies.managed].map(({ document }) => document);

/** `action resource` of statements. */
const pairs = (statements: readonly PolicyStatement[]): string[] =>
  statements.flatMap(({ Action, Resource = [] }) =>
    Action.flatMap((action) => Resource.map((resource) => `${action} ${resource}`)),
  );

/** Calls of the definition's tasks, as IAM asks for them. */
function callsOf(plan: Planned): Set<string> {
  const { partition, regions, account } = plan;
  const arn = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${regions.primary}:${account}:${resource}`;
  const functions = Object.values((own(plan, "dispatcher").settings as DispatcherSettings).secrets).map(
    (secret) => secret.function,
  );
  return new Set(
    statesOf(plan).flatMap(([, { Resource = "", Arguments }]) => {
      const args = Arguments as Record<string, string>;
      if (Resource.includes(":lambda:invoke")) {
        const named = args.FunctionName === "{% $run.function %}" ? functions : [args.FunctionName];
        return named.map((name) => `lambda:InvokeFunction ${arn("lambda", `function:${name}`)}`);
      }
      if (Resource.endsWith(":dynamodb:getItem"))
        return [`dynamodb:GetItem ${arn("dynamodb", `table/${args.TableName}`)}`];
      if (Resource.includes(":sns:publish")) return [`sns:Publish ${args.TopicArn}`];
      return Resource === "" ? [] : [`unknown ${Resource}`];
    }),
  );
}

function keepsTheLaws(plan: Planned): void {
  const { role, name, arn, definition } = plan.procedure.stateMachine;
  // The validator writes into what it is given.
  expect(validate(structuredClone(definition)).errors).toEqual([]);

  // The role can do what the definition does, and nothing else.
  const rights = rightsOf(rolePolicies({ role }));
  const direct = rights.filter(({ Sid }) => Sid !== "EncryptMessages");
  expect(new Set(pairs(direct))).toEqual(callsOf(plan));
  expect(pairs(direct).join()).not.toContain("*");
  const encrypt = rights.find(({ Sid }) => Sid === "EncryptMessages");
  expect(encrypt?.Condition).toEqual({
    StringEquals: { "kms:ViaService": [`sns.${plan.regions.primary}.amazonaws.com`] },
    "ForAnyValue:StringEquals": { "kms:ResourceAliases": [plan.operations?.key.alias] },
  });
  expect(role.trust.Statement.map(({ Principal, Condition }) => [Principal, Condition])).toEqual([
    [
      { Service: "states.amazonaws.com" },
      {
        ArnLike: { "aws:SourceArn": [arn] },
        StringEquals: { "aws:SourceAccount": [plan.account] },
      },
    ],
  ]);

  // No role of the procedure reads or writes a secret's value; neither the key's policy nor a secret's names one.
  const mine = plan.functions.filter((entry) => !rotates(entry) && entry.bundle !== "mirror");
  expect(mine.map(({ bundle }) => bundle)).toEqual(
    PROCEDURE_FUNCTIONS.filter((what) => what !== "change-gate" || plan.procedure.people.ci !== undefined),
  );
  const actions = [...mine.flatMap(rolePolicies), ...rolePolicies({ role })]
    .flatMap(({ Statement }) => Statement)
    .flatMap(({ Action }) => Action);
  for (const action of ["GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"])
    expect(actions).not.toContain(`secretsmanager:${action}`);
  const guarded = JSON.stringify([
    plan.key.policies,
    // The dispatcher starts rotations, which gives nobody a value.
    plan.secrets.map((secret) =>
      secret.store === "aws"
        ? secret.policy.Statement.filter(({ Sid }) => Sid !== "DenyRotationExceptStarters")
        : {},
    ),
  ]);
  for (const entry of [...mine, { role }]) expect(guarded).not.toContain(`${entry.role.arn}"`);

  peopleKeepApart(plan);
  onlyRotatorsMakeMacs(plan);

  // Limits of AWS.
  expect(name.length).toBeLessThanOrEqual(80);
  expect(role.name.length).toBeLessThanOrEqual(64);
  expect(plan.procedure.records.name).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
  // https://docs.aws.amazon.com/step-functions/latest/dg/limits-overview.html
  expect(JSON.stringify(definition).length).toBeLessThan(1_048_576);
  for (const document of Object.values(plan.procedure.people))
    expect(compactLength(document)).toBeLessThanOrEqual(6_144);
}

/** Law: who starts a rotation does not approve it, and nobody goes past the dispatcher. */
function peopleKeepApart({ functions, procedure, ...plan }: Planned): void {
  const { operator, approver } = procedure.people;
  const may = (document: PolicyDocument, action: string): string[] =>
    rightsOf([document])
      .filter(({ Action }) => Action.includes(action))
      .flatMap(({ Resource = [] }) => Resource);
  const dispatcher = functions.find(({ bundle }) => bundle === "dispatcher");
  expect(may(operator, "lambda:InvokeFunction")).toEqual([dispatcher?.arn]);
  for (const action of [
    "secretsmanager:RotateSecret",
    "states:StartExecution",
    "states:StopExecution",
    "states:SendTaskSuccess",
    "states:SendTaskFailure",
  ])
    expect([action, may(operator, action)]).toEqual([action, []]);
  const byPeople = plan.secrets.filter(
    (secret): secret is AwsSecretPlan => secret.store === "aws" && secret.rotation === "operator-assisted",
  );
  const supplied = byPeople.filter(({ inbox }) => inbox !== undefined);
  // People write into inboxes and nowhere else. They read a value that rules have made, to take it to its target.
  const puts = may(operator, "secretsmanager:PutSecretValue");
  expect(puts.length > 0).toBe(supplied.length > 0);
  expect(puts.filter((arn) => !arn.includes("/_inbox/"))).toEqual([]);
  const reads = may(operator, "secretsmanager:GetSecretValue");
  expect(reads.length > 0).toBe(byPeople.length > supplied.length);
  if (reads.every((arn) => arn.endsWith("-??????"))) {
    expect(reads).toEqual(
      byPeople
        .filter(({ inbox }) => inbox === undefined)
        .map(({ name }) => expect.stringContaining(`:secret:${name}-`)),
    );
  }
  // Inboxes have no replicas.
  expect(may(operator, "kms:Encrypt")).toEqual([]);
  // An approver decides at the gate, which looks who he is; the gate alone answers executions, of this state machine.
  const gate = functions.find(({ bundle }) => bundle === "approval-gate");
  expect(may(approver, "lambda:InvokeFunction")).toEqual([gate?.arn]);
  expect(
    rightsOf([approver])
      .flatMap(({ Action }) => Action)
      .sort(),
  ).toEqual([
    "dynamodb:GetItem",
    "dynamodb:Query",
    "lambda:InvokeFunction",
    "s3:GetObject",
    "s3:ListBucket",
    "states:DescribeExecution",
    "states:GetExecutionHistory",
  ]);
  // Tokens of executions that wait are in partitions that nobody but the gate reads.
  for (const document of Object.values(procedure.people)) {
    const reads = (secret: string): boolean =>
      evaluateAccess(
        {
          action: "dynamodb:GetItem",
          resource: `arn:${plan.partition}:dynamodb:${plan.regions.primary}:${plan.account}:table/${procedure.runsTable}`,
          principal: "arn:aws:iam::111122223333:role/person",
          context: { "dynamodb:LeadingKeys": secret },
        },
        { identity: [document] },
      ).allowed;
    const name = `${plan.environment}/any`;
    const isFollower = document === operator || document === approver;
    expect([reads(name), reads(tokensPartition(name))]).toEqual([isFollower, false]);
  }
  // What a region's loss takes is nobody's everyday right, and touches no value.
  expect(procedure.people.failover !== undefined).toBe(plan.regions.replicas.length > 0);
  const move = ["CancelRotateSecret", "ReplicateSecretToRegions", "StopReplicationToReplica"];
  for (const document of [operator, approver])
    expect(move.flatMap((action) => may(document, `secretsmanager:${action}`))).toEqual([]);
  const moves = rightsOf(procedure.people.failover ? [procedure.people.failover] : []);
  expect(moves.flatMap(({ Action }) => Action).filter((action) => /Value|Invoke|^sts:/.test(action))).toEqual(
    [],
  );
  for (const entry of functions) {
    const all = rolePolicies(entry).flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action));
    const answers = all.filter((action) => action.startsWith("states:SendTask"));
    expect([entry.bundle, answers.length]).toEqual([entry.bundle, entry === gate ? 2 : 0]);
    if (entry !== gate) continue;
    expect(rightsOf(rolePolicies(entry)).find(({ Sid }) => Sid === "AnswerExecutions")).toMatchObject({
      Resource: [procedure.stateMachine.arn],
      Condition: { ArnEquals: { "lambda:SourceFunctionArn": [entry.arn] } },
    });
  }
}

/** Functions that have to know what is proved. */
const CHECKERS: ReadonlySet<string> = new Set(["dispatcher", "mirror", "watcher"]);

/**
 * Asserts that only rotators make MACs: the right to make fingerprints lets one try values until one fits, and the right
 * to make proofs has any value copied.
 */
function onlyRotatorsMakeMacs({ functions, procedure, principals, ...plan }: Planned): void {
  const { alias, policy } = procedure.auditKey;
  const may = (
    action: string,
    principal: string,
    identity: readonly PolicyDocument[],
    context: Record<string, string> = {},
  ): boolean =>
    evaluateAccess(
      {
        action,
        resource: `arn:${plan.partition}:kms:${plan.regions.primary}:${plan.account}:key/audit`,
        principal,
        context: { "kms:ResourceAliases": alias, "kms:MacAlgorithm": "HMAC_SHA_256", ...context },
      },
      { identity, resource: policy, resourceMustAllow: true },
    ).allowed;
  const everything: PolicyDocument[] = [
    {
      Version: "2012-10-17",
      Statement: [{ Sid: "All", Effect: "Allow", Action: ["kms:*"], Resource: ["*"] }],
    },
  ];
  for (const entry of functions) {
    const { arn } = entry.role;
    const itself = { "lambda:SourceFunctionArn": entry.arn };
    const asked = [
      may("kms:GenerateMac", arn, rolePolicies(entry), itself),
      may("kms:GenerateMac", arn, everything),
    ];
    expect([entry.name, ...asked]).toEqual([entry.name, rotates(entry), rotates(entry)]);
    expect([entry.name, may("kms:CreateGrant", arn, everything)]).toEqual([entry.name, false]);
    const checks = [
      may("kms:VerifyMac", arn, rolePolicies(entry), itself),
      may("kms:VerifyMac", arn, everything),
    ];
    expect([entry.name, ...checks]).toEqual([entry.name, ...Array(2).fill(CHECKERS.has(entry.bundle))]);
    if (!rotates(entry)) continue;
    const other = { ...itself, "kms:ResourceAliases": plan.operations?.key.alias ?? "none" };
    expect(may("kms:GenerateMac", arn, rolePolicies(entry), other)).toBe(false);
    expect(may("kms:GenerateMac", arn, everything, { "kms:MacAlgorithm": "HMAC_SHA_512" })).toBe(false);
    expect(entry.settings.auditKeyAlias).toBe(alias);
  }
  const { breakGlass, operators, approvers, deployer } = principals;
  for (const arn of [...breakGlass, ...operators, ...approvers, deployer, procedure.stateMachine.role.arn]) {
    expect([arn, may("kms:GenerateMac", arn, everything)]).toEqual([arn, false]);
    expect([arn, may("kms:VerifyMac", arn, everything)]).toEqual([arn, breakGlass.includes(arn)]);
    expect([arn, may("kms:DescribeKey", arn, everything)]).toEqual([arn, true]);
  }
  expect(JSON.stringify(policy).length).toBeLessThan(32_768);
}

/** A trust as IAM has it for one request: variables have values; a statement with one that is missing does not hold. */
function resolved(trust: PolicyDocument, values: Readonly<Record<string, string>>): PolicyDocument {
  const text = (statement: object): string =>
    JSON.stringify(statement).replace(/\$\{([\w:]+)\}/g, (variable, key) => values[key] ?? variable);
  return {
    ...trust,
    Statement: trust.Statement.map((statement) => text(statement))
      .filter((statement) => !statement.includes("${"))
      .map((statement) => JSON.parse(statement)),
  };
}

test.each([
  ["a user by his own name", { "aws:username": "ben" }, "ben", true],
  ["a user by another's name", { "aws:username": "ana" }, "ben", false],
  ["a user by his own name in other letters", { "aws:username": "ben" }, "Ben", false],
  ["a role's session by its source's name", { "aws:SourceIdentity": "ben" }, "ben", true],
  ["a role's session by another's name", { "aws:SourceIdentity": "ana" }, "ben", false],
  ["a session without a source by any name", {}, "ben", false],
])("people's roles can be taken by %s: %j as %s, %s", (_, values, session, is) => {
  const { procedure, account } = planned(blueprint(registry, "prod"));
  const may: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [{ Sid: "Take", Effect: "Allow", Action: ["sts:AssumeRole"], Resource: ["*"] }],
  };
  for (const trust of [procedure.trusts.operator, procedure.trusts.approver]) {
    const { allowed } = evaluateAccess(
      {
        action: "sts:AssumeRole",
        resource: "*",
        principal: `arn:aws:iam::${account}:role/before`,
        context: { "sts:RoleSessionName": session },
      },
      { identity: [may], resource: resolved(trust, values), resourceMustAllow: true },
    );
    expect(allowed).toBe(is);
  }
});

test.each(registry.environmentNames)("the procedure of %s keeps its laws", (name) => {
  keepsTheLaws(planned(blueprint(registry, name)));
});

test("so does that of any registry", () => {
  let valid = 0;
  fc.assert(
    fc.property(anyDefinition, (definition) => {
      let made: Registry;
      try {
        made = defineRegistry(definition) as Registry;
      } catch (error) {
        if (error instanceof RegistryError) return;
        throw error;
      }
      for (const name of made.environmentNames) {
        const plan = blueprint(made, name);
        expect(plan.procedure !== undefined).toBe(plan.functions.some(rotates));
        if (plan.procedure) keepsTheLaws(planned(plan));
        valid += 1;
      }
    }),
    { numRuns: 40 },
  );
  expect(valid).toBeGreaterThan(10);
}, 60_000);

describe("the definition", () => {
  const prod = planned(blueprint(registry, "prod"));
  const states = new Map(statesOf(prod));
  const targetsOf = (state: State): string[] => {
    const branches = [state.Catch, state.Choices].flatMap((list) => (list ?? []) as { Next: string }[]);
    return [state.Next, state.Default, ...branches.map(({ Next }) => Next)].filter(
      (target): target is string => typeof target === "string",
    );
  };
  const reachable = (from: string, without: readonly string[] = []): Set<string> => {
    const found = new Set<string>();
    const open = [from];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const state = states.get(name);
      if (!state || found.has(name) || without.includes(name)) continue;
      found.add(name);
      open.push(...targetsOf(state));
    }
    return found;
  };

  test("has no state that is never entered", () => {
    expect([...reachable("Begin")].sort()).toEqual([...states.keys()].sort());
  });

  test("never rolls back once the old credential was asked to go: it may be dead", () => {
    expect(reachable("Decommission")).not.toContain("Rollback");
  });

  test("retires nothing that was not confirmed and proved, and ends in no way without a record", () => {
    for (const guard of ["Confirm", "Verify"])
      expect([guard, reachable("Begin", [guard]).has("Decommission")]).toEqual([guard, false]);
    const ends = reachable("Begin", ["Record"]);
    expect(ends.has("Ended") || ends.has("Failed")).toBe(false);
  });

  test("goes on without fingerprints, and asks for them before anything is proved", () => {
    const asked = states.get("Fingerprint");
    const kept = states.get("KeepFingerprints");
    expect(asked?.Next).toBe("KeepFingerprints");
    for (const state of [asked, kept])
      expect(state?.Catch).toEqual([{ ErrorEquals: ["States.ALL"], Next: kept?.Next }]);
    expect(reachable("Begin", ["Fingerprint"])).not.toContain("Verify");
  });

  test("lets no failure of a task pass uncaught, except for the recorder's, which is tried for long", () => {
    for (const [name, { Type, Catch }] of states) {
      if (Type !== "Task") continue;
      const caught = ((Catch ?? []) as { ErrorEquals: string[] }[]).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect([name, caught.includes("States.ALL")]).toEqual([name, name !== "Record"]);
    }
  });

  // The embedded AWS loses errors' names; this is the form of AWS:
  // https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
  const [caught] = (states.get("Verify")?.Catch ?? []) as { Assign: { fault: { code: string } } }[];
  const code = caught?.Assign.fault.code ?? "";
  test.each([
    [
      { Error: "RotationError", Cause: cause("RotationError", "value-malformed: version v") },
      "value-malformed",
    ],
    [
      { Error: "RetryableRotationError", Cause: cause("RetryableRotationError", "not-published-yet: x: y") },
      "not-published-yet",
    ],
    [{ Error: "CheckFailed", Cause: cause("CheckFailed", "health: 503") }, "CheckFailed"],
    [{ Error: "RolloutFailed", Cause: cause("RolloutFailed", "paused: celery in jobs") }, "paused"],
    [{ Error: "States.Timeout" }, "States.Timeout"],
    [{ Error: "Lambda.Unknown", Cause: "The cause could not be determined" }, "Lambda.Unknown"],
    [{ Error: "not a code, but a text", Cause: "" }, "unknown"],
    [{}, "unknown"],
  ])("reads the code of %j", async (errorOutput, expected) => {
    const expression = jsonata(code.slice(2, -2).trim());
    await expect(expression.evaluate(undefined, { states: { errorOutput } })).resolves.toBe(expected);
  });

  function cause(errorType: string, errorMessage: string): string {
    return JSON.stringify({ errorType, errorMessage, trace: [`${errorType}: ${errorMessage}`] });
  }
});

test("records are locked against everybody in production, elsewhere against those without a right", () => {
  const modes = registry.environmentNames.map((name) => {
    const { records } = planned(blueprint(registry, name)).procedure;
    return [name, records.lockMode, records.retentionDays];
  });
  expect(modes).toEqual([
    ["dev", "GOVERNANCE", 400],
    ["stage", "GOVERNANCE", 400],
    ["prod", "COMPLIANCE", 400],
  ]);
});

test("every region has a bucket of its own for records, whatever registry and environment are called", () => {
  const slug = fc.stringMatching(/^[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,10}){0,2}$/);
  const region = fc.constantFrom("eu-central-1", "eu-west-1", "us-gov-west-1", "ap-southeast-3");
  const place = fc.tuple(slug, slug, fc.stringMatching(/^\d{12}$/), region);
  fc.assert(
    fc.property(place, region, ([id, environment, account, here], there) => {
      const bucket = recordsBucket(id, environment, account, here);
      expect(bucket).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
      expect(recordsBucket(id, environment, account, there) === bucket).toBe(here === there);
    }),
  );
});

test("only the recorder writes a record, once, and nobody deletes one", () => {
  const prod = planned(blueprint(registry, "prod"));
  const { policy, arn } = prod.procedure.records;
  expect(policy.Statement.every(({ Effect, Principal }) => Effect === "Deny" && Principal === "*")).toBe(
    true,
  );
  const byId = new Map(policy.Statement.map((entry) => [entry.Sid, entry]));
  expect(byId.get("NobodyDeletes")).toMatchObject({
    Action: ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"],
    Resource: [`${arn}/*`],
  });
  expect(byId.get("NobodyDeletes")).not.toHaveProperty("Condition");
  expect(byId.get("WrittenOnce")?.Condition).toEqual({ Null: { "s3:if-none-match": ["true"] } });
  expect(byId.get("RecorderWrites")?.Condition?.ArnNotLike?.["aws:PrincipalArn"]).toContain(
    own(prod, "recorder").role.arn,
  );
});

test("what the dispatcher hands on is what the registry says", () => {
  const { secrets, changeRequest } = own(blueprint(registry, "prod"), "dispatcher")
    .settings as DispatcherSettings;
  expect(changeRequest).toBe("required");
  expect(secrets["prod/db/app-primary"]).toEqual({
    key: "db/app-primary",
    schedule: { everyDays: 29, phaseDay: 1, hour: 5, windowHours: 4 },
    kind: "postgresql-user",
    rotation: "automatic",
    supplied: false,
    publishes: false,
    function: expect.stringContaining("--rotate-postgresql-user"),
    overlapSeconds: 8 * 3_600,
    publishLeadSeconds: 0,
    restart: ["celery"],
    checks: expect.arrayContaining([expect.stringMatching(/^backend\//)]),
    approval: true,
  });
  expect(secrets["prod/jwt/signing"]?.publishLeadSeconds).toBeGreaterThan(0);
  expect(secrets["prod/jwt/signing"]).not.toHaveProperty("handOverSeconds");
  // Its webhook secret overlaps for three days more, after the promotion.
  const stripe = secrets["prod/payments/stripe"];
  expect(stripe?.handOverSeconds).toBe(stripe?.publishLeadSeconds);
  expect(stripe?.handOverSeconds).toBeLessThan((stripe?.overlapSeconds ?? 0) - 3 * 86_400);
  expect(Object.keys(secrets)).not.toContain("prod/db/reporting-ro");
});

describe("what a region's loss takes", () => {
  const { account, key, procedure, regions, secrets } = planned(blueprint(registry, "prod"));
  const [, replica = ""] = regions.all;
  const [secret] = secrets.filter(({ store }) => store === "aws");
  const arn = (region: string, name = `prod/${secret?.key}-a1B2c3`) =>
    `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;
  const asked = (action: string, region: string, resource = arn(region), more: Record<string, string> = {}) =>
    evaluateAccess(
      {
        action: `secretsmanager:${action}`,
        resource,
        principal: `arn:aws:iam::${account}:role/break-glass`,
        context: { "aws:RequestedRegion": region, ...more },
      },
      { identity: procedure.people.failover ? [procedure.people.failover] : [] },
    ).allowed;
  const to = (region: string) => ({ "secretsmanager:AddReplicaRegions": region });

  test.each([
    ["promotes a replica", asked("StopReplicationToReplica", replica), true],
    ["ends a rotation in the region that is left", asked("CancelRotateSecret", regions.primary), true],
    [
      "takes a region in again",
      asked("ReplicateSecretToRegions", replica, arn(replica), to(regions.primary)),
      true,
    ],
    [
      "takes in no other region",
      asked("ReplicateSecretToRegions", replica, arn(replica), to("ap-south-1")),
      false,
    ],
    ["promotes nothing in another region", asked("StopReplicationToReplica", "ap-south-1"), false],
    [
      "promotes no secret of another environment",
      asked("StopReplicationToReplica", replica, arn(replica, `dev/${secret?.key}-a1B2c3`)),
      false,
    ],
    [
      "promotes nothing that the registry does not know",
      asked("StopReplicationToReplica", replica, arn(replica, "prod/unknown-a1B2c3")),
      false,
    ],
    ["reads no value", asked("GetSecretValue", replica), false],
  ])("%s", (_what, allowed, expected) => expect(allowed).toBe(expected));

  test("is for whom the keys take it from", () => {
    const keys = JSON.stringify(key.policies[replica]);
    for (const role of blueprint(registry, "prod").principals.breakGlass) expect(keys).toContain(role);
  });
});

describe("change requests", () => {
  const withChanges = (change: (prod: ReturnType<typeof draft>["environments"]) => void): Planned => {
    const definition = draft();
    change(definition.environments.prod);
    return planned(blueprint(defineRegistry(definition) as Registry, "prod"));
  };

  test("are vouched for by CI's role at the gate, and it may do nothing else", () => {
    const plan = withChanges((prod) => {
      prod.principals.ci = "arn:aws:iam::444455556666:role/ci";
      prod.changes = { repository: "acme/infrastructure" };
    });
    const gate = own(plan, "change-gate");
    expect(pairs(rightsOf([plan.procedure.people.ci as PolicyDocument]))).toEqual([
      `lambda:InvokeFunction ${gate.arn}`,
    ]);
    expect(gate.settings).toEqual({
      registry: "acme",
      environment: "prod",
      region: "eu-central-1",
      changesTable: "acme-prod-secret-changes",
      issuer: "https://token.actions.githubusercontent.com",
      keySet: "https://token.actions.githubusercontent.com/.well-known/jwks",
      claims: {
        repository: ["acme/infrastructure"],
        ref: ["refs/heads/main"],
        ref_protected: ["true"],
        event_name: ["push", "workflow_dispatch"],
      },
      keys: plan.secrets.filter(({ store }) => store === "aws").map(({ key }) => key),
    });
    keepsTheLaws(plan);
  });

  test("have no gate where nobody vouches", () => {
    const plan = withChanges(() => undefined);
    expect(plan.functions.map(({ bundle }) => bundle)).not.toContain("change-gate");
    expect(plan.procedure.people).not.toHaveProperty("ci");
    expect(plan.procedure.trusts).not.toHaveProperty("ci");
  });
});
