import { RotateSecretCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { ScheduledRotations } from "../procedure/procedure-ports";
import { awsFailure } from "./aws-failure";

/** {@link ScheduledRotations} by Secrets Manager. */
export class SecretsManagerRotations implements ScheduledRotations {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  async start(secretId: string, versionId: string): Promise<void> {
    try {
      await this.#client.send(new RotateSecretCommand({ SecretId: secretId, ClientRequestToken: versionId }));
    } catch (failure) {
      if (isGoingOn(failure)) return;
      throw awsFailure(failure, `secretsmanager:RotateSecret of ${secretId}`);
    }
  }
}

/** "A previous rotation isn't complete. That rotation will be reattempted." */
const isGoingOn = (failure: unknown): boolean =>
  failure instanceof Error &&
  failure.name === "InvalidRequestException" &&
  failure.message.includes("previous rotation");
