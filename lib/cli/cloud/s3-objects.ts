import { GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";

/** Part of a bucket: names that begin with a prefix, or that follow a name in the order of bytes. */
export type S3Part = { readonly Prefix: string } | { readonly StartAfter: string };

/** Reads text objects of S3. Failures are AWS's own. */
export interface S3Objects {
  /** Names, in the order of their bytes. */
  list(bucket: string, part: S3Part): AsyncIterable<string>;
  read(bucket: string, key: string): Promise<string>;
}

/** {@link S3Objects} by AWS's SDK. */
export function s3Objects(props: AwsRotationCloudProps): S3Objects {
  // Embedded and private endpoints have no name for each bucket.
  const client = new S3Client({ ...props, forcePathStyle: props.endpoint !== undefined });
  return {
    async *list(bucket, part) {
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, ...part })) {
        for (const { Key } of Contents) if (Key !== undefined) yield Key;
      }
    },
    async read(bucket, key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await Body?.transformToString()) ?? "";
    },
  };
}
