import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { strToU8, zipSync } from "fflate";
import { blueprint, type RolePlan, rotates, type StateMachineDefinition } from "../../lib/blueprint";
import type { LoadedRun, ProcedureInput } from "../../lib/contracts";
import type { RecorderEvent, RetirementEvidence } from "../../lib/contracts/procedure-events";
import type { PolicyDocument } from "../../lib/model";
import { procedureFunctionName } from "../../lib/model/names";
import {
  type Credentials,
  embeddedDefinition,
  type HumanRole,
  hurriedDefinition,
  invokeFunction,
  loadFunction,
  takeHumanRole,
} from "../../packages/rehearsal/src/load";
import { createSecretTable } from "../../packages/rehearsal/src/load/tables";
import { type EmbeddedAws, ServerGroup, startEmbeddedAws } from "../../packages/rehearsal/src/servers";
import { type AwsShim, startAwsShim } from "../../packages/rehearsal/src/shim";
import { registry } from "../../registry";
import { rightsOf, rightsUsed } from "./rights-used";

const plan = blueprint(registry, "prod");
const REGION = plan.regions.primary;
const { procedure } = plan;
const [rotator] = plan.functions.filter(rotates);
if (!procedure || !rotator) throw new Error("prod has no procedure");
const [operatorArn = ""] = plan.principals.operators;
const [approverArn = ""] = plan.principals.approvers;

/** A stub's answer to a call: a fault's name and message, or an answer. */
type Act = { readonly name: string; readonly message: string } | { readonly answer: unknown };

const done: Act = { answer: { result: "done", versionId: "v" } };
const passed: Act = {
  answer: {
    passed: true,
    results: [{ name: "backend/health", type: "health", url: "https://x", outcome: "passed" }],
  },
};
/** Name that every error gets in the embedded AWS; see its gap `error-names`. AWS has `CheckFailed` here. */
const NAMELESS = "Runtime.HandlerError";
const unhealthy: Act = { name: "CheckFailed", message: "backend/health: 503" };
const retryable = (code: string): Act => ({ name: "RetryableRotationError", message: `${code}: not yet.` });
const refusal = (code: string): Act => ({ name: "RotationError", message: `${code}: never.` });
const EVIDENCE: RetirementEvidence = { lookedBy: "lock", since: "2026-11-30T10:00:00.000Z" };
const FINGERPRINTS = { new: `hmac-sha256:k:${"a".repeat(64)}`, old: `hmac-sha256:k:${"b".repeat(64)}` };
const TEXTS = { password: `hmac-sha256:k:${"c".repeat(64)}` };
const NOTHING: Act = { answer: { result: "nothing-to-do", versionId: "v" } };

/** Calls in their order: `verify new`, `check`, `restart new celery`, `record failed`. */
interface Script {
  /** Acts by call without its version, one after the other; the last one stays. Default: all goes well. */
  readonly acts: Readonly<Record<string, readonly Act[]>>;
  readonly calls: string[];
  readonly events: Record<string, unknown>[];
  /** Told each call before it is answered. */
  readonly onCall?: (call: string) => Promise<void>;
}

/** Tokens that the approval gate's stub was given, by run. */
const waiting = new Map<string, string>();
/** Answers of the dispatcher's stub about a run. */
const loads: Record<string, unknown>[] = [];
const loaded = new Map<string, LoadedRun>();
/** The stubs ask the test what to do; the run is found by the names of its secret and versions. */
const scripts = new Map<string, Script>();
let control: Server;

/** A call in words, and whose it is. */
function read(name: string, event: Record<string, unknown>): { readonly call: string; readonly run: string } {
  const text = (field: string): string => String(event[field]);
  const [version = "", run = ""] = text(name === rotator?.name ? "VersionId" : "Version").split("/");
  const secret =
    text(name === rotator?.name ? "SecretId" : "Secret")
      .split("/")
      .at(-1) ?? "";
  if (name === rotator?.name) return { call: `${text("Phase")} ${version}`, run: secret };
  if (name.endsWith("--checker")) return { call: "check", run: secret };
  if (name.endsWith("--restarter"))
    return { call: `restart ${version} ${(event.Workloads as string[]).join("+")}`, run };
  if ("Texts" in event)
    return { call: `keep ${event.Texts === null ? "nothing" : "fingerprints"}`, run: secret };
  return { call: event.Status ? `note ${text("Status")}` : `record ${text("Outcome")}`, run: secret };
}

async function answer(name: string, event: Record<string, unknown>): Promise<Act> {
  if (name.endsWith("--dispatcher")) {
    loads.push(event);
    const run = loaded.get(String(event.Run));
    return run === undefined ? refusal("run-missing") : { answer: run };
  }
  if (name.endsWith("--approval-gate")) {
    const { Action, Run, Token } = event;
    // `{}` is what the test of the machine's own rights sends. That the gate takes no request cannot be played: the embedded
    // AWS does not hear of a function's error where it waits for a token, and goes on waiting.
    if (Action === "ask") waiting.set(String(Run), String(Token));
    return { answer: { result: "waiting" } };
  }
  const { call, run } = read(name, event);
  const script = scripts.get(run);
  if (!script) return { answer: {} };
  const verb = call.split(" ")[0] ?? "";
  const made = script.calls.filter((earlier) => earlier.split(" ")[0] === verb).length;
  script.calls.push(call);
  script.events.push(event);
  await script.onCall?.(call);
  const acts = script.acts[verb];
  return acts?.[made] ?? acts?.at(-1) ?? (verb === "check" ? passed : done);
}

const STUB = `exports.handler = async (event) => {
  const body = JSON.stringify({ name: process.env.AWS_LAMBDA_FUNCTION_NAME, event });
  const act = await (await fetch(process.env.CONTROL, { method: "POST", body })).json();
  if (!("name" in act)) return act.answer;
  throw Object.assign(new Error(act.message), { name: act.name });
};`;

let group: ServerGroup;
let aws: EmbeddedAws;
let shim: AwsShim;
let patientArn = "";
let calmArn = "";
let impatientArn = "";
let approver: Credentials;
let operator: Credentials;
const queues: Record<"alarms" | "approvals", string> = { alarms: "", approvals: "" };

const root = () => ({ endpoint: shim.endpoint, credentials: aws.rootCredentials(plan.account) });
const settings = () => ({ ...root(), region: REGION, maxAttempts: 1 });
const sfn = (credentials?: Credentials) =>
  new SFNClient({ ...settings(), ...(credentials ? { credentials } : {}) });

const queuePolicy = (name: string): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "Topic",
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: ["sqs:SendMessage"],
      Resource: [`arn:aws:sqs:${REGION}:${plan.account}:${name}`],
    },
  ],
});

async function topicWithQueue(name: string): Promise<string> {
  const sns = new SNSClient(settings());
  const sqs = new SQSClient(settings());
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { Policy: JSON.stringify(queuePolicy(name)) } }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: `arn:aws:sqs:${REGION}:${plan.account}:${name}`,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  return QueueUrl;
}

/** Messages that lie in a queue now; they are taken out. */
async function messagesOf(queue: string): Promise<Record<string, unknown>[]> {
  const sqs = new SQSClient(settings());
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }),
  );
  for (const { ReceiptHandle } of Messages)
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }));
  return Messages.map(({ Body = "{}" }) => JSON.parse(Body));
}

/** Makes a role that the account's root may take besides, which stands in for the service. */
async function loadRole({ name, path, trust, policies }: RolePlan): Promise<void> {
  const iam = new IAMClient(settings());
  const takeable: PolicyDocument = {
    ...trust,
    Statement: [
      ...trust.Statement,
      {
        Sid: "Root",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${plan.account}:root` },
        Action: ["sts:AssumeRole"],
      },
    ],
  };
  await iam.send(
    new CreateRoleCommand({ RoleName: name, Path: path, AssumeRolePolicyDocument: JSON.stringify(takeable) }),
  );
  for (const { name: PolicyName, document } of policies.inline) {
    await iam.send(
      new PutRolePolicyCommand({ RoleName: name, PolicyName, PolicyDocument: JSON.stringify(document) }),
    );
  }
}

async function loadMachine(name: string, definition: StateMachineDefinition): Promise<string> {
  const { stateMachineArn = "" } = await sfn().send(
    new CreateStateMachineCommand({
      name,
      roleArn: procedure?.stateMachine.role.arn,
      definition: JSON.stringify(embeddedDefinition(definition)),
    }),
  );
  return stateMachineArn;
}

/** Nobody waits four days for a test. */
function impatient({ States, ...rest }: StateMachineDefinition): StateMachineDefinition {
  const { AwaitApproval } = States;
  if (!AwaitApproval) throw new Error("nothing waits for an approval");
  return { ...rest, States: { ...States, AwaitApproval: { ...AwaitApproval, TimeoutSeconds: 1 } } };
}

beforeAll(async () => {
  control = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { name, event } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      answer(name, event)
        .catch((failure: unknown): Act => ({ name: "TestFault", message: String(failure) }))
        .then((act) => response.end(JSON.stringify(act)));
    });
  });
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  shim = await startAwsShim({ upstream: aws, group });
  await createSecretTable(
    new DynamoDBClient(settings()),
    plan.operations?.publicationsTable ?? "",
    "version",
  );
  queues.alarms = await topicWithQueue(plan.operations?.alarms.name ?? "");
  queues.approvals = await topicWithQueue(procedure.approvals.name);
  const own = (["approval-gate", "checker", "dispatcher", "recorder", "restarter"] as const).map((what) =>
    procedureFunctionName(plan.registry, "prod", what),
  );
  for (const { name, role } of plan.functions) {
    if (name !== rotator.name && !own.includes(name)) continue;
    await loadRole(role);
    await loadFunction(root(), {
      name,
      region: REGION,
      roleArn: role.arn,
      zip: zipSync({ "index.js": strToU8(STUB) }),
      environment: { CONTROL: `http://127.0.0.1:${(control.address() as AddressInfo).port}` },
      timeoutSeconds: 30,
      memoryMb: 128,
    });
  }
  await loadRole(procedure.stateMachine.role);
  const hurried = hurriedDefinition(procedure.stateMachine.definition, 0);
  patientArn = await loadMachine(procedure.stateMachine.name, hurried);
  calmArn = await loadMachine("calm", hurriedDefinition(procedure.stateMachine.definition, 1));
  impatientArn = await loadMachine("impatient", impatient(hurried));
  const take = (role: HumanRole) => takeHumanRole(root(), plan, role);
  approver = await take({ arn: approverArn, policy: procedure.people.approver });
  operator = await take({ arn: operatorArn, policy: procedure.people.operator });
}, 300_000);

afterAll(async () => {
  await group?.stop();
  control?.close();
});

const confirm = (secret: string, version: string) =>
  new DynamoDBClient(settings()).send(
    new PutItemCommand({
      TableName: plan.operations?.publicationsTable,
      Item: { secret: { S: secret }, version: { S: version }, confirmedAt: { S: new Date().toISOString() } },
    }),
  );

/** Answer of an approver: what the answer is, and who gives it. */
type Answer = "approve" | "refuse";

interface Case {
  readonly name: string;
  readonly run?: Partial<LoadedRun>;
  readonly acts?: Script["acts"];
  /** `late`: while the machine waits for it. Default: at once. */
  readonly confirmed?: "late" | "never";
  /** Default: nobody answers. */
  readonly answer?: Answer;
  readonly impatient?: true;
  /** Calls that come before `calls`. Default: the request for fingerprints, unless the run turns back at once. */
  readonly asked?: readonly string[];
  readonly calls: readonly string[];
  /** Phases of the record, `verify done`; a fault in brackets. */
  readonly phases: readonly string[];
  readonly outcome: RecorderEvent["Outcome"];
  readonly fault?: { readonly state: string; readonly code: string };
  readonly pages: readonly string[];
  /** Of the decommission, in the record. Default: none. */
  readonly evidence?: RetirementEvidence;
  /** In the record. Default: none. */
  readonly fingerprints?: object;
}

const FINGERPRINT = "fingerprint new";
const ASKED = [FINGERPRINT, "keep nothing"];
const PROOF = ["verify new", "check"];
const TWICE = ["verify done", "verify done"];
const BACK = ["rollback new", "record rolled-back"];
const times = (count: number, ...calls: readonly string[]): string[] =>
  Array.from({ length: count }, () => calls).flat();

const CASES: readonly Case[] = [
  {
    name: "all is well: proved before and after the overlap, then the old credential goes",
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "the Vaults are slow: nothing is asked before they confirm",
    confirmed: "late",
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "how it was seen that nobody presents the old credential is recorded",
    acts: { decommission: [{ answer: { result: "done", versionId: "v", evidence: EVIDENCE } }] },
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
    evidence: EVIDENCE,
  },
  {
    name: "fingerprints are recorded",
    acts: {
      fingerprint: [{ answer: { result: "done", versionId: "v", fingerprints: FINGERPRINTS, texts: TEXTS } }],
    },
    asked: [FINGERPRINT, "keep fingerprints"],
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
    fingerprints: FINGERPRINTS,
  },
  {
    name: "fingerprints that cannot be kept are no reason to stop",
    acts: {
      fingerprint: [{ answer: { result: "done", versionId: "v", texts: TEXTS } }],
      keep: [refusal("record-malformed")],
    },
    asked: [FINGERPRINT, "keep fingerprints"],
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "fingerprints that cannot be made are no reason to stop",
    acts: { fingerprint: [retryable("unexpected")] },
    asked: [FINGERPRINT],
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a Vault never confirms",
    confirmed: "never",
    calls: BACK,
    phases: ["rollback done"],
    outcome: "rolled-back",
    fault: { state: "Confirm", code: "not-published-yet" },
    pages: ["rolled-back"],
  },
  {
    name: "workloads that cannot reload are restarted first",
    run: { restart: ["celery", "backend"] },
    calls: ["restart new celery+backend", ...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a restart fails: rolled back, and restarted with the old value",
    run: { restart: ["celery"] },
    acts: { restart: [{ name: "RolloutFailed", message: "paused: celery in jobs" }, { answer: {} }] },
    calls: ["restart new celery", "rollback new", "restart old celery", "record rolled-back"],
    phases: ["rollback done"],
    outcome: "rolled-back",
    fault: { state: "Restart", code: "paused" },
    pages: ["rolled-back"],
  },
  {
    name: "the restart back fails too",
    run: { restart: ["celery"] },
    acts: { restart: [{ name: "RolloutFailed", message: "paused: celery in jobs" }] },
    calls: ["restart new celery", "rollback new", "restart old celery", "record failed"],
    phases: ["rollback done"],
    outcome: "failed",
    fault: { state: "RestartBack", code: "paused" },
    pages: ["rolled-back", "failed"],
  },
  {
    name: "a check fails before the overlap",
    acts: { check: [unhealthy] },
    calls: [...times(5, ...PROOF), ...BACK],
    phases: [`verify failed (${NAMELESS})`, "rollback done"],
    outcome: "rolled-back",
    fault: { state: "Check", code: NAMELESS },
    pages: ["rolled-back"],
  },
  {
    name: "a check fails after the overlap",
    acts: { check: [passed, unhealthy] },
    calls: [...PROOF, ...times(5, ...PROOF), ...BACK],
    phases: ["verify done", `verify failed (${NAMELESS})`, "rollback done"],
    outcome: "rolled-back",
    fault: { state: "Check", code: NAMELESS },
    pages: ["rolled-back"],
  },
  {
    name: "a check fails once and then passes",
    acts: { check: [unhealthy, passed] },
    calls: [...times(3, ...PROOF), "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "the new credential is refused for good",
    acts: { verify: [refusal("value-malformed")] },
    calls: ["verify new", ...BACK],
    phases: ["verify failed (value-malformed)", "rollback done"],
    outcome: "rolled-back",
    fault: { state: "Verify", code: "value-malformed" },
    pages: ["rolled-back"],
  },
  {
    name: "the new credential is refused again and again",
    acts: { verify: [retryable("target-refused")] },
    calls: [...times(5, "verify new"), ...BACK],
    phases: ["verify failed (target-refused)", "rollback done"],
    outcome: "rolled-back",
    fault: { state: "Verify", code: "target-refused" },
    pages: ["rolled-back"],
  },
  {
    name: "the old credential may not go yet, then may",
    acts: { decommission: [retryable("still-presented"), retryable("overlap-running"), done] },
    calls: [...PROOF, ...PROOF, ...times(3, "decommission old"), "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "the old credential is presented for hours: a person is called, the new one stays",
    acts: { decommission: [retryable("still-presented")] },
    calls: [...PROOF, ...PROOF, ...times(144, "decommission old"), "record failed"],
    phases: [...TWICE, "decommission failed (still-presented)"],
    outcome: "failed",
    fault: { state: "Decommission", code: "still-presented" },
    pages: ["failed"],
  },
  {
    name: "the old credential cannot go",
    acts: { decommission: [refusal("version-is-current")] },
    calls: [...PROOF, ...PROOF, "decommission old", "record failed"],
    phases: [...TWICE, "decommission failed (version-is-current)"],
    outcome: "failed",
    fault: { state: "Decommission", code: "version-is-current" },
    pages: ["failed"],
  },
  {
    name: "there is nothing to retire, a single slot",
    run: { checks: [], overlapSeconds: 0 },
    acts: { decommission: [NOTHING] },
    calls: ["verify new", "verify new", "decommission old", "record replaced"],
    phases: TWICE,
    outcome: "replaced",
    pages: [],
  },
  {
    name: "an approver agrees",
    run: { approval: true },
    answer: "approve",
    calls: [...PROOF, ...PROOF, "note awaiting-approval", "decommission old", "record decommissioned"],
    phases: [...TWICE, "approve done", "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "nobody is asked, because the recorder could not note that somebody is to be",
    run: { approval: true },
    acts: { note: [refusal("run-missing")] },
    calls: [...PROOF, ...PROOF, "note awaiting-approval", ...BACK],
    phases: [...TWICE, "approve failed (run-missing)", "rollback done"],
    outcome: "rolled-back",
    fault: { state: "AnnounceApproval", code: "run-missing" },
    pages: ["rolled-back"],
  },
  {
    name: "an approver refuses",
    run: { approval: true },
    answer: "refuse",
    calls: [...PROOF, ...PROOF, "note awaiting-approval", ...BACK],
    phases: [...TWICE, "approve failed (refused)", "rollback done"],
    outcome: "rolled-back",
    fault: { state: "AwaitApproval", code: "refused" },
    pages: ["rolled-back"],
  },
  {
    name: "no approver answers in time",
    run: { approval: true },
    impatient: true,
    calls: [...PROOF, ...PROOF, "note awaiting-approval", ...BACK],
    phases: [...TWICE, "approve failed (States.Timeout)", "rollback done"],
    outcome: "rolled-back",
    fault: { state: "AwaitApproval", code: "States.Timeout" },
    pages: ["rolled-back"],
  },
  {
    name: "the rollback needs a second try",
    acts: { verify: [refusal("value-malformed")], rollback: [retryable("throttled"), done] },
    calls: ["verify new", "rollback new", ...BACK],
    phases: ["verify failed (value-malformed)", "rollback done"],
    outcome: "rolled-back",
    // What was caught last; the phase tells why it came to that.
    fault: { state: "Rollback", code: "throttled" },
    pages: ["rolled-back"],
  },
  {
    name: "the rollback fails",
    acts: { verify: [refusal("value-malformed")], rollback: [refusal("nothing-to-return-to")] },
    calls: ["verify new", "rollback new", "record failed"],
    phases: ["verify failed (value-malformed)", "rollback failed (nothing-to-return-to)"],
    outcome: "failed",
    fault: { state: "Rollback", code: "nothing-to-return-to" },
    pages: ["failed"],
  },
  {
    name: "somebody has changed the secret before the rollback",
    acts: { verify: [refusal("value-malformed")], rollback: [NOTHING] },
    calls: ["verify new", "rollback new", "record failed"],
    phases: ["verify failed (value-malformed)", "rollback failed (stale-version)"],
    outcome: "failed",
    fault: { state: "Rollback", code: "stale-version" },
    pages: ["failed"],
  },
  {
    name: "an operator calls the run back",
    run: { back: true },
    calls: BACK,
    phases: ["rollback done"],
    outcome: "rolled-back",
    fault: { state: "Begin", code: "called-back" },
    pages: ["rolled-back"],
  },
  {
    name: "a publication: proved once, nothing goes, nobody is asked",
    run: { kind: "publication", approval: true },
    calls: [...PROOF, "record published"],
    phases: ["verify done"],
    outcome: "published",
    pages: [],
  },
  {
    name: "a publication whose check fails",
    run: { kind: "publication" },
    acts: { check: [unhealthy] },
    calls: [...times(5, ...PROOF), ...BACK],
    phases: [`verify failed (${NAMELESS})`, "rollback done"],
    outcome: "rolled-back",
    fault: { state: "Check", code: NAMELESS },
    pages: ["rolled-back"],
  },
  {
    name: "a promotion: the key before goes after the overlap",
    run: { kind: "promotion" },
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a leak: proved once, and the old credential goes without waiting",
    run: { emergency: true },
    calls: [...PROOF, "decommission old", "record decommissioned"],
    phases: ["verify done", "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a leak while a Vault is away: the old credential goes all the same",
    run: { emergency: true },
    confirmed: "never",
    calls: [...PROOF, "decommission old", "record decommissioned"],
    phases: ["verify done", "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a leak, and a restart fails: the leaked credential is not used again",
    run: { emergency: true, restart: ["celery"] },
    acts: { restart: [{ name: "RolloutFailed", message: "paused: celery in jobs" }] },
    calls: ["restart new celery", ...PROOF, "decommission old", "record decommissioned"],
    phases: ["verify done", "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a leak, and an approver refuses: the leaked credential is not used again, and a person is called",
    run: { emergency: true, approval: true },
    answer: "refuse",
    calls: [...PROOF, "note awaiting-approval", "record failed"],
    phases: ["verify done", "approve failed (refused)"],
    outcome: "failed",
    fault: { state: "AwaitApproval", code: "refused" },
    pages: ["failed"],
  },
  {
    name: "a retirement: what is in use is proved before and after the overlap, and what was left goes",
    run: { kind: "retirement" },
    calls: [...PROOF, ...PROOF, "decommission old", "record decommissioned"],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
  {
    name: "a retirement whose proof fails: nothing is rolled back, and a person is called",
    run: { kind: "retirement" },
    acts: { verify: [refusal("value-malformed")] },
    calls: ["verify new", "record failed"],
    phases: ["verify failed (value-malformed)"],
    outcome: "failed",
    fault: { state: "Verify", code: "value-malformed" },
    pages: ["failed"],
  },
  {
    name: "a retirement that no approver wants",
    run: { kind: "retirement", approval: true },
    answer: "refuse",
    calls: [...PROOF, ...PROOF, "note awaiting-approval", "record failed"],
    phases: [...TWICE, "approve failed (refused)"],
    outcome: "failed",
    fault: { state: "AwaitApproval", code: "refused" },
    pages: ["failed"],
  },
  {
    name: "the recorder fails once",
    acts: { record: [retryable("throttled"), done] },
    calls: [...PROOF, ...PROOF, "decommission old", ...times(2, "record decommissioned")],
    phases: [...TWICE, "decommission done"],
    outcome: "decommissioned",
    pages: [],
  },
];

async function statesEntered(executionArn: string): Promise<readonly string[]> {
  const { events = [] } = await sfn().send(
    new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000 }),
  );
  return events.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

/** A run's request for approval, as the queue has it, when the gate has its token too. */
const request = (run: string) =>
  until(async () => {
    const message = (await messagesOf(queues.approvals)).find((found) => found.run === run);
    if (message !== undefined) requests.set(run, message);
    return waiting.has(run) ? requests.get(run) : undefined;
  });
const requests = new Map<string, Record<string, unknown>>();
/** The token of a run's execution, which the gate alone is given. */
const tokenOf = (run: string): string => waiting.get(run) ?? "";

/** Answers in the gate's place; its own rights are tried where the real one runs (procedure.test.ts). */
async function give(answer: Answer, taskToken: string): Promise<void> {
  const client = sfn();
  if (answer === "approve")
    await client.send(
      new SendTaskSuccessCommand({ taskToken, output: JSON.stringify({ approver: approverArn }) }),
    );
  else await client.send(new SendTaskFailureCommand({ taskToken, error: "refused", cause: "not now" }));
}

/** Runs a case to its end. */
async function play(word: string, entry: Case) {
  const secret = `prod/${word}`;
  const versions = { newVersion: `new/${word}`, oldVersion: `old/${word}` };
  const script: Script = {
    acts: entry.acts ?? {},
    calls: [],
    events: [],
    // The mirror copies what was made current again.
    onCall: async (call) => {
      if (call === "rollback new") await confirm(secret, versions.oldVersion);
    },
  };
  scripts.set(word, script);
  if (entry.confirmed === undefined) await confirm(secret, versions.newVersion);
  const input: ProcedureInput = { secret, run: word };
  loaded.set(word, {
    secret,
    key: word,
    run: word,
    kind: "rotation",
    ...versions,
    function: rotator?.name ?? "",
    overlapSeconds: 0,
    restart: [],
    checks: ["backend/health"],
    approval: false,
    emergency: false,
    back: false,
    ...entry.run,
  });
  const { executionArn = "" } = await sfn().send(
    new StartExecutionCommand({
      stateMachineArn: entry.impatient ? impatientArn : entry.confirmed === "late" ? calmArn : patientArn,
      name: word,
      input: JSON.stringify(input),
    }),
  );
  if (entry.confirmed === "late") {
    await until(async () =>
      (await statesEntered(executionArn)).includes("AwaitConfirmation") ? true : undefined,
    );
    expect(script.calls).toEqual([]);
    await confirm(secret, versions.newVersion);
  }
  if (entry.answer) {
    await request(word);
    await give(entry.answer, tokenOf(word));
  }
  const end = await until(async () => {
    const execution = await sfn().send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === "RUNNING" ? undefined : execution;
  });
  const record = script.events.at(-1) as unknown as RecorderEvent;
  return { script, end, record, pages: await messagesOf(queues.alarms) };
}

describe("a run", () => {
  test.each(CASES.map((entry, index) => [entry.name, `case-${index}`, entry] as const))(
    "%s",
    async (_, word, entry) => {
      const { script, end, record, pages } = await play(word, entry);
      const asked = entry.asked ?? (entry.calls === BACK ? [] : ASKED);
      expect(script.calls).toEqual([...asked, ...entry.calls]);
      expect(record.Fingerprints).toEqual(entry.fingerprints ?? null);
      expect(record.Outcome).toBe(entry.outcome);
      expect(record.Phases.flatMap(({ evidence }) => evidence ?? [])).toEqual(
        entry.evidence === undefined ? [] : [entry.evidence],
      );
      expect(record.Fault).toEqual(entry.fault ?? null);
      expect(
        record.Phases.map(({ phase, outcome, fault }) => `${phase} ${outcome}${fault ? ` (${fault})` : ""}`),
      ).toEqual(entry.phases);
      expect(record).not.toHaveProperty("Approver");
      expect(pages.map(({ outcome }) => outcome)).toEqual(entry.pages);
      for (const page of pages) expect(page).toMatchObject({ secret: word, environment: "prod" });
      expect([end.status, end.error]).toEqual(
        entry.outcome === "failed" ? ["FAILED", "RotationFailed"] : ["SUCCEEDED", undefined],
      );
      for (const { startedAt, endedAt } of record.Phases) expect(startedAt <= endedAt).toBe(true);
    },
    180_000,
  );

  test("without a version before ends when it is proved: there is nothing to wait for", async () => {
    const { script, record } = await play("first", {
      ...(CASES[0] as Case),
      run: { oldVersion: undefined as never },
    });
    expect(script.calls).toEqual([...ASKED, ...PROOF, "record replaced"]);
    expect(script.events[0]).toEqual({
      Phase: "fingerprint",
      SecretId: "prod/first",
      VersionId: "new/first",
      RunId: "first",
    });
    expect(record.Checks).toEqual([
      { at: expect.any(String), tries: 1, results: [expect.objectContaining({ outcome: "passed" })] },
    ]);
  });

  test("says which run it follows, and what a phase may do is the function's to know", async () => {
    const { script } = await play("leak", { ...(CASES[0] as Case), run: { emergency: true } });
    expect(loads.find(({ Run }) => Run === "leak")).toEqual({
      Action: "load",
      Secret: "prod/leak",
      Run: "leak",
      Execution: "leak",
    });
    expect(script.events.find(({ Phase }) => Phase === "decommission")).toEqual({
      Phase: "decommission",
      SecretId: "prod/leak",
      VersionId: "old/leak",
      RunId: "leak",
    });
  });

  test.each([
    ["names no run", {}],
    ["names a run that the table does not have", { secret: "prod/forged", run: "no-such-run" }],
    [
      "says by itself what it may do",
      {
        secret: "prod/forged",
        key: "forged",
        run: "no-such-run",
        kind: "rotation",
        newVersion: "new/forged",
        oldVersion: "old/forged",
        function: rotator.name,
        overlapSeconds: 0,
        restart: [],
        checks: [],
        approval: false,
        emergency: true,
      },
    ],
  ])("whose input was forged and %s does nothing", async (_, input) => {
    scripts.set("forged", { acts: {}, calls: [], events: [] });
    const { executionArn = "" } = await sfn().send(
      new StartExecutionCommand({ stateMachineArn: patientArn, input: JSON.stringify(input) }),
    );
    const end = await until(async () => {
      const execution = await sfn().send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === "RUNNING" ? undefined : execution;
    });
    expect([end.status, end.error]).toEqual(["FAILED", "NoRun"]);
    expect(scripts.get("forged")?.calls).toEqual([]);
  });
});

describe("rights", () => {
  test("only the gate can answer: an operator's and an approver's answers are refused, and the run waits on", async () => {
    const asked = CASES.find(({ answer }) => answer === "approve") as Case;
    const { answer: _, ...unanswered } = asked;
    const played = play("people-answer", unanswered);
    const message = await request("people-answer");
    const token = tokenOf("people-answer");
    expect(JSON.stringify(message)).not.toContain(token);
    const answers = [
      new SendTaskSuccessCommand({ taskToken: token, output: "{}" }),
      new SendTaskFailureCommand({ taskToken: token, error: "refused" }),
    ];
    for (const person of [operator, approver]) {
      for (const command of answers) {
        await expect(sfn(person).send(command as SendTaskSuccessCommand)).rejects.toMatchObject({
          name: expect.stringContaining("AccessDenied"),
        });
      }
    }
    await give("approve", token);
    expect((await played).record).toMatchObject({ Outcome: "decommissioned" });
  }, 60_000);

  test("the state machine's role can do each call of the definition, uses every right, and lacks none", async () => {
    // The embedded Step Functions does not ask IAM, so the role is taken and makes the same calls.
    const { role, definition } = procedure.stateMachine;
    const { Credentials: taken } = await new STSClient(settings()).send(
      new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: "machine" }),
    );
    const credentials = {
      accessKeyId: taken?.AccessKeyId ?? "",
      secretAccessKey: taken?.SecretAccessKey ?? "",
      sessionToken: taken?.SessionToken ?? "",
    };
    const mine = { ...settings(), credentials };
    shim.calls.clear();
    for (const { Resource, Arguments } of Object.values(definition.States)) {
      const args = (Arguments ?? {}) as Record<string, never>;
      if (Resource?.includes(":lambda:invoke")) {
        const named = String(args.FunctionName);
        const name = named.startsWith("{%") ? rotator.name : named;
        await invokeFunction(
          { endpoint: shim.endpoint, credentials },
          `arn:aws:lambda:${REGION}:${plan.account}:function:${name}`,
          {},
        );
      } else if (Resource?.endsWith("dynamodb:getItem")) {
        await new DynamoDBClient(mine).send(
          new GetItemCommand({
            TableName: args.TableName,
            Key: { secret: { S: "x" }, version: { S: "y" } },
          }),
        );
      } else if (Resource?.includes("sns:publish")) {
        await new SNSClient(mine).send(new PublishCommand({ TopicArn: args.TopicArn, Message: "{}" }));
      }
    }
    const { lines, unused, missing } = rightsUsed({ [role.name]: [rightsOf(role, shim.calls)] });
    process.stdout.write(`${lines.join("\n")}\n`);
    expect({ unused, missing }).toEqual({ unused: [], missing: [] });
  }, 60_000);
});
