import { jsonLog } from "../../../lib/lambda/json-log";
import type { KindName, KindSettings } from "../../../lib/model/kinds";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import {
  handlerOf,
  type RotationHandler,
  type TargetFactory,
} from "../../../lib/rotation/entries/rotation-handler";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import { ProofsModel } from "./proofs-model";
import { PublicationsModel, TestClock, testRandom, versionId } from "./rehearsed-secret";
import { SecretsManagerModel } from "./secrets-manager-model";

const ADMIN = "dev/vendor-admin";

/** Parts of a function of one secret at a vendor. */
export interface VendorFunctionProps<K extends KindName, V> {
  readonly kind: K;
  readonly settings: KindSettings<K>;
  readonly targetOf: TargetFactory<K, V>;
  readonly adminValue: object;
}

/** A vendor's function in the small: the real handler with its admin secret and its log, secrets in memory. */
export class VendorFunction<K extends KindName, V> {
  readonly name = "dev/vendor";
  readonly secrets = new SecretsManagerModel();
  readonly #handler: RotationHandler;

  constructor({ kind, settings, targetOf, adminValue }: VendorFunctionProps<K, V>) {
    for (const name of [this.name, ADMIN]) this.secrets.create(name);
    this.secrets.putByHand(ADMIN, versionId("admin"), JSON.stringify(adminValue));
    const redaction = new Redaction();
    this.#handler = handlerOf(
      {
        kind,
        environment: "dev",
        region: "eu-central-1",
        publicationsTable: "publications",
        auditKeyAlias: "alias/audit",
        secrets: {
          [this.name]: {
            settings,
            rotation: "automatic",
            acceptedBy: "target",
            overlap: { seconds: 0 },
            publishLead: { seconds: 0 },
            admin: ADMIN,
          },
        },
      },
      {
        store: new SecretsManagerStore(this.secrets.client),
        publications: new PublicationsModel(),
        proofs: new ProofsModel(),
        clock: new TestClock(),
        random: testRandom,
        log: jsonLog("test", { kind }, redaction.redact),
        redaction,
      },
      targetOf,
    );
  }

  /** One step of a rotation; gives the failure instead of throwing it. */
  async step(step: string, version: string): Promise<unknown> {
    if (this.secrets.labels(this.name)[version] === undefined) this.secrets.stage(this.name, version);
    const event = { Step: step, SecretId: this.name, ClientRequestToken: version };
    return this.#handler(event).catch((failure: unknown) => failure);
  }
}
