import { type AwsCall, parameterText } from "./aws-call";
import { removeReplicas, replicateAtCreation } from "./created-replicas";
import { type Exchange, type Handler, refuse } from "./exchange";
import type { Upstream } from "./upstream";
import { errorCodeOf, jsonAnswer, jsonOf, type WireAnswer, type WireError } from "./wire";

/** Choices where AWS's documents leave two readings. */
export interface SecretsManagerReadings {
  /**
   * `true`: a secret's first value, put as AWSPENDING, keeps that label beside AWSCURRENT.
   * @default true
   */
  readonly firstKeepsPending?: boolean;
  /**
   * `true`: moving AWSCURRENT takes AWSPENDING off the same version in the same call.
   * @default false
   */
  readonly promotionClearsPending?: boolean;
}

/** A secret as the embedded AWS has it. */
export interface StoredSecret {
  readonly arn: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly isReplica: boolean;
  /** Versions with a label. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
  readonly rotationLambdaArn: string | undefined;
  readonly rotationRules: unknown;
}

/** A version's value, where it has one. */
type StoredValue = { readonly SecretString?: unknown; readonly SecretBinary?: unknown };

/** Secrets Manager of the embedded AWS, as root. */
export class StoredSecrets {
  readonly #upstream: Upstream;

  constructor(upstream: Upstream) {
    this.#upstream = upstream;
  }

  /** The secret that a call or an ARN names; `undefined` when there is none. */
  async find(account: string, region: string, secretId: string): Promise<StoredSecret | undefined> {
    const { status, body } = await this.#ask(account, region, "DescribeSecret", { SecretId: secretId });
    if (status !== 200) return undefined;
    return {
      arn: String(body.ARN),
      name: String(body.Name),
      deleted: body.DeletedDate !== undefined,
      isReplica: body.PrimaryRegion !== undefined,
      labels: new Map(Object.entries(body.VersionIdsToStages as Record<string, readonly string[]>)),
      rotationLambdaArn: typeof body.RotationLambdaARN === "string" ? body.RotationLambdaARN : undefined,
      rotationRules: body.RotationRules,
    };
  }

  /** A version: `undefined` when there is none, an empty object when it has no value. */
  async version(secret: StoredSecret, versionId: string): Promise<StoredValue | undefined> {
    const { status, body } = await this.#of(secret, "GetSecretValue", { VersionId: versionId });
    if (status !== 200) return undefined;
    const { SecretString, SecretBinary } = body;
    return {
      ...(SecretString === undefined ? {} : { SecretString }),
      ...(SecretBinary === undefined ? {} : { SecretBinary }),
    };
  }

  /** Moves, sets or removes a label, whoever has it. */
  async label(secret: StoredSecret, stage: string, to: string | undefined): Promise<void> {
    const from = holderOf((await this.find(...placeOf(secret), secret.arn)) ?? secret, stage);
    if (from === to) return;
    await this.#of(secret, "UpdateSecretVersionStage", {
      VersionStage: stage,
      ...(from === undefined ? {} : { RemoveFromVersionId: from }),
      ...(to === undefined ? {} : { MoveToVersionId: to }),
    });
  }

  /** Makes a version without a value and gives it AWSPENDING. */
  async stagePending(secret: StoredSecret, versionId: string): Promise<void> {
    if ((await this.version(secret, versionId)) === undefined) {
      await this.label(secret, "AWSPENDING", undefined);
      await this.#of(secret, "PutSecretValue", {
        ClientRequestToken: versionId,
        VersionStages: ["AWSPENDING"],
      });
    } else {
      await this.label(secret, "AWSPENDING", versionId);
    }
  }

  /** The version that the embedded AWS makes of a secret without a value. */
  async emptyCurrent(secret: StoredSecret): Promise<string | undefined> {
    const current = holderOf(secret, "AWSCURRENT");
    if (current === undefined) return undefined;
    const value = await this.version(secret, current);
    return value !== undefined && isEmpty(value) ? current : undefined;
  }

  #of(secret: StoredSecret, operation: string, parameters: object) {
    return this.#ask(...placeOf(secret), operation, { SecretId: secret.arn, ...parameters });
  }

  #ask(account: string, region: string, operation: string, parameters: object) {
    return this.#upstream.asRoot({ account, region, service: "secretsmanager", operation }, parameters);
  }
}

/** Account and region in a secret's ARN. */
export function placeOf({ arn }: Pick<StoredSecret, "arn">): readonly [account: string, region: string] {
  const [, , , region = "", account = ""] = arn.split(":");
  return [account, region];
}

/** The version with a label. */
export const holderOf = ({ labels }: StoredSecret, stage: string): string | undefined =>
  [...labels].find(([, stages]) => stages.includes(stage))?.[0];

const isEmpty = (value: StoredValue): boolean =>
  value.SecretString === undefined && value.SecretBinary === undefined;

/** Codes with which the embedded AWS refuses before it looks at the parameters that the shim took out. */
const REFUSED_FIRST = new Set([
  "AccessDeniedException",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "InvalidToken",
  "ExpiredTokenException",
  "RequestTimeTooSkewed",
  "IncompleteSignature",
  "MissingAuthenticationToken",
  "ResourceNotFoundException",
  "InvalidRequestException",
]);

/**
 * Asks whether the caller may do what it wants, and whether the secret is there, without letting it happen: the
 * embedded AWS gets the call with parameters that it authorises and cannot carry out.
 *
 * @returns the refusal; `undefined` when the call may go on
 */
export async function refusalOf(exchange: Exchange, harmless: object): Promise<WireAnswer | undefined> {
  const answer = await exchange.forward({ SecretId: parameterText(exchange.call, "SecretId"), ...harmless });
  return REFUSED_FIRST.has(errorCodeOf(answer) ?? "") ? answer : undefined;
}

/** A token that no version can have, so that nothing is written (`services/secretsmanager.py`). */
export const IMPOSSIBLE_TOKEN = { ClientRequestToken: [] } as const;

const LARGEST_VALUE = 65_536;
const LARGEST_POLICY = 20_480;

const invalid = (message: string): WireError => ({ code: "InvalidParameterException", message });

/** Fault of a request's token. */
export function tokenFault(call: AwsCall): WireError | undefined {
  const token = parameterText(call, "ClientRequestToken");
  if (token === undefined || (token.length >= 32 && token.length <= 64)) return undefined;
  return invalid("ClientRequestToken must be 32-64 characters long.");
}

function valueFault({ parameters }: AwsCall, isRequired: boolean): WireError | undefined {
  const { SecretString: text, SecretBinary: binary } = parameters;
  if (text !== undefined && binary !== undefined) {
    return invalid(
      "You can't specify both a binary secret value and a string secret value in the same request.",
    );
  }
  if (text === undefined && binary === undefined) {
    return isRequired ? invalid("You must provide either SecretString or SecretBinary.") : undefined;
  }
  const size =
    typeof text === "string" ? Buffer.byteLength(text) : Buffer.from(String(binary), "base64").length;
  if (size >= 1 && size <= LARGEST_VALUE) return undefined;
  return invalid(`The secret value must have 1 to ${LARGEST_VALUE} bytes.`);
}

/** The operations of Secrets Manager in which the embedded AWS is not AWS, rotation left out. */
export function secretHandlers(
  stored: StoredSecrets,
  readings: Required<SecretsManagerReadings>,
): Readonly<Record<string, Handler>> {
  const secretOf = ({ call, account }: Exchange) =>
    stored.find(account, call.region, parameterText(call, "SecretId") ?? "");

  async function createSecret(exchange: Exchange): Promise<WireAnswer> {
    const fault = tokenFault(exchange.call) ?? valueFault(exchange.call, false);
    if (fault) return refuse(exchange, fault);
    const answer = await replicateAtCreation(exchange, await exchange.forward());
    const { SecretString, SecretBinary } = exchange.call.parameters;
    if (answer.status !== 200 || !isEmpty({ SecretString, SecretBinary })) return answer;
    const { VersionId: _, ...created } = jsonOf(answer.body);
    return jsonAnswer(created, exchange.requestId);
  }

  async function putSecretValue(exchange: Exchange): Promise<WireAnswer> {
    const { call, requestId } = exchange;
    const fault = tokenFault(call) ?? valueFault(call, true);
    if (fault) return refuse(exchange, fault);
    const refusal = await refusalOf(exchange, IMPOSSIBLE_TOKEN);
    if (refusal) return refusal;
    const secret = await secretOf(exchange);
    if (secret === undefined) return exchange.forward();
    const token = parameterText(call, "ClientRequestToken");
    const known = token === undefined ? undefined : await stored.version(secret, token);
    if (token !== undefined && known !== undefined && !isEmpty(known)) {
      const { SecretString, SecretBinary } = call.parameters;
      if (known.SecretString !== SecretString || known.SecretBinary !== SecretBinary) {
        return refuse(exchange, {
          code: "ResourceExistsException",
          message: `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
        });
      }
      const VersionStages = secret.labels.get(token) ?? [];
      return jsonAnswer({ ARN: secret.arn, Name: secret.name, VersionId: token, VersionStages }, requestId);
    }
    return put(exchange, secret);
  }

  async function put(exchange: Exchange, secret: StoredSecret): Promise<WireAnswer> {
    const stages = (exchange.call.parameters.VersionStages ?? ["AWSCURRENT"]) as readonly string[];
    const others = stages.filter((stage) => stage !== "AWSCURRENT");
    const empty = await stored.emptyCurrent(secret);
    const isFirst = empty !== undefined || holderOf(secret, "AWSCURRENT") === undefined;
    for (const stage of others) await stored.label(secret, stage, undefined);
    const answer = await exchange.forward();
    if (answer.status !== 200) return answer;
    const versionId = String(jsonOf(answer.body).VersionId);
    // With AWSCURRENT among them the server drops all others.
    for (const stage of others) await stored.label(secret, stage, versionId);
    if (isFirst) {
      await stored.label(secret, "AWSCURRENT", versionId);
      await stored.label(secret, "AWSPREVIOUS", undefined);
      if (!readings.firstKeepsPending) await stored.label(secret, "AWSPENDING", undefined);
    }
    const VersionStages = (await secretOf(exchange))?.labels.get(versionId) ?? [];
    return jsonAnswer({ ...jsonOf(answer.body), VersionStages }, exchange.requestId);
  }

  async function updateSecretVersionStage(exchange: Exchange): Promise<WireAnswer> {
    const { call } = exchange;
    const isCurrent = parameterText(call, "VersionStage") === "AWSCURRENT";
    const to = parameterText(call, "MoveToVersionId");
    if (isCurrent && to === undefined) {
      const refusal = await refusalOf(exchange, {});
      if (refusal) return refusal;
      return refuse(
        exchange,
        invalid(
          "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        ),
      );
    }
    const answer = await exchange.forward();
    if (answer.status === 200 && isCurrent && readings.promotionClearsPending) {
      const secret = await secretOf(exchange);
      if (secret && holderOf(secret, "AWSPENDING") === to)
        await stored.label(secret, "AWSPENDING", undefined);
    }
    return answer;
  }

  async function getSecretValue(exchange: Exchange): Promise<WireAnswer> {
    const answer = await exchange.forward();
    if (answer.status !== 200 || !isEmpty(jsonOf(answer.body))) return answer;
    const version = parameterText(exchange.call, "VersionId");
    const stage = parameterText(exchange.call, "VersionStage") ?? "AWSCURRENT";
    const what = version === undefined ? `staging label: ${stage}` : `VersionId: ${version}`;
    return refuse(exchange, {
      code: "ResourceNotFoundException",
      message: `Secrets Manager can't find the specified secret value for ${what}`,
    });
  }

  async function listSecretVersionIds(exchange: Exchange): Promise<WireAnswer> {
    const answer = await exchange.forward();
    const secret = answer.status === 200 ? await secretOf(exchange) : undefined;
    const empty = secret && (await stored.emptyCurrent(secret));
    const body = jsonOf(answer.body);
    if (empty === undefined || !Array.isArray(body.Versions)) return answer;
    const Versions = body.Versions.filter((version) => version.VersionId !== empty);
    return jsonAnswer({ ...body, Versions }, exchange.requestId);
  }

  async function putResourcePolicy(exchange: Exchange): Promise<WireAnswer> {
    const policy = parameterText(exchange.call, "ResourcePolicy") ?? "";
    const statements = jsonOf(Buffer.from(policy)).Statement;
    if (policy.length <= LARGEST_POLICY && statements !== undefined) return exchange.forward();
    return refuse(exchange, {
      code: "MalformedPolicyDocumentException",
      message: "This resource policy contains a malformed policy document.",
    });
  }

  return {
    CreateSecret: createSecret,
    PutSecretValue: putSecretValue,
    UpdateSecretVersionStage: updateSecretVersionStage,
    GetSecretValue: getSecretValue,
    ListSecretVersionIds: listSecretVersionIds,
    PutResourcePolicy: putResourcePolicy,
    RemoveRegionsFromReplication: removeReplicas,
  };
}
