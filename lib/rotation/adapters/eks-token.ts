import type { STSClient } from "@aws-sdk/client-sts";
import { SignatureV4 } from "@smithy/signature-v4";
import { originOf } from "../../lambda/failure-origin";
import { serviceIn } from "../../model/partitions";
import { RotationError } from "../protocol/rotation-error";

/** Life of the signature. */
const LIFE_SECONDS = 60;

/**
 * Token by which an EKS cluster knows an IAM role: a presigned `GetCallerIdentity` of the region's STS, which the cluster
 * sends on. The cluster's name is a signed header, so that no cluster can use it at another.
 *
 * https://github.com/kubernetes-sigs/aws-iam-authenticator (pkg/token: `k8s-aws-v1.` and base64url without padding)
 *
 * @param client whose credentials sign; nothing is sent
 * @param region the cluster's
 */
export async function eksToken(
  client: STSClient,
  region: string,
  cluster: string,
  now: Date,
): Promise<string> {
  const { credentials, sha256 } = client.config;
  const hostname = serviceIn("sts", region);
  const signer = new SignatureV4({ service: "sts", region, credentials, sha256 });
  try {
    const { query = {} } = await signer.presign(
      {
        method: "GET",
        protocol: "https:",
        hostname,
        path: "/",
        query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
        headers: { host: hostname, "x-k8s-aws-id": cluster },
      },
      { expiresIn: LIFE_SECONDS, signingDate: now, unhoistableHeaders: new Set(["x-k8s-aws-id"]) },
    );
    const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
    return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${text.join("&")}`).toString("base64url")}`;
  } catch (failure) {
    throw new RotationError("access-denied", `no token for cluster ${cluster}`, originOf(failure));
  }
}
