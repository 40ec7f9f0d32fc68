import { KMSClient, VerifyMacCommand } from "@aws-sdk/client-kms";
import { FINGERPRINTS_FOLDER } from "../../contracts/version-fingerprints";
import { AwsRotationCloud, type AwsRotationCloudProps, ask, nameOf } from "./aws-rotation-cloud";
import { s3Objects } from "./s3-objects";
import type { WhoseCloud } from "./whose-cloud";

const ADVICE =
  "Take a role of the environment's principals.breakGlass, with the rights of policies/whose.json.";

/**
 * {@link WhoseCloud} by AWS's SDK.
 *
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
 */
export function awsWhoseCloud(props: AwsRotationCloudProps): WhoseCloud {
  const objects = s3Objects(props);
  const kms = new KMSClient({ ...props });
  const secrets = new AwsRotationCloud(props);
  return {
    objects: (bucket) =>
      ask(
        "s3:ListBucket",
        bucket,
        async () => {
          const names: string[] = [];
          for await (const name of objects.list(bucket, { Prefix: FINGERPRINTS_FOLDER })) names.push(name);
          return names;
        },
        ADVICE,
      ),
    read: (bucket, object) =>
      ask("s3:GetObject", `${bucket}/${object}`, () => objects.read(bucket, object), ADVICE),
    verifies: (KeyId, Message, Mac) =>
      ask(
        "kms:VerifyMac",
        `the key ${KeyId}`,
        async () => {
          try {
            const { MacValid } = await kms.send(
              new VerifyMacCommand({ KeyId, Message, Mac, MacAlgorithm: "HMAC_SHA_256" }),
            );
            return MacValid === true;
          } catch (failure) {
            if (nameOf(failure) === "KMSInvalidMacException") return false;
            throw failure;
          }
        },
        ADVICE,
      ),
    labels: async (secretName) => (await secrets.describe(secretName))?.labels,
  };
}
