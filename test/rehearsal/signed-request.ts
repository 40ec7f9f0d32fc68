import { request } from "node:http";
import { STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Credentials } from "../../packages/rehearsal/src/load";

/** A request as another client of AWS phrases it. */
export interface SignedRequest {
  readonly endpoint: string;
  readonly credentials: Credentials;
  readonly region: string;
  /** As the credential scope names it. */
  readonly service: string;
  /** @default POST */
  readonly method?: string;
  /** Still encoded. @default / */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A host that is reached by the endpoint as its proxy. @default the endpoint's own, without a proxy */
  readonly proxiedHost?: string;
}

/** Signs a request and sends it. */
export async function sendSigned(asked: SignedRequest): Promise<{ status: number; body: string }> {
  const { endpoint, credentials, region, service, method = "POST", path = "/", query = {} } = asked;
  const { hostname, port, host } = new URL(endpoint);
  const { sha256 } = new STSClient({ region }).config;
  const signer = new SignatureV4({ service, region, credentials, sha256, uriEscapePath: service !== "s3" });
  const { headers } = await signer.sign({
    method,
    protocol: "http:",
    hostname,
    path,
    query: { ...query },
    headers: { ...asked.headers, host: asked.proxiedHost ?? host },
    body: asked.body ?? "",
  });
  const search = new URLSearchParams(query).toString();
  const target = `${path}${search === "" ? "" : `?${search}`}`;
  const url = asked.proxiedHost === undefined ? target : `http://${asked.proxiedHost}${target}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path: url, headers, setHost: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("end", () =>
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.once("error", reject);
    outgoing.end(asked.body);
  });
}
