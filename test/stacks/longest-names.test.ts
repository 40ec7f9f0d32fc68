import { blueprint } from "../../lib/blueprint";
import { defineRegistry, hours, type Registry } from "../../lib/model";
import { ENVIRONMENT_PREFIX_LIMIT } from "../../lib/model/names";
import {
  auditSinks,
  type Draft,
  draft,
  genericPassword,
  redisToken,
  s3Key,
  vaultDatabase,
} from "../model/sample";
import { synthesize, type TerraformJson } from "./synthesized";

/** Every name that a stack gives, where an author's names are as long as they may be, against the limit of whoever takes it. */

/** `<start>-aaa…`, as long as names of registries, environments, workloads, Vaults and checks may be. */
const long = (start: string): string => `${start}-`.padEnd(40, "a");

/**
 * Attributes with names, by type of resource, with what their service takes.
 * IAM, KMS, Lambda, SQS, SNS, DynamoDB, S3, Step Functions, EventBridge, CloudWatch, Secrets Manager: each service's API reference,
 * `CreateRole`, `CreateAlias`, `CreateFunction`, `CreateQueue`, `CreateTopic`, `CreateTable`, bucket naming rules,
 * `CreateStateMachine`, `PutRule`, `PutMetricAlarm`, `CreateLogGroup`, `CreateSecret`. Kubernetes: names of objects.
 */
const LIMITS: Readonly<Record<string, readonly [attribute: string, form: RegExp]>> = {
  aws_cloudtrail: ["name", /^[A-Za-z0-9][A-Za-z0-9._-]{2,127}$/],
  aws_cloudwatch_event_rule: ["name", /^[.\-_A-Za-z0-9]{1,64}$/],
  aws_cloudwatch_event_target: ["target_id", /^[.\-_A-Za-z0-9]{1,64}$/],
  aws_cloudwatch_log_group: ["name", /^[.\-_/#A-Za-z0-9]{1,512}$/],
  aws_cloudwatch_metric_alarm: ["alarm_name", /^.{1,255}$/],
  aws_dynamodb_table: ["name", /^[a-zA-Z0-9_.-]{3,255}$/],
  aws_iam_policy: ["name", /^[\w+=,.@-]{1,128}$/],
  aws_iam_role: ["name", /^[\w+=,.@-]{1,64}$/],
  aws_iam_role_policy: ["name", /^[\w+=,.@-]{1,128}$/],
  aws_kms_alias: ["name", /^alias\/[a-zA-Z0-9/_-]{1,250}$/],
  aws_lambda_function: ["function_name", /^[a-zA-Z0-9_-]{1,64}$/],
  aws_lambda_permission: ["statement_id", /^[a-zA-Z0-9_-]{1,100}$/],
  aws_s3_bucket: ["bucket", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/],
  aws_secretsmanager_secret: ["name", /^[A-Za-z0-9/_+=.@-]{1,512}$/],
  aws_sfn_state_machine: ["name", /^[A-Za-z0-9_-]{1,80}$/],
  aws_sns_topic: ["name", /^[A-Za-z0-9_-]{1,256}$/],
  aws_sqs_queue: ["name", /^[A-Za-z0-9_-]{1,80}$/],
  vault_database_secret_backend_connection: ["name", /^[a-zA-Z0-9._-]{1,255}$/],
};

/** Types whose name another resource of the list gives, and those that have none. */
const NAMELESS =
  /_(?:attachment|policies_exclusive|attachments_exclusive|versioning|encryption_configuration|access_block|lock_configuration|controls|policy|subscription|rotation|version|config|mount|backend|role|engine|key|provider|trail|invoke_config|mapping|backend_v2|account_v1)$/;

function longNamed(): { readonly registry: Registry; readonly environment: string } {
  const definition = draft();
  const environment = long("prod").slice(0, 20);
  const { prod } = definition.environments;
  prod.vaults[0].name = long("main");
  prod.clusters[0].vault = long("main");
  prod.clusters[0].name = long("cluster");
  prod.namespacePattern = "{namespace}";
  prod.networks = [
    {
      name: long("private"),
      subnets: ["subnet-0123456789abcdef0"],
      securityGroups: ["sg-0123456789abcdef0"],
    },
  ];
  prod.audit = { trail: "create", sinks: auditSinks().map((sink) => ({ ...sink, name: long(sink.name) })) };
  const backend = long("backend");
  definition.workloads = {
    [backend]: { namespace: "backend", reload: { how: "redeploy" } },
    [long("payments")]: { namespace: "payments" },
    [long("job")]: { namespace: "jobs", controller: "Job", longestRun: hours(1) },
  };
  definition.accessRules = {};
  definition.secrets["redis/app"] = redisToken();
  definition.secrets["storage/app"] = s3Key();
  definition.secrets["db/ro"] = vaultDatabase();
  definition.secrets["db/ro"].consumers = [long("payments")];
  definition.secrets["app/password"] = { ...genericPassword(), consumers: [long("job")] };
  for (const secret of Object.values<Draft>(definition.secrets)) {
    secret.consumers = secret.consumers.map((name: string) =>
      definition.workloads[name] ? name : name === "payments" ? long("payments") : backend,
    );
    if (secret.environments) secret.environments = { [environment]: secret.environments.prod };
  }
  return {
    registry: defineRegistry({
      ...definition,
      id: long("acme").slice(0, 24),
      environments: { [environment]: prod },
    }) as Registry,
    environment,
  };
}

/** Beginnings of names by which policies and watches know an environment's resources (`deployer-places.ts`, `tamper-watch.ts`). */
const BEGINNINGS: Readonly<Record<string, string>> = {
  aws_cloudwatch_event_rule: "-secrets-",
  aws_cloudwatch_metric_alarm: "-",
  aws_dynamodb_table: "-",
  aws_iam_role: "-",
  aws_lambda_function: "--",
  aws_sfn_state_machine: "-",
  aws_sns_topic: "-",
  aws_sqs_queue: "-",
};

test("keep the beginning by which policies and watches know them", () => {
  const { registry, environment } = longNamed();
  synthesize({ registry, environment }, ({ resource }) => {
    for (const [type, after] of Object.entries(BEGINNINGS)) {
      const names = Object.values<TerraformJson>(resource[type]).map((one) => one[LIMITS[type]?.[0] ?? ""]);
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(name.startsWith(`${registry.id}-${environment}${after}`)).toBe(true);
    }
  });
});

test("of annotations and objects of the cluster fit, and no two files of a pod have one", () => {
  const definition = draft();
  const [one = "", other = ""] = ["a", "b"].map((end) => `${"x".repeat(98)}/${"y".repeat(98)}${end}`);
  for (const key of [one, other]) definition.secrets[key] = genericPassword();
  const workload = long("backend");
  definition.workloads[workload] = { namespace: "n", manage: "external" };
  for (const key of [one, other]) {
    definition.secrets[key].consumers = [workload];
    definition.secrets[key].files = [
      { format: "json" },
      { format: "json", path: "again.json" },
      { format: "env", path: `${key.at(-1)}.env` },
    ].map((file) => ({ ...file, path: file.path === "again.json" ? `${key.at(-1)}.json` : file.path }));
  }
  const plan = blueprint(defineRegistry(definition) as Registry, "prod");
  const [pod] = plan.workloads.find(({ name }) => name === workload)?.pods ?? [];
  const names = Object.keys(pod?.annotations ?? {}).map((key) => key.split("/")[1] ?? "");
  // https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
  expect(names.filter((name) => name.startsWith("agent-inject-secret-"))).toHaveLength(6);
});

test("fit, whatever an author's names are", () => {
  const { registry, environment } = longNamed();
  expect(`${registry.id}-${environment}`).toHaveLength(ENVIRONMENT_PREFIX_LIMIT);
  synthesize({ registry, environment }, ({ resource }) => {
    const wrong = Object.entries<Record<string, TerraformJson>>(resource).flatMap(([type, all]) => {
      const limit = LIMITS[type];
      if (limit === undefined) return NAMELESS.test(type) ? [] : [`${type} is not in the list`];
      const [attribute, form] = limit;
      return Object.values(all).flatMap((one) => {
        const name: unknown = one[attribute];
        return typeof name === "string" && !name.includes("${") && !form.test(name)
          ? [`${type} ${name} (${name.length})`]
          : [];
      });
    });
    expect(wrong).toEqual([]);
  });
});
