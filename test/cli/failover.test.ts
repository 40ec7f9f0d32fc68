import { App } from "cdktf";
import { blueprint } from "../../lib/blueprint";
import type { SecretInRegion } from "../../lib/cli/cloud/failover-cloud";
import {
  type FailoverRow,
  failoverRow,
  type RejoinRow,
  type Return,
  rejoinRow,
} from "../../lib/cli/verbs/failover-row";
import { failoverSteps, rejoinSteps } from "../../lib/cli/verbs/failover-steps";
import { registry } from "../../registry";
import { SecretsStack } from "../../stacks";
import { cli } from "./run-cli";

const SECRET = { key: "db/app", name: "prod/db/app" };
const LOSS = { environment: "prod", from: "eu-central-1", to: "eu-west-1" };
/** A proof, by its form. */
const PROOF = `VERIFIED.${"0".repeat(64)}`;
const MADE = new Date("2026-11-01T12:00:00.000Z");
const KEY = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";

/** A secret as a region has it: a replica of the lost one, unless told otherwise. */
const seen = (change: Partial<SecretInRegion> = {}): SecretInRegion => ({
  name: SECRET.name,
  arn: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db/app-AbCdEf",
  rotationEnabled: false,
  deleted: false,
  primaryRegion: LOSS.from,
  labels: new Map([["v2", ["AWSCURRENT", PROOF]]]),
  kmsKeyId: KEY,
  replicas: new Map(),
  createdAt: new Map([
    ["v1", MADE],
    ["v2", MADE],
  ]),
  ...change,
});

const labelled = (...labels: (readonly [string, readonly string[]])[]) => ({ labels: new Map(labels) });

test.each<{
  what: string;
  here: SecretInRegion | undefined;
  there?: SecretInRegion;
  does: FailoverRow["does"];
  tells?: string;
}>([
  { what: "a replica", here: seen(), does: "promote" },
  { what: "one that stands on its own", here: seen({ primaryRegion: undefined }), does: "nothing" },
  { what: "one that has replicas of its own", here: seen({ primaryRegion: LOSS.to }), does: "nothing" },
  { what: "no replica", here: undefined, does: "blocked", tells: "eu-west-1 has no replica of prod/db/app" },
  {
    what: "one that is being deleted",
    here: seen({ deleted: true }),
    does: "blocked",
    tells: "restore-secret --secret-id prod/db/app --region eu-west-1",
  },
  {
    what: "a replica of another region",
    here: seen({ primaryRegion: "us-east-1" }),
    does: "blocked",
    tells: "is a replica of us-east-1",
  },
  {
    what: "a replica that lags, as far as can be seen",
    here: seen(),
    there: seen(labelled(["v3", ["AWSCURRENT"]])),
    does: "blocked",
    tells: "v3 as AWSCURRENT, and eu-west-1 v2",
  },
  { what: "a replica in sync", here: seen(), there: seen(), does: "promote" },
  {
    what: "a value without proof",
    here: seen(labelled(["v2", ["AWSCURRENT"]])),
    does: "promote",
    tells: "rotate db/app --env prod --phase verify",
  },
  { what: "no value", here: seen(labelled()), does: "promote", tells: "bootstrap --env prod" },
  {
    what: "a rotation under way",
    here: seen(labelled(["v2", ["AWSCURRENT", PROOF]], ["v3", ["AWSPENDING"]])),
    does: "promote",
    tells: "AWSPENDING v3",
  },
])("of $what a failover does: $does", ({ here, there, does, tells }) => {
  const row = failoverRow(SECRET, LOSS, here, there);
  expect(row.does).toBe(does);
  const told = [...row.warnings, ...(row.fault === undefined ? [] : [row.fault])];
  expect(told).toEqual(tells === undefined ? [] : [expect.stringContaining(tells)]);
});

test("a replica's row says how old its value is, and whether it was proved", () => {
  expect(failoverRow(SECRET, LOSS, seen())).toMatchObject({
    version: "v2",
    verified: true,
    since: MADE.toISOString(),
  });
});

const BACK: Return = {
  environment: "prod",
  primary: "eu-west-1",
  region: "eu-central-1",
  overwriteDiverged: false,
};
const owner = (change: Partial<SecretInRegion> = {}) => seen({ primaryRegion: undefined, ...change });
const stale = (change: Partial<SecretInRegion> = {}) =>
  seen({ primaryRegion: undefined, rotationEnabled: true, ...labelled(["v1", ["AWSCURRENT"]]), ...change });

test.each<{
  what: string;
  owner?: SecretInRegion | undefined;
  copy: SecretInRegion | undefined;
  dependent?: readonly string[];
  back?: Partial<Return>;
  row: Partial<RejoinRow>;
  tells?: string;
}>([
  {
    what: "a stale secret that rotates",
    copy: stale(),
    row: {
      does: "replicate",
      stopsRotation: true,
      stale: "v1",
      kmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1",
    },
  },
  { what: "no secret", copy: undefined, row: { does: "replicate", stopsRotation: false } },
  {
    what: "a replica that still hangs on the lost region",
    back: { region: "us-east-1" },
    copy: seen(),
    row: { does: "replicate", stopsRotation: false },
  },
  { what: "a replica of the new one", copy: seen({ primaryRegion: "eu-west-1" }), row: { does: "nothing" } },
  {
    what: "a replica that failed, under the key that was asked for",
    owner: owner({ replicas: new Map([["eu-central-1", { status: "Failed", kmsKeyId: "asked" }]]) }),
    copy: stale(),
    row: { does: "replicate", kmsKeyId: "asked" },
  },
  {
    what: "a key of one region",
    owner: owner({ kmsKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1" }),
    copy: stale(),
    row: { does: "replicate" },
  },
  {
    what: "a value that the new primary never saw",
    copy: stale(labelled(["v9", ["AWSCURRENT"]])),
    row: { does: "blocked", stopsRotation: true },
    tells: "version v9 as AWSCURRENT",
  },
  {
    what: "such a value, on purpose",
    back: { overwriteDiverged: true },
    copy: stale(labelled(["v9", ["AWSCURRENT"]])),
    row: { does: "replicate" },
  },
  {
    what: "a secret on which others hang",
    copy: stale(),
    dependent: ["us-east-1"],
    row: { does: "blocked", stopsRotation: true },
    tells: "--rejoin us-east-1",
  },
  {
    what: "a secret that is being deleted",
    copy: stale({ deleted: true }),
    row: { does: "blocked", stopsRotation: false },
    tells: "restore-secret",
  },
  {
    what: "a secret whose new primary is none",
    owner: seen(),
    copy: stale(),
    row: { does: "blocked" },
    tells: "does not stand on its own in eu-west-1",
  },
  {
    what: "a secret that the primary region does not have",
    owner: undefined,
    copy: stale(),
    row: { does: "blocked" },
    tells: "does not stand on its own in eu-west-1",
  },
])("of $what the way back does: $row.does", ({ copy, dependent = [], back, row, tells, ...rest }) => {
  const owned = "owner" in rest ? rest.owner : owner();
  const found = rejoinRow(SECRET, { ...BACK, ...back }, owned, copy, dependent);
  expect(found).toMatchObject(row);
  expect(found.fault ?? "").toContain(tells ?? "");
  expect(found.fault === undefined).toBe(found.does !== "blocked");
});

test("a replica is not put under a key of one region", () => {
  const single = owner({ kmsKeyId: "arn:aws:kms:eu-west-1:111122223333:key/1" });
  expect(rejoinRow(SECRET, BACK, single, stale(), [])).not.toHaveProperty("kmsKeyId");
});

describe("for Terraform", () => {
  const plan = blueprint(registry, "prod");
  const secrets = plan.secrets.flatMap((secret) =>
    secret.store === "aws"
      ? [{ secret: secret.key, does: "promoted", arn: `arn:${secret.name}-AbCdEf` }]
      : [],
  );
  const stack = new SecretsStack(new App(), "prod", { registry, environment: "prod" });
  const { resource } = stack.toTerraform() as { resource: Record<string, Record<string, unknown>> };
  const addresses = (type: string) => Object.keys(resource[type] ?? {}).map((name) => `${type}.${name}`);

  test("every secret that stands on its own is imported, at the address that the stack gives it", () => {
    const { terraform } = failoverSteps(plan, LOSS, secrets, "secrets");
    // Inboxes have no replica, and are made anew.
    expect(terraform.import.map(({ to }) => to).sort()).toEqual(
      addresses("aws_secretsmanager_secret")
        .filter((address) => !address.includes("_inbox--"))
        .sort(),
    );
    expect(terraform.import[0]?.id).toMatch(/^arn:.*-AbCdEf@eu-west-1$/);
  });

  test("nothing that still is a replica is imported", () => {
    const open = secrets.map((secret, index) => ({ ...secret, does: index === 0 ? "failed" : "blocked" }));
    expect(failoverSteps(plan, LOSS, open, "secrets").terraform.import).toEqual([]);
  });

  test("the alias that was left behind is imported at its address", () => {
    const { terraform } = rejoinSteps(plan, { ...BACK, region: "us-east-1" }, "secrets");
    expect(addresses("aws_kms_alias")).toContain(terraform.import[0]?.to);
  });

  test("the steps name what of the registry lies in the lost region", () => {
    const { regions, next } = failoverSteps(plan, LOSS, secrets, "secrets");
    expect(regions).toEqual({ primary: "eu-west-1", replicas: ["us-east-1"] });
    const text = next.join("\n");
    for (const part of ["prod-eu-central", "Vault eu-central", "networks", "--rejoin us-east-1"]) {
      expect(text).toContain(part);
    }
  });

  test("the steps name the buckets of records, the lost region's and the one that the next apply makes", () => {
    const text = failoverSteps(plan, LOSS, secrets, "secrets").next.join("\n");
    const [made] = Object.values(resource.aws_s3_bucket ?? {}) as { readonly bucket: string }[];
    expect(text).toContain(`bucket ${made?.bucket} stays in ${LOSS.from}`);
    expect(text).toContain(`now on they lie in ${made?.bucket.replace(LOSS.from, LOSS.to)}.`);
    expect(text).toContain(`aws s3 sync s3://${made?.bucket} records`);
  });

  test("the steps say where the audit trail's archive stays, and that a sink's credential may be lost with the region", () => {
    const text = failoverSteps(plan, LOSS, secrets, "secrets").next.join("\n");
    expect(text).toContain(`bucket ${plan.audit?.archive.name} stays in ${LOSS.from}`);
    expect(text).toContain(`now on lie in ${plan.audit?.archive.name.replace(LOSS.from, LOSS.to)}.`);
    expect(text).toContain("environments.prod.audit.sinks");
  });

  test("the steps say that fingerprints begin anew with the key that the next apply makes", () => {
    const text = failoverSteps(plan, LOSS, secrets, "secrets").next.join("\n");
    const alias = resource.aws_kms_alias?.secrets_audit as { readonly name: string } | undefined;
    expect(text).toContain(`key ${alias?.name} is made anew in ${LOSS.to}`);
  });

  test("what is left behind is named as the stack named it", () => {
    const { leftovers } = rejoinSteps(plan, BACK, "secrets");
    const named = (type: string, name: string) =>
      Object.values(resource[type] ?? {}).map((entry) => (entry as Record<string, unknown>)[name]);
    expect([...leftovers.functions].sort()).toEqual(named("aws_lambda_function", "function_name").sort());
    expect(leftovers.inboxes).not.toEqual([]);
    expect([...leftovers.inboxes].sort()).toEqual(
      named("aws_secretsmanager_secret", "name")
        .filter((name) => String(name).includes("/_inbox/"))
        .sort(),
    );
    expect([...leftovers.logGroups].sort()).toEqual(named("aws_cloudwatch_log_group", "name").sort());
    expect([...leftovers.keyAliases].sort()).toEqual([...new Set(named("aws_kms_alias", "name"))].sort());
    expect([...leftovers.rules].sort()).toEqual(named("aws_cloudwatch_event_rule", "name").sort());
    expect([...leftovers.tables].sort()).toEqual(named("aws_dynamodb_table", "name").sort());
    expect([leftovers.queue, ...(leftovers.auditQueues ?? [])].sort()).toEqual(
      named("aws_sqs_queue", "name").sort(),
    );
    expect(named("aws_sns_topic", "name")).toContain(leftovers.topic);
    for (const alarm of named("aws_cloudwatch_metric_alarm", "alarm_name")) {
      expect(String(alarm).startsWith(leftovers.alarmPrefix ?? "-")).toBe(true);
    }
  });
});

test.each([
  [["--to", "eu-west-1", "--env", "qa"], 'Unknown environment "qa"'],
  [["--to", "eu-central-1", "--env", "prod"], "is the primary region of prod already"],
  [["--to", "ap-south-1", "--env", "prod"], "the registry has eu-west-1, us-east-1"],
  [["--rejoin", "eu-central-1", "--env", "prod"], "is the primary region of prod in the registry"],
  [["--rejoin", "ap-south-1", "--env", "prod"], "is not among the replicas of prod"],
  [["--env", "prod"], "one of the two"],
  [["--env", "prod", "--to", "eu-west-1", "--rejoin", "us-east-1"], "one of the two"],
  [["--env", "prod", "--to", "eu-west-1", "--overwrite-diverged"], "one of the two"],
  [["--env", "prod", "--rejoin", "eu-west-1", "--planned"], "one of the two"],
])("failover %j needs no cloud to be refused", async (args, tells) => {
  const { code, out, err } = await cli("failover", ...args);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(tells);
});
