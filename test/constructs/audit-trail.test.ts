import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformStack } from "cdktf";
import { auditTrailPlan, blueprint } from "../../lib/blueprint";
import { AuditTrail } from "../../lib/constructs";
import { days, defineRegistry, type Fault, RegistryError } from "../../lib/model";
import { auditSinks, type Draft, draft } from "../model/sample";
import { synthesize, type TerraformJson } from "../stacks/synthesized";

const ACCOUNT = "444455556666";
const SINKS = auditSinks(ACCOUNT);
const credential = { secretArn: `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:siem/splunk-AbCdEf` };

const withAudit = (audit: object | undefined, change: (d: Draft) => void = () => undefined): Draft => {
  const definition = draft();
  if (audit !== undefined) definition.environments.prod.audit = audit;
  change(definition);
  return definition;
};
const registryOf = (definition: Draft) => defineRegistry(definition);

/** Addresses with their types. */
const addressesOf = (terraform: TerraformJson): readonly string[] =>
  Object.entries(terraform.resource).flatMap(([type, made]) =>
    Object.keys(made as object).map((name) => `${type}.${name}`),
  );

test("an environment without the setting has none of it; with it, nothing else has another address", () => {
  const without = synthesize(
    { registry: registryOf(withAudit(undefined)), environment: "prod" },
    (terraform) => terraform,
  );
  const whole = synthesize(
    { registry: registryOf(withAudit({ trail: "create", sinks: SINKS })), environment: "prod" },
    (terraform) => terraform,
  );
  expect(JSON.stringify(without)).not.toMatch(/audit-(events|archive|normaliser)/);
  const before = addressesOf(without);
  const after = addressesOf(whole);
  expect(after).toEqual(expect.arrayContaining([...before]));
  const added = after.filter((address) => !before.includes(address));
  expect(added.every((address) => address.includes("audit"))).toBe(true);
  // What was there is what it was.
  for (const [type, made] of Object.entries(without.resource as Record<string, Record<string, unknown>>)) {
    for (const [name, settings] of Object.entries(made)) {
      // The recorder tells the trail of each run: one right and one setting more.
      if (name.includes("function--recorder")) continue;
      // The archive is among the buckets whose lock is watched.
      if (name.includes("records-unprotected")) continue;
      expect([type, name, whole.resource[type][name]]).toEqual([type, name, settings]);
    }
  }
});

describe("the audit trail in Terraform", () => {
  const { resource } = synthesize(
    {
      registry: registryOf(withAudit({ trail: "create", sinks: SINKS, retainFor: days(30) })),
      environment: "prod",
    },
    (terraform) => terraform,
  );
  const only = (type: string): Record<string, TerraformJson> =>
    Object.fromEntries(Object.entries(resource[type]).filter(([name]) => name.includes("audit"))) as never;

  it("a trail of all regions logs reads, into a bucket that nobody empties", () => {
    const [trail] = Object.values(resource.aws_cloudtrail) as TerraformJson[];
    expect(trail).toMatchObject({
      name: "acme-prod-audit",
      is_multi_region_trail: true,
      include_global_service_events: true,
      enable_log_file_validation: true,
    });
    // Without selectors a trail logs all management events; the provider takes that one selector for none, and would set it again.
    expect(trail).not.toHaveProperty("event_selector");
    expect(trail.depends_on).toEqual([expect.stringMatching(/^aws_s3_bucket_policy\..*audit-trail/)]);
  });

  it("the archive is locked, and only the normaliser writes into it", () => {
    const lock = Object.entries(only("aws_s3_bucket_object_lock_configuration")).find(([name]) =>
      name.includes("archive"),
    );
    expect(lock?.[1].rule.default_retention).toEqual({ mode: "COMPLIANCE", days: 30 });
    const policy = Object.entries(only("aws_s3_bucket_policy")).find(([name]) =>
      name.includes("archive"),
    )?.[1].policy;
    const writes = JSON.parse(policy).Statement.find(({ Sid }: { Sid: string }) => Sid === "RecorderWrites");
    expect(writes.Condition.ArnNotLike["aws:PrincipalArn"]).toEqual([
      `arn:aws:iam::${ACCOUNT}:role/acme/prod/acme-prod--audit-normaliser`,
    ]);
  });

  it("queues keep what a sink does not take for two weeks, a thousand tries", () => {
    for (const [name, queue] of Object.entries(only("aws_sqs_queue"))) {
      expect([name, queue.message_retention_seconds, queue.sqs_managed_sse_enabled]).toEqual([
        name,
        1_209_600,
        true,
      ]);
      if (name.endsWith("dead-letters")) continue;
      expect(JSON.parse(queue.redrive_policy).maxReceiveCount).toBe(1_000);
      expect(queue.visibility_timeout_seconds).toBeGreaterThanOrEqual(360);
    }
    expect(Object.keys(only("aws_sqs_queue"))).toHaveLength(2 + SINKS.length);
  });

  it("each queue has its reader, which lets single messages come again", () => {
    const readers = Object.values(only("aws_lambda_event_source_mapping"));
    expect(readers).toHaveLength(1 + SINKS.length);
    for (const reader of readers) expect(reader.function_response_types).toEqual(["ReportBatchItemFailures"]);
  });

  it("rules of every region see reads; those of others pass events on", () => {
    const rules = only("aws_cloudwatch_event_rule");
    const calls = Object.entries(rules).filter(([name]) => /audit-calls/.test(name));
    expect(calls.length).toBeGreaterThan(1);
    for (const [, rule] of calls) expect(rule.state).toBe("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
    // Names of rules whose dismantling pages: lib/blueprint/operations/tamper-watch.ts.
    for (const rule of Object.values(rules)) expect(rule.name).toMatch(/^acme-prod-secrets-audit-/);
    const targets = Object.values(only("aws_cloudwatch_event_target")) as TerraformJson[];
    for (const target of targets) {
      const passes = /event-bus/.test(target.arn);
      expect(target.role_arn === undefined).toBe(!passes);
      expect(target.dead_letter_config === undefined).toBe(passes);
    }
    expect(targets.some(({ arn }) => /event-bus/.test(arn))).toBe(true);
  });

  it("alarms go to the environment's topic, and silence is one", () => {
    const alarms = only("aws_cloudwatch_metric_alarm");
    expect(
      Object.keys(alarms)
        .map((name) => name.replace(/^.*?(?=audit)/, ""))
        .sort(),
    ).toEqual(
      [
        "audit-break-glass-reads",
        "audit-dead-letters",
        "audit-foreign-reads",
        "audit-malformed",
        "audit-normaliser-fails",
        "audit-reads",
        "audit-silent",
        "audit-waiting",
        ...SINKS.flatMap(({ name }) => [`audit-sink-${name}-fails`, `audit-sink-${name}-waiting`]),
      ].sort(),
    );
    const silent = Object.entries(alarms).find(([name]) => name.endsWith("audit-silent"))?.[1];
    expect([silent.treat_missing_data, silent.period]).toEqual(["breaching", 3_600]);
    const burst = Object.entries(alarms).find(([name]) => name.endsWith("audit-reads"))?.[1];
    expect(burst.threshold).toBe(1_000);
  });

  it("holds no credential, only where it lies", () => {
    const plan = blueprint(registryOf(withAudit({ trail: "create", sinks: SINKS })), "prod").audit;
    expect(plan?.sinks.map(({ function: made }) => JSON.stringify(made.settings)).join()).toContain(
      "siem/splunk-AbCdEf",
    );
    expect(plan?.normaliser.settings).toMatchObject({ runsTable: "acme-prod-secret-runs" });
  });
});

test("alone in a stack that has no registry", () => {
  const stack = new TerraformStack(new App(), "theirs");
  new AwsProvider(stack, "aws", { region: "eu-west-1" });
  const plan = auditTrailPlan({
    registry: "team",
    environment: "live",
    account: ACCOUNT,
    partition: "aws",
    regions: { primary: "eu-west-1", all: ["eu-west-1"] },
    globalRegion: "us-east-1",
    rolePath: "/team/",
    trail: "organization",
    sinks: [],
    retentionDays: 400,
    lockMode: "GOVERNANCE",
    forceDestroy: false,
    preventDestroy: true,
    readBurst: 100,
    operators: [],
    scope: {
      secretPrefix: "live/",
      secrets: {},
      principals: {},
      vault: {
        kvMount: "kv",
        databaseMount: "database",
        authMounts: [],
        policyPrefix: "team-",
        databaseRoles: {},
      },
    },
    tags: { registry: "team", environment: "live" },
  });
  new AuditTrail(stack, "trail", {
    plan,
    region: "eu-west-1",
    alarmTopicArn: "arn:aws:sns:eu-west-1:444455556666:on-call",
  });
  const { resource } = stack.toTerraform();
  expect(Object.keys(resource.aws_lambda_function)).toEqual(["trail_function--audit-normaliser"]);
  expect(resource.aws_cloudtrail).toBeUndefined();
  expect(plan.forwarder).toBeUndefined();
  expect(resource.aws_kms_key).toBeUndefined();
});

const SINK = SINKS[0] as object;
const FAULTS: readonly (readonly [string, object, Partial<Fault>])[] = [
  ["no trail", {}, { path: "environments.prod.audit.trail" }],
  ["a setting that does not exist", { trail: "create", siem: 1 }, { path: "environments.prod.audit.siem" }],
  [
    "a name a second time",
    { trail: "create", sinks: [SINK, SINK] },
    { path: "environments.prod.audit.sinks[1].name" },
  ],
  [
    "clear text",
    { trail: "create", sinks: [{ ...SINK, url: "http://splunk.example.com" }] },
    { path: "environments.prod.audit.sinks[0].url" },
  ],
  [
    "a secret of another account",
    {
      trail: "create",
      sinks: [{ ...SINK, token: { secretArn: credential.secretArn.replace(ACCOUNT, "111122223333") } }],
    },
    { path: "environments.prod.audit.sinks[0].token.secretArn", found: "one of account 111122223333" },
  ],
  [
    "a secret of the registry",
    {
      trail: "create",
      sinks: [{ ...SINK, token: { secretArn: credential.secretArn.replace("siem/", "prod/") } }],
    },
    { path: "environments.prod.audit.sinks[0].token.secretArn", found: "a secret of this registry" },
  ],
  [
    "a token in place of its secret",
    { trail: "create", sinks: [{ ...SINK, token: "c0ffee" }] },
    { path: "environments.prod.audit.sinks[0].token" },
  ],
  [
    "a network that is none",
    { trail: "create", sinks: [{ ...SINK, network: "nowhere" }] },
    { path: "environments.prod.audit.sinks[0].network" },
  ],
  [
    "half a day",
    { trail: "create", retainFor: { seconds: 43_200 } },
    { path: "environments.prod.audit.retainFor" },
  ],
  ["no number of reads", { trail: "create", readBurst: 0 }, { path: "environments.prod.audit.readBurst" }],
];

test.each(FAULTS)("fault: %s", (_name, audit, expected) => {
  let found: readonly Fault[] = [];
  try {
    registryOf(withAudit(audit));
  } catch (failure) {
    if (!(failure instanceof RegistryError)) throw failure;
    found = failure.faults;
  }
  expect(found).toEqual([expect.objectContaining(expected)]);
  expect(found[0]?.change.length).toBeGreaterThan(5);
});
