import type { DescribeSecretResponse } from "@aws-sdk/client-secrets-manager";

/** Regions whose replica does not have what the primary one has: replication goes on there, or has failed. */
export const replicasBehind = ({
  ReplicationStatus = [],
}: Pick<DescribeSecretResponse, "ReplicationStatus">): readonly string[] =>
  ReplicationStatus.flatMap(({ Region = "", Status }) => (Status === "InSync" ? [] : [Region]));
