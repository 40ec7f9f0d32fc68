import type { AwsCall } from "./aws-call";
import type { Caller } from "./callers";
import type { Upstream } from "./upstream";
import { errorAnswer, type WireAnswer, type WireError } from "./wire";

/** A call on its way through the shim. */
export interface Exchange {
  readonly call: AwsCall;
  readonly caller: Caller | undefined;
  /** The caller's account, or the one in the resource's ARN. */
  readonly account: string;
  readonly requestId: string;
  readonly upstream: Upstream;
  /** Lets the embedded AWS answer, with the caller's rights. With other, shorter parameters in place of the caller's. */
  forward(parameters?: object): Promise<WireAnswer>;
  /** The same with other fields of a form. */
  forwardForm(fields: Readonly<Record<string, string>>): Promise<WireAnswer>;
}

/** Answers one operation in place of the embedded AWS. */
export type Handler = (exchange: Exchange) => Promise<WireAnswer>;

/** AWS's refusal, in the protocol of the call. */
export const refuse = ({ call, requestId }: Exchange, error: WireError): WireAnswer =>
  errorAnswer(call.protocol, error, requestId);
