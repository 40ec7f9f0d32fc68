import type { RotatedSecret } from "../../../lib/contracts/function-settings";
import { type KindName, type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { handlerOf, type TargetFactory } from "../../../lib/rotation/entries/rotation-handler";
import type { RotationOutcome } from "../../../lib/rotation/machine/rotation-machine";
import { type Phase, STEPS, type Step } from "../../../lib/rotation/protocol/event";
import { Redaction } from "../../../lib/rotation/protocol/redaction";
import { ProofsModel } from "./proofs-model";
import {
  ImpliedRuns,
  PublicationsModel,
  silentLog,
  TestClock,
  testRandom,
  versionId,
} from "./rehearsed-secret";
import { SecretsManagerModel } from "./secrets-manager-model";

const ADMIN = "dev/admin";

/** Parts of a secret with changing settings. */
export interface ChangingSecretProps<K extends KindName, V>
  extends Partial<Pick<RotatedSecret<K>, "rotation" | "acceptedBy" | "overlap" | "publishLead">> {
  readonly kind: K;
  readonly settings: object;
  readonly targetOf: TargetFactory<K, V>;
  readonly admin?: object;
}

/** A secret whose settings change while its value lives: the real handler, deployed anew for each change. */
export class ChangingSecret<K extends KindName, V> {
  readonly name = "dev/changing";
  readonly clock = new TestClock();
  readonly publications = new PublicationsModel();
  readonly proofs = new ProofsModel();
  readonly secrets = new SecretsManagerModel();
  readonly implied = new ImpliedRuns(this.clock);
  readonly #props: ChangingSecretProps<K, V>;
  #settings: KindSettings<K>;

  constructor(props: ChangingSecretProps<K, V>) {
    this.#props = props;
    this.#settings = this.#parsed(props.settings);
    for (const name of [this.name, ADMIN]) this.secrets.create(name);
    if (props.admin !== undefined) {
      this.secrets.putByHand(ADMIN, versionId("admin"), JSON.stringify(props.admin));
    }
  }

  #parsed(settings: object): KindSettings<K> {
    return settingsSchema(this.#props.kind).parse(settings) as KindSettings<K>;
  }

  /** Deploys the registry with other settings. */
  change(settings: object): void {
    this.#settings = this.#parsed({ ...this.#settings, ...settings });
  }

  /** A stored value, as JSON; default: AWSCURRENT's. */
  value(label = "AWSCURRENT"): (V & { readonly _settings?: Readonly<Record<string, unknown>> }) | undefined {
    const id = this.secrets.versionWith(this.name, label);
    const text = id === undefined ? undefined : this.secrets.valueOf(this.name, id);
    return text === undefined ? undefined : JSON.parse(text);
  }

  version(label = "AWSCURRENT"): string {
    return this.secrets.versionWith(this.name, label) ?? "none";
  }

  async invoke(event: object): Promise<RotationOutcome> {
    const { kind, targetOf, admin, rotation = "automatic", acceptedBy = "target" } = this.#props;
    const { overlap = { seconds: 3_600 }, publishLead = { seconds: 0 } } = this.#props;
    const settings = this.#settings;
    const handler = handlerOf(
      {
        kind,
        environment: "dev",
        region: "eu-central-1",
        publicationsTable: "publications",
        auditKeyAlias: "alias/audit",
        secrets: {
          [this.name]: {
            settings,
            rotation,
            acceptedBy,
            overlap,
            publishLead,
            ...(admin === undefined ? {} : { admin: ADMIN }),
          },
        },
      },
      {
        store: new SecretsManagerStore(this.secrets.client),
        publications: this.publications,
        proofs: this.proofs,
        runs: this.implied,
        clock: this.clock,
        random: testRandom,
        log: silentLog,
        redaction: new Redaction(),
      },
      targetOf,
    );
    return handler(event);
  }

  async step(step: Step, version: string): Promise<RotationOutcome> {
    return this.invoke({ Step: step, SecretId: this.name, ClientRequestToken: version });
  }

  async phase(Phase: Phase, version: string, emergency = false): Promise<RotationOutcome> {
    this.implied.imply(Phase, version, { runId: "run", emergency });
    return this.invoke({
      Phase,
      SecretId: this.name,
      VersionId: version,
      RunId: "run",
      Emergency: emergency,
    });
  }

  /** A whole rotation, served by every Vault, after every wait. */
  async rotate(name: string): Promise<string> {
    const version = versionId(name);
    this.clock.advance(7 * 86_400);
    this.secrets.stage(this.name, version);
    for (const step of STEPS) await this.step(step, version);
    this.confirm();
    return version;
  }

  /** The mirror: every Vault serves AWSCURRENT from now on. */
  confirm(): void {
    this.publications.confirm(this.version(), this.clock.now());
  }
}
