import { errorCodeOf, isDenial, type WireAnswer } from "./wire";

/** A call that passed the shim. Never a value. */
export interface CallRecord {
  readonly at: Date;
  /** ARN of the role, user or root; `unknown` for a session that was not taken through the shim, `anonymous` for no signature. */
  readonly principal: string;
  /** Lambda function that made the call. */
  readonly functionArn?: string | undefined;
  /** `secretsmanager:GetSecretValue`. */
  readonly action: string;
  readonly region: string;
  /** ARN where it is known, else the name that the request gave, `*` where the action has no resource. */
  readonly resource: string;
  /**
   * `denied`: by IAM. `implied`: AWS would have asked for this besides, and the embedded AWS does not (KMS under a
   * secret). `allowed`, or the error's code.
   */
  readonly outcome: string;
  /** Condition keys of the request that are known. */
  readonly context: Readonly<Record<string, string>>;
  /** The answer is a fault on order, so IAM was not asked. */
  readonly injected: boolean;
  readonly requestId: string;
  /** Version of a secret that the request names. */
  readonly version?: string | undefined;
}

/** Outcome of an answer. */
export function outcomeOf(answer: WireAnswer): string {
  if (isDenial(answer)) return "denied";
  return errorCodeOf(answer) ?? "allowed";
}

/** The calls that passed, oldest first. */
export class CallLog {
  readonly #records: CallRecord[] = [];

  /** All calls so far. */
  get all(): readonly CallRecord[] {
    return [...this.#records];
  }

  /** Those of a role. */
  by(principal: string): readonly CallRecord[] {
    return this.#records.filter((record) => record.principal === principal);
  }

  /** Forgets everything so far, between two parts of a rehearsal. */
  clear(): void {
    this.#records.length = 0;
  }

  add(record: CallRecord): void {
    this.#records.push(record);
  }
}

/** Number of times that a role did one action to one resource. */
export interface ActionUse {
  readonly action: string;
  readonly resource: string;
  /** IAM let it through, whatever came of it. */
  readonly allowed: number;
  readonly denied: number;
  /** See {@link CallRecord.outcome}. */
  readonly implied: number;
}

/** Calls by role, then by action and resource, sorted. Faults on order are left out. */
export function usesByPrincipal(
  records: readonly CallRecord[],
): Readonly<Record<string, readonly ActionUse[]>> {
  const principals = [...new Set(records.map(({ principal }) => principal))].sort();
  return Object.fromEntries(
    principals.map((principal) => [principal, usesOf(records.filter((r) => r.principal === principal))]),
  );
}

function usesOf(records: readonly CallRecord[]): readonly ActionUse[] {
  const uses = new Map<string, ActionUse>();
  for (const { action, resource, outcome, injected } of records) {
    if (injected) continue;
    const key = `${action} ${resource}`;
    const use = uses.get(key) ?? { action, resource, allowed: 0, denied: 0, implied: 0 };
    const counted = outcome === "denied" || outcome === "implied" ? outcome : "allowed";
    uses.set(key, { ...use, [counted]: use[counted] + 1 });
  }
  return [...uses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}
