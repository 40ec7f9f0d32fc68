import {
  DescribeSecretCommand,
  paginateListSecretVersionIds,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { SecretHistory } from "./audit-cloud";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";

/** Reads {@link SecretHistory} by AWS's SDK, and no value. */
export function secretHistory(
  props: AwsRotationCloudProps,
): (secret: string) => Promise<SecretHistory | undefined> {
  const client = new SecretsManagerClient(props);
  return async (SecretId) => {
    try {
      const { LastChangedDate } = await client.send(new DescribeSecretCommand({ SecretId }));
      const versions: { readonly id: string; readonly created: Date }[] = [];
      for await (const { Versions = [] } of paginateListSecretVersionIds({ client }, { SecretId })) {
        for (const { VersionId, CreatedDate } of Versions)
          if (VersionId !== undefined && CreatedDate !== undefined)
            versions.push({ id: VersionId, created: CreatedDate });
      }
      return { ...(LastChangedDate ? { lastChanged: LastChangedDate } : {}), versions };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };
}
