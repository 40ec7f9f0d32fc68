import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod/mini";
import type { FunctionSettings, RotatedSecret } from "../../contracts/function-settings";
import { fingerprintedKey } from "../../contracts/version-fingerprints";
import { jsonLog } from "../../lambda/json-log";
import { type LambdaHandler, lambdaEntry } from "../../lambda/lambda-entry";
import { type KindName, publishesKeys } from "../../model/kinds";
import type { InboxSecret } from "../../model/supplied-values";
import { DynamoDbPublications } from "../adapters/dynamodb-publications";
import { DynamoDbRuns } from "../adapters/dynamodb-runs";
import { lazyAuditKey } from "../adapters/lazy-audit-key";
import { SecretsManagerStore } from "../adapters/secrets-manager-store";
import { systemClock, systemRandom } from "../adapters/system";
import type { Inbox } from "../machine/rotation-context";
import { RotationMachine, type RotationOutcome } from "../machine/rotation-machine";
import { isFingerprint, isLook, isStep, parseEvent, type RotationRequest } from "../protocol/event";
import type {
  Clock,
  Fingerprints,
  Logbook,
  Publications,
  Random,
  Runs,
  SecretStore,
  VersionProofs,
} from "../protocol/ports";
import { Redaction } from "../protocol/redaction";
import { RotationError } from "../protocol/rotation-error";
import { settingsInEffectOf } from "../protocol/settings-in-effect";
import type { Target } from "../protocol/target";
import { readAdminValue } from "../values/admin-value";
import { completeValue } from "../values/operator-value";
import { parseFunctionSettings, rotatedSecretOf } from "./function-settings";
import { logFault } from "./log-fault";
import { readSettingsFile } from "./settings-file";

/** Ports of every rotation function. */
export interface FunctionPorts {
  readonly store: SecretStore;
  readonly publications: Publications;
  readonly proofs: VersionProofs;
  /** Default: none, no procedure follows. */
  readonly runs?: Runs | undefined;
  /** Default: none, no procedure asks for them. */
  readonly fingerprints?: Fingerprints | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logbook;
  readonly redaction: Redaction;
}

/** Parts from which a kind's target is made. */
export interface TargetProps<K extends KindName> extends RotatedSecret<K> {
  /** Reads the admin secret; what it must hold differs by kind. */
  readonly readAdmin: <V>(schema: z.ZodMiniType<V>) => Promise<V>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes the target of one secret. */
export type TargetFactory<K extends KindName, V> = (props: TargetProps<K>) => Target<V>;

/** A Lambda handler. */
export type RotationHandler = LambdaHandler<RotationOutcome>;

/**
 * The one handler of all kinds.
 *
 * @returns what the call came to, for the state machine that made it
 * @throws RotationError and nothing else; its name says whether to try again
 */
export function handlerOf<K extends KindName, V>(
  settings: FunctionSettings<K>,
  ports: FunctionPorts,
  targetOf: TargetFactory<K, V>,
): RotationHandler {
  const { store, publications, proofs, runs, fingerprints, clock, random, log, redaction } = ports;

  const handle = async (request: RotationRequest): Promise<RotationOutcome> => {
    const { name, secret } = rotatedSecretOf(settings, request.secretId);
    const readAdmin = <A>(schema: z.ZodMiniType<A>) =>
      readAdminValue(store, secret.admin, redaction.guard, schema);
    const inEffect = settingsInEffectOf(settings.kind, name, secret, (made) => {
      const target = targetOf({ ...secret, settings: made, readAdmin, clock, random });
      if (target.acceptedBy === secret.acceptedBy) return target;
      throw new RotationError(
        "settings-malformed",
        `${settings.kind} is accepted by ${target.acceptedBy}, not by ${secret.acceptedBy}`,
      );
    });
    const machine = new RotationMachine({
      secretName: name,
      region: settings.region,
      mode: secret.rotation,
      waits: inEffect.waits([]),
      target: inEffect.of(undefined).target,
      settings: inEffect,
      store,
      publications,
      proofs,
      inbox: inboxOf(inEffect.of(undefined).target, settings, secret),
      runs,
      approval: secret.approval,
      fingerprints: fingerprints && {
        ofValue: (value) =>
          fingerprints.of(settings.kind, fingerprintedKey(settings.environment, name), value),
        ofText: (digest) =>
          fingerprints.ofText(settings.kind, fingerprintedKey(settings.environment, name), digest),
      },
      clock,
      log,
      guard: redaction.guard,
    });
    return machine.run(request);
  };

  return async (event) => {
    redaction.forget();
    let fields = {};
    try {
      const request = parseEvent(event);
      fields = fieldsOf(request);
      const outcome = await handle(request);
      log.info("done", { ...fields, result: outcome.result, resultVersion: outcome.versionId });
      return outcome;
    } catch (failure) {
      throw logFault(log, failure, fields);
    }
  };
}

/** Inbox of a secret, which makes its value of what people supply; `undefined`: the settings name none. */
function inboxOf<K extends KindName, V>(
  { schema, acceptedBy }: Target<V>,
  { kind }: Pick<FunctionSettings, "kind">,
  { inbox, settings }: RotatedSecret<K>,
): Inbox<V> | undefined {
  if (inbox === undefined) return undefined;
  // Settings are checked to be the kind's; TypeScript does not follow which kind it is.
  const supplied = { kind, settings } as InboxSecret;
  return {
    name: inbox,
    takes: supplied.kind === "jwt-signing-key" ? "first-value" : "each-value",
    publishes: acceptedBy === "own-workloads" || publishesKeys(supplied),
    complete: (given, current) => z.parse(schema, completeValue(supplied, given, current)),
  };
}

function fieldsOf(request: RotationRequest) {
  if (isStep(request)) {
    return { step: request.step, secret: request.secretId, version: request.versionId };
  }
  if (isLook(request)) return { look: request.look, secret: request.secretId };
  return {
    phase: request.phase,
    secret: request.secretId,
    version: request.versionId,
    run: request.runId,
    ...(isFingerprint(request) ? {} : { emergency: request.emergency ?? false }),
  };
}

/** A handler as Lambda loads it: settings from `settings.json` beside the bundle, AWS's services as ports. */
export const lambdaHandler = <K extends KindName, V>(
  kind: K,
  targetOf: TargetFactory<K, V>,
): RotationHandler => lambdaEntry(() => assemble(kind, targetOf));

async function assemble<K extends KindName, V>(
  kind: K,
  targetOf: TargetFactory<K, V>,
): Promise<RotationHandler> {
  const settings = parseFunctionSettings(kind, await readSettingsFile());
  const { region, runsTable, auditKeyAlias } = settings;
  const redaction = new Redaction();
  const audit = lazyAuditKey(region, auditKeyAlias);
  const dynamoDb = new DynamoDBClient({ region });
  const ports: FunctionPorts = {
    store: new SecretsManagerStore(new SecretsManagerClient({ region })),
    publications: new DynamoDbPublications(dynamoDb, settings.publicationsTable),
    proofs: audit.proofs,
    runs: runsTable === undefined ? undefined : new DynamoDbRuns(dynamoDb, runsTable),
    fingerprints: audit.fingerprints,
    clock: systemClock,
    random: systemRandom,
    log: jsonLog(
      "secrets-registry-rotation",
      {
        kind,
        environment: settings.environment,
      },
      redaction.redact,
    ),
    redaction,
  };
  return handlerOf(settings, ports, targetOf);
}
