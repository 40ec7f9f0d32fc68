import { createHash } from "node:crypto";
import { type AwsCall, parameterText } from "./aws-call";
import { jsonOf, type WireAnswer, xmlText } from "./wire";

/** Caller of one call. */
export interface Caller {
  /** ARN of the role (with its path, not of the session), of the user, or of the account's root. */
  readonly principal: string;
  readonly account: string;
  /** ARN of the Lambda function that acts, where one does. */
  readonly functionArn?: string;
}

/**
 * Knows callers by their access key ids: sessions from the answers of STS, users from the answers of IAM, and
 * Lambda functions from the answers of Lambda, all of which pass through the shim.
 */
export class Callers {
  readonly #callers = new Map<string, Caller>();

  /** The caller with a key; `undefined` for a session that was not taken through the shim. */
  of(accessKeyId: string | undefined): Caller | undefined {
    if (accessKeyId === undefined) return undefined;
    if (/^\d{12}$/.test(accessKeyId)) {
      return { principal: `arn:aws:iam::${accessKeyId}:root`, account: accessKeyId };
    }
    return this.#callers.get(accessKeyId);
  }

  /** Takes a session of a function's role for the function itself: for a test that runs its code in a process of its own. */
  actFor(accessKeyId: string, functionArn: string): void {
    const caller = this.#callers.get(accessKeyId);
    if (caller === undefined) throw new Error("the session was not taken through the shim");
    this.#callers.set(accessKeyId, { ...caller, functionArn });
  }

  /** Learns from an answer that passes. */
  learn(call: AwsCall, caller: Caller | undefined, answer: WireAnswer): void {
    if (answer.status >= 400) return;
    if (call.service === "sts") this.#learnSession(call, answer);
    if (call.service === "iam") this.#learnUser(call, caller, answer);
    if (call.service === "lambda") this.#learnFunctions(jsonOf(answer.body));
  }

  #learnSession(call: AwsCall, answer: WireAnswer): void {
    const principal = parameterText(call, "RoleArn");
    const key = xmlText(answer.body, "AccessKeyId");
    const account = principal?.split(":")[4];
    if (principal !== undefined && key !== undefined && account !== undefined) {
      this.#callers.set(key, { principal, account });
    }
  }

  #learnUser(call: AwsCall, caller: Caller | undefined, answer: WireAnswer): void {
    if (call.operation !== "CreateAccessKey" || caller === undefined) return;
    const key = xmlText(answer.body, "AccessKeyId");
    const user = xmlText(answer.body, "UserName");
    if (key === undefined || user === undefined) return;
    const { account } = caller;
    this.#callers.set(key, { principal: `arn:aws:iam::${account}:user/${user}`, account });
  }

  #learnFunctions(answer: Readonly<Record<string, unknown>>): void {
    const { FunctionArn: functionArn, Role: principal } = answer;
    if (typeof functionArn === "string" && typeof principal === "string") {
      const account = functionArn.split(":")[4] ?? "";
      this.#callers.set(functionKeyId(functionArn, principal), { principal, account, functionArn });
    }
    const nested = [answer.Configuration, answer.Functions, answer.Versions].flat();
    for (const item of nested) {
      if (typeof item === "object" && item !== null) this.#learnFunctions({ ...item });
    }
  }
}

/** The embedded AWS's name of a function's session (`core/lambda_runtime.py`, `execution_credentials`). */
const functionKeyId = (functionArn: string, roleArn: string): string =>
  `ASIA${createHash("sha256").update(`${functionArn}:${roleArn}`).digest("hex").slice(0, 16).toUpperCase()}`;
