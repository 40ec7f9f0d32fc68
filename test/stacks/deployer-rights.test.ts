import { type Blueprint, blueprint } from "../../lib/blueprint";
import { defineRegistry, type PolicyDocument, type Registry } from "../../lib/model";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { registry as organisation } from "../../registry";
import { auditSinks, type Draft, draft } from "../model/sample";
import { ON_BEHALF, PROVIDER_SOURCE } from "./aws-provider-source";
import { synthesize, type TerraformJson } from "./synthesized";

/**
 * The deployer's policies against what Terraform's AWS provider calls for the resources that really are in a stack, by the provider's
 * source: each call is allowed on the resource's own ARN, and there is no right that no call asks for. The policies are evaluated;
 * `rehearsal/deployer.test.ts` makes the calls where an embedded server enforces them.
 */
const changed = (change: (prod: Draft, whole: Draft) => void): Registry => {
  const definition = draft();
  change(definition.environments.prod, definition);
  return defineRegistry(definition);
};

const NETWORK = { name: "inner", subnets: ["subnet-0a1b2c3d"], securityGroups: ["sg-0a1b2c3d"] };

/** Every part of an environment that brings types of resources of its own. */
const ENVIRONMENTS: readonly (readonly [what: string, registry: Registry, environment: string])[] = [
  ...(["dev", "stage", "prod"] as const).map(
    (name) => [`this organisation's ${name}`, organisation as unknown as Registry, name] as const,
  ),
  ["a small one", changed(() => undefined), "prod"],
  [
    "an audit trail with a trail of its own",
    changed((prod) => {
      prod.audit = { trail: "create", sinks: auditSinks() };
    }),
    "prod",
  ],
  ...auditSinks().map(
    (sink) =>
      [
        `an audit trail on the organisation's, to ${sink.type}`,
        changed((prod) => {
          prod.audit = { trail: "organization", sinks: [sink] };
        }),
        "prod",
      ] as const,
  ),
  [
    "an audit trail of a development environment, whose buckets are emptied",
    changed((_prod, whole) => {
      whole.environments.dev.audit = { trail: "create", sinks: auditSinks("111122223333") };
    }),
    "dev",
  ],
  [
    "EKS Pod Identity",
    changed((prod) => {
      prod.identity = "pod-identity";
    }),
    "prod",
  ],
  [
    "issuers that the stack makes known",
    changed((prod) => {
      prod.clusters[0].oidcProvider = "create";
    }),
    "prod",
  ],
  [
    "signed code",
    changed((prod) => {
      prod.codeSigning = {
        profiles: ["arn:aws:signer:eu-central-1:444455556666:/signing-profiles/secrets/0a1b2c3d4e"],
      };
    }),
    "prod",
  ],
  [
    "functions in a network",
    changed((prod, whole) => {
      prod.networks = [NETWORK];
      whole.secrets["db/app"].environments.prod.network = "inner";
    }),
    "prod",
  ],
  [
    "a boundary for roles",
    changed((prod) => {
      prod.permissionsBoundary = "arn:aws:iam::444455556666:policy/boundary";
    }),
    "prod",
  ],
  [
    "one region",
    changed((prod) => {
      prod.regions.replicas = [];
      prod.vaults[0].regions = ["eu-central-1"];
    }),
    "prod",
  ],
];

/** A resource of a stack, with references to others resolved as far as they name one. */
interface Made {
  readonly type: string;
  readonly config: TerraformJson;
}

/** Types that a change may bring at any time: of roles whose rights no longer fit inline. */
const AT_ANY_TIME = ["aws_iam_policy", "aws_iam_role_policy_attachment"];

/** Judged without a resource of their own. */
const OF_NOTHING = new Set([
  "cloudtrail:DescribeTrails",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSubnets",
  "ec2:DescribeVpcs",
  "iam:CreateServiceLinkedRole",
  "kms:CreateKey",
  "kms:ListAliases",
  "lambda:CreateCodeSigningConfig",
  "lambda:CreateEventSourceMapping",
  "logs:DescribeLogGroups",
  "states:ValidateStateMachineDefinition",
]);

const stacks = new Map<Registry, Map<string, ReturnType<typeof readStack>>>();

/** The same stack once. */
function stackOf(registry: Registry, environment: string): ReturnType<typeof readStack> {
  const ofRegistry = stacks.get(registry) ?? new Map<string, ReturnType<typeof readStack>>();
  stacks.set(registry, ofRegistry);
  const stack = ofRegistry.get(environment) ?? readStack(registry, environment);
  ofRegistry.set(environment, stack);
  return stack;
}

function readStack(registry: Registry, environment: string) {
  const plan = blueprint(registry, environment);
  const resource = synthesize({ registry, environment }, (terraform) => terraform.resource) as Record<
    string,
    Record<string, TerraformJson>
  >;
  const made: readonly Made[] = Object.entries(resource)
    .filter(([type]) => type.startsWith("aws_"))
    .flatMap(([type, all]) => Object.values(all).map((config) => ({ type, config })));
  /** `${aws_sqs_queue.events.url}` is the queue. */
  const referred = (text: string): Made | undefined => {
    const [, type = "", name = ""] = /^\$\{(aws_\w+)\.([^.}]+)\.\w+\}$/.exec(text) ?? [];
    const config = resource[type]?.[name];
    return config ? { type, config } : undefined;
  };
  return { plan, made, referred };
}

/** ARN of a resource as IAM has it; ids that AWS gives are invented. */
function arnsOf(
  { type, config }: Made,
  plan: Blueprint,
  referred: (text: string) => Made | undefined,
): string {
  const region = config.region ?? plan.regions.primary;
  const arn = (service: string, resource: string, where = region): string =>
    `arn:${plan.partition}:${service}:${where}:${plan.account}:${resource}`;
  const of = (text: string): string => {
    const other = referred(text);
    if (other) return arnsOf(other, plan, referred);
    throw new Error(`${type} refers to ${text}`);
  };
  switch (type) {
    case "aws_cloudtrail":
      return arn("cloudtrail", `trail/${config.name}`);
    case "aws_cloudwatch_event_rule":
      return arn("events", `rule/${config.name}`);
    case "aws_cloudwatch_event_target":
      return of(config.rule);
    case "aws_cloudwatch_log_group":
      return arn("logs", `log-group:${config.name}`);
    case "aws_cloudwatch_metric_alarm":
      return arn("cloudwatch", `alarm:${config.alarm_name}`);
    case "aws_dynamodb_table":
      return arn("dynamodb", `table/${config.name}`);
    case "aws_eks_pod_identity_association":
      return arn("eks", `podidentityassociation/${config.cluster_name}/a-1a2b3c4d`);
    case "aws_iam_openid_connect_provider":
      return arn("iam", `oidc-provider/${config.url.replace(/^https:\/\//, "")}`, "");
    case "aws_iam_policy":
      return arn("iam", `policy${config.path ?? "/"}${config.name}`, "");
    case "aws_iam_role":
      return arn("iam", `role${config.path ?? "/"}${config.name}`, "");
    case "aws_iam_role_policies_exclusive":
    case "aws_iam_role_policy_attachments_exclusive":
      return of(config.role_name);
    case "aws_iam_role_policy":
    case "aws_iam_role_policy_attachment":
      return of(config.role);
    case "aws_kms_alias":
      return arn("kms", config.name);
    case "aws_kms_key":
    case "aws_kms_replica_key":
      return arn("kms", "key/mrk-1234");
    case "aws_lambda_code_signing_config":
      return arn("lambda", "code-signing-config:csc-0a1b2c3d");
    case "aws_lambda_event_source_mapping":
      return arn("lambda", "event-source-mapping:1234");
    case "aws_lambda_function":
      return arn("lambda", `function:${config.function_name}`);
    case "aws_lambda_permission":
      return of(config.function_name);
    case "aws_s3_bucket":
      return `arn:${plan.partition}:s3:::${config.bucket}`;
    case "aws_secretsmanager_secret":
      return arn("secretsmanager", `secret:${config.name}-AbCdEf`);
    case "aws_secretsmanager_secret_policy":
      return of(config.secret_arn);
    case "aws_secretsmanager_secret_rotation":
      return of(config.secret_id);
    case "aws_sfn_state_machine":
      return arn("states", `stateMachine:${config.name}`);
    case "aws_sns_topic":
      return arn("sns", config.name);
    case "aws_sns_topic_policy":
      return of(config.arn);
    case "aws_sqs_queue":
      return arn("sqs", config.name);
    case "aws_sqs_queue_policy":
      return of(config.queue_url);
    default:
      if (type.startsWith("aws_s3_bucket_")) return of(config.bucket);
      throw new Error(`no ARN of ${type}`);
  }
}

const tagged = (prefix: string, tags: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).map(([tag, value]) => [`${prefix}/${tag}`, value]));

interface Request {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

/** Requests that the provider's calls for one resource come to. */
function requestsFor(made: Made, plan: Blueprint, referred: (text: string) => Made | undefined): Request[] {
  const { type, config } = made;
  const source = PROVIDER_SOURCE[type];
  if (source === undefined) throw new Error(`the provider's source says nothing of ${type}`);
  const arn = arnsOf(made, plan, referred);
  const region: string = config.region ?? plan.regions.primary;
  const base = { "aws:RequestedRegion": region };
  const existing = tagged("aws:ResourceTag", plan.key.tags);
  const wanted = tagged("aws:RequestTag", plan.key.tags);
  const key = `arn:${plan.partition}:kms:${region}:${plan.account}:key/mrk-1234`;
  const boundary = plan.workloads[0]?.role.permissionsBoundary;
  const request = (action: string, when: "create" | "later"): Request[] => {
    const resource = OF_NOTHING.has(action) ? "*" : arn;
    const one = (context: Readonly<Record<string, string>>, on = resource): Request => ({
      action,
      resource: on,
      context: { ...base, ...context },
    });
    if (type === "aws_kms_alias" && action !== "kms:ListAliases") return [one({}), one(existing, key)];
    if (action === "kms:CreateKey") return [one(wanted)];
    if (action === "kms:ReplicateKey") return [one(existing, key.replace(region, plan.regions.primary))];
    if (action === "kms:TagResource") return [one(when === "create" ? wanted : { ...wanted, ...existing })];
    if (action.startsWith("kms:") && action !== "kms:ListAliases") return [one(existing)];
    if (action === "iam:AttachRolePolicy")
      return [
        one({ "iam:PolicyARN": arn.replace(":role/", ":policy/").replace(/\/([^/]+)$/, "/$1-read-1") }),
      ];
    if (action === "iam:DetachRolePolicy") return [one({ "iam:PolicyARN": "arn:aws:iam::aws:policy/Other" })];
    if (/^iam:(CreateRole|PutRolePolicy|DeleteRolePolicy|PutRolePermissionsBoundary)$/.test(action))
      return [one(boundary ? { "iam:PermissionsBoundary": boundary } : {})];
    if (type === "aws_lambda_event_source_mapping" && action !== "lambda:ListTags") {
      const target = referred(config.function_name);
      return [one({ "lambda:FunctionArn": target ? arnsOf(target, plan, referred) : "" })];
    }
    if (action === "eks:CreatePodIdentityAssociation")
      return [one({}, arn.replace(/podidentityassociation\/([^/]+)\/.*$/, "cluster/$1"))];
    return [one({})];
  };
  const create = source.create.flatMap((action) => request(action, "create"));
  const later = [...source.read, ...source.update, ...source.destroy, ...(source.tags ?? [])].flatMap(
    (action) => request(action, "later"),
  );
  return [...create, ...later].filter(({ action }) => isAskedFor(action, made, plan));
}

/** `true` where a setting leads to the call at all. */
function isAskedFor(action: string, { config }: Made, plan: Blueprint): boolean {
  if (action === "iam:PutRolePermissionsBoundary")
    return plan.workloads[0]?.role.permissionsBoundary !== undefined;
  if (/^lambda:(Put|Delete)FunctionCodeSigningConfig$/.test(action))
    return config.code_signing_config_arn !== undefined;
  return true;
}

/** Requests that AWS makes of the caller beside the calls. */
function behalfOf(made: Made, plan: Blueprint, referred: (text: string) => Made | undefined): Request[] {
  const { type, config } = made;
  const region: string = config.region ?? plan.regions.primary;
  const base = { "aws:RequestedRegion": region };
  const arn = arnsOf(made, plan, referred);
  const roleOf = (text: string): string => {
    const role = referred(text);
    if (role) return arnsOf(role, plan, referred);
    throw new Error(`${type} takes the role ${text}`);
  };
  const trial = {
    "kms:ViaService": `secretsmanager.${region}.amazonaws.com`,
    "kms:EncryptionContext:SecretARN": "RequestToValidateKeyAccess",
  };
  return ON_BEHALF.filter(([, of]) => of === type).flatMap(([action]): Request[] => {
    const one = (resource: string, context: Readonly<Record<string, string>> = {}): Request[] => [
      { action, resource, context: { ...base, ...context } },
    ];
    if (action.startsWith("ec2:")) return config.vpc_config ? one("*") : [];
    if (action === "iam:CreateServiceLinkedRole")
      return one("*", { "iam:AWSServiceName": "mrk.kms.amazonaws.com" });
    if (action === "iam:PassRole") {
      const [role, service] = (
        {
          aws_cloudwatch_event_target: [config.role_arn, "events"],
          aws_eks_pod_identity_association: [config.role_arn, "pods.eks"],
          aws_lambda_function: [config.role, "lambda"],
          aws_sfn_state_machine: [config.role_arn, "states"],
        } as Record<string, [string | undefined, string]>
      )[type] ?? [undefined, ""];
      return role ? one(roleOf(role), { "iam:PassedToService": `${service}.amazonaws.com` }) : [];
    }
    if (action === "kms:CreateKey") return one("*");
    if (action.startsWith("kms:"))
      return one(`arn:${plan.partition}:kms:${region}:${plan.account}:key/1234`, trial);
    if (action === "lambda:InvokeFunction") {
      const rotator = referred(config.rotation_lambda_arn);
      return rotator ? one(arnsOf(rotator, plan, referred)) : [];
    }
    if (action === "s3:ListBucketVersions") return config.force_destroy ? one(arn) : [];
    if (action.startsWith("s3:")) return config.force_destroy ? one(`${arn}/some/object`) : [];
    return one(arn);
  });
}

describe.each(ENVIRONMENTS)("%s", (_what, registry, environment) => {
  const { plan, made, referred } = stackOf(registry, environment);
  const requests = made.flatMap((one) => [
    ...requestsFor(one, plan, referred),
    ...behalfOf(one, plan, referred),
  ]);

  test("every call of an apply, a change and a destroy is allowed on the resource itself", () => {
    // Statements name their actions in full, so that those of one action are found without asking all of them.
    const about = ({ Version, Statement }: PolicyDocument, action: string): PolicyDocument => ({
      Version,
      Statement: Statement.filter(({ Action }) => Action.includes(action) || Action.includes("*")),
    });
    const denied = requests.filter(
      ({ action, resource, context }) =>
        !evaluateAccess(
          { action, resource, principal: plan.principals.deployer, context },
          {
            identity: plan.deployer.policies.map((document) => about(document, action)),
            boundary: about(plan.deployer.boundary, action),
          },
        ).allowed,
    );
    expect(denied).toEqual([]);
  });

  test("and no right is there that no call asks for", () => {
    const needed = new Set([
      ...requests.map(({ action }) => action),
      ...AT_ANY_TIME.flatMap((type) => {
        const {
          create,
          read,
          update,
          destroy,
          tags = [],
        } = PROVIDER_SOURCE[type] ?? {
          create: [],
          read: [],
          update: [],
          destroy: [],
        };
        return [...create, ...read, ...update, ...destroy, ...tags];
      }),
    ]);
    const rights = plan.deployer.policies.flatMap(({ Statement }) =>
      Statement.flatMap(({ Action }) => Action),
    );
    expect([...new Set(rights)].filter((action) => !needed.has(action)).sort()).toEqual([]);
  });
});

describe("where an environment has a boundary for its roles, whoever holds the deployer", () => {
  const bounded = ENVIRONMENTS.find(([what]) => what === "a boundary for roles");
  if (bounded === undefined) throw new Error("no such environment");
  const { plan } = stackOf(bounded[1], bounded[2]);
  const role = plan.workloads[0]?.role.arn ?? "";
  const boundary = "arn:aws:iam::444455556666:policy/boundary";

  test.each([
    ["makes a role without it", "iam:CreateRole", {}],
    ["makes a role with another", "iam:CreateRole", { "iam:PermissionsBoundary": `${boundary}-of-mine` }],
    ["gives rights to a role without it", "iam:PutRolePolicy", {}],
    ["exchanges it", "iam:PutRolePermissionsBoundary", { "iam:PermissionsBoundary": `${boundary}-of-mine` }],
    ["takes it off", "iam:DeleteRolePermissionsBoundary", { "iam:PermissionsBoundary": boundary }],
    ["writes it anew", "iam:CreatePolicyVersion", {}],
  ] as const)("is refused: %s (evaluated)", (_what, action, context) => {
    const { policies: identity, boundary: own } = plan.deployer;
    const resource = action === "iam:CreatePolicyVersion" ? boundary : role;
    const request = { action, resource, principal: plan.principals.deployer, context };
    expect(evaluateAccess(request, { identity, boundary: own }).allowed).toBe(false);
  });
});

test("each type of resource that the library makes is among them", () => {
  const seen = new Set(
    ENVIRONMENTS.flatMap(([, registry, environment]) => stackOf(registry, environment).made).map(
      ({ type }) => type,
    ),
  );
  const known = Object.keys(PROVIDER_SOURCE);
  expect([...seen].filter((type) => !known.includes(type))).toEqual([]);
  expect(known.filter((type) => !seen.has(type) && !AT_ANY_TIME.includes(type))).toEqual([]);
});
