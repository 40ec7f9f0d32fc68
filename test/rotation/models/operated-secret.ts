import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import type { Step } from "../../../lib/rotation/event";
import { completeValue, type SuppliedSecret } from "../../../lib/rotation/operator-value";
import type { CrashPlan } from "./crash-plan";
import { type RehearsedProps, RehearsedSecret, versionId } from "./rehearsed-secret";

/** One rotation whose value an operator supplies. */
export interface OperatedRotation {
  /** The version that rotates in. */
  readonly versionId: string;
  readonly steps: readonly Step[];
}

/** A secret with its operator: does what the operator's tool does. */
export class OperatedSecret<V> extends RehearsedSecret<V> {
  readonly #kind: SuppliedSecret;

  constructor(kind: SuppliedSecret, props: Omit<RehearsedProps<V>, "mode">) {
    super({ ...props, mode: "operator-assisted" });
    this.#kind = kind;
  }

  /** Puts what an operator supplies under AWSPENDING. The same name again puts the same version again. */
  async supply(name: string, supplied: object): Promise<OperatedRotation> {
    const served = this.proved.length > 0;
    const { value, steps } = completeValue(this.#kind, supplied, served ? this.current : undefined);
    const put = versionId(`${name} as supplied`);
    await new SecretsManagerStore(this.secrets.client).putPending(this.name, put, JSON.stringify(value));
    return { versionId: steps.includes("createSecret") ? versionId(name) : put, steps };
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
