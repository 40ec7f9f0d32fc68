import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  InvalidParameterException,
  InvalidRequestException,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RotateSecretCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";

interface Version {
  value?: string;
  readonly labels: Set<string>;
}

interface Secret {
  readonly versions: Map<string, Version>;
  rotationEnabled: boolean;
  deleted: boolean;
  primaryRegion?: string;
}

/** Choices where AWS's documents leave two readings; tests run with both. */
export interface Readings {
  /** `true`: a secret's first value, put as AWSPENDING, keeps that label beside AWSCURRENT. */
  readonly firstKeepsPending: boolean;
  /** `true`: moving AWSCURRENT takes AWSPENDING off the same version in the same call. */
  readonly promotionClearsPending: boolean;
}

export const READINGS: readonly Readings[] = [
  { firstKeepsPending: true, promotionClearsPending: true },
  { firstKeepsPending: true, promotionClearsPending: false },
  { firstKeepsPending: false, promotionClearsPending: true },
  { firstKeepsPending: false, promotionClearsPending: false },
];

const refuse = { $metadata: {}, message: "refused by the model" };

/**
 * Secrets Manager as its documents describe it: idempotent tokens, labels as compare-and-swap, AWSPREVIOUS by
 * itself, the empty AWSPENDING version that `RotateSecret` makes. Stands behind the real adapter, so that is
 * under test, too.
 */
export class SecretsManagerModel {
  readonly #secrets = new Map<string, Secret>();
  readonly #readings: Readings;
  /** Called when a version is to be rotated in: the four steps are the listener's. */
  onRotate: (name: string, versionId: string) => void = () => undefined;
  /** Called after each change of AWSCURRENT. */
  onCurrent: (name: string, versionId: string) => void = () => undefined;

  constructor(readings: Readings = { firstKeepsPending: true, promotionClearsPending: true }) {
    this.#readings = readings;
  }

  /** The model in the place of AWS's client. */
  get client(): SecretsManagerClient {
    return this as unknown as SecretsManagerClient;
  }

  create(name: string, secret: Partial<Omit<Secret, "versions">> = {}): void {
    this.#secrets.set(name, { versions: new Map(), rotationEnabled: true, deleted: false, ...secret });
  }

  set(name: string, change: Partial<Omit<Secret, "versions">>): void {
    Object.assign(this.#secret(name), change);
  }

  /** Stages a version as `RotateSecret` does before it calls the function. */
  stage(name: string, versionId: string): void {
    const secret = this.#secret(name);
    if (!secret.versions.has(versionId)) secret.versions.set(versionId, { labels: new Set() });
    this.#attach(secret, "AWSPENDING", versionId);
  }

  /** Puts a value as a person does with `PutSecretValue` and no stage. */
  putByHand(name: string, versionId: string, value: string): void {
    const secret = this.#secret(name);
    secret.versions.set(versionId, { value, labels: new Set() });
    this.#makeCurrent(name, secret, versionId);
  }

  /** Moves a label as a person does with `UpdateSecretVersionStage`. */
  label(name: string, label: string, versionId: string): void {
    const secret = this.#secret(name);
    if (label === "AWSCURRENT") this.#makeCurrent(name, secret, versionId);
    else this.#attach(secret, label, versionId);
  }

  /** Puts a value as a person does with `PutSecretValue` and a stage. */
  async put(name: string, versionId: string, value: string, stage: string): Promise<void> {
    const version = { ClientRequestToken: versionId, SecretString: value, VersionStages: [stage] };
    await this.send(new PutSecretValueCommand({ SecretId: name, ...version }));
  }

  /** Removes versions without a label, as Secrets Manager may do with them at any time. */
  removeDeprecated(name: string): void {
    const { versions } = this.#secret(name);
    for (const [id, { labels }] of [...versions]) if (labels.size === 0) versions.delete(id);
  }

  /** ARN of a secret. */
  arnOf(name: string): string {
    return `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
  }

  versionWith(name: string, label: string): string | undefined {
    return [...this.#secret(name).versions].find(([, { labels }]) => labels.has(label))?.[0];
  }

  valueOf(name: string, versionId: string): string | undefined {
    return this.#secret(name).versions.get(versionId)?.value;
  }

  /** The value of AWSCURRENT. */
  current<V>(name: string): V | undefined {
    const holder = this.versionWith(name, "AWSCURRENT");
    const value = holder === undefined ? undefined : this.valueOf(name, holder);
    return value === undefined ? undefined : JSON.parse(value);
  }

  labels(name: string): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
      [...this.#secret(name).versions].map(([id, { labels }]) => [id, [...labels].sort()]),
    );
  }

  async send(command: unknown): Promise<unknown> {
    if (command instanceof DescribeSecretCommand) return this.#describe(command.input.SecretId ?? "");
    if (command instanceof GetSecretValueCommand) return this.#get(command.input);
    if (command instanceof PutSecretValueCommand) return this.#put(command.input);
    if (command instanceof UpdateSecretVersionStageCommand) return this.#move(command.input);
    if (command instanceof RotateSecretCommand) return this.#rotate(command.input);
    throw new Error("the model does not know this command");
  }

  #secret(secretId: string): Secret {
    const name = /:secret:(.+)-[A-Za-z0-9]{6}$/.exec(secretId)?.[1] ?? secretId;
    const secret = this.#secrets.get(name);
    if (secret === undefined) throw new ResourceNotFoundException(refuse);
    return secret;
  }

  #usable(secretId: string): Secret {
    const secret = this.#secret(secretId);
    if (secret.deleted) throw new InvalidRequestException(refuse);
    return secret;
  }

  #describe(secretId: string) {
    const secret = this.#secret(secretId);
    return {
      Name: secretId,
      ARN: secretId.startsWith("arn:") ? secretId : this.arnOf(secretId),
      RotationEnabled: secret.rotationEnabled,
      ...(secret.deleted ? { DeletedDate: new Date() } : {}),
      PrimaryRegion: secret.primaryRegion,
      VersionIdsToStages: Object.fromEntries(
        [...secret.versions].flatMap(([id, { labels }]) => (labels.size > 0 ? [[id, [...labels]]] : [])),
      ),
    };
  }

  #get({ SecretId = "", VersionId, VersionStage = "AWSCURRENT" }: GetSecretValueCommand["input"]) {
    const secret = this.#usable(SecretId);
    const id =
      VersionId ?? [...secret.versions].find(([, { labels }]) => labels.has(VersionStage))?.[0] ?? "";
    const value = secret.versions.get(id)?.value;
    if (value === undefined) throw new ResourceNotFoundException(refuse);
    return { VersionId: id, SecretString: value };
  }

  #put({
    SecretId = "",
    ClientRequestToken = "",
    SecretString = "",
    VersionStages,
  }: PutSecretValueCommand["input"]) {
    const secret = this.#usable(SecretId);
    const valid = /^.{32,64}$/.test(ClientRequestToken) && Buffer.byteLength(SecretString) <= 65_536;
    if (!valid) throw new InvalidParameterException(refuse);
    const known = secret.versions.get(ClientRequestToken);
    if (known?.value !== undefined) {
      if (known.value !== SecretString) throw new ResourceExistsException(refuse);
      return {};
    }
    const first = ![...secret.versions.values()].some(({ labels }) => labels.has("AWSCURRENT"));
    secret.versions.set(ClientRequestToken, { value: SecretString, labels: known?.labels ?? new Set() });
    // AWSPREVIOUS follows AWSCURRENT: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    for (const label of VersionStages ?? ["AWSCURRENT"]) {
      if (label === "AWSCURRENT") this.#makeCurrent(SecretId, secret, ClientRequestToken);
      else this.#attach(secret, label, ClientRequestToken);
    }
    if (first) {
      if (!this.#readings.firstKeepsPending) {
        secret.versions.get(ClientRequestToken)?.labels.delete("AWSPENDING");
      }
      this.#makeCurrent(SecretId, secret, ClientRequestToken);
    }
    return {};
  }

  #move({
    SecretId = "",
    VersionStage = "",
    MoveToVersionId,
    RemoveFromVersionId,
  }: UpdateSecretVersionStageCommand["input"]) {
    const secret = this.#usable(SecretId);
    const holder = [...secret.versions].find(([, { labels }]) => labels.has(VersionStage))?.[0];
    if (holder !== RemoveFromVersionId && holder !== MoveToVersionId)
      throw new InvalidParameterException(refuse);
    if (RemoveFromVersionId !== undefined && holder !== RemoveFromVersionId)
      throw new InvalidParameterException(refuse);
    if (MoveToVersionId === undefined) {
      if (VersionStage === "AWSCURRENT") throw new InvalidParameterException(refuse);
      secret.versions.get(RemoveFromVersionId ?? "")?.labels.delete(VersionStage);
      return {};
    }
    if (!secret.versions.has(MoveToVersionId)) throw new ResourceNotFoundException(refuse);
    if (VersionStage === "AWSCURRENT") {
      this.#makeCurrent(SecretId, secret, MoveToVersionId);
      if (this.#readings.promotionClearsPending) {
        secret.versions.get(MoveToVersionId)?.labels.delete("AWSPENDING");
      }
    } else {
      this.#attach(secret, VersionStage, MoveToVersionId);
    }
    return {};
  }

  /**
   * "If the AWSPENDING staging label is present but not attached to the same version as AWSCURRENT, then any later
   * invocation of RotateSecret assumes that a previous rotation request is still in progress and returns an error."
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
   */
  #rotate({ SecretId = "", ClientRequestToken = "" }: RotateSecretCommand["input"]) {
    const secret = this.#usable(SecretId);
    const pending = this.versionWith(SecretId, "AWSPENDING");
    if (pending !== undefined && pending !== this.versionWith(SecretId, "AWSCURRENT")) {
      this.onRotate(SecretId, pending);
      throw new InvalidRequestException({
        $metadata: {},
        message: "A previous rotation isn't complete. That rotation will be reattempted.",
      });
    }
    if (!secret.rotationEnabled) throw new InvalidRequestException(refuse);
    this.stage(SecretId, ClientRequestToken);
    this.onRotate(SecretId, ClientRequestToken);
    return { VersionId: ClientRequestToken };
  }

  #makeCurrent(name: string, secret: Secret, versionId: string): void {
    const before = [...secret.versions].find(([, { labels }]) => labels.has("AWSCURRENT"))?.[0];
    if (before === versionId) return;
    this.#attach(secret, "AWSCURRENT", versionId);
    if (before !== undefined) this.#attach(secret, "AWSPREVIOUS", before);
    this.onCurrent(name, versionId);
  }

  #attach(secret: Secret, label: string, versionId: string): void {
    for (const { labels } of secret.versions.values()) labels.delete(label);
    secret.versions.get(versionId)?.labels.add(label);
  }
}
