import { randomUUID } from "node:crypto";
import { secretNameOf } from "../../../../lib/rotation/protocol/event";
import { matchesWildcard } from "../evaluator";
import { parameterText } from "./aws-call";
import { type Exchange, type Handler, refuse } from "./exchange";
import {
  holderOf,
  IMPOSSIBLE_TOKEN,
  placeOf,
  refusalOf,
  type StoredSecret,
  type StoredSecrets,
  tokenFault,
} from "./secrets";
import type { Upstream } from "./upstream";
import { jsonAnswer, jsonOf, type WireAnswer } from "./wire";

/** The steps, as Secrets Manager calls them. */
const ALL_STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
type RotationStep = (typeof ALL_STEPS)[number];

/** One failed call of the function. */
export interface RotationFailure {
  /** From 1. */
  readonly attempt: number;
  readonly step: RotationStep;
  /** Error type of the function's answer; `Runtime.HandlerError` for every error of a handler (gap of the embedded AWS). */
  readonly errorType: string;
  readonly errorMessage: string;
}

/** Result of a rotation. */
export interface RotationResult {
  readonly secretArn: string;
  /** Version that it was about. */
  readonly versionId: string;
  /**
   * `succeeded`: the version is AWSCURRENT. `failed`: the attempts are used up; AWSPENDING stays, as on AWS.
   * `abandoned`: AWSPENDING was taken from the version meanwhile. `tested`: `RotateImmediately=false`.
   */
  readonly outcome: "succeeded" | "failed" | "abandoned" | "tested";
  readonly attempts: number;
  readonly failures: readonly RotationFailure[];
}

/** Options of rotations. */
export interface RotationOptions {
  /**
   * Number of times that the steps are tried.
   * @default 3
   */
  readonly attempts?: number;
}

interface Schedule {
  readonly enabled: boolean;
  readonly lambdaArn: string;
  readonly rules: unknown;
  readonly lastRotated?: number;
}

/**
 * Rotation as Secrets Manager does it, in place of the embedded AWS's copy of the value. Nothing happens by time:
 * rotations start by RotateSecret.
 *
 * Protocol: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export class Rotations {
  readonly #schedules = new Map<string, Schedule>();
  readonly #running = new Map<string, Promise<RotationResult>>();
  readonly #stored: StoredSecrets;
  readonly #upstream: Upstream;
  readonly #attempts: number;

  constructor(upstream: Upstream, stored: StoredSecrets, options: RotationOptions = {}) {
    this.#upstream = upstream;
    this.#stored = stored;
    this.#attempts = options.attempts ?? 3;
  }

  /**
   * Result of a secret's latest rotation, when it has ended.
   *
   * @param secretId ARN or name
   * @throws Error when none was started
   */
  settled(secretId: string): Promise<RotationResult> {
    const entry = [...this.#running].find(([arn]) => arn === secretId || secretNameOf(arn) === secretId);
    if (entry === undefined) throw new Error(`no rotation of ${secretId} was started through the shim`);
    return entry[1];
  }

  /** The operations that rotation changes. */
  handlers(): Readonly<Record<string, Handler>> {
    return {
      RotateSecret: (exchange) => this.#rotate(exchange),
      CancelRotateSecret: (exchange) => this.#cancel(exchange),
      DescribeSecret: (exchange) => this.#describe(exchange),
    };
  }

  async #rotate(exchange: Exchange): Promise<WireAnswer> {
    const { call, account, requestId } = exchange;
    const fault = tokenFault(call);
    if (fault) return refuse(exchange, fault);
    const { RotationLambdaARN, RotationRules } = call.parameters;
    const settings = {
      ...(RotationLambdaARN === undefined ? {} : { RotationLambdaARN }),
      ...(RotationRules === undefined ? {} : { RotationRules }),
    };
    // The server stores the settings and stumbles over the token before it makes its copy of the value.
    const refusal = await refusalOf(exchange, { ...settings, ...IMPOSSIBLE_TOKEN });
    if (refusal) return refusal;
    const secret = await this.#stored.find(account, call.region, parameterText(call, "SecretId") ?? "");
    if (secret === undefined) return exchange.forward();
    const known = this.#schedules.get(secret.arn);
    const lambdaArn = parameterText(call, "RotationLambdaARN") ?? known?.lambdaArn;
    if (lambdaArn === undefined) {
      return refuse(exchange, {
        code: "InvalidRequestException",
        message: "No Lambda rotation function ARN is associated with this secret.",
      });
    }
    if (!(await this.#mayInvoke(secret, lambdaArn))) {
      return refuse(exchange, {
        code: "AccessDeniedException",
        message:
          "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.",
      });
    }
    const token = parameterText(call, "ClientRequestToken") ?? randomUUID();
    const pending = holderOf(secret, "AWSPENDING");
    const isOther = pending !== undefined && pending !== token;
    if (isOther && pending !== holderOf(secret, "AWSCURRENT")) {
      this.#start(secret, pending, lambdaArn);
      return refuse(exchange, {
        code: "InvalidRequestException",
        message: "A previous rotation isn't complete. That rotation will be reattempted.",
      });
    }
    this.#schedules.set(secret.arn, {
      ...known,
      enabled: true,
      lambdaArn,
      rules: RotationRules ?? known?.rules,
    });
    const answer = { ARN: secret.arn, Name: secret.name, VersionId: token };
    if (holderOf(secret, "AWSCURRENT") === token) return jsonAnswer(answer, requestId);
    await this.#stored.stagePending(secret, token);
    if (call.parameters.RotateImmediately === false) this.#startTest(secret, token, lambdaArn);
    else this.#start(secret, token, lambdaArn);
    return jsonAnswer(answer, requestId);
  }

  async #cancel(exchange: Exchange): Promise<WireAnswer> {
    const { call, account, requestId } = exchange;
    // The server does not know the operation, and says so with the code of a wrong state.
    const answer = await exchange.forward();
    if (!/Unknown action/.test(answer.body.toString("utf8"))) return answer;
    const secret = await this.#stored.find(account, call.region, parameterText(call, "SecretId") ?? "");
    if (secret === undefined) {
      return refuse(exchange, {
        code: "ResourceNotFoundException",
        message: "Secrets Manager can't find the specified secret.",
      });
    }
    const known = this.#schedules.get(secret.arn);
    if (known) this.#schedules.set(secret.arn, { ...known, enabled: false });
    const pending = holderOf(secret, "AWSPENDING");
    return jsonAnswer(
      { ARN: secret.arn, Name: secret.name, ...(pending === undefined ? {} : { VersionId: pending }) },
      requestId,
    );
  }

  async #describe(exchange: Exchange): Promise<WireAnswer> {
    const answer = await exchange.forward();
    if (answer.status !== 200) return answer;
    const { RotationEnabled: _, RotationLambdaARN: __, RotationRules: ___, ...body } = jsonOf(answer.body);
    const { call, account } = exchange;
    const secret = await this.#stored.find(account, call.region, parameterText(call, "SecretId") ?? "");
    const empty = secret && (await this.#stored.emptyCurrent(secret));
    const labels = Object.entries(body.VersionIdsToStages ?? {}).filter(([id]) => id !== empty);
    const schedule = this.#schedules.get(this.#primaryArn(body));
    return jsonAnswer(
      {
        ...body,
        VersionIdsToStages: Object.fromEntries(labels),
        ...(schedule && {
          RotationEnabled: schedule.enabled,
          RotationLambdaARN: schedule.lambdaArn,
          RotationRules: schedule.rules,
          LastRotatedDate: schedule.lastRotated,
        }),
      },
      exchange.requestId,
    );
  }

  /** A replica shows the rotation of its primary. */
  #primaryArn({ ARN, PrimaryRegion }: Readonly<Record<string, unknown>>): string {
    const parts = String(ARN).split(":");
    if (typeof PrimaryRegion === "string") parts[3] = PrimaryRegion;
    return parts.join(":");
  }

  #start(secret: StoredSecret, versionId: string, lambdaArn: string): void {
    this.#run(secret, () => this.#takeSteps(secret, versionId, lambdaArn));
  }

  #startTest(secret: StoredSecret, versionId: string, lambdaArn: string): void {
    this.#run(secret, async () => {
      const failure = await this.#invoke(secret, versionId, lambdaArn, "testSecret", 1, randomUUID());
      const now = await this.#now(secret);
      if (holderOf(now, "AWSPENDING") === versionId) await this.#stored.label(now, "AWSPENDING", undefined);
      const failures = failure ? [failure] : [];
      return { secretArn: secret.arn, versionId, outcome: "tested", attempts: 1, failures };
    });
  }

  /** One rotation of a secret at a time. */
  #run(secret: StoredSecret, work: () => Promise<RotationResult>): void {
    const before = this.#running.get(secret.arn) ?? Promise.resolve();
    const run = before.catch(() => undefined).then(work);
    // A caller that waits for it is notified; none has to.
    run.catch(() => undefined);
    this.#running.set(secret.arn, run);
  }

  async #takeSteps(secret: StoredSecret, versionId: string, lambdaArn: string): Promise<RotationResult> {
    const failures: RotationFailure[] = [];
    const end = async (outcome: RotationResult["outcome"], attempts: number) => {
      const event = { succeeded: "RotationSucceeded", abandoned: "RotationAbandoned" } as const;
      await this.#publish(
        secret,
        versionId,
        outcome === "succeeded" || outcome === "abandoned" ? event[outcome] : "RotationFailed",
      );
      return { secretArn: secret.arn, versionId, outcome, attempts, failures };
    };
    const token = randomUUID();
    await this.#publish(secret, versionId, "RotationStarted");
    for (let attempt = 1; attempt <= this.#attempts; attempt += 1) {
      const labels = (await this.#now(secret)).labels.get(versionId) ?? [];
      if (labels.length === 0) return end("abandoned", attempt);
      const failure = await this.#attempt(secret, versionId, lambdaArn, attempt, token);
      if (failure) {
        failures.push(failure);
        continue;
      }
      if (holderOf(await this.#now(secret), "AWSCURRENT") !== versionId) continue;
      const schedule = this.#schedules.get(secret.arn);
      const lastRotated = Math.floor(Date.now() / 1_000);
      if (schedule) this.#schedules.set(secret.arn, { ...schedule, lastRotated });
      return end("succeeded", attempt);
    }
    return end("failed", this.#attempts);
  }

  async #attempt(
    secret: StoredSecret,
    versionId: string,
    lambdaArn: string,
    attempt: number,
    token: string,
  ): Promise<RotationFailure | undefined> {
    for (const step of ALL_STEPS) {
      const failure = await this.#invoke(secret, versionId, lambdaArn, step, attempt, token);
      if (failure) return failure;
    }
    return undefined;
  }

  async #invoke(
    secret: StoredSecret,
    versionId: string,
    lambdaArn: string,
    step: RotationStep,
    attempt: number,
    token: string,
  ): Promise<RotationFailure | undefined> {
    const event = { Step: step, SecretId: secret.arn, ClientRequestToken: versionId, RotationToken: token };
    const [account, region] = placeOf(secret);
    const path = `${encodeURIComponent(lambdaArn)}/invocations`;
    const answer = await this.#upstream.lambdaAsRoot({ account, region }, "POST", path, event);
    if (answer.status === 200 && answer.headers["x-amz-function-error"] === undefined) return undefined;
    const { errorType, errorMessage, message } = jsonOf(answer.body);
    return {
      attempt,
      step,
      errorType: String(errorType ?? `HTTP${answer.status}`),
      errorMessage: String(errorMessage ?? message ?? ""),
    };
  }

  async #now(secret: StoredSecret): Promise<StoredSecret> {
    const [account, region] = placeOf(secret);
    return (await this.#stored.find(account, region, secret.arn)) ?? { ...secret, labels: new Map() };
  }

  /** `true` when the function's own policy lets Secrets Manager call it for this secret. */
  async #mayInvoke(secret: StoredSecret, lambdaArn: string): Promise<boolean> {
    const [account, region] = placeOf(secret);
    const path = `${encodeURIComponent(lambdaArn)}/policy`;
    const answer = await this.#upstream.lambdaAsRoot({ account, region }, "GET", path);
    const policy = jsonOf(Buffer.from(String(jsonOf(answer.body).Policy ?? "{}")));
    const statements = [policy.Statement ?? []].flat() as readonly FunctionPolicyStatement[];
    return statements.some((statement) => letsIn(statement, account, secret.arn));
  }

  /** Secrets Manager's own events in CloudTrail, as EventBridge gets them; `source` is a list of one. */
  async #publish(secret: StoredSecret, versionId: string, eventName: string): Promise<void> {
    const [account, region] = placeOf(secret);
    const detail = {
      eventVersion: "1.08",
      userIdentity: { accountId: account, invokedBy: "secretsmanager.amazonaws.com" },
      eventTime: new Date().toISOString(),
      eventSource: "secretsmanager.amazonaws.com",
      eventName,
      awsRegion: region,
      eventType: "AwsServiceEvent",
      recipientAccountId: account,
      additionalEventData: { SecretId: secret.arn, SecretVersionId: versionId },
    };
    await this.#upstream.asRoot(
      { account, region, service: "events", operation: "PutEvents" },
      {
        Entries: [
          {
            // PutEvents refuses AWS's own sources when they are a text. A list matches the same patterns; targets
            // without an input transformer see it.
            Source: ["aws.secretsmanager"],
            DetailType: "AWS Service Event via CloudTrail",
            Detail: JSON.stringify(detail),
            Resources: [secret.arn],
          },
        ],
      },
    );
  }
}

interface FunctionPolicyStatement {
  readonly Effect?: string;
  readonly Principal?: { readonly Service?: string | readonly string[] };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function letsIn(
  { Effect, Principal, Condition }: FunctionPolicyStatement,
  account: string,
  secretArn: string,
) {
  const services = [Principal?.Service ?? []].flat();
  if (Effect !== "Allow" || !services.includes("secretsmanager.amazonaws.com")) return false;
  const facts: Readonly<Record<string, string>> = {
    "aws:sourceaccount": account,
    "aws:sourcearn": secretArn,
  };
  return Object.values(Condition ?? {})
    .flatMap((keys) => Object.entries(keys))
    .every(([key, wanted]) => matchesWildcard(wanted, facts[key.toLowerCase()] ?? ""));
}
