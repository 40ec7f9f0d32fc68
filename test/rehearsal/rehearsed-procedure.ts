import { setTimeout as sleep } from "node:timers/promises";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { TopicPlan } from "../../lib/blueprint";
import { awsApprovalCloud } from "../../lib/cli/cloud/aws-approval-cloud";
import { AwsRotationCloud } from "../../lib/cli/cloud/aws-rotation-cloud";
import type { RecordSource } from "../../lib/cli/cloud/record-source";
import { s3Records } from "../../lib/cli/cloud/s3-record-source";
import type { Progress } from "../../lib/cli/driver/progress";
import { approve } from "../../lib/cli/verbs/approve";
import { bootstrap } from "../../lib/cli/verbs/bootstrap";
import type { RotationHost } from "../../lib/cli/verbs/direct-rotation";
import { vouch } from "../../lib/cli/verbs/vouch";
import { days, defineRegistry, hours, type PolicyDocument, type Registry } from "../../lib/model";
import { KV_VERSION_FIELD } from "../../lib/model/names";
import { type AwsAccess, type Credentials, takeHumanRole } from "../../packages/rehearsal/src/load";
import { rehearsalHost, rehearsedPlaces } from "../../packages/rehearsal/src/rehearse/rehearsal-host";
import type { ServerGroup } from "../../packages/rehearsal/src/servers";
import { type RehearsedWorld, standUp } from "../../packages/rehearsal/src/world";

export const ANA = "ana@example.com";
export const BEN = "ben@example.com";
const REGION = "eu-central-1";
const REPOSITORY = "acme/infrastructure";
const ACCOUNTS = { dev: "111111111111", stage: "222222222222", prod: "333333333333" } as const;
const TIERS = { dev: "development", stage: "staging", prod: "production" } as const;
export const ENVIRONMENTS = ["dev", "stage", "prod"] as const;
export type EnvironmentName = (typeof ENVIRONMENTS)[number];

function environment(name: EnvironmentName) {
  const account = ACCOUNTS[name];
  const role = (what: string) => `arn:aws:iam::${account}:role/${what}`;
  return {
    tier: TIERS[name],
    account,
    awsTokenIssuer: `https://${name}.tokens.sts.global.api.aws`,
    regions: { primary: REGION, replicas: [] },
    principals: {
      deployer: role("deployer"),
      operators: [role("bootstrapper"), role("operator")],
      approvers: [role("approver")],
      breakGlass: [role("break-glass")],
      ci: role("ci"),
    },
    changes: { repository: REPOSITORY },
    vaults: [{ name, address: `https://vault.${name}.example.com:8200`, regions: [REGION] }],
    vaultAuth: "jwt",
    clusters: [
      {
        name: `${name}-one`,
        region: REGION,
        issuer: `https://oidc.${name}.example.com/id/one`,
        apiServer: `https://api.${name}.example.com:6443`,
        vault: name,
      },
    ],
    refreshEvery: hours(2),
  } as const;
}

const at = (path: string) =>
  Object.fromEntries(
    ENVIRONMENTS.map((name) => [name, { checks: { ready: { url: `https://${name}.example.com${path}` } } }]),
  );
const inEach = (more: (name: EnvironmentName) => object) =>
  Object.fromEntries(ENVIRONMENTS.map((name) => [name, { settings: more(name) }]));
const secret = (kind: string, more: object) => ({
  kind,
  description: kind,
  owner: "team-a",
  consumers: ["backend"],
  rotateEvery: days(90),
  store: "aws",
  ...more,
});

/** The secrets of the procedure's proof in three environments. */
export const registry = defineRegistry({
  id: "acme",
  environments: { dev: environment("dev"), stage: environment("stage"), prod: environment("prod") },
  workloads: {
    backend: {
      namespace: "backend",
      checks: { ready: { type: "health", contains: "ok" } },
      environments: at("/ready"),
    },
    worker: {
      namespace: "workers",
      reload: { how: "redeploy" },
      checks: { ready: { type: "synthetic", reports: "version" } },
      environments: at("/task"),
    },
    payments: {
      namespace: "backend",
      checks: { ready: { type: "synthetic" } },
      environments: at("/pay"),
    },
  },
  secrets: {
    "admin/postgresql": secret("generic", {
      consumers: [],
      rotation: "operator-assisted",
      settings: { fields: ["username", "password"] },
    }),
    "db/app-primary": secret("postgresql-user", {
      consumers: ["backend", "worker"],
      admin: "admin/postgresql",
      settings: { database: "app", role: "app" },
      environments: inEach((name) => ({ host: `db.${name}.example.com` })),
    }),
    "jwt/signing": secret("jwt-signing-key", {
      rotation: "manual-dual-publish",
      environments: { dev: { rotation: "automatic" } },
    }),
    "payments/stripe": secret("stripe", {
      consumers: ["payments"],
      environments: inEach((name) => ({
        mode: name === "prod" ? "live" : "test",
        account: name,
        webhookUrl: `https://${name}.example.com/webhooks/stripe`,
      })),
    }),
    "partner/token": secret("generic", {
      rotation: "operator-assisted",
      settings: { fields: ["token"], generate: { token: { how: "password", length: 40 } } },
    }),
  },
  // biome-ignore lint/suspicious/noExplicitAny: built from parts
} as any) as Registry;

/** See the gap `key-alias-resource`: a call that names the key by its id is judged by the key alone. */
const embeddedWhose = (
  policy: PolicyDocument = { Version: "2012-10-17", Statement: [] },
): PolicyDocument => ({
  ...policy,
  Statement: policy.Statement.map(({ Condition, ...statement }) =>
    statement.Action.includes("kms:VerifyMac") || Condition === undefined
      ? statement
      : { ...statement, Condition },
  ),
});

/** One environment with its procedure, its people with exactly the rights of their policies. */
export class ProcedureWorld {
  /** Lines of progress, in order. */
  readonly told: string[] = [];
  /** Version that the pods of `worker` still use; `undefined`: they took up what Vault has. */
  stale: string | undefined;

  private constructor(
    readonly world: RehearsedWorld,
    readonly operator: Credentials,
    readonly approver: Credentials,
    readonly breakGlass: Credentials,
    private readonly ci: Credentials,
    private readonly requests: string,
  ) {}

  /** Stands it up, and gives each secret its first value. */
  static async of(name: EnvironmentName, group: ServerGroup): Promise<ProcedureWorld> {
    const world = await standUp({ registry, environment: name, group });
    const { plan } = world;
    const { people, approvals } = plan.procedure as NonNullable<typeof plan.procedure>;
    const [, operatorArn = ""] = plan.principals.operators;
    const [approverArn = ""] = plan.principals.approvers;
    const take = (arn: string, policy: PolicyDocument, session: string) =>
      takeHumanRole(world.as.root, plan, { arn, policy, session });
    const operator = await take(operatorArn, people.operator, ANA);
    const approver = await take(approverArn, people.approver, BEN);
    const ci = await take(`arn:aws:iam::${plan.account}:role/ci`, people.ci as PolicyDocument, "job");
    const [breakGlassArn = ""] = plan.principals.breakGlass;
    const breakGlass = await take(breakGlassArn, embeddedWhose(people.whose), "on-call");
    const requests = await subscribe(world.as.root, plan.account, approvals);
    const silent: Progress = { step: (_, work) => work(() => undefined) };
    const first = await bootstrap(
      registry,
      { environment: name, valuesFrom: "stdin" },
      rehearsalHost(world, silent),
      rehearsedPlaces(world),
    );
    if (!first.complete) throw new Error(JSON.stringify(first, null, 2));
    const made = new ProcedureWorld(world, operator, approver, breakGlass, ci, requests);
    world.outside.says = async (path) =>
      path.endsWith("/task") ? (made.stale ?? (await made.mirrored())) : "";
    return made;
  }

  /** Version of the database user in Vault, as the agent of a pod has it after its refresh. */
  async mirrored(): Promise<string> {
    const vault = this.world.vaults.get(this.name);
    const { data } = (await vault?.call("GET", `kv-${this.name}/data/db/app-primary`)) ?? {};
    const { data: value } = data as { readonly data: Readonly<Record<string, unknown>> };
    return String(value[KV_VERSION_FIELD]);
  }

  get name(): EnvironmentName {
    return this.world.plan.environment as EnvironmentName;
  }

  /** Vouches for a change request as CI does on the protected branch. */
  vouch(file: string) {
    const { outside, shim } = this.world;
    return vouch(
      registry,
      { environment: this.name, files: [file], today: new Date().toISOString().slice(0, 10) },
      {
        cloud: new AwsRotationCloud({ region: REGION, endpoint: shim.endpoint, credentials: this.ci }),
        tokenFor: async (audience) =>
          outside.jobToken({ audience, repository: REPOSITORY, ref: "refs/heads/main" }),
      },
    );
  }

  /** The environment's records, read with the operator's rights. */
  records(): RecordSource {
    const { plan, shim } = this.world;
    return s3Records(
      { region: REGION, endpoint: shim.endpoint, credentials: this.operator },
      plan.procedure?.records.name ?? "",
    );
  }

  /** AWS by the operator's rights. */
  cloud(): AwsRotationCloud {
    return new AwsRotationCloud({
      region: REGION,
      endpoint: this.world.shim.endpoint,
      credentials: this.operator,
    });
  }

  /** An operator's desk; what is supplied is read from `input`. */
  host(input: () => unknown = () => ({})): RotationHost {
    const progress: Progress = {
      step: (title, work) => {
        this.told.push(title);
        return work((line) => {
          if (this.told.at(-1) !== line) this.told.push(line);
        });
      },
    };
    return { ...rehearsalHost(this.world, progress, input), cloudIn: () => this.cloud() };
  }

  /** The next request for approval of a run, as approvers get it. */
  async request(isOf: (message: { secret: string; run: string }) => boolean): Promise<string> {
    const sqs = new SQSClient({ region: REGION, ...this.world.as.root });
    for (const until = Date.now() + 300_000; Date.now() < until; await sleep(200)) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: this.requests, MaxNumberOfMessages: 10, VisibilityTimeout: 1 }),
      );
      for (const { Body = "{}", ReceiptHandle } of Messages) {
        if (!isOf(JSON.parse(Body))) continue;
        await sqs.send(new DeleteMessageCommand({ QueueUrl: this.requests, ReceiptHandle }));
        return Body;
      }
    }
    throw new Error("nobody asked for approval");
  }

  /** The approvers' role, as somebody else takes it. */
  async approverNamed(session: string): Promise<Credentials> {
    const { plan, as } = this.world;
    const [RoleArn = ""] = plan.principals.approvers;
    const { Credentials: taken } = await new STSClient({ region: REGION, ...as.root }).send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: session }),
    );
    return {
      accessKeyId: taken?.AccessKeyId ?? "",
      secretAccessKey: taken?.SecretAccessKey ?? "",
      sessionToken: taken?.SessionToken ?? "",
    };
  }

  /** Answers as an approver. */
  async answer(message: string, approves = true, credentials = this.approver) {
    const { run } = JSON.parse(message) as { run: string };
    const { plan, shim } = this.world;
    return approve(
      registry,
      { environment: plan.environment, run, message, approves },
      awsApprovalCloud({ region: REGION, endpoint: shim.endpoint, credentials }),
    );
  }
}

async function subscribe(root: AwsAccess, account: string, topic: TopicPlan): Promise<string> {
  const settings = { region: REGION, ...root };
  const arn = `arn:aws:sqs:${REGION}:${account}:approvers`;
  const policy: PolicyDocument = {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Topic",
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: ["sqs:SendMessage"],
        Resource: [arn],
      },
    ],
  };
  const { QueueUrl = "" } = await new SQSClient(settings).send(
    new CreateQueueCommand({ QueueName: "approvers", Attributes: { Policy: JSON.stringify(policy) } }),
  );
  await new SNSClient(settings).send(
    new SubscribeCommand({
      TopicArn: topic.arn,
      Protocol: "sqs",
      Endpoint: arn,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  return QueueUrl;
}
