import { publishesKeys } from "../../../lib/model/kinds";
import type { SuppliedSecret } from "../../../lib/model/supplied-values";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { STEPS, type Step } from "../../../lib/rotation/protocol/event";
import { completeValue } from "../../../lib/rotation/values/operator-value";
import type { CrashPlan } from "./crash-plan";
import { type RehearsedProps, RehearsedSecret, versionId } from "./rehearsed-secret";

/** One rotation whose value an operator supplies. */
export interface OperatedRotation {
  /** The version that rotates in. */
  readonly versionId: string;
  readonly steps: readonly Step[];
}

const INBOX = "test/_inbox/db/app";

/** A secret with its operator: does what the operator's tool does. */
export class OperatedSecret<V> extends RehearsedSecret<V> {
  readonly inbox = INBOX;
  readonly #kind: SuppliedSecret;

  constructor(kind: SuppliedSecret, props: Omit<RehearsedProps<V>, "mode" | "inbox">) {
    super({
      ...props,
      mode: "operator-assisted",
      inbox: {
        takes: "each-value",
        name: INBOX,
        publishes: publishesKeys(kind),
        // The kind's own form of it.
        complete: (supplied, current) => completeValue(kind, supplied, current) as V,
      },
    });
    this.#kind = kind;
    this.secrets.create(INBOX);
  }

  /** Puts what an operator supplies into the inbox. The same name again puts the same version again. */
  async supply(name: string, supplied: object): Promise<OperatedRotation> {
    completeValue(this.#kind, supplied);
    await new SecretsManagerStore(this.secrets.client).putCurrent(
      INBOX,
      versionId(name),
      JSON.stringify(supplied),
    );
    return { versionId: versionId(name), steps: STEPS };
  }

  /** Values that can be read in the inbox by a label. */
  get supplied(): readonly string[] {
    return Object.entries(this.secrets.labels(INBOX)).flatMap(([version, labels]) =>
      labels.length === 0 ? [] : [this.secrets.valueOf(INBOX, version) ?? ""],
    );
  }

  /** Time passes in the inbox: Secrets Manager removes what has no label. */
  removePushedOut(): void {
    this.secrets.removeDeprecated(INBOX);
  }

  /** Calls the function with the steps of a rotation. */
  async run({ versionId: version, steps }: OperatedRotation, plan?: CrashPlan): Promise<void> {
    for (const step of steps) await this.step(step, version, plan);
  }

  /** Both. Gives the version that rotated in. */
  async operate(name: string, supplied: object): Promise<string> {
    const rotation = await this.supply(name, supplied);
    await this.run(rotation);
    return rotation.versionId;
  }
}
