import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Functions } from "../procedure/procedure-ports";
import { ROTATION_FAULTS, RotationError, type RotationFaultCode } from "../protocol/rotation-error";
import { awsFailure } from "./aws-failure";

/** {@link Functions} by Lambda's synchronous invocation. */
export class LambdaFunctions implements Functions {
  readonly #client: LambdaClient;

  /** @param client one that waits as long as a function may take, 15 minutes, and tries once */
  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async invoke(name: string, event: object): Promise<unknown> {
    const { FunctionError, Payload } = await this.#send(name, event);
    const answer = parse(Buffer.from(Payload ?? []).toString("utf8"));
    if (FunctionError === undefined) return answer;
    throw faultOf(name, answer);
  }

  async #send(name: string, event: object) {
    try {
      return await this.#client.send(
        new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) }),
      );
    } catch (failure) {
      throw awsFailure(failure, `lambda:InvokeFunction of ${name}`);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `<code>: <detail>. To do: <advice>.`, as RotationError writes it. */
const OURS = /^([a-z-]+): ([\s\S]*)\. To do: /;

/**
 * The function's own fault, known by its code: runtimes do not always keep an error's name. Our functions' texts are made of
 * codes, names and times; any other is not quoted.
 */
function faultOf(name: string, answer: unknown): RotationError {
  const { errorType, errorMessage }: { readonly errorType?: unknown; readonly errorMessage?: unknown } =
    Object(answer);
  const [, code = "", detail = ""] = OURS.exec(typeof errorMessage === "string" ? errorMessage : "") ?? [];
  return isCode(code)
    ? new RotationError(code, detail)
    : new RotationError("unexpected", `${name} failed`, wordOf(errorType));
}

const isCode = (code: string): code is RotationFaultCode => code in ROTATION_FAULTS;

const wordOf = (text: unknown): string =>
  typeof text === "string" && /^[\w.]{1,64}$/.test(text) ? text : "unknown";
