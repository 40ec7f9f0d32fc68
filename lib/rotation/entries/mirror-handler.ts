import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { STSClient } from "@aws-sdk/client-sts";
import type { MirrorSettings } from "../../contracts/function-settings";
import { jsonLog } from "../../lambda/json-log";
import type { LambdaHandler } from "../../lambda/lambda-entry";
import { DynamoDbMirrorLedger } from "../adapters/dynamodb-mirror-ledger";
import { DynamoDbPublications } from "../adapters/dynamodb-publications";
import { FederatedIdentity } from "../adapters/federated-identity";
import { lazyAuditKey } from "../adapters/lazy-audit-key";
import { SecretsManagerStore } from "../adapters/secrets-manager-store";
import { systemClock } from "../adapters/system";
import { VaultApi } from "../adapters/vault-api";
import { Mirror, type MirrorContext, type MirrorOutcome } from "../mirror/mirror";
import { parseMirrorEvent } from "../mirror/mirror-event";
import type { LogFields } from "../protocol/ports";
import { Redaction } from "../protocol/redaction";
import { logFault } from "./log-fault";
import { parseMirrorSettings } from "./mirror-settings";
import { readSettingsFile } from "./settings-file";

/** Ports of the mirror's function. */
export interface MirrorFunction extends Omit<MirrorContext, "guard"> {
  readonly redaction: Redaction;
}

/**
 * The mirror's handler.
 *
 * @throws RotationError and nothing else
 */
export function mirrorHandlerOf({ redaction, ...context }: MirrorFunction): LambdaHandler<MirrorOutcome> {
  const mirror = new Mirror({ ...context, guard: redaction.guard });
  return async (event) => {
    redaction.forget();
    let fields: LogFields = {};
    try {
      const request = parseMirrorEvent(event);
      fields = "sweep" in request ? request : { secret: request.secretName };
      const outcome = await mirror.run(request);
      context.log.info("done", {
        ...fields,
        served: outcome.secrets.length,
        published: outcome.secrets.filter(({ result }) => result === "published").length,
        rotated: outcome.rotated.length,
      });
      return outcome;
    } catch (failure) {
      throw logFault(context.log, failure, fields);
    }
  };
}

/** The mirror in AWS: settings from `settings.json` beside the bundle, AWS's services and Vaults as ports. */
export async function assembleMirror(): Promise<LambdaHandler<MirrorOutcome>> {
  const settings: MirrorSettings = parseMirrorSettings(await readSettingsFile());
  const { region, environment, publicationsTable, auditKeyAlias } = settings;
  const redaction = new Redaction();
  const dynamoDb = new DynamoDBClient({ region });
  return mirrorHandlerOf({
    settings,
    store: new SecretsManagerStore(new SecretsManagerClient({ region })),
    publications: new DynamoDbPublications(dynamoDb, publicationsTable),
    proofs: lazyAuditKey(region, auditKeyAlias).proofs,
    ledger: new DynamoDbMirrorLedger(dynamoDb, publicationsTable),
    server: new VaultApi(new FederatedIdentity(new STSClient({ region })), redaction.guard),
    clock: systemClock,
    log: jsonLog("secrets-registry-mirror", { environment }, redaction.redact),
    redaction,
  });
}
