import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DynamoDbPublications, SecretsManagerLook } from "../../rotation/cloud";
import type { DueSources } from "./due-sources";

/** {@link DueSources} by AWS's SDK: credentials, endpoints and proxies come from its own chain. */
export const awsDueSources = (region: string, publicationsTable: string): DueSources => ({
  secrets: new SecretsManagerLook(new SecretsManagerClient({ region })),
  publications: new DynamoDbPublications(new DynamoDBClient({ region }), publicationsTable),
});
