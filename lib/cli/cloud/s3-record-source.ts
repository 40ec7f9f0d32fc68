import { FINGERPRINTS_FOLDER } from "../../contracts/version-fingerprints";
import { severalAtOnce } from "../../rotation";
import { UserFault } from "../terminal/user-fault";
import type { AwsRotationCloudProps } from "./aws-rotation-cloud";
import { type RecordSource, type RecordText, readRecords } from "./record-source";
import { type S3Objects, s3Objects } from "./s3-objects";

/**
 * The records of an environment's bucket. Objects are named by the day on which the run ended, so that older ones are not
 * even listed.
 *
 * @throws UserFault when the bucket cannot be read
 */
export function s3Records(props: AwsRotationCloudProps, bucket: string): RecordSource {
  const objects = s3Objects(props);
  return {
    since: async (day) => {
      const keys = await asked(bucket, () => keysSince(objects, bucket, day));
      const texts = await asked(bucket, () =>
        severalAtOnce(keys, (key) => read(objects, bucket, key), "stop"),
      );
      return readRecords(texts, day);
    },
  };
}

/** Several sources as one. */
export const allRecords = (sources: readonly RecordSource[]): RecordSource => ({
  since: async (day) => {
    const readings = await Promise.all(sources.map((source) => source.since(day)));
    return {
      records: readings
        .flatMap(({ records }) => records)
        .sort((a, b) => (a.endedAt + a.id < b.endedAt + b.id ? -1 : 1)),
      faults: readings.flatMap(({ faults }) => faults),
    };
  },
});

/** Fingerprints of versions have a folder of their own beside the days; whatever else is there should be a record. */
const isRecord = (key: string): boolean => key.endsWith(".json") && !key.startsWith(FINGERPRINTS_FOLDER);

async function keysSince(objects: S3Objects, bucket: string, day: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const key of objects.list(bucket, { StartAfter: day.replaceAll("-", "/") })) {
    if (isRecord(key)) keys.push(key);
  }
  return keys;
}

const read = async (objects: S3Objects, bucket: string, key: string): Promise<RecordText> => ({
  source: `s3://${bucket}/${key}`,
  text: await objects.read(bucket, key),
});

/** @throws UserFault with the name of AWS's failure, never its message */
async function asked<T>(bucket: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (failure) {
    const name = failure instanceof Error && /^\w{1,64}$/.test(failure.name) ? failure.name : "unknown";
    throw new UserFault(
      `The records in s3://${bucket} cannot be read (${name}). Take a role of the environment's operators or approvers: it needs s3:ListBucket and s3:GetObject.`,
    );
  }
}
