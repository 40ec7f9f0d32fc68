import { IAMClient } from "@aws-sdk/client-iam";
import { IamAccessKeys } from "../adapters/iam-access-keys";
import { lambdaHandler } from "../entries/rotation-handler";
import { s3AccessKeyTarget } from "../targets/s3-access-key";

const keys = new IamAccessKeys(new IAMClient());

/** Lambda's entry point for access keys of IAM users. */
export const handler = lambdaHandler("s3-access-key", ({ settings, clock }) =>
  s3AccessKeyTarget({ settings, keys, clock }),
);
