import type { STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import {
  type CallerProof,
  PROOF_BODY,
  PROOF_BODY_TYPE,
  PROOF_HEADER,
  stsHost,
} from "../../contracts/caller-proof";

/**
 * Signs a `GetCallerIdentity` that a function will send: {@link CallerProof}.
 *
 * @param client whose credentials sign; nothing is sent
 */
export async function signedProof(client: STSClient, region: string, binding: string): Promise<CallerProof> {
  const { credentials, sha256 } = client.config;
  const hostname = stsHost(region);
  const signer = new SignatureV4({ service: "sts", region, credentials, sha256, applyChecksum: false });
  const { headers } = await signer.sign({
    method: "POST",
    protocol: "https:",
    hostname,
    path: "/",
    headers: { host: hostname, "content-type": PROOF_BODY_TYPE, [PROOF_HEADER]: binding },
    body: PROOF_BODY,
  });
  const token = headers["x-amz-security-token"];
  return {
    Authorization: headers.authorization ?? "",
    Date: headers["x-amz-date"] ?? "",
    ...(token === undefined ? {} : { SecurityToken: token }),
  };
}
