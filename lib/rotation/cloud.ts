/** Exports that commands share with functions and that load AWS's SDK, apart so that others need not load it. */

export { DynamoDbPublications } from "./adapters/dynamodb-publications";
export { DynamoDbRuns } from "./adapters/dynamodb-runs";
export { SecretsManagerLook } from "./adapters/secrets-manager-look";
