import { GetWebIdentityTokenCommand, type STSClient } from "@aws-sdk/client-sts";
import type { FunctionIdentity } from "../mirror/mirror-ports";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure, awsNameOf } from "./aws-failure";

/** The least that AWS gives. A token is used at once, and once. */
const LIFE_SECONDS = 60;

/**
 * {@link FunctionIdentity} by AWS's outbound identity federation: a JWT whose `sub` is the ARN of the function's role.
 * Regional endpoints of STS only.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 */
export class FederatedIdentity implements FunctionIdentity {
  readonly #client: STSClient;

  constructor(client: STSClient) {
    this.#client = client;
  }

  async token(audience: string): Promise<string> {
    const token = await this.#ask(audience);
    if (token === undefined) throw new RotationError("unexpected", "sts:GetWebIdentityToken gave no token");
    return token;
  }

  async #ask(audience: string): Promise<string | undefined> {
    try {
      const answer = await this.#client.send(
        new GetWebIdentityTokenCommand({
          Audience: [audience],
          SigningAlgorithm: "ES384",
          DurationSeconds: LIFE_SECONDS,
        }),
      );
      return answer.WebIdentityToken;
    } catch (failure) {
      // The name may come with or without the suffix.
      if (/^OutboundWebIdentityFederationDisabled/.test(awsNameOf(failure))) {
        throw new RotationError(
          "target-misconfigured",
          "AWS gives the account's roles no tokens: run `aws iam enable-outbound-web-identity-federation`",
          awsNameOf(failure),
        );
      }
      throw awsFailure(failure, "sts:GetWebIdentityToken");
    }
  }
}
