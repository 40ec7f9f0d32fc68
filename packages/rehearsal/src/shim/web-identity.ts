import { randomUUID } from "node:crypto";
import { SigningKey } from "../servers/signing-key";
import { parameterText } from "./aws-call";
import { type Exchange, refuse } from "./exchange";
import type { WireAnswer } from "./wire";

const DEFAULT_DURATION_SECONDS = 300;

/**
 * Tokens for AWS's own identities ("outbound identity federation").
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
 */
export class WebIdentity {
  private constructor(
    private readonly keys: Readonly<Record<"ES384" | "RS256", SigningKey>>,
    private readonly issuers: Readonly<Record<string, string>>,
  ) {}

  /** @param issuers issuer of each account that has federation enabled */
  static async create(issuers: Readonly<Record<string, string>>): Promise<WebIdentity> {
    const [es384, rs256] = await Promise.all([SigningKey.generate("ES384"), SigningKey.generate("RS256")]);
    return new WebIdentity({ ES384: es384, RS256: rs256 }, issuers);
  }

  /** Public key of the tokens by ES384, for a verifier that takes keys (`jwt_validation_pubkeys`). */
  get publicKeyPem(): string {
    return this.keys.ES384.publicKeyPem();
  }

  /** Public keys of both algorithms. */
  get publicKeysPem(): readonly string[] {
    return [this.keys.ES384.publicKeyPem(), this.keys.RS256.publicKeyPem()];
  }

  /** GetWebIdentityToken: the embedded AWS authorises and checks the request, the token is ours. */
  async getToken(exchange: Exchange): Promise<WireAnswer> {
    const { call, caller } = exchange;
    const answer = await exchange.forward();
    if (answer.status !== 200 || caller === undefined) return answer;
    const issuer = this.issuers[caller.account];
    if (issuer === undefined) {
      return refuse(exchange, {
        code: "OutboundWebIdentityFederationDisabledException",
        message: `Outbound web identity federation is not enabled in account ${caller.account}.`,
        status: 403,
      });
    }
    const now = Math.floor(Date.now() / 1_000);
    const audiences = Object.entries(call.parameters).flatMap(([name, value]) =>
      name.startsWith("Audience.member.") ? [String(value)] : [],
    );
    const algorithm = parameterText(call, "SigningAlgorithm") === "RS256" ? "RS256" : "ES384";
    const token = this.keys[algorithm].sign({
      iss: issuer,
      aud: audiences.length === 1 ? audiences[0] : audiences,
      sub: caller.principal,
      iat: now,
      exp: now + Number(parameterText(call, "DurationSeconds") ?? DEFAULT_DURATION_SECONDS),
      jti: randomUUID(),
      "https://sts.amazonaws.com/": {
        aws_account: caller.account,
        principal_id: caller.principal,
        source_region: call.region,
        ...(caller.functionArn === undefined ? {} : { lambda_source_function_arn: caller.functionArn }),
      },
    });
    const body = answer.body
      .toString("utf8")
      .replace(/<WebIdentityToken>[^<]*</, `<WebIdentityToken>${token}<`);
    return { ...answer, body: Buffer.from(body) };
  }
}
