import * as z from "zod/mini";
import { digestOf } from "../model/canonical-json";
import { serviceIn } from "../model/partitions";

/**
 * Proof of who calls a function. A Lambda function does not see its caller, so the caller sends a `GetCallerIdentity`
 * that he has signed and not sent; the function sends it to STS, and STS says whose signature it is. HashiCorp Vault's AWS
 * auth method and EKS know their callers in the same way:
 * https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method
 */
export interface CallerProof {
  /** The request's `Authorization` header. */
  readonly Authorization: string;
  /** Header `X-Amz-Date` of the signed request. */
  readonly Date: string;
  /** Header `X-Amz-Security-Token` of the signed request, with temporary credentials. */
  readonly SecurityToken?: string | undefined;
}

const headerText = (longest: number) => z.string().check(z.maxLength(longest), z.regex(/^[!-~]+( [!-~]+)*$/));

/** Run-time schema of a proof in an event. */
export const callerProof: z.ZodMiniType<CallerProof> = z.strictObject({
  Authorization: headerText(1_024),
  Date: headerText(32),
  SecurityToken: z.optional(headerText(8_192)),
});

/** The signed header that binds a proof to one request of one function. */
export const PROOF_HEADER = "x-secrets-registry-request";

/** Body of the one request that a proof is of. */
export const PROOF_BODY = "Action=GetCallerIdentity&Version=2011-06-15";
/** Type of {@link PROOF_BODY}. */
export const PROOF_BODY_TYPE = "application/x-www-form-urlencoded; charset=utf-8";

/** Every header that a proof signs, in SigV4's order; no other one may be there. */
export const signedHeaders = (hasToken: boolean): string =>
  ["content-type", "host", "x-amz-date", ...(hasToken ? ["x-amz-security-token"] : []), PROOF_HEADER].join(
    ";",
  );

/** STS of a region: it takes signatures for its own region alone. */
export const stsHost = (region: string): string => serviceIn("sts", region);

/**
 * Text of the signed header: registry, environment, function, and the request's digest. A holder of the proof can use it for
 * this request again while it is fresh, and for nothing else.
 *
 * @param event the request, without its proof
 */
export const proofBinding = (
  { registry, environment }: { readonly registry: string; readonly environment: string },
  functionWord: "dispatcher" | "approval-gate",
  event: object,
): string => `${registry}/${environment}/${functionWord} ${digestOf(event)}`;
