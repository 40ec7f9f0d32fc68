import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import {
  type CallerProof,
  PROOF_BODY,
  PROOF_BODY_TYPE,
  PROOF_HEADER,
  stsHost,
} from "../../contracts/caller-proof";
import { originOf } from "../../lambda/failure-origin";
import { type CallerIdentities, type CallerIdentity, checkProof } from "../procedure/caller-identity";
import type { Clock } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";

/** STS answers in well under a second. */
const PATIENCE_MS = 10_000;
/** An answer has a few hundred bytes. */
const LARGEST_ANSWER = 64 * 1_024;

/** Settings of {@link StsCallerIdentities}. */
export interface StsCallerIdentitiesProps {
  readonly region: string;
  /** URL of STS; it is still asked by its own name. Default: the region's own. */
  readonly endpoint?: string | undefined;
  readonly clock: Pick<Clock, "now">;
}

/**
 * {@link CallerIdentities} by the region's STS. Host, method, path, body and every header but the signature are this code's
 * own, so that a proof cannot have anything else sent, nor to anybody else; redirections are not followed.
 */
export class StsCallerIdentities implements CallerIdentities {
  readonly #props: StsCallerIdentitiesProps;

  constructor(props: StsCallerIdentitiesProps) {
    this.#props = props;
  }

  async of(proof: CallerProof, binding: string): Promise<CallerIdentity> {
    const { region, clock } = this.#props;
    checkProof(proof, region, clock.now());
    const { status, text } = await this.#ask(proof, binding);
    // An error is STS's own to explain, and its text may quote what it was sent.
    if (status >= 500 || status === 429) throw new RotationError("target-unreachable", "STS", String(status));
    if (status !== 200)
      throw new RotationError("proof-refused", "STS does not know the signature", String(status));
    const [, arn] = /<Arn>([^<>\s]+)<\/Arn>/.exec(text) ?? [];
    const [, account] = /<Account>(\d{12})<\/Account>/.exec(text) ?? [];
    if (arn === undefined || account === undefined) {
      throw new RotationError("target-unreachable", "an answer of STS that is not read");
    }
    return { arn, account };
  }

  #ask(proof: CallerProof, binding: string): Promise<{ readonly status: number; readonly text: string }> {
    const host = stsHost(this.#props.region);
    const url = new URL(this.#props.endpoint ?? `https://${host}`);
    const send = url.protocol === "http:" ? plainRequest : tlsRequest;
    const headers = {
      host,
      "content-type": PROOF_BODY_TYPE,
      "content-length": String(Buffer.byteLength(PROOF_BODY)),
      "x-amz-date": proof.Date,
      ...(proof.SecurityToken === undefined ? {} : { "x-amz-security-token": proof.SecurityToken }),
      [PROOF_HEADER]: binding,
      authorization: proof.Authorization,
    };
    return new Promise((resolve, reject) => {
      const unreachable = (failure: unknown): void =>
        reject(new RotationError("target-unreachable", host, originOf(failure)));
      const outgoing = send(
        {
          method: "POST",
          hostname: url.hostname,
          port: url.port,
          path: "/",
          headers,
          timeout: PATIENCE_MS,
          agent: false,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          let length = 0;
          incoming.on("data", (chunk: Buffer) => {
            length += chunk.length;
            if (length > LARGEST_ANSWER) incoming.destroy(new Error("too long"));
            else chunks.push(chunk);
          });
          incoming.once("error", unreachable);
          incoming.once("end", () =>
            resolve({ status: incoming.statusCode ?? 500, text: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      outgoing.once("timeout", () => outgoing.destroy(new Error("timeout")));
      outgoing.once("error", unreachable);
      outgoing.end(PROOF_BODY);
    });
  }
}
