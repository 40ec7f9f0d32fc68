import type { AwsCall } from "./aws-call";
import type { Caller } from "./callers";

/** A call as faults choose it. */
export interface FaultedCall extends AwsCall {
  readonly caller: Caller | undefined;
}

/** A failure that is ordered. */
export type InjectedFault =
  /** AWS refuses: too many requests. */
  | { readonly kind: "throttle" }
  /** AWS answers 500; nothing was done. */
  | { readonly kind: "server-error" }
  /** AWS is slow. */
  | { readonly kind: "delay"; readonly milliseconds: number }
  /** The work is done, and the connection ends without an answer. */
  | { readonly kind: "lost-response" }
  /**
   * The process that makes the call dies, before AWS gets it or when AWS has done it. Processes other than Lambda
   * functions are left alone; their connection ends.
   */
  | { readonly kind: "kill"; readonly when: "before" | "after" };

interface Order {
  readonly matches: (call: FaultedCall) => boolean;
  readonly fault: InjectedFault;
  left: number;
}

/** An order that stands. */
export interface FaultOrder {
  /** `true` when it has come about as often as it was ordered. */
  readonly spent: boolean;
  /** Takes back what has not come about. */
  withdraw(): void;
}

/** Faults on order. */
export class Faults {
  readonly #orders: Order[] = [];

  /**
   * Orders a fault for calls to come. The oldest order that matches a call comes about.
   *
   * @param times how often; `Number.POSITIVE_INFINITY` for ever
   * @example
   * shim.faults.on(({ action }) => action === "secretsmanager:PutSecretValue", { kind: "kill", when: "after" });
   */
  on(matches: (call: FaultedCall) => boolean, fault: InjectedFault, times = 1): FaultOrder {
    const order: Order = { matches, fault, left: times };
    this.#orders.push(order);
    return {
      get spent() {
        return order.left === 0;
      },
      withdraw: () => {
        order.left = 0;
      },
    };
  }

  /** Withdraws all orders. */
  clear(): void {
    for (const order of this.#orders) order.left = 0;
    this.#orders.length = 0;
  }

  /** The fault for a call, used up by asking. */
  take(call: FaultedCall): InjectedFault | undefined {
    const order = this.#orders.find((candidate) => candidate.left > 0 && candidate.matches(call));
    if (order === undefined) return undefined;
    order.left -= 1;
    return order.fault;
  }
}
