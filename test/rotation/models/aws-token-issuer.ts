import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { GetWebIdentityTokenCommand, type STSClient } from "@aws-sdk/client-sts";

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * AWS's issuer of web identity tokens, as its documents describe it: ES384, `sub` the ARN of the role. The embedded AWS
 * has the call, but signs with a key that nobody can check.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
 */
export class AwsTokenIssuer {
  readonly issuer = "https://0f1e2d3c-test.tokens.sts.global.api.aws";
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-384" });
  /** Tokens that were given out. */
  readonly given: string[] = [];

  get publicKeyPem(): string {
    return this.#keys.publicKey.export({ type: "spki", format: "pem" }).toString();
  }

  /** STS as seen by a function with this role. */
  clientOf(roleArn: string): STSClient {
    const send = async (command: unknown) => {
      if (!(command instanceof GetWebIdentityTokenCommand)) throw new Error("no such call");
      const { Audience = [], SigningAlgorithm, DurationSeconds = 300 } = command.input;
      if (SigningAlgorithm !== "ES384" || DurationSeconds < 60 || DurationSeconds > 3_600) {
        throw Object.assign(new Error("refused"), { name: "ValidationError" });
      }
      return { WebIdentityToken: this.#token(roleArn, Audience, DurationSeconds) };
    };
    return { send } as unknown as STSClient;
  }

  #token(sub: string, audience: readonly string[], seconds: number): string {
    const iat = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: this.issuer,
      sub,
      aud: audience,
      iat,
      nbf: iat,
      exp: iat + seconds,
      jti: randomUUID(),
    };
    const content = `${encode({ alg: "ES384", typ: "JWT", kid: "test" })}.${encode(claims)}`;
    const signature = sign("sha384", Buffer.from(content), {
      key: this.#keys.privateKey,
      dsaEncoding: "ieee-p1363",
    });
    const token = `${content}.${signature.toString("base64url")}`;
    this.given.push(token);
    return token;
  }
}
