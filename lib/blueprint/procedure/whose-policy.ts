import { FINGERPRINTS_FOLDER } from "../../contracts/version-fingerprints";
import type { PolicyDocument } from "../../model/policy-document";
import { arnsIn, byAuditKey, withinOneRole } from "../functions/function-rights";
import { statement } from "../functions/target-rights";
import { bucketArn } from "../platform/aws-arns";
import type { ProcedureScope } from "./procedure-rights";

/** Characters of secrets' names in it: an inline policy of a role has 10,240 in all. */
const NAMES_LENGTH = 4_000;

/**
 * Rights for `secrets-registry whose`: to read the fingerprints of versions, to hold a text against them, and to see which version
 * is current. It reads no value. The audit key's policy takes break-glass alone for it: whoever verifies can guess.
 */
export function whosePolicy({ registry, environment, names, secrets }: ProcedureScope): PolicyDocument {
  const { primary } = environment.regions;
  const bucket = bucketArn(environment, names.recordsBucket);
  return {
    Version: "2012-10-17",
    Statement: [
      {
        ...statement("ListFingerprints", ["s3:ListBucket"], [bucket]),
        Condition: { StringLike: { "s3:prefix": [`${FINGERPRINTS_FOLDER}*`] } },
      },
      statement("ReadFingerprints", ["s3:GetObject"], [`${bucket}/${FINGERPRINTS_FOLDER}*`]),
      byAuditKey(registry, environment, "VerifyFingerprints", "kms:VerifyMac"),
      ...(secrets.length > 0
        ? [
            statement(
              "SeeLabels",
              ["secretsmanager:DescribeSecret"],
              withinOneRole(environment, arnsIn(environment, primary, secrets), NAMES_LENGTH, primary),
            ),
          ]
        : []),
    ],
  };
}
