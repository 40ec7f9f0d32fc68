import * as z from "zod/mini";
import { sortedDeep } from "./sorted-deep";
import { type KindTraits, objectField, textField } from "./traits";

const iamUserName = () =>
  z.string().check(
    z.refine((name) => /^[\w+=,.@-]{1,64}$/.test(name), {
      params: {
        allowed: "an IAM user name, at most 64 characters",
        change: "use the user's name, not its ARN",
      },
      message: "user",
    }),
  );

/** S3 access key with session policy: its row in the table of kinds. */
export const S3_ACCESS_KEY_TRAITS = {
  title: "S3 access key with session policy",
  stores: ["aws"],
  acceptedBy: ["target"],
  rotation: ["automatic"],
  fields: [textField("accessKeyId"), textField("secretAccessKey"), objectField("sessionPolicy")],
  publicSettings: ["bucket"],
} as const satisfies KindTraits;

/** Schema of the settings of a S3 access key with session policy. */
export const s3AccessKeySettings = () =>
  z.strictObject({
    bucket: z.string().check(
      z.refine((name) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name), {
        params: { allowed: "an S3 bucket name", change: "use the bucket's name, not its ARN or URL" },
        message: "bucket",
      }),
    ),
    /** The IAM user whose two access keys take turns. */
    user: iamUserName(),
    /**
     * Users whose keys values of this secret still are: the function keeps its rights on them until those values are
     * decommissioned. Default: none.
     */
    formerUsers: z._default(z.array(iamUserName()), []),
    /**
     * Policy that consumers pass when they take a session with the key, stored beside it.
     * STS takes 2,048 characters at most.
     */
    sessionPolicy: z.pipe(z.record(z.string(), z.json()), z.transform(sortedDeep)),
  });
