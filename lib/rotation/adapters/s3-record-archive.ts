import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { RecordArchive } from "../procedure/recorder";
import { RotationError } from "../protocol/rotation-error";
import { awsFailure, awsNameOf } from "./aws-failure";

/**
 * {@link RecordArchive} in an S3 bucket with object lock, whose default retention protects every object.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class S3RecordArchive implements RecordArchive {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async writeOnce(name: string, text: string): Promise<string> {
    try {
      await this.#client.send(
        new PutObjectCommand({
          Bucket: this.#bucket,
          Key: name,
          Body: text,
          ContentType: "application/json",
          IfNoneMatch: "*",
        }),
      );
      return text;
    } catch (failure) {
      const code = awsNameOf(failure);
      if (code === "PreconditionFailed") return this.#read(name);
      // Another write of the same object at the same time.
      if (code === "ConditionalRequestConflict") {
        throw new RotationError("throttled", `s3:PutObject of ${name}`, code);
      }
      throw awsFailure(failure, `s3:PutObject of ${name}`);
    }
  }

  async #read(name: string): Promise<string> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: name }));
      return (await Body?.transformToString()) ?? "";
    } catch (failure) {
      throw awsFailure(failure, `s3:GetObject of ${name}`);
    }
  }
}
