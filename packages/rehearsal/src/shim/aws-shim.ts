import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { secretNameOf } from "../../../../lib/rotation/protocol/event";
import type { EmbeddedAws } from "../servers/embedded-aws";
import { type ServerGroup, startInGroup } from "../servers/server-group";
import { describeAlarms } from "./alarms";
import { type AwsCall, parameterText, parseCall, replicaRegionsOf } from "./aws-call";
import { CallLog, type CallRecord, outcomeOf } from "./call-log";
import { type Caller, Callers } from "./callers";
import { ConditionalWrites } from "./conditional-writes";
import type { Exchange, Handler } from "./exchange";
import { Faults, type InjectedFault } from "./faults";
import { AccessKeyUses, createAccessKey } from "./iam-keys";
import { impliedKmsCalls } from "./implied-kms";
import { createFunction } from "./lambda-roles";
import { killLambdaWorker } from "./lambda-worker";
import { LeadingKeys } from "./leading-keys";
import { onItsResource } from "./own-policies";
import { ownUrl } from "./own-url";
import { promoteReplica } from "./replicas";
import { resourceArn } from "./resource-arn";
import { type RotationOptions, Rotations } from "./rotations";
import { type SecretsManagerReadings, StoredSecrets, secretHandlers } from "./secrets";
import { SourceFunctions, unknownContext } from "./source-functions";
import { judgedCalls } from "./transactions";
import { Upstream } from "./upstream";
import { WebIdentity } from "./web-identity";
import { errorAnswer, requestIdOf, type WireAnswer, type WireError, type WireRequest } from "./wire";

/** Options of {@link startAwsShim}. */
export interface AwsShimOptions {
  readonly upstream: Pick<EmbeddedAws, "endpoint">;
  /**
   * The group that the shim ends with.
   * @default a group of its own
   */
  readonly group?: ServerGroup;
  /**
   * Issuer of AWS's tokens by account id, where federation is enabled.
   * @default none: GetWebIdentityToken is refused
   */
  readonly tokenIssuers?: Readonly<Record<string, string>>;
  /**
   * Called after each call that the embedded AWS took, before its answer goes back: what AWS would do outside of the
   * embedded one, such as giving a cache its new token. An error that it gives is answered in place of the embedded AWS's
   * answer: AWS would have refused the call.
   * @default nothing
   */
  readonly onTaken?: (call: AwsCall) => Promise<WireError | undefined>;
  /**
   * By service and operation: what answers in place of the embedded AWS, beside the shim's own.
   * @default nothing
   */
  readonly handlers?: Handlers;
  readonly rotation?: RotationOptions;
  readonly readings?: SecretsManagerReadings;
}

/** The embedded AWS, made to refuse what AWS refuses, and watched. */
export interface AwsShim {
  /** `http://127.0.0.1:<port>`, in place of the embedded AWS's. */
  readonly endpoint: string;
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly rotations: Pick<Rotations, "settled">;
  readonly webIdentity: Pick<WebIdentity, "publicKeyPem" | "publicKeysPem">;
  readonly callers: Pick<Callers, "actFor">;
  stop(): Promise<void>;
}

/** Starts a reverse proxy in front of an embedded AWS; {@link SHIM_RULES} says where it stands in for AWS. */
export function startAwsShim(options: AwsShimOptions): Promise<AwsShim> {
  return startInGroup(options.group, async (group) => {
    const place = group.placeFor("aws-shim");
    const upstream = new Upstream(options.upstream.endpoint);
    const webIdentity = await WebIdentity.create(options.tokenIssuers ?? {});
    const stored = new StoredSecrets(upstream);
    const rotations = new Rotations(upstream, stored, options.rotation);
    const readings = { firstKeepsPending: true, promotionClearsPending: false, ...options.readings };
    const keyUses = new AccessKeyUses();
    const sources = new SourceFunctions(upstream);
    const handlers: Handlers = {
      secretsmanager: {
        ...secretHandlers(stored, readings),
        ...rotations.handlers(),
        StopReplicationToReplica: (exchange) => promoteReplica(exchange, stored),
      },
      iam: {
        ...sources.handlers(),
        CreateAccessKey: createAccessKey,
        GetAccessKeyLastUsed: (exchange) => keyUses.lastUsed(exchange),
      },
      elasticache: { AddTagsToResource: onItsResource, ListTagsForResource: onItsResource },
      cloudwatch: { DescribeAlarms: describeAlarms },
      lambda: { CreateFunction: createFunction },
      s3: new ConditionalWrites().handlers(),
      sts: { GetWebIdentityToken: (exchange) => webIdentity.getToken(exchange) },
    };
    const all = { ...handlers, ...options.handlers };
    const onTaken = options.onTaken ?? (async (): Promise<undefined> => undefined);
    const interceptor = new Interceptor(upstream, keyUses, sources, all, onTaken);
    const { server, port } = await listen((request, url, response) =>
      interceptor.serve(request, url, response),
    );
    const stop = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    return {
      endpoint: `http://127.0.0.1:${port}`,
      calls: interceptor.calls,
      faults: interceptor.faults,
      rotations,
      webIdentity,
      callers: interceptor.callers,
      stop: group.adopt(place, stop),
    };
  });
}

/** @param serve answers what is for this server, with the path and query that it is asked for */
function listen(
  serve: (request: IncomingMessage, url: string, response: ServerResponse) => Promise<void>,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((request, response) => {
    const url = ownUrl(request.url ?? "/", request.socket.localPort ?? 0);
    if (url === undefined) refuseToProxy(response);
    else serve(request, url, response).catch((fault: unknown) => showFault(response, fault));
  });
  // SDK clients keep connections; closing an idle one races with their next request.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string")
        reject(new Error("no port in the socket's address"));
      else resolve({ server, port: address.port });
    });
  });
}

/** A fault of the shim itself, or of the embedded AWS behind it: not to be taken for an answer of AWS. */
function showFault(response: ServerResponse, fault: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = fault instanceof Error ? fault.message : String(fault);
  const error = { code: "ShimFault", message, status: 500 };
  const answer = errorAnswer("rest-json", error, randomUUID());
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

function refuseToProxy(response: ServerResponse): void {
  response.writeHead(403, { "content-type": "text/plain", connection: "close" });
  response.end("AWS's endpoints are no proxies of other servers.");
}

/** Handlers by service and operation. */
export type Handlers = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

class Interceptor {
  readonly calls = new CallLog();
  readonly faults = new Faults();
  readonly callers = new Callers();
  readonly #leadingKeys: LeadingKeys;
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #upstream: Upstream;
  readonly #keyUses: AccessKeyUses;
  readonly #sources: SourceFunctions;
  readonly #handlers: Handlers;
  readonly #onTaken: (call: AwsCall) => Promise<WireError | undefined>;

  constructor(
    upstream: Upstream,
    keyUses: AccessKeyUses,
    sources: SourceFunctions,
    handlers: Handlers,
    onTaken: (call: AwsCall) => Promise<WireError | undefined>,
  ) {
    this.#upstream = upstream;
    this.#leadingKeys = new LeadingKeys(upstream);
    this.#keyUses = keyUses;
    this.#sources = sources;
    this.#handlers = handlers;
    this.#onTaken = onTaken;
  }

  /** @param url path and query */
  async serve(incoming: IncomingMessage, url: string, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming, url);
    const call = parseCall(request);
    const caller = this.callers.of(call.accessKeyId);
    const fault = this.faults.take({ ...call, caller });
    const kill = () => killLambdaWorker(incoming.socket.remotePort ?? 0, incoming.socket.localPort ?? 0);
    if (fault?.kind === "delay") await sleep(fault.milliseconds);
    if (fault?.kind === "kill" && fault.when === "before") {
      await kill();
      response.destroy();
      return;
    }
    const injected = injectedAnswer(call, fault);
    const embedded = withRequestId(injected ?? (await this.#answer(request, call, caller)));
    const taken = injected === undefined && embedded.status < 300;
    const refusal = taken ? await this.#onTaken(call) : undefined;
    const answer =
      refusal === undefined ? embedded : errorAnswer(call.protocol, refusal, requestIdOf(embedded) ?? "");
    if (injected === undefined) {
      this.callers.learn(call, caller, answer);
      if (caller !== undefined) this.#leadingKeys.learn(call, caller.account, answer);
    }
    for (const judged of judgedCalls(call)) {
      await this.#record(judged, caller, answer, injected !== undefined);
    }
    if (fault?.kind === "kill") await kill();
    if (fault?.kind === "kill" || fault?.kind === "lost-response") {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
    response.end(answer.body);
  }

  async #answer(request: WireRequest, call: AwsCall, caller: Caller | undefined): Promise<WireAnswer> {
    const refusal =
      (await this.#sources.refusalOf(call, caller)) ?? (await this.#leadingKeys.refusalOf(call, caller));
    if (refusal !== undefined) return errorAnswer(call.protocol, refusal, randomUUID());
    const account = caller?.account ?? accountIn(call);
    const handler = this.#handlers[call.service]?.[call.operation];
    if (handler === undefined || account === undefined) return this.#upstream.forward(request);
    const exchange: Exchange = {
      call,
      caller,
      account,
      requestId: randomUUID(),
      upstream: this.#upstream,
      forward: (parameters) =>
        parameters === undefined
          ? this.#upstream.forward(request)
          : this.#upstream.forwardWith(request, parameters),
      forwardForm: (fields) => this.#upstream.forwardForm(request, fields),
    };
    return this.#inTurn(turnOf(call, account), () => handler(exchange));
  }

  /** Runs calls for one thing one at a time: what a rule checks must still be so when the embedded AWS acts: one call for one thing at a time. */
  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(work);
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  async #record(call: AwsCall, caller: Caller | undefined, answer: WireAnswer, injected: boolean) {
    const account = caller?.account ?? accountIn(call);
    const record: CallRecord = {
      at: new Date(),
      principal: caller?.principal ?? (call.accessKeyId === undefined ? "anonymous" : "unknown"),
      functionArn: caller?.functionArn,
      action: call.action,
      region: call.region,
      resource: await resourceArn(call, account, this.#upstream),
      outcome: outcomeOf(answer),
      injected,
      context: {
        ...contextOf(call),
        ...(await this.#leadingKeys.contextOf(call, account ?? "")),
        ...unknownContext(call, caller),
      },
      requestId: requestIdOf(answer) ?? "",
      version: versionIn(call),
    };
    this.calls.add(record);
    if (!injected && (record.outcome === "allowed" || record.outcome === "denied")) this.#keyUses.note(call);
    for (const implied of await impliedKmsCalls(record, this.#upstream)) this.calls.add(implied);
  }
}

/** Condition keys that policies of ours name. */
function contextOf(call: AwsCall): Readonly<Record<string, string>> {
  const audience =
    call.action === "sts:GetWebIdentityToken" ? parameterText(call, "Audience.member.1") : undefined;
  const namespace = call.action === "cloudwatch:PutMetricData" ? parameterText(call, "Namespace") : undefined;
  const replicas = replicaRegionsOf(call);
  const isMac = call.action === "kms:GenerateMac" || call.action === "kms:VerifyMac";
  const mac = isMac ? parameterText(call, "MacAlgorithm") : undefined;
  const key = isMac ? parameterText(call, "KeyId") : undefined;
  return {
    "aws:RequestedRegion": call.region,
    ...(audience === undefined ? {} : { "sts:IdentityTokenAudience": audience }),
    ...(namespace === undefined ? {} : { "cloudwatch:namespace": namespace }),
    ...(mac === undefined ? {} : { "kms:MacAlgorithm": mac }),
    // The alias by which a key is named is one of its aliases.
    ...(key?.startsWith("alias/") ? { "kms:ResourceAliases": key } : {}),
    // A context has one value for a key: several regions equal none.
    ...(replicas.length === 0 ? {} : { "secretsmanager:AddReplicaRegions": replicas.join() }),
  };
}

/** Version of a secret that a call names. */
const versionIn = (call: AwsCall): string | undefined =>
  call.service === "secretsmanager"
    ? (parameterText(call, "MoveToVersionId") ??
      parameterText(call, "VersionId") ??
      parameterText(call, "ClientRequestToken"))
    : undefined;

/** The account that an ARN in the call names, where the caller is not known. */
const accountIn = (call: AwsCall): string | undefined =>
  ["SecretId", "FunctionName", "Role"]
    .map((name) => parameterText(call, name)?.split(":")[4])
    .find((account) => account !== undefined && /^\d{12}$/.test(account));

const turnOf = (call: AwsCall, account: string): string =>
  [
    account,
    call.service,
    secretNameOf(
      parameterText(call, "SecretId") ??
        parameterText(call, "Name") ??
        parameterText(call, "UserName") ??
        parameterText(call, "Bucket") ??
        "",
    ),
  ].join(" ");

async function readRequest(incoming: IncomingMessage, url: string): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return {
    method: incoming.method ?? "GET",
    url,
    headers: incoming.headers,
    rawHeaders: incoming.rawHeaders,
    body: Buffer.concat(chunks),
  };
}

/** Some of the embedded AWS's refusals have no request id. */
function withRequestId(answer: WireAnswer): WireAnswer {
  if (requestIdOf(answer) !== undefined) return answer;
  return { ...answer, headers: { ...answer.headers, "x-amzn-requestid": randomUUID() } };
}

/** The answer that a fault puts in place of AWS's. */
function injectedAnswer(call: AwsCall, fault: InjectedFault | undefined): WireAnswer | undefined {
  if (fault?.kind === "throttle") {
    const code = call.protocol === "query" ? "Throttling" : "ThrottlingException";
    return errorAnswer(call.protocol, { code, message: "Rate exceeded" }, randomUUID());
  }
  if (fault?.kind === "server-error") {
    const error = { code: "InternalFailure", message: "An internal error occurred.", status: 500 };
    return errorAnswer(call.protocol, error, randomUUID());
  }
  return undefined;
}
